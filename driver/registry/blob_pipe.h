// Carries a blob, chunk by chunk, from the thread that makes it to the thread that uploads it. Holds at most
// one full chunk besides the one that is being filled, so that a slow registry slows down the maker.
//
// Thread rule: one thread writes (add, finish), one reads (next); fail() from any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace stagemake {

// All chunks of a blob have kSize bytes, but for the last one, which has at most as many, and may be empty.
struct BlobChunk {
  static constexpr std::size_t kSize = 8u << 20;  // bytes; at least one registry takes none below 5 MiB

  std::string bytes;
  // Of the whole blob, "sha256:…", with its last chunk; else empty.
  std::string digest = {};
};

class BlobPipe {
 public:
  // May wait for the reader. Throws the reader's failure.
  void add(std::string_view bytes);
  // Ends the blob, whose digest is "sha256:…".
  void finish(std::string digest);
  // Waits for the next chunk. Throws the writer's failure.
  BlobChunk next();
  // Ends both sides with this exception, if it is the first one.
  void fail(std::exception_ptr with);

 private:
  void pass(BlobChunk chunk);

  std::string filling_;  // the writer's
  std::mutex mutex_;     // guards all below
  std::condition_variable changed_;
  std::optional<BlobChunk> full_;
  std::exception_ptr failure_;
};

}  // namespace stagemake
