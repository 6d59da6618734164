#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "report/event_log.h"

namespace stagemake {
namespace {

constexpr std::chrono::milliseconds kGather{100};     // lines that come close together are written together
constexpr std::chrono::milliseconds kLastWait{1000};  // for a reader, at the end

}  // namespace

LineFile::LineFile(const fs::path& file) : file_(file) {
  boost::system::error_code failed;
  if (!file.parent_path().empty()) fs::create_directories(file.parent_path(), failed);
  // Without waiting: a pipe whose reader is slow must not hold up who ends.
  descriptor_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644);
  if (descriptor_ < 0)
    throw engine_unusable(
        fmt::format("{}: cannot be written: {}", file.string(),
                    errno == ENXIO ? "it is a pipe that nobody reads" : std::strerror(errno)));
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode) && ::ftruncate(descriptor_, 0) != 0)
    problem_ = fmt::format("{}: cannot be emptied: {}", file.string(), std::strerror(errno));
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

LineFile::~LineFile() {
  thread_.request_stop();
  added_.notify_all();
  thread_.join();
  ::close(descriptor_);
}

void LineFile::add(std::string line) {
  std::lock_guard lock(mutex_);
  if (!problem_.empty() || waiting_.size() + line.size() >= kMostWaiting) {
    ++lost_;
    return;
  }
  waiting_ += line;
  waiting_ += '\n';
  added_.notify_one();
}

std::string LineFile::problem() const {
  std::lock_guard lock(mutex_);
  return problem_;
}

// Takes from `text` what could be written. False where nothing could for now.
bool LineFile::write_some(std::string& text) {
  ssize_t n = ::write(descriptor_, text.data(), text.size());
  if (n > 0) text.erase(0, static_cast<std::size_t>(n));
  if (n >= 0 || errno == EINTR) return true;
  if (errno == EAGAIN) return false;
  std::lock_guard lock(mutex_);
  problem_ = fmt::format("{}: cannot be written: {}", printable(file_.string()), std::strerror(errno));
  return false;
}

void LineFile::serve(const std::stop_token& stop) {
  std::string text;
  auto given_up = std::chrono::steady_clock::time_point::max();
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (text.empty()) added_.wait(lock, stop, [&] { return !waiting_.empty(); });
      if (!problem_.empty()) return;
      text += std::exchange(waiting_, {});
      if (lost_ > 0 && text.size() < kMostWaiting / 2)
        text += fmt::format("{{\"event\":\"lost\",\"lines\":{}}}\n", std::exchange(lost_, 0));
      if (text.empty() && stop.stop_requested()) return;
    }
    if (stop.stop_requested() && given_up == std::chrono::steady_clock::time_point::max())
      given_up = std::chrono::steady_clock::now() + kLastWait;
    bool blocked = !text.empty() && !write_some(text);
    if (blocked && std::chrono::steady_clock::now() >= given_up) return;
    std::unique_lock lock(mutex_);
    if (blocked || !stop.stop_requested()) {
      std::condition_variable_any never;
      auto pause = blocked ? kGather / 10 : kGather;
      if (stop.stop_requested())
        never.wait_for(lock, pause);
      else
        never.wait_for(lock, stop, pause, [] { return false; });
    }
  }
}

}  // namespace stagemake
