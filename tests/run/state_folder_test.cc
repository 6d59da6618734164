#include "run/state/state_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text/digest.h"
#include "snapshot/snapshot.h"

namespace stagemake {
namespace {

class Manifests : public ::testing::Test {
 protected:
  // Keeps a manifest of about 1,000 bytes that was used `seconds` after the epoch.
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

// Folders that earlier versions left open, where other users can put files.
TEST(StateFolder, IsItsUsersAlone) {
  TemporaryFolder folder(fs::temp_directory_path());
  auto mode = [](const fs::path& path) {
    struct stat facts {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 07777;
  };
  fs::path root = folder.path() / "state";
  StateFolder fresh(root, "/the/tree");
  EXPECT_FALSE(fs::exists(root)) << "who only looks makes nothing";
  fresh.keep_running("x", "{}");
  (void)fresh.fresh_log("environment", "stage");
  for (const char* own : {"", "running", "tree-"}) {
    fs::path path = root / own;
    if (std::string(own) == "tree-") path = fresh.source_ids().parent_path();
    EXPECT_EQ(mode(path), 0700u) << path;
  }
  EXPECT_EQ(mode(fresh.log("environment", "stage").parent_path()), 0700u);
  EXPECT_EQ(mode(root / "running/x"), 0600u);

  fs::create_directory(root / "slots");
  for (const char* own : {"", "running", "slots"}) ::chmod((root / own).c_str(), 0777);
  StateFolder again(root, "/the/tree");
  for (const char* own : {"", "running", "slots"}) EXPECT_EQ(mode(root / own), 0700u) << own;

  ::chmod(root.c_str(), 01777);
  try {
    StateFolder shared(root, "/the/tree");
    FAIL() << "as /tmp";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    EXPECT_NE(std::string(error.what()).find("--state"), std::string::npos) << error.what();
  }
}

TEST_F(Manifests, AnEmptyStateFolderIsFine) {
  StateFolder(folder_.path() / "nothing", "/the/tree").bound_manifests({}, 0);
}

}  // namespace
}  // namespace stagemake
