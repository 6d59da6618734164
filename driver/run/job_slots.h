// One pool of job slots for the makes of all containers: never more jobs at once than slots, and none idle
// while somewhere there is something to do.
//
// GNU make's jobserver is a pipe with a byte in it for each job that may run beside the first one. Here each
// container has such a pipe of its own, a FIFO that is mounted into it, and a broker moves bytes between
// them: what lies unused in one goes where all is taken. So the driver knows at any time how many slots each
// container has, and those of a container that is killed come back, which one pipe for all would lose. The
// first job of each make needs no byte: its slot is taken before the stage begins, and given back when it
// ends.
//
// The slots are the pool's own, or those of a calling make: then one is there from the beginning, and others
// are taken from it when somebody here wants them, and given back as soon as nobody does.
//
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/files.h"
#include "run/calling_make.h"

namespace stagemake {

// Where a container has its pipe.
inline constexpr std::string_view kSlotsPath = "/.stagemake/slots";

class JobSlots {
 public:
  class Share;

  // `count`: at least 1.
  explicit JobSlots(unsigned count);
  // At most `count` of those of `make`, which must outlive the pool.
  JobSlots(CallingMake& make, unsigned count);
  // All shares must be gone.
  ~JobSlots();
  JobSlots(const JobSlots&) = delete;
  JobSlots& operator=(const JobSlots&) = delete;

  // Makes the FIFO, which stays when the share goes: containers may outlive their driver. Its folder is made, or
  // becomes, the caller's alone: on this side nobody else reaches the pipe. Throws Error where that is not possible.
  std::unique_ptr<Share> share(const fs::path& fifo);

  unsigned count() const;
  // Whether they are a calling make's: count() is then the most that are taken.
  bool are_borrowed() const { return make_ != nullptr; }
  // Slots of count() that no share has.
  unsigned free() const;
  // Changes the number of slots; where there are fewer, jobs that run end first.
  void set_count(unsigned count);

 private:
  friend class Share;

  JobSlots(CallingMake* make, unsigned count);
  void serve(const std::stop_token& stop);
  bool is_busy() const;
  void balance();
  void deal();
  void give_back_spare();
  void collect_unused(bool all);
  unsigned used() const;
  unsigned here() const;  // that may be used now
  bool has_free();
  Share* hungriest();

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  CallingMake* const make_;  // null: the slots are the pool's own
  unsigned count_;
  unsigned waiting_ = 0;  // shares that want to begin
  std::vector<Share*> shares_;
  const int returned_;   // an epoll descriptor: something was written into a share's FIFO
  std::jthread broker_;  // last: it uses all of the above
};

// The slots of one container.
class JobSlots::Share {
 public:
  ~Share();
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  const fs::path& fifo() const { return fifo_; }
  // Before make runs: waits for a slot for its first job. False where a stop was requested before there was
  // one.
  bool begin(const std::stop_token& stop);
  // Nothing runs in the container any more: all its slots are free.
  void end();
  // Slots that it has now, used or not.
  unsigned slots() const;

 private:
  friend class JobSlots;
  Share(JobSlots& pool, fs::path fifo);

  unsigned unused() const;       // bytes in the FIFO
  bool put();                    // a byte into it; false where that fails
  unsigned take(unsigned most);  // bytes out of it

  JobSlots& pool_;
  const fs::path fifo_;
  int descriptor_ = -1;
  bool runs_ = false;
  std::chrono::steady_clock::time_point offered_ = {};
  std::chrono::steady_clock::time_point lies_since_ = {};  // what is unused; the beginning: nothing is
  bool refused_ = false;                                   // what it was given last
  unsigned given_ = 0;                                     // bytes that are in the FIFO or held by a make
};

}  // namespace stagemake
