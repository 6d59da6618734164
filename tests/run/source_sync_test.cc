#include "run/container/source_sync.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <set>

#include "base/error.h"
#include "base/files/tarball.h"
#include "base/process/subprocess.h"
#include "base/text/digest.h"
#include "snapshot/snapshot.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Kind = SourceFile::Kind;

SourceFile file(const std::string& path, std::string_view content = "x", Kind kind = Kind::Plain) {
  return {path, kind, git_blob_id(content)};
}

std::vector<std::string> changed(const SourceSync& sync) {
  std::vector<std::string> paths;
  for (const SourceFile& one : sync.changed) paths.push_back(one.path);
  return paths;
}

TEST(CompareSources, EqualTreesNeedNothing) {
  EXPECT_TRUE(compare_sources({}, {}).empty());
  EXPECT_TRUE(compare_sources({file("a"), file("b/c")}, {file("a"), file("b/c")}).empty());
}

TEST(CompareSources, NewChangedAndRemovedFiles) {
  SourceSync sync =
      compare_sources({file("a"), file("b"), file("c")}, {file("a"), file("b", "y"), file("d")});
  EXPECT_THAT(changed(sync), ElementsAre("b", "d"));
  EXPECT_THAT(sync.removed, ElementsAre("c"));
  EXPECT_FALSE(sync.removals_first);
}

TEST(CompareSources, TheExecutableBitIsAChangeThatOverwrites) {
  SourceSync sync = compare_sources({file("a")}, {file("a", "x", Kind::Executable)});
  EXPECT_THAT(changed(sync), ElementsAre("a"));
  EXPECT_THAT(sync.removed, IsEmpty());
  EXPECT_FALSE(sync.removals_first);
}

TEST(CompareSources, AnotherKindMustGoFirst) {
  struct Case {
    std::vector<SourceFile> inside, wanted;
    std::vector<std::string> changed, removed;
  };
  for (const Case& one : {
           // a link becomes a file, and back
           Case{{file("a", "t", Kind::Symlink)}, {file("a")}, {"a"}, {"a"}},
           Case{{file("a")}, {file("a", "t", Kind::Symlink)}, {"a"}, {"a"}},
           // a file, or a link, becomes a folder
           Case{{file("a")}, {file("a/b/c")}, {"a/b/c"}, {"a"}},
           Case{{file("a", "t", Kind::Symlink)}, {file("a/b")}, {"a/b"}, {"a"}},
           // a folder becomes a file
           Case{{file("a/b"), file("a/c/d")}, {file("a")}, {"a"}, {"a", "a/b", "a/c/d"}},
       }) {
    SourceSync sync = compare_sources(one.inside, one.wanted);
    EXPECT_EQ(changed(sync), one.changed);
    EXPECT_EQ(sync.removed, one.removed);
    EXPECT_TRUE(sync.removals_first);
  }
}

TEST(CompareSources, ALinkToAnotherPlaceIsOverwritten) {
  SourceSync sync = compare_sources({file("a", "t", Kind::Symlink)}, {file("a", "u", Kind::Symlink)});
  EXPECT_THAT(changed(sync), ElementsAre("a"));
  EXPECT_THAT(sync.removed, IsEmpty());
}

TEST(CompareSources, NeighboursWithLikeNamesAreApart) {
  SourceSync sync = compare_sources({file("a.x"), file("a/b")}, {file("a-x"), file("a/b")});
  EXPECT_THAT(changed(sync), ElementsAre("a-x"));
  EXPECT_THAT(sync.removed, ElementsAre("a.x"));
  EXPECT_FALSE(sync.removals_first);
}

// --- The script, with the real shell.

class RemovalScript : public testing::Test {
 protected:
  void run(const std::vector<std::string>& removed) {
    std::string script =
        "set -e\ncd " + tree_.path().string() + "\n" + removal_script(removed) + "echo went on\n";
    Finished finished = run_command({.argv = {"/bin/sh", "-c", script}});
    EXPECT_TRUE(finished.ok()) << finished.errors;
    EXPECT_EQ(finished.output, "went on\n");
  }
  bool there(const std::string& path) {
    boost::system::error_code ignored;
    return fs::exists(fs::symlink_status(tree_.path() / path, ignored));
  }

  TreeText tree_{""};
};

TEST_F(RemovalScript, RemovesFilesAndTheFoldersTheyLeaveEmpty) {
  tree_.file("a/b/c/one", "").file("a/b/two", "").file("a/keep", "").file("top", "");
  run({"a/b/c/one", "a/b/two", "top"});
  EXPECT_FALSE(there("a/b"));
  EXPECT_FALSE(there("top"));
  EXPECT_TRUE(there("a/keep"));
}

TEST_F(RemovalScript, KeepsFoldersWithWhatTheBuildMade) {
  tree_.file("a/source.c", "").file("a/made.o", "");
  run({"a/source.c"});
  EXPECT_FALSE(there("a/source.c"));
  EXPECT_TRUE(there("a/made.o"));
}

TEST_F(RemovalScript, OddNamesAreNamesAndNothingElse) {
  std::vector<std::string> odd = {"-rf",          "a b", "new\nline", "it's", "$(touch made)",
                                  "`touch made`", "*",   "\\",        "d/-x", "\xff\xfe"};
  for (const std::string& name : odd) tree_.file(name, "");
  tree_.file("stays", "");
  run(odd);
  for (const std::string& name : odd) EXPECT_FALSE(there(name)) << name;
  EXPECT_TRUE(there("stays")) << "`*` is a name";
  EXPECT_FALSE(there("made"));
}

