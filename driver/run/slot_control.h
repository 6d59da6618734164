// How another command changes the job slots of a running build: by a file that the build looks at.
//
// Each driver with a pool holds a lock in a folder that those of its tree share; whoever wants to change the
// pools finds there which are alive, and writes the number beside the lock.
#pragma once

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "report/event.h"
#include "run/job_slots.h"

namespace stagemake {

// Sets it, and says so.
std::string change_slots(JobSlots& pool, unsigned count);

class SlotControl {
 public:
  // `folder`: StateFolder::pools(). Both others must outlive it.
  SlotControl(const fs::path& folder, JobSlots& pool, Reporter& reporter);
  ~SlotControl();
  SlotControl(const SlotControl&) = delete;
  SlotControl& operator=(const SlotControl&) = delete;

  // Asks all pools that are alive for so many slots. Returns who they are ("process 17, stagemake build …"),
  // or nothing where there are none.
  static std::vector<std::string> ask(const fs::path& folder, unsigned count);

 private:
  void watch(const std::stop_token& stop);
  void look();

  fs::path lock_file_;
  JobSlots& pool_;
  Reporter& reporter_;
  std::optional<FileLock> lock_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace stagemake
