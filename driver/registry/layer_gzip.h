// Compresses an image's layer with gzip on all processors. Pieces of 1 MiB become members of one gzip file,
// which every engine can read (RFC 1952 allows any number of members). The same bytes give the same file on
// the same kind of processor, with any number of threads.
//
// Needs the memory of a few pieces per thread, whatever the layer's size.
//
// Thread rule: add() and finish() from one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace stagemake {

struct CompressedLayer {
  std::string diff_id;     // "sha256:…" of the bytes before compression: the layer's content id
  std::string digest;      // "sha256:…" of the gzip file
  std::uint64_t size = 0;  // bytes of the gzip file
};

class LayerGzip {
 public:
  static constexpr std::size_t kPiece = 1u << 20;  // bytes

  // Gets the gzip file in order, one call at a time, from any thread. An exception ends the compression and
  // comes out of add() or finish().
  using Sink = std::function<void(std::string_view)>;

  // `threads`: at least 1.
  LayerGzip(Sink sink, unsigned threads, std::stop_token stop = {});
  ~LayerGzip();
  LayerGzip(const LayerGzip&) = delete;
  LayerGzip& operator=(const LayerGzip&) = delete;

  // May wait for the threads and for the sink. Throws what the sink threw, or Error after a stop request.
  void add(std::string_view bytes);
  // Waits until the sink has everything. Call it once.
  CompressedLayer finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagemake
