#include "engine/docker/attached_frames.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "engine/container_engine.h"

namespace stagemake::test {
namespace {

using Stream = AttachedFrames::Stream;

std::string frame(unsigned char stream, std::string_view content) {
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(stream);
  for (int i = 0; i < 4; ++i) bytes[4 + i] = static_cast<char>(content.size() >> (24 - 8 * i));
  return bytes.append(content);
}

class Frames : public testing::Test {
 protected:
  void take(std::string_view piece) {
    frames_.take(piece, [this](Stream stream, std::string_view content) { heard_[stream] += content; });
  }
  AttachedFrames frames_;
  std::map<Stream, std::string> heard_;
};

TEST_F(Frames, AreSeparatedHoweverTheyAreCut) {
  std::string large(70'000, 'x');
  std::string all =
      frame(1, "out") + frame(2, "") + frame(2, "errors") + frame(1, large) + frame(3, "engine");
  for (std::size_t size : {std::size_t(1), std::size_t(7), std::size_t(8), std::size_t(9), all.size()}) {
    heard_.clear();
    for (std::size_t at = 0; at < all.size(); at += size) take(std::string_view(all).substr(at, size));
    EXPECT_EQ(heard_[Stream::Output], "out" + large) << size;
    EXPECT_EQ(heard_[Stream::Errors], "errors");
    EXPECT_EQ(heard_[Stream::Engine], "engine");
    EXPECT_TRUE(frames_.is_whole());
  }
}

TEST_F(Frames, ACutOneIsNotWhole) {
  std::string one = frame(1, "content");
  EXPECT_TRUE(frames_.is_whole());
  for (std::size_t i = 0; i + 1 < one.size(); ++i) {
    take(std::string_view(one).substr(i, 1));
    EXPECT_FALSE(frames_.is_whole()) << i;
  }
  take(std::string_view(one).substr(one.size() - 1));
  EXPECT_TRUE(frames_.is_whole());
}

TEST_F(Frames, ALengthOfFourBytesIsNeverHeldInMemory) {
  std::string head = frame(1, "");
  head[4] = head[5] = head[6] = head[7] = '\xff';
  take(head);
  for (int i = 0; i < 1000; ++i) take(std::string(1000, 'y'));
  EXPECT_EQ(heard_[Stream::Output].size(), 1'000'000u) << "passed on as it comes";
  EXPECT_FALSE(frames_.is_whole());
}

TEST_F(Frames, AnythingElseIsAnError) {
  EXPECT_THROW(take(frame(4, "x")), EngineError);
  AttachedFrames other;
  EXPECT_THROW(other.take("HTTP/1.1 500 oops", [](Stream, std::string_view) {}), EngineError);
}

}  // namespace
}  // namespace stagemake::test
