#include "base/process/output_queue.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/files/descriptor.h"
#include "base/process/sleep.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using Clock = std::chrono::steady_clock;

// PIPE_BUF: a pipe accepts this many bytes without blocking when poll() says that it is ready.
constexpr std::size_t kPiece = 4096, kPieceOfFile = 1u << 20;
constexpr std::chrono::milliseconds kLook{100}, kAgain{5};

std::size_t lines_in(std::string_view text) {
  auto ends = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  return text.empty() || text.back() == '\n' ? ends : ends + 1;
}

// A full disk may have space again later.
bool may_pass(int error) {
  return error == ENOSPC || error == EDQUOT;
}

std::string reason_of(int error) {
  return error == EBADF ? "it is closed" : error == EPIPE ? "its reader is gone" : std::strerror(error);
}

bool is_disk_file(int descriptor) {
  struct stat facts {};
  return ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
}

}  // namespace

std::string lost_lines_marker(std::size_t lines, const std::string& why) {
  return fmt::format("stagemake: {} left out here: {}\n", counted(lines, "line is", "lines are"), why);
}

struct OutputQueue::State {
  State(int given, OutputQueueOptions how)
      : descriptor(given), options(std::move(how)), wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~State() {
    if (!options.owns_descriptor) descriptor.release();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void serve() noexcept;
  bool wait_until_ready() const;
  void take_piece(std::string& piece) const;
  long unread() const;
  // Call these with the lock held:
  std::size_t size() const { return waiting.size() - begin; }
  void wrote(std::string_view piece);
  void mark_losses();
  void lose(std::size_t lines, std::string_view reason);
  void lose_waiting(const std::string& reason);

  Descriptor descriptor;
  const OutputQueueOptions options;
  const Descriptor wake;  // an eventfd: tells the thread to end

  mutable std::mutex mutex;  // protects everything below
  std::condition_variable changed;
  std::string waiting = {};
  std::size_t begin = 0;  // of the text in `waiting` that is not written yet
  bool in_line = false;   // the last written byte does not end a line
  std::size_t lost = 0;   // lines, in total
  std::string why = {};
  std::size_t unmarked = 0;                 // lost lines that no marker reports yet
  std::size_t markers = 0, marked = 0;      // queued markers, and the lines that they report
  std::size_t written = 0;                  // bytes, in total
  bool runs = false, ended = false;         // the thread
  bool gone = false;                        // nothing more can be written
  bool closing = false, abandoned = false;  // no more text is accepted; no more waiting
};

void OutputQueue::State::lose(std::size_t lines, std::string_view reason) {
  lost += lines;
  unmarked += lines;
  if (!gone) why = reason;
}

void OutputQueue::State::lose_waiting(const std::string& reason) {
  std::size_t lines = lines_in(std::string_view(waiting).substr(begin));
  lose(lines - std::min(lines, markers), reason);
  unmarked += marked;
  waiting.clear();
  begin = markers = marked = 0;
}

void OutputQueue::State::mark_losses() {
  if (unmarked == 0 || gone) return;
  std::string marker = options.marker ? options.marker(unmarked, why) : lost_lines_marker(unmarked, why);
  if (size() == 0 && in_line) marker.insert(0, "\n");
  waiting += marker;
  ++markers;
  marked += std::exchange(unmarked, 0);
}

void OutputQueue::State::wrote(std::string_view piece) {
  if (piece.empty()) return;
  begin += piece.size();
  written += piece.size();
  in_line = piece.back() != '\n';
  if (begin == waiting.size()) {
    waiting.clear();
    begin = markers = marked = 0;
  } else if (begin > waiting.size() / 2) {
    waiting.erase(0, std::exchange(begin, 0));
  }
}

// False if the thread must end.
bool OutputQueue::State::wait_until_ready() const {
  pollfd both[2] = {{.fd = descriptor.get(), .events = POLLOUT, .revents = 0},
                    {.fd = wake.get(), .events = POLLIN, .revents = 0}};
  while (::poll(both, 2, -1) < 0 && errno == EINTR) {
  }
  return both[1].revents == 0;
}

// The bytes that the reader has not read yet: if they become fewer, it reads. Negative if unknown.
long OutputQueue::State::unread() const {
  int bytes = 0;
  bool known =
      ::ioctl(descriptor.get(), TIOCOUTQ, &bytes) == 0 || ::ioctl(descriptor.get(), FIONREAD, &bytes) == 0;
  return known ? bytes : -1;
}

void OutputQueue::State::serve() noexcept {
  std::string piece;
  const std::size_t most = is_disk_file(descriptor.get()) ? kPieceOfFile : kPiece;
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return closing || size() > 0; });
    if (abandoned || gone || size() == 0) break;
    if (options.gather.count() > 0) changed.wait_for(lock, options.gather, [this] { return closing; });
    try {
      piece = waiting.substr(begin, most);
    } catch (...) {  // out of memory
      lose_waiting("out of memory");
      continue;
    }
    lock.unlock();
    bool ready = wait_until_ready();
    ssize_t n = ready ? ::write(descriptor.get(), piece.data(), piece.size()) : 0;
    int error = n < 0 ? errno : 0;
    if (error == EAGAIN) sleep_for(kAgain);  // another process filled the pipe first
    lock.lock();
    if (!ready || abandoned) break;
    if (n > 0) {
      wrote(std::string_view(piece).substr(0, static_cast<std::size_t>(n)));
    } else if (error != 0 && error != EINTR && error != EAGAIN) {
      lose_waiting(reason_of(error));
      gone = !may_pass(error);
    }
    changed.notify_all();
  }
  ended = true;
  changed.notify_all();
}

