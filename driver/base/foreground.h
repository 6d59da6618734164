// A program that a person talks to: it has the caller's own standard streams and stays in the caller's process group, so that
// the terminal is its own and ctrl-C reaches it.
#pragma once

#include <signal.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace stagemake {

// While it lives, SIGINT and SIGQUIT do not end this process, as they are meant for the program; SIGHUP (its terminal is
// gone) and SIGTERM wait until run() hears them, so that what was prepared for the program can be cleared away. Signals that
// are ignored stay ignored. For a process with one thread.
class Foreground {
 public:
  Foreground();
  ~Foreground();  // a signal that nobody heard counts now
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;

  // Runs `argv` (argv[0] is looked up in PATH) to its end. Returns its exit status, 128 + signal where one ended it. On
  // SIGHUP or SIGTERM it calls `end`, which is to make the program end; one that goes on for `patience` after that is
  // killed, and what it throws is thrown when the program is gone. Throws Error (EngineUnusable) where the program cannot
  // be started. `output_again`: as in Command (base/subprocess.h).
  int run(const std::vector<std::string>& argv, const std::function<void()>& end, int output_again = 0,
          std::chrono::milliseconds patience = std::chrono::milliseconds(2000));

 private:
  sigset_t heard_;
  sigset_t before_;
};

}  // namespace stagemake
