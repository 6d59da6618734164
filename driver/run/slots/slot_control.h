// Changes the job slots of a running build from another command, through a file that the build watches.
//
// Each driver with a pool holds a lock in a folder that the drivers of its tree share. A command that changes
// the pools finds there which drivers are alive, and writes the number beside the lock.
#pragma once

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "report/events/event.h"
#include "run/slots/job_slots.h"

namespace stagemake {

// Sets the number, and returns a message about it.
std::string change_slots(JobSlots& pool, unsigned count);

class SlotControl {
 public:
  // `folder`: StateFolder::pools(). `pool` and `reporter` must outlive it.
  SlotControl(const fs::path& folder, JobSlots& pool, Reporter& reporter);
  ~SlotControl();
  SlotControl(const SlotControl&) = delete;
  SlotControl& operator=(const SlotControl&) = delete;

  // Asks all living pools to use this many slots. Returns their descriptions ("process 17, stagemake build
  // …"), or nothing if there are none.
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
