#include "run/state_folder.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "plan/snapshot.h"

namespace stagemake {
namespace {

class Manifests : public ::testing::Test {
 protected:
  // Keeps one of some 1,000 bytes that was used `seconds` after the epoch.
  std::string keep(const std::string& name, std::time_t seconds) const {
    std::string text =
        manifest_text({{std::string(900, 'd') + "/" + name, SourceFile::Kind::Plain, git_blob_id(name)}});
    std::string digest = sha256_hex(text);
    state_.keep_manifest(digest, text);
    fs::last_write_time(folder_.path() / "manifests" / digest, seconds);
    return digest;
  }
  bool there(const std::string& digest) const { return fs::exists(folder_.path() / "manifests" / digest); }

  TemporaryFolder folder_{fs::temp_directory_path()};
  StateFolder state_{folder_.path(), "/the/tree"};
};

TEST_F(Manifests, TheLongestUnusedGoFirstAndThoseOfImagesStay) {
  std::string oldest_of_an_image = keep("a", 1000), old = keep("b", 2000), used = keep("c", 3000),
              young = keep("d", 4000);
  state_.bound_manifests({oldest_of_an_image}, 1'000'000);
  EXPECT_TRUE(there(old)) << "there is room";
  EXPECT_TRUE(state_.manifest(old)) << "and so it was used just now";
  state_.bound_manifests({oldest_of_an_image}, 3500);
  EXPECT_TRUE(there(oldest_of_an_image));
  EXPECT_TRUE(there(old));
  EXPECT_FALSE(there(used));
  EXPECT_TRUE(there(young));
  state_.bound_manifests({oldest_of_an_image}, 0);
  EXPECT_TRUE(there(oldest_of_an_image));
  EXPECT_FALSE(there(old));
  EXPECT_FALSE(there(young));
}

TEST_F(Manifests, AnEmptyStateFolderIsFine) {
  StateFolder(folder_.path() / "nothing", "/the/tree").bound_manifests({}, 0);
}

}  // namespace
}  // namespace stagemake
