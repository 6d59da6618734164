#include "base/text/random_word.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace stagemake {

std::string random_word() {
  constexpr std::size_t kBytes = 16;
  unsigned char bytes[kBytes];
  ssize_t got = 0;
  while ((got = ::getrandom(bytes, kBytes, 0)) < 0 && errno == EINTR) {
  }
  // The kernel returns so few bytes in one piece.
  if (got != static_cast<ssize_t>(kBytes))
    throw engine_unusable(std::string("cannot get random numbers from the kernel: ") + std::strerror(errno));
  std::string word;
  for (unsigned char byte : bytes) {
    word += "0123456789abcdef"[byte >> 4];
    word += "0123456789abcdef"[byte & 15];
  }
  return word;
}

}  // namespace stagemake
