// Finds and ends the processes inside a container without its own process namespace (buildah's isolation
// "chroot"): by a mark in their environment, which children inherit, and by the mount namespace, which they
// keep even with an empty environment. Daemons are found too.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/files/descriptor.h"
#include "engine/container_engine.h"

namespace stagemake {

class ContainerProcesses {
 public:
  // `mark`: a whole environment entry, "KEY=value".
  explicit ContainerProcesses(std::string mark) : mark_(std::move(mark)) {}
  ContainerProcesses(const ContainerProcesses&) = delete;
  ContainerProcesses& operator=(const ContainerProcesses&) = delete;

  // Looks for the shell that runs the script. Call it as soon as the shell runs: once its mount namespace is
  // known, processes that clear their environment are found too.
  void find_shell();

  // The processes that run now, without the engine's own process.
  std::vector<pid_t> running() const;
  // Describes the running processes, of a run that may belong to another process.
  std::vector<ContainerProcess> table();
  // Ends a run of a dead process: `resume`, `ask`, and after `grace`, or on a request, `kill`. When this
  // returns, all its processes have ended.
  void end(std::chrono::milliseconds grace, const std::stop_token& now = {});
  // SIGSTOP until no process can continue: each is stopped, or will be before it executes another instruction
  // of its own. False if nothing runs inside. If a process is not stopped within `patience`, calls resume()
  // and throws EngineError.
  bool pause(std::chrono::milliseconds patience);
  void resume();  // SIGCONT to all
  // SIGTERM to all but the shell. If there is only the shell, it is between two commands or has not started:
  // looks again, for up to `patience` or until a request, until there is a process to signal or nothing runs
  // at all.
  void ask(std::chrono::milliseconds patience, const std::stop_token& now = {});
  // SIGKILL until none is left. Throws EngineError if a process survives that for `patience`.
  void kill(std::chrono::milliseconds patience = std::chrono::seconds(30)) const;

 private:
  bool signal(pid_t process, int number) const;
  bool inside(pid_t process) const;
  void adopt();
  bool hold(pid_t process, const std::string& space);

  std::string mark_;
  pid_t shell_ = 0;
  pid_t keeper_ = 0;             // the engine's process that waits for the shell, in the same mount namespace
  std::string mount_namespace_;  // empty: unknown
  Descriptor held_;              // keeps it alive: otherwise another container's could get its name
};

// The marks that some process carries. Reads all processes once, for any number of containers.
std::set<std::string> marks_in_use(const std::set<std::string>& marks);
// The memory (held_memory()) of the processes that carry them, by mark.
std::map<std::string, std::uint64_t> memory_by_mark(const std::set<std::string>& marks);

}  // namespace stagemake
