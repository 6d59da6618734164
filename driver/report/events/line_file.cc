#include "report/events/line_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/files/output_file.h"
#include "base/text/text.h"
#include "report/events/event.h"

namespace stagemake {
namespace {

constexpr std::chrono::milliseconds kGather{100};  // lines in quick succession are written together

// Whether a descriptor from the caller is this file too (`3> log --events /dev/fd/3`, `--events log > log`).
// Then its content is the caller's, and lines are appended.
bool is_callers_own(int descriptor) {
  constexpr int kMostGiven = 10;  // shells give descriptors of one digit
  struct stat file {};
  if (::fstat(descriptor, &file) != 0) return false;
  for (int fd = 0; fd < kMostGiven; ++fd) {
    struct stat given {};
    bool same = ::fstat(fd, &given) == 0 && given.st_dev == file.st_dev && given.st_ino == file.st_ino;
    if (fd != descriptor && same) return true;
  }
  return false;
}

// Opening a pipe must not wait for its reader.
int opened(const fs::path& file) {
  if (is_standard_output(file))
    throw bad_input(
        "",
        "events cannot go to standard output, where the build's own lines go; name a file, a FIFO, or "
        "a descriptor such as /dev/fd/3");
  boost::system::error_code failed;
  if (!file.parent_path().empty()) fs::create_directories(file.parent_path(), failed);
  int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644);
  auto fail = [&](const char* what, int error) {
    return engine_unusable(fmt::format("{}: cannot be {}: {}", printable(file.string()), what,
                                       error == ENXIO ? "no program reads this pipe" : std::strerror(error)));
  };
  if (descriptor < 0) throw fail("written", errno);
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && !is_callers_own(descriptor) &&
      ::ftruncate(descriptor, 0) != 0) {
    int error = errno;
    ::close(descriptor);
    throw fail("emptied", error);
  }
  return descriptor;
}

std::string lost_line(std::size_t lines, const std::string&) {
  return fmt::format("{{\"event\":\"{}\",\"lines\":{}}}\n", word(EventKind::Lost), lines);
}

}  // namespace

LineFile::LineFile(const fs::path& file)
    : file_(file),
      queue_(opened(file),
             {.most = kMostWaiting, .gather = kGather, .owns_descriptor = true, .marker = lost_line}) {}

LineFile::~LineFile() {
  queue_.finish(kLastWait);
}

void LineFile::add(const std::string& line) noexcept {
  try {
    queue_.add(line + "\n");
  } catch (...) {
    queue_.add("\n");  // which readers ignore: there is no memory for more
  }
}

std::string LineFile::problem() const {
  OutputLoss loss = queue_.loss();
  if (!loss) return {};
  return fmt::format("{}: cannot be written: {}; {} lost", printable(file_.string()), loss.why,
                     counted(loss.lines, "line is", "lines are"));
}

}  // namespace stagemake
