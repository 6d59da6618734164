#include "engine/container_processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/process/sleep.h"
#include "base/text/text.h"
#include "engine/proc.h"
#include "engine/process_table.h"

namespace stagemake {
namespace {

using namespace std::chrono_literals;

constexpr auto kAskPause = 20ms;
constexpr auto kKillPause = 5ms;
constexpr auto kEndPause = 50ms;
constexpr std::chrono::milliseconds kAskPatience{2000};  // wait for a script's next command

pid_t parent_of(pid_t process) {
  // "PID (NAME) STATE PARENT …"; a name may contain blanks and parentheses.
  std::string stat = proc_file(process, "stat");
  std::size_t end = stat.rfind(')');
  pid_t parent = 0;
  if (end != std::string::npos && end + 4 < stat.size())
    std::from_chars(stat.data() + end + 4, stat.data() + stat.size(), parent);
  return parent;
}

bool carries(const std::string& environment, const std::string& mark) {
  std::string entry = mark + '\0';
  for (std::size_t at = environment.find(entry); at != std::string::npos;
       at = environment.find(entry, at + 1))
    if (at == 0 || environment[at - 1] == '\0') return true;
  return false;
}

// Nothing if it has ended.
std::optional<ContainerProcess> description(pid_t process) {
  // After "PID (NAME) ": state, parent, …; the 12th and 13th fields are the ticks in user and system mode.
  std::string stat = proc_file(process, "stat");
  std::size_t begin = stat.find('(');
  std::size_t end = stat.rfind(')');
  if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
  std::vector<std::string_view> fields = words(std::string_view(stat).substr(end + 1));
  if (fields.size() < 13) return std::nullopt;
  auto number = [&](std::size_t i) {
    long value = 0;
    std::from_chars(fields[i].data(), fields[i].data() + fields[i].size(), value);
    return value;
  };
  std::string command = proc_file(process, "cmdline");
  std::replace(command.begin(), command.end(), '\0', ' ');
  if (command.empty()) command = fmt::format("[{}]", stat.substr(begin + 1, end - begin - 1));
  double ticks = static_cast<double>(number(11) + number(12));
  return ContainerProcess{process, number(1), ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)),
                          command_text(command)};
}

// Whether a process no longer runs its own code: it is stopped or has ended, or it waits in the kernel and a
// pending SIGSTOP takes effect before it returns. (This is the only sign that a process waiting for its
// child's exec shows.)
bool is_halted(pid_t process) {
  std::string status = proc_file(process, "status");
  bool is_pending = false;
  for (std::string_view line : lines(status)) {
    std::vector<std::string_view> parts = words(line);
    if (parts.size() < 2) continue;
    if (parts[0] == "State:") {
      if (parts[1].find_first_of("TtZX") != std::string_view::npos) return true;
    } else if (parts[0] == "SigPnd:" || parts[0] == "ShdPnd:") {
      unsigned long long set = 0;
      std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), set, 16);
      is_pending = is_pending || (set >> (SIGSTOP - 1) & 1) != 0;
    }
  }
  return status.empty() || is_pending;
}

}  // namespace

// The shell is the process with the mark whose parent, the engine's own, has no mark but shares the mount
// namespace. (With an isolation that has a process namespace, nothing is found, and nothing needs to be: the
// first process there does not react to SIGTERM, and its end ends all others.)
void ContainerProcesses::find_shell() {
  if (held_.is_open()) return;
  std::string own = mount_namespace_of(::getpid());
  for_each_process([&](pid_t process) {
    if (held_.is_open() || !carries(proc_file(process, "environ"), mark_)) return;
    std::string space = mount_namespace_of(process);
    pid_t parent = parent_of(process);
    if (space.empty() || space == own || mount_namespace_of(parent) != space) return;
    if (carries(proc_file(parent, "environ"), mark_) || !hold(process, space)) return;
    shell_ = process;
    keeper_ = parent;
  });
}

bool ContainerProcesses::hold(pid_t process, const std::string& space) {
  held_ = Descriptor(::open(fmt::format("/proc/{}/ns/mnt", process).c_str(), O_RDONLY | O_CLOEXEC));
  if (!held_.is_open() || mount_namespace_of(process) != space) return false;
  mount_namespace_ = space;
  return true;
}

// If the engine's process was killed with its driver, the shell has no such parent, or is gone. Then any
// process with the mark shows the mount namespace.
void ContainerProcesses::adopt() {
  find_shell();
  if (held_.is_open()) return;
  std::string own = mount_namespace_of(::getpid());
  for_each_process([&](pid_t process) {
    if (held_.is_open() || !carries(proc_file(process, "environ"), mark_)) return;
    std::string space = mount_namespace_of(process);
    if (!space.empty() && space != own) hold(process, space);
  });
}

