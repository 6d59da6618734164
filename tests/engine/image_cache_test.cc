#include "engine/image_cache.h"

#include <gmock/gmock.h>

#include "base/deep_json.h"

namespace stagemake {
namespace {

ImageInfo image(const std::string& id) {
  return {.id = id,
          .names = {"a:1"},
          .digest = "sha256:d",
          .labels = {{"key", "a\n\"b\" ü"}},
          .created = 5,
          .size = 7,
          .layers = 3,
          .layer_ids = {"sha256:1", "sha256:2", "sha256:3"}};
}

class ImageCacheTest : public testing::Test {
 protected:
  TemporaryFolder folder_{fs::temp_directory_path()};
  fs::path file_ = folder_.path() / "cache/images";
};

TEST_F(ImageCacheTest, AnotherProcessKnowsWhatOneWasTold) {
  ImageCache first(file_);
  EXPECT_FALSE(first.find("1"));
  first.remember(image("1"));
  ImageCache second(file_);
  std::optional<ImageInfo> found = second.find("1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->labels, image("1").labels);
  EXPECT_EQ(found->created, 5);
  EXPECT_EQ(found->size, 7u);
  EXPECT_EQ(found->layers, 3u);
  EXPECT_EQ(found->layer_ids, image("1").layer_ids);
  EXPECT_TRUE(found->names.empty()) << "names move";
  EXPECT_EQ(found->digest, "");
  EXPECT_FALSE(second.find("2"));
}

TEST_F(ImageCacheTest, LinesThatAreCutOrForeignAreNone) {
  ImageCache(file_).remember(image("1"));
  std::string line = read_file(file_).value();
  write_file(file_, "{\"id\":\"3\"}\nx\n" + line + line.substr(0, 20));
  ImageCache cache(file_);
  EXPECT_TRUE(cache.find("1"));
  EXPECT_FALSE(cache.find("3"));
}

TEST_F(ImageCacheTest, LinesThatAreDeepAreNone) {
  ImageCache(file_).remember(image("1"));
  std::string text = read_file(file_).value();
  for (const std::string& deep : test::deep_json("labels")) text += deep + "\n";
  write_file(file_, text);
  EXPECT_TRUE(ImageCache(file_).find("1"));
}

TEST_F(ImageCacheTest, AnUnwritableCacheStaysInMemory) {
  write_file(folder_.path() / "cache", "a file where a folder should be");
  for (const fs::path& place : {file_, fs::path()}) {
    ImageCache cache(place);
    cache.remember(image("1"));
    EXPECT_TRUE(cache.find("1"));
    EXPECT_FALSE(ImageCache(place).find("1"));
  }
}

TEST_F(ImageCacheTest, LabelsThatAreNoTextAreKeptInTheProcess) {
  ImageCache cache(file_);
  ImageInfo odd = image("1");
  odd.labels["x"] = "\xff";
  cache.remember(odd);
  EXPECT_EQ(cache.find("1")->labels["x"], "\xff");
}

}  // namespace
}  // namespace stagemake
