// The job slots of the `make -jN` whose recipe started the driver: the driver is a client of its jobserver,
// like a make below it.
//
// One slot comes with the recipe. Each further slot is a byte in make's pipe, and that very byte is returned,
// because make may give meaning to the bytes. The inherited descriptors share their flags with make and with
// everything that it runs, so the pipe is opened anew here, as non-blocking. Slots held by a driver killed
// with -9 are lost to its make.
//
// Thread rule: any thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/descriptor.h"

namespace stagemake {

// The jobserver in MAKEFLAGS.
struct JobserverWords {
  enum class Kind { None, Descriptors, Fifo } kind = Kind::None;
  int read = -1, write = -1;     // Descriptors; negative: make says that the recipe gets none
  std::string fifo = {};         // Fifo: its path
  std::optional<unsigned> jobs;  // of -jN; GNU make before 4.3 does not pass it on
};
// Accepts any text; text that cannot be understood is Kind::None.
JobserverWords jobserver_words(std::string_view makeflags);

class CallingMake {
 public:
  // The calling make of this environment. Null if there is none with job slots, or if they do not reach us;
  // then `why_not` says why, for people. Takes no slot yet.
  static std::unique_ptr<CallingMake> join(const JobserverWords& words, std::string& why_not);
  ~CallingMake();
  CallingMake(const CallingMake&) = delete;
  CallingMake& operator=(const CallingMake&) = delete;

  // Its total number of slots, if it says so.
  std::optional<unsigned> jobs() const { return jobs_; }
  // Becomes readable when a slot is given back.
  int descriptor() const { return read_.get(); }
  // Takes one more slot. False if there is none now; never waits.
  bool take();
  // Returns one slot; false if make's pipe accepts nothing now.
  bool give_back();
  // Slots taken and not given back, without that of the recipe.
  unsigned held() const;
  // Returns all slots, and takes no more.
  void leave();

 private:
  CallingMake(Descriptor read, Descriptor write, std::optional<unsigned> jobs);
  bool give_one();

  mutable std::mutex mutex_;
  const Descriptor read_, write_;
  const std::optional<unsigned> jobs_;
  std::vector<char> held_;
  bool left_ = false;
};

}  // namespace stagemake
