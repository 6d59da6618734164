// The job slots of the `make -jN` from whose recipe the driver was started: the driver is a client of its
// jobserver, as a make below it would be.
//
// One slot comes with the recipe. Each further one is a byte in make's pipe, and that very byte goes back:
// make may put meaning into them. The inherited descriptors share their flags with make and with all that it
// runs, so the pipe is opened anew here, without blocking. What a killed (-9) driver held is lost to its
// make.
//
// Thread rule: any thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

// What MAKEFLAGS says of a jobserver.
struct JobserverWords {
  enum class Kind { None, Descriptors, Fifo } kind = Kind::None;
  int read = -1, write = -1;     // Descriptors; negative: make says that the recipe gets none
  std::string fifo = {};         // Fifo: its path
  std::optional<unsigned> jobs;  // of -jN; GNU make before 4.3 does not say it to those below
};
// Any text; what cannot be understood is Kind::None.
JobserverWords jobserver_words(std::string_view makeflags);

class CallingMake {
 public:
  // The environment's, or null: there is no calling make with job slots, or they do not reach us, and
  // `why_not` says to a person why. Takes nothing yet.
  static std::unique_ptr<CallingMake> join(const JobserverWords& words, std::string& why_not);
  ~CallingMake();
  CallingMake(const CallingMake&) = delete;
  CallingMake& operator=(const CallingMake&) = delete;

  // Slots that it has in all, where it says so.
  std::optional<unsigned> jobs() const { return jobs_; }
  // What becomes readable when a slot is given back.
  int descriptor() const { return read_; }
  // One slot more. False where there is none now; never waits.
  bool take();
  // One slot less; false where make's pipe takes nothing now.
  bool give_back();
  // Taken and not given back: without the one of the recipe.
  unsigned held() const;
  // Gives all back, and takes no more.
  void leave();

 private:
  CallingMake(int read, int write, std::optional<unsigned> jobs);
  bool give_one();

  mutable std::mutex mutex_;
  const int read_, write_;
  const std::optional<unsigned> jobs_;
  std::vector<char> held_;
  bool left_ = false;
};

}  // namespace stagemake
