#include "report/terminal/terminal_screen.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/process/sleep.h"
#include "report/terminal/live_view.h"

namespace stagemake {
namespace {

// While it lives, signals do not stop this thread for writing to a terminal that has changed hands: a shell
// may take it at any moment.
class NotStopped {
 public:
  NotStopped() {
    sigset_t stops;
    ::sigemptyset(&stops);
    ::sigaddset(&stops, SIGTTIN);
    ::sigaddset(&stops, SIGTTOU);
    ::pthread_sigmask(SIG_BLOCK, &stops, &before_);
  }
  ~NotStopped() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NotStopped(const NotStopped&) = delete;
  NotStopped& operator=(const NotStopped&) = delete;

 private:
  sigset_t before_;
};

// Not TCSADRAIN, because a stopped terminal never drains.
void set_terminal(int terminal, const termios& settings) {
  NotStopped guard;
  ::tcsetattr(terminal, TCSANOW, &settings);
}

bool in_foreground(int terminal) {
  pid_t group = ::tcgetpgrp(terminal);
  return group < 0 || group == ::getpgrp();
}

bool same(const termios& a, const termios& b) {
  return a.c_lflag == b.c_lflag && a.c_cc[VMIN] == b.c_cc[VMIN] && a.c_cc[VTIME] == b.c_cc[VTIME];
}

}  // namespace

TerminalScreen::TerminalScreen(OutputQueue& out, int in) : queue_(out), out_(out.descriptor()), in_(in) {
  has_keys_ = in >= 0 && ::isatty(in) == 1 && ::tcgetattr(in, &before_) == 0;
  if (!has_keys_) return;
  ours_ = before_;
  ours_.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));
  ours_.c_cc[VMIN] = 0;
  ours_.c_cc[VTIME] = 0;
}

TerminalScreen::~TerminalScreen() {
  show({}, {});
  restore();
}

void TerminalScreen::restore() {
  if (changed_.exchange(false) && in_foreground(in_)) set_terminal(in_, before_);
}

TerminalScreen::Size TerminalScreen::size() const {
  winsize found{};
  Size size;
  if (::ioctl(out_, TIOCGWINSZ, &found) == 0 && found.ws_col > 0 && found.ws_row > 0)
    size = {.columns = found.ws_col, .rows = found.ws_row};
  return size;
}

// False if the terminal is not ours now. If it was another program's in between, the block is no longer in
// its place.
bool TerminalScreen::take_over() {
  if (!in_foreground(out_)) return false;
  if (!has_keys_) return true;
  termios now{};
  if (::tcgetattr(in_, &now) != 0 || same(now, ours_)) return true;
  if (changed_) block_.clear();
  changed_ = true;
  set_terminal(in_, ours_);
  return true;
}

unsigned TerminalScreen::rows_of_block(const Size& size) const {
  std::size_t rows = 0;
  for (const std::string& line : block_)
    rows += std::max<std::size_t>(1, (shown_width(line) + size.columns - 1) / size.columns);
  return static_cast<unsigned>(std::min<std::size_t>(rows, size.rows));
}

void TerminalScreen::show(std::string_view above, const std::vector<std::string>& block) {
  bool ours = take_over();
  std::string frame;
  if (!block_.empty() && ours) {
    frame = "\r";
    if (unsigned rows = rows_of_block(size()); rows > 1) frame += fmt::format("\x1b[{}A", rows - 1);
    frame += "\x1b[J";
  }
  frame += above;
  if (ours) {
    for (std::size_t i = 0; i < block.size(); ++i) frame += (i == 0 ? "" : "\n") + block[i];
    block_ = block;
  }
  queue_.add(frame);
}

std::optional<char> TerminalScreen::key(int milliseconds) {
  if (!has_keys_ || !changed_ || !in_foreground(in_)) {
    sleep_for(std::chrono::milliseconds(milliseconds));
    return std::nullopt;
  }
  pollfd waiting{.fd = in_, .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, milliseconds) <= 0) return std::nullopt;
  char bytes[16];
  NotStopped guard;
  ssize_t n = ::read(in_, bytes, sizeof bytes);
  if (n <= 0) {  // the terminal hung up
    if ((waiting.revents & (POLLHUP | POLLERR)) != 0) has_keys_ = false;
    return std::nullopt;
  }
  if (bytes[0] == '\x1b' && n > 1) return std::nullopt;
  return bytes[0];
}

}  // namespace stagemake
