// Layers compressed with gzip on several threads.
#include "registry/layer_gzip.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stop_token>
#include <thread>

#include "base/error.h"
#include "base/text/digest.h"

namespace stagemake::test {
namespace {

// Bytes that neither compress well nor badly.
std::string content_of(std::size_t bytes) {
  std::string all;
  unsigned state = 1;
  while (all.size() < bytes) {
    state = state * 1664525u + 1013904223u;
    all += all.size() % 97 < 50 ? static_cast<char>(state >> 24) : 'a';
  }
  return all;
}

struct Compressed {
  std::string file;
  CompressedLayer layer;
};

Compressed compressed(const std::string& content, unsigned threads, std::size_t piece = 100'000) {
  Compressed result;
  LayerGzip gzip([&](std::string_view bytes) { result.file += bytes; }, threads);
  for (std::size_t at = 0; at < content.size(); at += piece)
    gzip.add(std::string_view(content).substr(at, piece));
  result.layer = gzip.finish();
  return result;
}

// As zlib reads it, in libarchive.
std::string uncompressed(const std::string& file) {
  std::unique_ptr<archive, int (*)(archive*)> in(archive_read_new(), archive_read_free);
  archive_read_support_filter_gzip(in.get());
  archive_read_support_format_raw(in.get());
  archive_read_support_format_empty(in.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_memory(in.get(), file.data(), file.size()) != ARCHIVE_OK) return "cannot be opened";
  if (archive_read_next_header(in.get(), &entry) != ARCHIVE_OK) return "";
  std::string all;
  char block[65536];
  la_ssize_t n = 0;
  while ((n = archive_read_data(in.get(), block, sizeof block)) > 0)
    all.append(block, static_cast<std::size_t>(n));
  return n == 0 ? all : "is damaged";
}

TEST(LayerGzip, AnyReaderGetsTheContentBack) {
  constexpr std::size_t kPiece = LayerGzip::kPiece;
  for (std::size_t size : {std::size_t{1}, kPiece - 1, kPiece, kPiece + 1, 2 * kPiece, 3 * kPiece + 5}) {
    std::string content = content_of(size);
    Compressed result = compressed(content, 3);
    EXPECT_TRUE(uncompressed(result.file) == content) << size;
    EXPECT_EQ(result.layer.diff_id, "sha256:" + sha256_hex(content)) << size;
    EXPECT_EQ(result.layer.digest, "sha256:" + sha256_hex(result.file)) << size;
    EXPECT_EQ(result.layer.size, result.file.size()) << size;
  }
}

TEST(LayerGzip, TheBytesDependOnTheContentOnly) {
  std::string content = content_of(5 * LayerGzip::kPiece + 12345);
  Compressed one = compressed(content, 1);
  EXPECT_LT(one.file.size(), content.size() * 8 / 10);
  EXPECT_TRUE(compressed(content, 4).file == one.file);
  EXPECT_TRUE(compressed(content, 2, 777'777).file == one.file);
}

TEST(LayerGzip, AnEmptyLayerIsAFile) {
  Compressed result = compressed("", 2);
  EXPECT_EQ(result.layer.diff_id, "sha256:" + sha256_hex(""));
  ASSERT_GE(result.file.size(), 18u);
  EXPECT_EQ(result.file.substr(0, 2), "\x1f\x8b");
  EXPECT_EQ(uncompressed(result.file), "");
}

TEST(LayerGzip, RandomBytesFit) {
  std::string content;
  unsigned state = 7;
  while (content.size() < 2 * LayerGzip::kPiece)
    content += static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  EXPECT_TRUE(uncompressed(compressed(content, 2).file) == content);
}

TEST(LayerGzip, TheSinksFailureComesOut) {
  LayerGzip gzip([](std::string_view) { throw engine_unusable("no room"); }, 2);
  std::string content = content_of(LayerGzip::kPiece);
  EXPECT_THROW(
      {
        for (int i = 0; i < 100; ++i) gzip.add(content);
        gzip.finish();
      },
      Error);
}

TEST(LayerGzip, AStopEndsAWaitForTheSink) {
  std::stop_source stop;
  std::atomic<bool> is_open = false;
  LayerGzip gzip([&](std::string_view) { is_open.wait(false); }, 2, stop.get_token());
  std::jthread stopper([&] {
    stop.request_stop();
    is_open = true;
    is_open.notify_all();
  });
  std::string content = content_of(LayerGzip::kPiece);
  EXPECT_THROW(
      {
        for (int i = 0; i < 1000; ++i) gzip.add(content);
        gzip.finish();
      },
      Error);
}

}  // namespace
}  // namespace stagemake::test
