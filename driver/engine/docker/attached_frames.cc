#include "engine/docker/attached_frames.h"

#include <algorithm>

#include "engine/container_engine.h"

namespace stagemake {

void AttachedFrames::take(std::string_view piece, const Heard& heard) {
  while (!piece.empty()) {
    if (left_ > 0) {
      std::string_view content = piece.substr(0, left_);
      piece.remove_prefix(content.size());
      left_ -= static_cast<std::uint32_t>(content.size());
      heard(Stream(header_[0]), content);
      continue;
    }
    header_[header_bytes_++] = static_cast<unsigned char>(piece.front());
    piece.remove_prefix(1);
    if (header_bytes_ < header_.size()) continue;
    header_bytes_ = 0;
    bool is_known = header_[0] <= static_cast<unsigned char>(Stream::Engine);
    if (!is_known || header_[1] != 0 || header_[2] != 0 || header_[3] != 0)
      throw EngineError("docker attach: the connection carries something other than the container's output");
    for (std::size_t i = 4; i < header_.size(); ++i) left_ = left_ << 8 | header_[i];
  }
}

}  // namespace stagemake
