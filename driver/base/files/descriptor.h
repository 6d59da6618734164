// A file descriptor that its owner closes on destruction.
#pragma once

#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stagemake {

class Descriptor {
 public:
  // Takes over an open descriptor; -1 means none.
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Descriptor old(std::exchange(fd_, other.release()));
    return *this;
  }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Writes all of `content`, even to a non-blocking descriptor. Returns 0 or the errno. A closed reader gives
// EPIPE and no signal. With `patience`, a non-blocking descriptor that accepts nothing for that long gives
// ETIMEDOUT; without it, the call waits.
int write_all(int fd, std::string_view content, std::optional<std::chrono::milliseconds> patience = {});

// The message for such an errno, for the person who named the file: "its reader is gone", "No space left on
// device".
std::string write_failure(int why);

}  // namespace stagemake
