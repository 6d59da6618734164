// One pool of job slots for the makes of all containers: never more concurrent jobs than slots, and no idle
// slot while there is work anywhere.
//
// GNU make's jobserver is a pipe with one byte for each job that may run beside the first one. Here each
// container has its own pipe, a FIFO that is mounted into it, and a broker moves bytes between them: unused
// bytes in one go to another whose bytes are all taken. So the driver always knows how many slots each
// container has, and the slots of a killed container come back; one pipe for all would lose them. The first
// job of each make needs no byte: its slot is taken before the stage starts, and returned when it ends.
//
// The slots are the pool's own, or those of a calling make: then one is there from the start, and more are
// taken from that make when a container needs them, and returned as soon as none does.
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

#include "base/files/files.h"
#include "run/slots/calling_make.h"

namespace stagemake {

// The path of the pipe in a container.
inline constexpr std::string_view kSlotsPath = "/.stagemake/slots";

class JobSlots {
 public:
  class Share;

  // `count`: at least 1.
  explicit JobSlots(unsigned count);
  // At most `count` slots of `make`, which must outlive the pool.
  JobSlots(CallingMake& make, unsigned count);
  // All shares must have been destroyed.
  ~JobSlots();
  JobSlots(const JobSlots&) = delete;
  JobSlots& operator=(const JobSlots&) = delete;

  // Makes the FIFO, which stays when the share is destroyed, because containers may outlive their driver. Its
  // folder is made if missing, and becomes private to the caller: on this side nobody else reaches the pipe.
  // Throws Error if that is not possible.
  std::unique_ptr<Share> share(const fs::path& fifo);

  unsigned count() const;
  // Whether the slots are a calling make's: then count() is the most that are taken.
  bool are_borrowed() const { return make_ != nullptr; }
  // Slots of count() that no share has.
  unsigned free() const;
  // Changes the number of slots; if it decreases, running jobs end first.
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
  unsigned here() const;  // slots usable now
  bool has_free();
  Share* hungriest();

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  CallingMake* const make_;  // null: the slots are the pool's own
  unsigned count_;
  unsigned waiting_ = 0;  // shares that wait to begin
  std::vector<Share*> shares_;
  const Descriptor returned_;  // an epoll descriptor: a share's FIFO was written to
  std::jthread broker_;        // last: it uses all of the above
};

// The slots of one container.
class JobSlots::Share {
 public:
  ~Share();
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  const fs::path& fifo() const { return fifo_; }
  // Call it before make runs: waits for a slot for its first job. False if a stop was requested first.
  bool begin(const std::stop_token& stop);
  // Nothing runs in the container any more: frees all its slots.
  void end();
  // Slots that it has now, used or not.
  unsigned slots() const;

 private:
  friend class JobSlots;
  Share(JobSlots& pool, fs::path fifo);

  unsigned unused() const;       // bytes in the FIFO
  bool put();                    // writes a byte into it; false if that fails
  unsigned take(unsigned most);  // reads at most that many bytes from it

  JobSlots& pool_;
  const fs::path fifo_;
  int descriptor_ = -1;
  bool runs_ = false;
  std::chrono::steady_clock::time_point offered_ = {};
  std::chrono::steady_clock::time_point lies_since_ = {};  // when bytes became unused; epoch: none are
  bool refused_ = false;                                   // the last slot that it was given
  unsigned given_ = 0;                                     // bytes in the FIFO or held by a make
};

}  // namespace stagemake
