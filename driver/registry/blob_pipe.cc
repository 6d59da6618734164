#include "registry/blob_pipe.h"

#include <algorithm>
#include <utility>

namespace stagemake {
namespace {

constexpr std::size_t kFirstRoom = 64u << 10;  // bytes

}  // namespace

void BlobPipe::add(std::string_view bytes) {
  while (!bytes.empty()) {
    if (filling_.size() == BlobChunk::kSize) pass({std::exchange(filling_, {})});
    if (filling_.empty()) filling_.reserve(std::min(BlobChunk::kSize, std::max(bytes.size(), kFirstRoom)));
    std::size_t taken = std::min(bytes.size(), BlobChunk::kSize - filling_.size());
    filling_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
  }
}

void BlobPipe::finish(std::string digest) {
  pass({std::exchange(filling_, {}), std::move(digest)});
}

void BlobPipe::pass(BlobChunk chunk) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || !full_; });
  if (failure_) std::rethrow_exception(failure_);
  full_ = std::move(chunk);
  changed_.notify_all();
}

BlobChunk BlobPipe::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failure_ || full_; });
  if (failure_) std::rethrow_exception(failure_);
  BlobChunk chunk = *std::move(full_);
  full_.reset();
  changed_.notify_all();
  return chunk;
}

void BlobPipe::fail(std::exception_ptr with) {
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(with);
  changed_.notify_all();
}

}  // namespace stagemake
