// Runs one child process to its end, using Boost.Process v2.
//
// Every call has its own event loop, so any number of threads can run children at once. A child gets its own
// process group: ctrl-C at the terminal reaches only the driver, which then decides what to stop and how.
// Programs are argument vectors; no shell is involved.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

struct Command {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH

  // Variables added to, or replacing, the caller's; variables that a calling make sets for its makes are left
  // out.
  std::map<std::string, std::string> environment;

  // The child's standard input; -1 is /dev/null. The caller keeps ownership.
  int standard_input = -1;
  // Where standard output goes instead of to `on_output` or Finished::output; -1: not set. The caller keeps
  // ownership.
  int standard_output = -1;
  // A descriptor number, 3 … 9, under which the child and its descendants also have the child's standard
  // output: they can write past a relay in the child that may lose the last words. Other users' processes
  // below the child can write to it too. 0: none.
  int output_again = 0;

  // Called in the calling thread with every piece of output as it comes; gets both streams in the order in
  // which they were written. If it is empty, standard output is collected in Finished::output (if it exceeds
  // `output_limit` bytes, the child is killed and the call throws) and standard error in Finished::errors.
  std::function<void(std::string_view)> on_output;
  // If set, gets standard error instead; its end is also in Finished::errors.
  std::function<void(std::string_view)> on_errors;
  std::size_t output_limit = 256u << 20;

  // A stop request ends the child: `ask` (default: SIGTERM to its group), then after `grace` `kill` (default:
  // SIGKILL to its group). Both are called in the calling thread and may run commands themselves. A child
  // that outlives the caller's `kill` by kAfterKill gets SIGKILL anyway.
  std::stop_token stop;
  std::function<void()> ask;
  std::function<void()> kill;
  std::chrono::milliseconds grace{10000};
  // A request, before or after `stop`, ends the child at once, with `kill`.
  std::stop_token hurry;
  static constexpr std::chrono::milliseconds kAfterKill{5000};
};

struct Finished {
  int exit_code = 0;     // 0 … 255; 128 + signal if a signal ended it
  bool stopped = false;  // a stop was requested before it ended
  std::string output;
  std::string errors;  // the last 64 KiB

  bool ok() const { return exit_code == 0 && !stopped; }
};

// Throws Error (EngineUnusable) if the program cannot be started or prints too much. Exceptions from
// `on_output`, `on_errors`, `ask` or `kill` are rethrown here after the child was killed. When this returns
// or throws, the child is gone and reaped. All output from before its end has arrived, however late this
// process reads it. The call does not wait for processes that left the child's group, or for output more than
// half a second after its end.
Finished run_command(const Command& command);

// The path of a program as a shell would find it; empty if there is none.
std::string find_program(std::string_view name);

}  // namespace stagemake