std::vector<ContainerProcess> ContainerProcesses::table() {
  adopt();
  std::vector<ContainerProcess> table;
  for (pid_t process : running())
    if (std::optional<ContainerProcess> described = description(process))
      table.push_back(*std::move(described));
  return table;
}

bool ContainerProcesses::pause(std::chrono::milliseconds patience) {
  adopt();
  auto give_up = std::chrono::steady_clock::now() + patience;
  bool any = false;
  // Processes that are not stopped yet may start others: repeat until none runs.
  for (bool all = false; !all;) {
    all = true;
    for (pid_t process : running()) {
      any = true;
      if (is_halted(process)) continue;
      all = false;
      signal(process, SIGSTOP);
    }
    if (all) break;
    if (std::chrono::steady_clock::now() > give_up) {
      resume();
      throw EngineError("a process inside a container keeps running despite SIGSTOP");
    }
    sleep_for(kKillPause);
  }
  return any;
}

void ContainerProcesses::resume() {
  adopt();
  for (pid_t process : running()) signal(process, SIGCONT);
}

void ContainerProcesses::end(std::chrono::milliseconds grace, const std::stop_token& now) {
  adopt();
  if (grace > 0ms) resume();
  auto give_up = std::chrono::steady_clock::now() + grace;
  if (grace > 0ms && !running().empty()) ask(std::min(grace, kAskPatience), now);
  while (std::chrono::steady_clock::now() < give_up && !running().empty())
    if (!sleep_for(kEndPause, now)) break;
  kill();
}

bool ContainerProcesses::inside(pid_t process) const {
  if (process == ::getpid() || process == keeper_) return false;
  if (!mount_namespace_.empty() && mount_namespace_of(process) == mount_namespace_) return true;
  return carries(proc_file(process, "environ"), mark_);
}

std::vector<pid_t> ContainerProcesses::running() const {
  std::vector<pid_t> found;
  for_each_process([&](pid_t process) {
    if (inside(process)) found.push_back(process);
  });
  return found;
}

// Uses a descriptor and checks the process again, because its number may now belong to an unrelated process.
bool ContainerProcesses::signal(pid_t process, int number) const {
  Descriptor held(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  return held.is_open() && inside(process) &&
         ::syscall(SYS_pidfd_send_signal, held.get(), number, nullptr, 0) == 0;
}

void ContainerProcesses::ask(std::chrono::milliseconds patience, const std::stop_token& now) {
  auto give_up = std::chrono::steady_clock::now() + patience;
  while (true) {
    find_shell();
    bool begun = shell_ > 0;
    bool any = false;
    bool sent = false;
    for (pid_t process : running()) {
      any = true;
      if (process != shell_) sent = signal(process, SIGTERM) || sent;
    }
    if (sent || (begun && !any) || std::chrono::steady_clock::now() > give_up) return;
    if (!sleep_for(kAskPause, now)) return;
  }
}

void ContainerProcesses::kill(std::chrono::milliseconds patience) const {
  auto give_up = std::chrono::steady_clock::now() + patience;
  // One round is not enough: a process may start another between our look and our signal.
  for (std::vector<pid_t> left = running(); !left.empty(); left = running()) {
    for (pid_t process : left) signal(process, SIGKILL);
    if (std::chrono::steady_clock::now() > give_up)
      throw EngineError(fmt::format("{} SIGKILL inside a container, such as {}",
                                    counted(left.size(), "process survives", "processes survive"), left[0]));
    sleep_for(kKillPause);
  }
}

std::set<std::string> marks_in_use(const std::set<std::string>& marks) {
  std::set<std::string> used;
  if (marks.empty()) return used;
  for_each_process([&](pid_t process) {
    std::string environment = proc_file(process, "environ");
    for (const std::string& mark : marks)
      if (!used.contains(mark) && carries(environment, mark)) used.insert(mark);
  });
  return used;
}

std::map<std::string, std::uint64_t> memory_by_mark(const std::set<std::string>& marks) {
  std::map<std::string, std::uint64_t> bytes;
  for_each_process([&](pid_t process) {
    std::string environment = proc_file(process, "environ");
    for (const std::string& mark : marks)
      if (carries(environment, mark)) bytes[mark] += held_memory(proc_file(process, "status"));
  });
  return bytes;
}

}  // namespace stagemake
