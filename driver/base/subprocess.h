// One child process, run to its end, over Boost.Process v2.
//
// Every call has an event loop of its own, so that any number of threads may run children at once. A child
// gets its own process group: a ctrl-C at the terminal reaches the driver alone, which then decides what to
// stop and how. Programs are argument vectors; nothing here knows a shell.
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

  // Variables set beside, or over, those of the caller; what a calling make says to makes is none of these.
  std::map<std::string, std::string> environment;

  // What the child reads; -1 is /dev/null. Stays the caller's.
  int standard_input = -1;
  // Where standard output goes instead of into `on_output` or Finished::output; -1 is neither. Stays the
  // caller's.
  int standard_output = -1;
  // A number, 3 … 9, under which the child has its standard output once more and hands it down: what it runs
  // can so write past a relay of the child's own, which may lose the last words. Others than the caller's
  // user can write there too if they are below the child. 0: none.
  int output_again = 0;

  // Called with every piece of output as it comes, from the calling thread. Where it is empty, standard
  // output is collected in Finished::output (up to `output_limit` bytes, then the child is killed and the
  // call throws) and standard error in Finished::errors. With it, both streams arrive here in the order in
  // which they were written.
  std::function<void(std::string_view)> on_output;
  // With it, standard error arrives here instead, and its tail in Finished::errors.
  std::function<void(std::string_view)> on_errors;
  std::size_t output_limit = 256u << 20;

  // A request ends the child: `ask` (default: SIGTERM to its group), then after `grace` `kill` (default:
  // SIGKILL to its group). Both are called from the calling thread and may run commands themselves. A child
  // that outlives a `kill` of the caller's by kAfterKill gets the SIGKILL all the same.
  std::stop_token stop;
  std::function<void()> ask;
  std::function<void()> kill;
  std::chrono::milliseconds grace{10000};
  // A request, before `stop` or after it, ends the child at once, by `kill`.
  std::stop_token hurry;
  static constexpr std::chrono::milliseconds kAfterKill{5000};
};

struct Finished {
  int exit_code = 0;     // 0 … 255; 128 + signal where a signal ended it
  bool stopped = false;  // a stop was requested before it ended
  std::string output;
  std::string errors;  // the last 64 KiB

  bool ok() const { return exit_code == 0 && !stopped; }
};

// Throws Error (EngineUnusable) where the program cannot be started or printed too much. What `on_output`,
// `on_errors`, `ask` or `kill` throw comes out here, after the child was killed. When this returns or throws,
// the child is gone and reaped. All that was written before its end has arrived, however late this process
// came to read it; what left its group is not waited for, nor output that comes half a second after its end.
Finished run_command(const Command& command);

// The path of a program as a shell would find it; empty where there is none.
std::string find_program(std::string_view name);

}  // namespace stagemake
