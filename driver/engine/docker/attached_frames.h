// Separates the streams of a container that docker sends over one connection: frames of eight bytes (the
// stream's number, three zeros, the length as a big-endian number) and the content.
// (https://docs.docker.com/reference/api/engine/, ContainerAttach, "Stream format")
//
// Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

namespace stagemake {

class AttachedFrames {
 public:
  enum class Stream : unsigned char { Input = 0, Output = 1, Errors = 2, Engine = 3 };
  using Heard = std::function<void(Stream, std::string_view)>;

  // Passes on the content in a piece of the connection, in pieces of any size. EngineError if it is not in
  // this format.
  void take(std::string_view piece, const Heard& heard);
  // Whether everything taken so far ends with a whole frame.
  bool is_whole() const { return header_bytes_ == 0 && left_ == 0; }

 private:
  std::array<unsigned char, 8> header_{};
  std::size_t header_bytes_ = 0;  // of the next frame's header, received so far
  std::uint32_t left_ = 0;        // bytes of the current frame's content that are still to come
};

}  // namespace stagemake
