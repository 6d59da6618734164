// A script as the standard input of a container's /bin/sh: nothing has to be copied into the container, and
// no file of ours stays behind in its image.
//
// The shell reads all of it as one `eval` before the first command runs, so that a command that reads its
// input finds /dev/null and not the rest of the script. Before that it says its process id on standard error,
// which tells a script that failed from an engine that never started it; from then on both streams are one,
// in the order in which they were written.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

class ScriptInput {
 public:
  explicit ScriptInput(const std::string& script);
  ~ScriptInput();
  ScriptInput(const ScriptInput&) = delete;
  ScriptInput& operator=(const ScriptInput&) = delete;

  int descriptor() const { return fd_; }

 private:
  int fd_;
};

// Listens for the greeting on standard error.
class ShellGreeting {
 public:
  void add(std::string_view piece);
  bool heard() const { return heard_; }

 private:
  std::string text_;
  bool heard_ = false;
};

// `errors` without that line.
std::string without_greeting(std::string_view errors);

}  // namespace stagemake
