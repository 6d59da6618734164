// Finds and ends the processes that run inside a container without a process namespace of its own (buildah's
// isolation "chroot"): by a mark in their environment, which children inherit, and by the mount namespace,
// which they keep even with an empty environment. Daemons are found like any other.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/container_engine.h"

namespace stagemake {

class ContainerProcesses {
 public:
  // `mark`: a whole environment entry, "KEY=value".
  explicit ContainerProcesses(std::string mark) : mark_(std::move(mark)) {}
  ~ContainerProcesses();
  ContainerProcesses(const ContainerProcesses&) = delete;
  ContainerProcesses& operator=(const ContainerProcesses&) = delete;

  // Looks for the shell that runs the script. Worth calling as soon as it runs: with its mount namespace
  // known, a process that throws its environment away is found all the same.
  void find_shell();

  // Those that run now, without the engine's own process beside them.
  std::vector<pid_t> running() const;
  // What runs now, of a run that may be another process's.
  std::vector<ContainerProcess> table();
  // Ends a run of another process, dead by now: `resume`, `ask`, and after `grace`, or on a request, `kill`. All of
  // it has ended when this returns.
  void end(std::chrono::milliseconds grace, const std::stop_token& now = {});
  // SIGSTOP, until none can go on: each is stopped, or will be before it runs another instruction of its own. False
  // where nothing runs inside. Throws EngineError where one is not within `patience`, after resume().
  bool pause(std::chrono::milliseconds patience);
  void resume();  // SIGCONT to all
  // SIGTERM to all but the shell. Where there is nothing but the shell, it is between two commands, or has
  // not begun: looks again, for up to `patience` or until a request, until there is something to signal or
  // nothing at all runs.
  void ask(std::chrono::milliseconds patience, const std::stop_token& now = {});
  // SIGKILL, until none is left. Throws EngineError where one survives that for `patience`.
  void kill(std::chrono::milliseconds patience = std::chrono::seconds(30)) const;

 private:
  bool signal(pid_t process, int number) const;
  bool inside(pid_t process) const;
  void adopt();
  bool hold(pid_t process, const std::string& space);

  std::string mark_;
  pid_t shell_ = 0;
  pid_t keeper_ = 0;             // the engine's process that waits for the shell, in the same mount namespace
  std::string mount_namespace_;  // empty: not known
  int held_ = -1;                // keeps it in being: else its name could go to that of another container
};

// Of these marks, those that some process carries: one look at all processes, for any number of containers.
std::set<std::string> marks_in_use(const std::set<std::string>& marks);
// And the memory (held_memory()) of those that carry them, by mark.
std::map<std::string, std::uint64_t> memory_by_mark(const std::set<std::string>& marks);

}  // namespace stagemake
