// A file descriptor that is closed when its owner goes.
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
  // Takes over an open descriptor; -1 is none.
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

// Writes all of `content`, also to a descriptor that was made non-blocking. 0, or the errno of what went wrong. A reader
// that is gone is EPIPE and no signal. With `patience`, a non-blocking descriptor that takes nothing for so long is
// ETIMEDOUT; without, it is waited for.
int write_all(int fd, std::string_view content, std::optional<std::chrono::milliseconds> patience = {});

// What such an errno means to the person that named the file: "its reader is gone", "No space left on device".
std::string write_failure(int why);

}  // namespace stagemake