TEST_F(RemovalScript, RemovingMissingFilesIsNoError) {
  run({"not/there", "nor-this"});
  run({});
}

TEST_F(RemovalScript, AFolderInAFilesPlaceGoesToo) {
  tree_.file("a/b", "").link("link", "a");
  run({"link", "a"});
  EXPECT_FALSE(there("a"));
  EXPECT_FALSE(there("link"));
}

// --- The tar file.

// Without the manifest that applies while the others are unpacked.
std::vector<TarEntry> written(const TreeText& tree, const std::vector<SourceFile>& files,
                              const std::string& root = "/opt/sage") {
  TemporaryFolder folder(fs::temp_directory_path());
  write_source_tar(folder.path() / "t.tar", tree.path(), files, root, "meanwhile", "the manifest",
                   1234567890);
  std::vector<TarEntry> entries = read_tar(read_file(folder.path() / "t.tar", 64u << 20).value());
  EXPECT_EQ("/" + entries.at(0).name, kManifestPath);
  EXPECT_EQ(entries.at(0).content, "meanwhile");
  entries.erase(entries.begin());
  return entries;
}

TEST(CompareSources, AHalfBroughtTreeSaysOfNoChangedFileWhatItIs) {
  std::vector<SourceFile> before = {file("changes", "old"), file("goes", "x"), file("stays", "y")};
  std::vector<SourceFile> wanted = {file("changes", "new"), file("comes", "z"), file("stays", "y")};
  std::vector<SourceFile> half = half_brought(before, compare_sources(before, wanted));
  ASSERT_EQ(half.size(), 4u);
  EXPECT_EQ(half[1].path, "comes");
  EXPECT_TRUE(parse_manifest(manifest_text(half)));
  // Whichever version the tree continues with, the unfinished files are not trusted.
  for (const std::vector<SourceFile>& next : {before, wanted}) {
    SourceSync sync = compare_sources(half, next);
    std::set<std::string> touched(sync.removed.begin(), sync.removed.end());
    for (const SourceFile& one : sync.changed) touched.insert(one.path);
    EXPECT_TRUE(touched.contains("changes"));
    EXPECT_TRUE(touched.contains("comes"));
    EXPECT_FALSE(touched.contains("stays"));
  }
}

TEST(SourceTar, PutsFilesBelowTheRootAndTheManifestLast) {
  TreeText tree("");
  tree.file("a b", "content").file("bin/run", "#!/bin/sh\n").link("link", "../else where");
  std::vector<TarEntry> entries =
      written(tree, {file("a b", "content"), file("bin/run", "#!/bin/sh\n", Kind::Executable),
                     file("link", "../else where", Kind::Symlink)});
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[0].name, "opt/sage/a b");
  EXPECT_EQ(entries[0].content, "content");
  EXPECT_EQ(entries[0].mode & 07777, 0644u);
  EXPECT_EQ(entries[0].time, 1234567890);
  EXPECT_EQ(entries[1].name, "opt/sage/bin/run");
  EXPECT_EQ(entries[1].mode & 07777, 0755u);
  EXPECT_EQ(entries[2].kind, TarEntry::Kind::Symlink);
  EXPECT_EQ(entries[2].content, "../else where");
  EXPECT_EQ("/" + entries[3].name, kManifestPath);
  EXPECT_EQ(entries[3].content, "the manifest");
}

TEST(SourceTar, LongAndOddNamesSurvive) {
  TreeText tree("");
  std::string deep = std::string(100, 'd') + "/" + std::string(100, 'e') + "/" + std::string(200, 'f');
  tree.file(deep, "1").file("\xc3\xa9\n", "2");
  std::vector<TarEntry> entries = written(tree, {file(deep, "1"), file("\xc3\xa9\n", "2")});
  EXPECT_EQ(entries[0].name, "opt/sage/" + deep);
  EXPECT_EQ(entries[1].name, "opt/sage/\xc3\xa9\n");
}

// The error about files that no longer match their ids.
std::string refusal(const TreeText& tree, const std::vector<SourceFile>& files) {
  try {
    written(tree, files);
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    return error.what();
  }
  return "";
}

TEST(SourceTar, FilesEditedMeanwhileAreFaultsAllAtOnce) {
  TreeText tree("");
  tree.file("a", "new").file("b", "same").link("l", "new");
  std::string told = refusal(
      tree, {file("a", "old"), file("b", "same"), file("gone", "old"), file("l", "old", Kind::Symlink)});
  EXPECT_THAT(told, HasSubstr("a: changed while the build began; run again"));
  EXPECT_THAT(told, HasSubstr("gone: changed"));
  EXPECT_THAT(told, HasSubstr("l: changed"));
  EXPECT_THAT(told, testing::Not(HasSubstr("b: ")));
}

TEST(SourceTar, AMissingFileIsNotAnEmptyOne) {
  TreeText tree("");
  tree.file("is-a-file", "target");
  EXPECT_THAT(refusal(tree, {file("empty", "")}), HasSubstr("empty: changed"));
  EXPECT_THAT(refusal(tree, {file("is-a-file", "", Kind::Symlink)}), HasSubstr("is-a-file: changed"));
}

}  // namespace
}  // namespace stagemake
