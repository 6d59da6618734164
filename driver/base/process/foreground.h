// Runs an interactive program: it has the caller's standard streams and stays in the caller's process group,
// so that it owns the terminal and ctrl-C reaches it.
#pragma once

#include <signal.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace stagemake {

// While this object exists, SIGINT and SIGQUIT do not end this process, because they are meant for the
// program. SIGHUP (the terminal is gone) and SIGTERM stay pending until run() handles them, so that whatever
// was prepared for the program can be cleaned up. Ignored signals stay ignored. For a process with one
// thread.
class Foreground {
 public:
  Foreground();
  ~Foreground();  // a signal still pending takes effect now
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;

  // Runs `argv` to its end (argv[0] is looked up in PATH). Returns its exit status, or 128 + signal if a
  // signal ended it. On SIGHUP or SIGTERM, calls `end`, which must make the program end; if the program still
  // runs after `patience`, it is killed. Exceptions from `end` are rethrown once the program is gone. Throws
  // Error (EngineUnusable) if the program cannot be started. `output_again`: as in Command
  // (base/process/subprocess.h).
  int run(const std::vector<std::string>& argv, const std::function<void()>& end, int output_again = 0,
          std::chrono::milliseconds patience = std::chrono::milliseconds(2000));

 private:
  sigset_t heard_;
  sigset_t before_;
};

}  // namespace stagemake
