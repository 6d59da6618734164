// Cuts output that comes in pieces into lines to show. Memory is bounded, however long a line is.
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

  // Passes on the lines that end in this piece, without their line ends. If a line redraws itself (it has a
  // `\r`), passes on its last state; if it is longer than `most` bytes, its beginning and how many bytes are
  // missing.
  void take(std::string_view piece, const Heard& heard);
  // The same for a last line without a line end; does nothing if there is none.
  void rest(const Heard& heard);

  // Bytes held of the unfinished line; at most `most`.
  std::size_t held() const { return line_.size(); }

 private:
  void add(std::string_view part);
  void end(const Heard& heard);

  const std::size_t most_;
  std::string line_;
  std::uint64_t lost_ = 0;  // bytes of the line after the held ones
  bool returned_ = false;   // the last byte was `\r`: the next one redraws the line
};

}  // namespace stagemake
