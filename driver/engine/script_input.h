// Passes a script to a container's /bin/sh as its standard input: nothing has to be copied into the
// container, and no file of ours remains in its image.
//
// The shell prints a greeting on standard error and then waits for the script. The greeting distinguishes a
// failed script from an engine that never started it, and lets us inspect the shell before it does anything.
// The shell reads the whole script as one `eval` before the first command runs, so that a command that reads
// its input finds /dev/null and not the rest of the script. From then on, both its streams are one, in the
// order in which they were written. If the engine relays the shell's output, and may lose the end of it, a
// descriptor that bypasses the relay replaces it.
//
// Thread rule: one thread.
#pragma once

#include <string>
#include <string_view>
#include <thread>

#include "base/files/descriptor.h"

namespace stagemake {

class ScriptInput {
 public:
  // `output`: a one-digit descriptor for the shell's output, which the shell may have inherited; if it has
  // not, its output stays as it is. 0: none.
  explicit ScriptInput(const std::string& script, int output = 0);
  ~ScriptInput();
  ScriptInput(const ScriptInput&) = delete;
  ScriptInput& operator=(const ScriptInput&) = delete;

  // The shell's standard input.
  int descriptor() const { return reading_.get(); }
  // Accepts a piece of standard error. Returns true once: when the greeting is complete and the shell waits.
  bool hear(std::string_view piece);
  // Gives the shell its script, ...
  void release();
  // ... or ends its input: the shell exits without having done anything. No effect after `release`.
  void withhold();
  bool released() const { return released_; }

 private:
  std::string rest_;
  std::string heard_;
  bool greeted_ = false;
  bool released_ = false;
  Descriptor reading_;
  Descriptor writing_;
  std::thread writer_;  // a pipe holds 64 KiB, and the shell may exit before it has read everything
};

// `errors` without the greeting.
std::string without_greeting(std::string_view errors);

}  // namespace stagemake
