// Lines out of what comes in pieces, to be shown: none takes more memory than it says, however long it is.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stagemake {

class LineCutter {
 public:
  static constexpr std::size_t kMost = 64u << 10;  // bytes of a line

  explicit LineCutter(std::size_t most = kMost) : most_(most) {}

  using Heard = std::function<void(std::string_view line)>;

  // Hands on the lines that end in this piece, without their ends. Of a line that draws over itself (`\r` in
  // it) that is the last state; of a longer one than `most` bytes the beginning, and how much more there is.
  void take(std::string_view piece, const Heard& heard);
  // The same of a last line that has no end; nothing where there is none.
  void rest(const Heard& heard);

  // What is held of the line that has not ended; never more than `most` bytes.
  std::size_t held() const { return line_.size(); }

 private:
  void add(std::string_view part);
  void end(const Heard& heard);

  const std::size_t most_;
  std::string line_;
  std::uint64_t lost_ = 0;  // bytes of the line behind what is held
  bool returned_ = false;   // the last byte was `\r`: what comes next draws over the line
};

}  // namespace stagemake
