// A script as the standard input of a container's /bin/sh: nothing has to be copied into the container, and
// no file of ours stays behind in its image.
//
// The shell reads all of it as one `eval` before the first command runs, so that a command that reads its
// input finds /dev/null and not the rest of the script. Before that it says its process id on standard error,
// which tells a script that failed from an engine that never started it; from then on both streams are one,
// in the order in which they were written.
#pragma once

#include <sys/types.h>

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

// Reads what comes on standard error: the line in which the shell says its process id, and the engine's own
// words.
class ShellGreeting {
 public:
  void add(std::string_view piece);
  bool heard() const { return process_ > 0; }
  // As the container counts processes.
  pid_t process() const { return process_; }

 private:
  std::string text_;
  pid_t process_ = 0;
};

// `errors` without that line.
std::string without_greeting(std::string_view errors);

}  // namespace stagemake
