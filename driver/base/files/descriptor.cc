#include "base/files/descriptor.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <cstring>

namespace stagemake {
namespace {

// A closed reader is an error with a message here, and does not end the process.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigset_t pending;
    ::sigemptyset(&only_);
    ::sigaddset(&only_, SIGPIPE);
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &only_, &before_);
  }
  ~NoPipeSignal() {
    const timespec at_once{};
    int saved = errno;
    while (!was_pending_ && ::sigtimedwait(&only_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = saved;
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sigset_t only_;
  sigset_t before_;
  bool was_pending_ = false;
};

}  // namespace

int write_all(int fd, std::string_view content, std::optional<std::chrono::milliseconds> patience) {
  NoPipeSignal quiet;
  while (!content.empty()) {
    ssize_t n = ::write(fd, content.data(), content.size());
    if (n >= 0) {
      content.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      int answers = ::poll(&ready, 1, patience ? static_cast<int>(patience->count()) : -1);
      if (answers == 0) return ETIMEDOUT;
      if (answers < 0 && errno != EINTR) return errno;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

std::string write_failure(int why) {
  switch (why) {
    case EPIPE:
      return "its reader is gone";
    case ENXIO:
      return "no program has it open for reading";
    case ETIMEDOUT:
      return "its reader has stopped reading";
    default:
      return std::strerror(why);
  }
}

}  // namespace stagemake
