#include "base/files/file_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/text/text.h"

namespace stagemake {

namespace {

constexpr std::size_t kKeptEnd = 16u << 10;  // bytes at the beginning and at the end of a long line
constexpr std::string_view kCut = " … ";

// Appends bytes line by line, and shortens long lines as they come.
class LineShortener {
 public:
  explicit LineShortener(std::string& text) : text_(text) {}

  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      std::size_t end = bytes.find('\n');
      add_part(bytes.substr(0, end));
      if (end == std::string_view::npos) return;
      text_ += '\n';
      begin_ = text_.size();
      bytes.remove_prefix(end + 1);
    }
  }

 private:
  void add_part(std::string_view part) {
    while (!part.empty()) {
      if (text_.size() - begin_ == kLongestTailLine) shorten();
      std::string_view fits = part.substr(0, kLongestTailLine - (text_.size() - begin_));
      text_ += fits;
      part.remove_prefix(fits.size());
    }
  }

  void shorten() {
    std::string end = text_.substr(text_.size() - kKeptEnd);
    text_.resize(begin_ + kKeptEnd);
    text_ += kCut;
    text_ += end;
  }

  std::string& text_;
  std::size_t begin_ = 0;  // of the unfinished line
};

}  // namespace

std::optional<FileTail> read_tail(const fs::path& path, std::size_t limit) {
  constexpr std::size_t kPiece = 1u << 20;  // bytes
  auto unreadable = [&] {
    return bad_input(printable(path.string()), std::string("cannot be read: ") + std::strerror(errno));
  };
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open() && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  struct stat facts {};
  if (!file.is_open() || ::fstat(file.get(), &facts) != 0) throw unreadable();
  if (!S_ISREG(facts.st_mode)) throw bad_input(printable(path.string()), "is not a regular file");
  auto size = static_cast<std::uint64_t>(facts.st_size);
  FileTail tail{.skipped_bytes = size - std::min<std::uint64_t>(size, limit)};
  std::vector<char> piece(std::min<std::uint64_t>(kPiece, size + 1));
  std::uint64_t at = 0;
  bool in_tail = tail.skipped_bytes == 0;
  std::uint64_t taken_bytes = 0;
  LineShortener text(tail.text);
  while (taken_bytes < limit) {
    ssize_t n = ::read(file.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw unreadable();
    if (n == 0) break;
    std::string_view bytes(piece.data(), static_cast<std::size_t>(n));
    while (!in_tail && !bytes.empty()) {  // line by line, until one starts inside the tail
      std::size_t end = bytes.find('\n');
      std::size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
      at += taken;
      bytes.remove_prefix(taken);
      if (end == std::string_view::npos) continue;
      ++tail.skipped_lines;
      in_tail = at >= tail.skipped_bytes;
    }
    if (in_tail) text.add(bytes), taken_bytes += bytes.size();
  }
  if (tail.skipped_bytes > 0) tail.skipped_bytes = at;
  return tail;
}

}  // namespace stagemake
