#include "run/slots/calling_make.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/files/descriptor.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr unsigned kMostJobs = 100'000;

std::optional<int> number_in(std::string_view text) {
  int number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The flags, without the variables that follow a `--`. make puts a backslash before blanks and backslashes.
std::vector<std::string> flags_in(std::string_view makeflags) {
  std::vector<std::string> flags;
  std::string word;
  auto end_word = [&] {
    if (!word.empty()) flags.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < makeflags.size(); ++i) {
    if (makeflags[i] == ' ' || makeflags[i] == '\t') {
      end_word();
      if (!flags.empty() && flags.back() == "--") break;
    } else {
      if (makeflags[i] == '\\' && i + 1 < makeflags.size()) ++i;
      word += makeflags[i];
    }
  }
  end_word();
  return flags;
}

void read_server(std::string_view text, JobserverWords& words) {
  words.kind = JobserverWords::Kind::None;
  if (text.starts_with("fifo:")) {
    words.fifo = text.substr(5);
    if (!words.fifo.empty()) words.kind = JobserverWords::Kind::Fifo;
    return;
  }
  std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return;
  std::optional<int> read = number_in(text.substr(0, comma)), write = number_in(text.substr(comma + 1));
  if (!read || !write) return;
  words.kind = JobserverWords::Kind::Descriptors;
  words.read = *read;
  words.write = *write;
}

bool is_open_for(int descriptor, int other_mode, struct stat& status) {
  int flags = descriptor < 0 ? -1 : ::fcntl(descriptor, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != other_mode && ::fstat(descriptor, &status) == 0 &&
         S_ISFIFO(status.st_mode);
}

// False if the numbers are closed, or now refer to something else, such as a file of another program.
bool are_ends_of_one_pipe(int read, int write) {
  struct stat one = {}, other = {};
  return is_open_for(read, O_WRONLY, one) && is_open_for(write, O_RDONLY, other) &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool is_fifo(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

}  // namespace

JobserverWords jobserver_words(std::string_view makeflags) {
  JobserverWords words;
  for (const std::string& flag : flags_in(makeflags)) {
    std::string_view text = flag;
    if (text == "--") break;
    for (std::string_view name : {"--jobserver-auth=", "--jobserver-fds="})
      if (text.starts_with(name)) read_server(text.substr(name.size()), words);
    if (!text.starts_with("-j")) continue;
    std::optional<int> jobs = number_in(text.substr(2));
    words.jobs =
        jobs && *jobs > 0 ? std::optional(std::min(static_cast<unsigned>(*jobs), kMostJobs)) : std::nullopt;
  }
  return words;
}

std::unique_ptr<CallingMake> CallingMake::join(const JobserverWords& words, std::string& why_not) {
  using Kind = JobserverWords::Kind;
  if (words.kind == Kind::None) return nullptr;
  std::string in = words.fifo, out = words.fifo;
  if (words.kind == Kind::Descriptors) {
    if (!are_ends_of_one_pipe(words.read, words.write)) {
      why_not =
          "make's job slots do not reach stagemake: the recipe line must start with `+` or contain $(MAKE) "
          "in "
          "it";
      return nullptr;
    }
    in = fmt::format("/proc/self/fd/{}", words.read);
    out = fmt::format("/proc/self/fd/{}", words.write);
    // This flag belongs to this process, it is not shared: our children are no clients.
    ::fcntl(words.read, F_SETFD, FD_CLOEXEC);
    ::fcntl(words.write, F_SETFD, FD_CLOEXEC);
  } else if (!is_fifo(in)) {  // checked first: opening another kind of file may have effects
    why_not = fmt::format("make's job slots do not reach stagemake: {} is not a pipe", printable(in));
    return nullptr;
  }
  Descriptor read(::open(in.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  Descriptor write(read.is_open() ? ::open(out.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC) : -1);
  if (!write.is_open()) {
    why_not =
        fmt::format("make's job slots do not reach stagemake: {}: {}", printable(in), std::strerror(errno));
    return nullptr;
  }
  return std::unique_ptr<CallingMake>(new CallingMake(std::move(read), std::move(write), words.jobs));
}

CallingMake::CallingMake(Descriptor read, Descriptor write, std::optional<unsigned> jobs)
    : read_(std::move(read)), write_(std::move(write)), jobs_(jobs) {}

CallingMake::~CallingMake() {
  leave();
}

bool CallingMake::take() {
  std::lock_guard lock(mutex_);
  if (left_) return false;
  held_.reserve(held_.size() + 1);  // before a byte is taken that could be lost
  char byte = 0;
  ssize_t n = 0;
  do n = ::read(read_.get(), &byte, 1);
  while (n < 0 && errno == EINTR);
  if (n == 1) held_.push_back(byte);
  return n == 1;
}

bool CallingMake::give_one() {
  if (held_.empty()) return false;
  ssize_t n = 0;
  do n = ::write(write_.get(), &held_.back(), 1);
  while (n < 0 && errno == EINTR);
  if (n == 1) held_.pop_back();
  return n == 1;
}

bool CallingMake::give_back() {
  std::lock_guard lock(mutex_);
  return give_one();
}

unsigned CallingMake::held() const {
  std::lock_guard lock(mutex_);
  return static_cast<unsigned>(held_.size());
}

void CallingMake::leave() {
  std::lock_guard lock(mutex_);
  left_ = true;
  while (give_one()) {
  }
}

}  // namespace stagemake
