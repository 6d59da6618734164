// A script as the standard input of a container's /bin/sh: nothing has to be copied into the container, and
// no file of ours stays behind in its image.
//
// The shell greets on standard error and then waits for the script, which tells a script that failed from an
// engine that never started it, and gives us the time to look at the shell before it does anything. It reads
// all of the script as one `eval` before the first command runs, so that a command that reads its input finds
// /dev/null and not the rest of the script. From then on both its streams are one, in the order in which they
// were written. Where the engine relays what the shell prints, and may lose the end of it, a descriptor that
// leads past the relay takes its place.
//
// Thread rule: one thread.
#pragma once

#include <string>
#include <string_view>
#include <thread>

#include "base/descriptor.h"

namespace stagemake {

class ScriptInput {
 public:
  // `output`: a one-digit descriptor that the shell may have inherited, for its output; 0: none. Where it has
  // not, its output stays what it is.
  explicit ScriptInput(const std::string& script, int output = 0);
  ~ScriptInput();
  ScriptInput(const ScriptInput&) = delete;
  ScriptInput& operator=(const ScriptInput&) = delete;

  // What the shell reads.
  int descriptor() const { return reading_.get(); }
  // Takes a piece of standard error. True once: when the greeting is there, and the shell waits.
  bool hear(std::string_view piece);
  // Gives the shell its script, ...
  void release();
  // ... or its end instead: it ends without having done anything. Without effect after `release`.
  void withhold();
  bool released() const { return released_; }

 private:
  std::string rest_;
  std::string heard_;
  bool greeted_ = false;
  bool released_ = false;
  Descriptor reading_;
  Descriptor writing_;
  std::thread writer_;  // a pipe holds 64 KiB, and the shell may end before it has read them
};

// `errors` without the greeting.
std::string without_greeting(std::string_view errors);

}  // namespace stagemake
