#include "base/process/foreground.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/process/subprocess.h"

namespace stagemake {

Foreground::Foreground() {
  ::sigemptyset(&heard_);
  for (int number : {SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGCHLD}) {
    struct sigaction now {};
    bool is_ignored = ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
    if (!is_ignored || number == SIGCHLD)
      ::sigaddset(&heard_, number);  // the kernel keeps a blocked SIGCHLD pending anyway
  }
  ::pthread_sigmask(SIG_BLOCK, &heard_, &before_);
}

Foreground::~Foreground() {
  // ctrl-C was meant for the program.
  sigset_t programs;
  ::sigemptyset(&programs);
  ::sigaddset(&programs, SIGINT);
  ::sigaddset(&programs, SIGQUIT);
  const timespec at_once{};
  while (::sigtimedwait(&programs, nullptr, &at_once) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

namespace {

// Between fork and exec.
[[noreturn]] void become(const std::string& program, const std::vector<char*>& argv, const sigset_t& mask,
                         int output_again, int problem) {
  if (output_again > 0) ::dup2(STDOUT_FILENO, output_again);
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  ::execv(program.c_str(), argv.data());
  int why = errno;
  (void)!::write(problem, &why, sizeof why);
  ::_exit(127);
}

}  // namespace

int Foreground::run(const std::vector<std::string>& argv, const std::function<void()>& end, int output_again,
                    std::chrono::milliseconds patience) {
  std::string program = find_program(argv.at(0));
  if (program.empty()) throw engine_unusable(fmt::format("{}: no such program in PATH", argv[0]));
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::fflush(stdout);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw engine_unusable("cannot create a pipe: too many open files");
  Descriptor read_end(ends[0]), write_end(ends[1]);
  // The pipe must not have the number of `output_again` in the child.
  Descriptor problem(::fcntl(write_end.get(), F_DUPFD_CLOEXEC, output_again + 1));
  write_end = Descriptor();
  pid_t child = ::fork();
  if (child == 0) become(program, pointers, before_, output_again, problem.get());
  if (child < 0)
    throw engine_unusable(fmt::format("{}: cannot be started: {}", program, std::strerror(errno)));
  problem = Descriptor();
  int why = 0;
  bool failed = ::read(read_end.get(), &why, sizeof why) == static_cast<ssize_t>(sizeof why);

  std::exception_ptr thrown;
  std::optional<std::chrono::steady_clock::time_point> given_up;
  int status = 0;
  while (true) {
    pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child || (ended < 0 && errno != EINTR)) break;
    const timespec pause{
        0, 100'000'000};  // SIGCHLD wakes it earlier, unless the caller's parent made us ignore it
    int number = ::sigtimedwait(&heard_, nullptr, &pause);
    if ((number == SIGHUP || number == SIGTERM) && !given_up) {
      given_up = std::chrono::steady_clock::now() + patience;
      ::kill(child, number);
      try {
        end();
      } catch (...) {
        thrown = std::current_exception();
      }
    }
    if (given_up && std::chrono::steady_clock::now() > *given_up) ::kill(child, SIGKILL);
  }
  if (thrown) std::rethrow_exception(thrown);
  if (failed) throw engine_unusable(fmt::format("{}: cannot be started: {}", program, std::strerror(why)));
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace stagemake