OutputQueue::OutputQueue(int descriptor, OutputQueueOptions options)
    : state_(std::make_shared<State>(descriptor, std::move(options))) {}

OutputQueue::~OutputQueue() {
  finish();
}

int OutputQueue::descriptor() const {
  return state_->descriptor.get();
}

// Blocks signals in the thread: SIGPIPE would end the process, and SIGTTOU (`stty tostop`) would stop it.
void OutputQueue::start() {
  if (state_->runs) return;
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([state = state_] { state->serve(); });
    state_->runs = true;
  } catch (...) {  // no thread available: try again with the next text
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void OutputQueue::add(std::string_view text) noexcept {
  if (text.empty()) return;
  State& state = *state_;
  std::lock_guard lock(state.mutex);
  try {
    bool fits = state.size() + text.size() <= state.options.most;
    // After a loss, wait until there is room for more than a line, or there would be as many markers as
    // lines.
    bool is_full = state.unmarked > 0 && state.size() > state.options.most / 2;
    if (state.closing || state.gone || !fits || is_full) return state.lose(lines_in(text), kReadTooLate);
    state.mark_losses();
    state.waiting += text;
    start();
    if (!state.runs) state.lose_waiting("no thread can be started");
    state.changed.notify_all();
  } catch (...) {
    ++state.lost;
    ++state.unmarked;
  }
}

void OutputQueue::lose(std::size_t lines) noexcept {
  if (lines == 0) return;
  std::lock_guard lock(state_->mutex);
  try {
    state_->lost += lines;
    if (!state_->gone) state_->why = kReadTooLate;
  } catch (...) {
  }
}

bool OutputQueue::is_idle() const noexcept {
  std::lock_guard lock(state_->mutex);
  return state_->gone || state_->size() == 0;
}

OutputLoss OutputQueue::loss() const {
  std::lock_guard lock(state_->mutex);
  return {state_->lost, state_->lost > 0 ? state_->why : std::string()};
}

OutputLoss OutputQueue::finish(std::chrono::milliseconds patience) noexcept {
  try {
    State& state = *state_;
    std::unique_lock lock(state.mutex);
    if (state.runs && !state.closing) state.mark_losses();
    state.closing = true;
    state.changed.notify_all();
    auto is_done = [&] { return !state.runs || state.ended || state.abandoned; };
    std::size_t written = state.written;
    long unread = state.unread();
    for (auto give_up = Clock::now() + patience; !is_done() && Clock::now() < give_up;) {
      state.changed.wait_for(lock, std::min(patience, kLook), is_done);
      long now_unread = state.unread();
      if (std::exchange(written, state.written) != state.written ||
          std::exchange(unread, now_unread) != now_unread)
        give_up = Clock::now() + patience;
    }
    if (!state.ended) state.lose_waiting(kReadTooLate);
    state.abandoned = true;
    if (std::uint64_t one = 1; state.wake.get() >= 0) (void)!::write(state.wake.get(), &one, sizeof one);
    bool ended = state.ended;
    OutputLoss loss{state.lost, state.lost > 0 ? state.why : std::string()};
    lock.unlock();
    if (thread_.joinable()) ended ? thread_.join() : thread_.detach();
    return loss;
  } catch (...) {
    if (thread_.joinable()) thread_.detach();
    return {1, {}};
  }
}

}  // namespace stagemake
