#include "base/text/line_cutter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text/text.h"

namespace stagemake {
namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

void LineCutter::take(std::string_view piece, const Heard& heard) {
  while (!piece.empty()) {
    std::size_t at = piece.find('\n');
    add(piece.substr(0, at));
    if (at == std::string_view::npos) return;
    end(heard);
    piece.remove_prefix(at + 1);
  }
}

void LineCutter::rest(const Heard& heard) {
  if (!line_.empty()) end(heard);
}

void LineCutter::add(std::string_view part) {
  while (!part.empty()) {
    std::size_t at = part.find('\r');
    std::string_view text = part.substr(0, at);
    if (!text.empty()) {
      if (std::exchange(returned_, false)) line_.clear(), lost_ = 0;
      std::size_t fits = std::min(text.size(), most_ - line_.size());
      line_ += text.substr(0, fits);
      lost_ += text.size() - fits;
    }
    if (at == std::string_view::npos) return;
    returned_ = true;
    part.remove_prefix(at + 1);
  }
}

void LineCutter::end(const Heard& heard) {
  if (lost_ > 0) {  // do not cut inside a character
    std::size_t whole = line_.size();
    while (whole > 0 && line_.size() - whole < 3 && is_continuation(line_[whole - 1])) --whole;
    if (whole > 0 && static_cast<unsigned char>(line_[whole - 1]) >= 0xc0) --whole;
    lost_ += line_.size() - whole;
    line_.resize(whole);
    line_ += fmt::format("… ({} more of this line)", size_text(lost_));
  }
  heard(line_);
  // Frees the buffer, so that not every stage keeps one that was large once.
  std::string().swap(line_);
  lost_ = 0;
  returned_ = false;
}

}  // namespace stagemake
