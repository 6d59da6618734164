// The digest of sources depends on paths, kinds and contents, and on nothing else.
#include "tree/source_tree.h"

#include <fcntl.h>
#include <git2.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/process/subprocess.h"
#include "base/text/digest.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNow = 4'000'000'000;  // long after all files: none is too young for the cache
constexpr std::int64_t kOld = 1'500'000'000;  // seconds since the epoch

constexpr std::string_view kTree =
    "zlib standard 1.2\n"
    "/src/a.py = a\n"
    "/src/deep/er/b.py = b\n"
    "/src-other/c = c\n"
    "/README.md = r\n";

void run_git(const fs::path& folder, std::vector<std::string> arguments) {
  std::vector<std::string> argv = {"git",         "-C", folder.string(),           "-c",
                                   "user.name=t", "-c", "user.email=t@example.org"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  Finished finished = run_command({.argv = argv, .environment = {{"GIT_CONFIG_GLOBAL", "/dev/null"}}});
  ASSERT_TRUE(finished.ok()) << finished.errors;
}

void commit_all(const fs::path& tree) {
  run_git(tree, {"init", "-q"});
  run_git(tree, {"add", "-A"});
  run_git(tree, {"commit", "-q", "-m", "all"});
}

void set_time(const fs::path& file, std::int64_t seconds) {
  timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

std::vector<std::string> paths(const std::vector<SourceFile>& files) {
  std::vector<std::string> result;
  for (const SourceFile& file : files) result.push_back(file.path);
  return result;
}

// What a new reader without a cache sees.
std::vector<SourceFile> files_below(const fs::path& tree, const std::string& path, bool ignored_too = false) {
  return SourceTree(tree, tree / "no-cache/ids", kNow).below(path, ignored_too);
}
std::string digest_below(const fs::path& tree, const std::string& path) {
  return SourceTree::digest(files_below(tree, path));
}

// --- Outside the tree: a link in a stranger's pull request leads to nothing on this machine.

std::string refusal(const fs::path& tree, const std::string& path) {
  try {
    return "read: " + testing::PrintToString(paths(files_below(tree, path)));
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    return error.what();
  }
}

TEST(SourceTree, NothingOutsideIsAdded) {
  TemporaryFolder outside(fs::temp_directory_path());
  write_file(outside.path() / "config.rpath", "of the host\n");
  TreeText tree(kTree);
  tree.link("config", outside.path().string())
      .link("x", "/")
      .link("up", "../" + outside.path().filename().string());
  for (std::string path : {std::string("config/config.rpath"), std::string("up/config.rpath"),
                           std::string("x/etc/hostname"), "x" + outside.path().string()})
    EXPECT_EQ(refusal(tree.path(), path), path + ": leads out of the tree and is not read");
  // The links themselves are files of the tree.
  std::vector<SourceFile> links = files_below(tree.path(), "config");
  ASSERT_THAT(paths(links), ElementsAre("config"));
  EXPECT_EQ(links[0].kind, SourceFile::Kind::Symlink);
  EXPECT_EQ(links[0].id, git_blob_id(outside.path().string()));
  EXPECT_EQ(refusal(tree.path(), "../" + outside.path().filename().string()),
            "../" + outside.path().filename().string() + ": leads out of the tree and is not read");
}

TEST(SourceTree, AFolderMayBeALinkToAnotherOneOfTheTree) {
  TreeText tree(kTree);
  tree.link("linked", "src/deep").link("src/inner", "deep");
  EXPECT_THAT(paths(files_below(tree.path(), "linked/er")), ElementsAre("linked/er/b.py"));
  EXPECT_THAT(paths(files_below(tree.path(), "linked")), ElementsAre("linked")) << "at its end it is a link";
  EXPECT_THAT(paths(files_below(tree.path(), "src")),
              ElementsAre("src/a.py", "src/deep/er/b.py", "src/inner"));
}

TEST(SourceTree, RulesThatLieOutsideAreNotRead) {
  TemporaryFolder outside(fs::temp_directory_path());
  write_file(outside.path() / "ignore", "src\n");
  TreeText tree(kTree);
  tree.link(".dockerignore", (outside.path() / "ignore").string());
  EXPECT_EQ(refusal(tree.path(), "src"), ".dockerignore: leads out of the tree and is not read");
}

TEST(SourceTree, FifosAndSocketsAreLeftOutWithAWarning) {
  TreeText tree(kTree);
  ASSERT_EQ(::mkfifo((tree.path() / "src/pipe").c_str(), 0644), 0);
  SourceTree sources(tree.path(), tree.path() / "no-cache/ids", kNow);
  EXPECT_THAT(paths(sources.below("src")), ElementsAre("src/a.py", "src/deep/er/b.py"));
  EXPECT_THAT(sources.warnings(), ElementsAre("src/pipe: is a FIFO: not added"));
  EXPECT_THAT(paths(sources.below("README.md")), ElementsAre("README.md"));
  EXPECT_THAT(sources.warnings(), testing::SizeIs(1)) << "said once";
}

TEST(SourceTree, AHardLinkToAnotherUsersFileIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "giving files away needs root";
  TreeText tree(kTree);
  TemporaryFolder outside(tree.path().parent_path());
  fs::create_hard_link(tree.path() / "src/a.py", tree.path() / "src/same-owner");
  EXPECT_THAT(paths(files_below(tree.path(), "src")),
              ElementsAre("src/a.py", "src/deep/er/b.py", "src/same-owner"));
  write_file(outside.path() / "theirs", "secret\n");
  fs::create_hard_link(outside.path() / "theirs", tree.path() / "src/theirs");
  ASSERT_EQ(::chown((outside.path() / "theirs").c_str(), 12345, 12345), 0);
  EXPECT_EQ(refusal(tree.path(), "src"), "src/theirs: is a hard link to another user's file and is not read");
}

TEST(SourceTree, NamesContentsAsGitDoes) {
  TreeText tree(kTree);
  std::vector<SourceFile> files = files_below(tree.path(), "src");
  EXPECT_THAT(paths(files), ElementsAre("src/a.py", "src/deep/er/b.py"));
  EXPECT_EQ(files[0].id, git_blob_id("a\n"));
  EXPECT_EQ(files[0].kind, SourceFile::Kind::Plain);
  EXPECT_THAT(paths(files_below(tree.path(), "README.md")), ElementsAre("README.md"));
  EXPECT_THAT(files_below(tree.path(), "absent"), IsEmpty());
  EXPECT_THAT(files_below(tree.path(), "README.md/below"), IsEmpty());
}

TEST(SourceTree, ACheckoutACloneAndAnExportAreEqual) {
  TreeText tree(kTree);
  tree.file("src/run.sh", "#!/bin/sh\n").link("src/link", "a.py");
  fs::permissions(tree.path() / "src/run.sh", fs::perms(0755));
  std::string before = digest_below(tree.path(), "src");
  ASSERT_NO_FATAL_FAILURE(commit_all(tree.path()));
  EXPECT_EQ(digest_below(tree.path(), "src"), before);

  TemporaryFolder other(fs::temp_directory_path());
  ASSERT_NO_FATAL_FAILURE(run_git(other.path(), {"clone", "-q", tree.path().string(), "a-clone"}));
  EXPECT_EQ(digest_below(other.path() / "a-clone", "src"), before);
  for (const char* path : {"src/a.py", "src/run.sh", "src/link"})
    set_time(other.path() / "a-clone" / path, kOld);
  EXPECT_EQ(digest_below(other.path() / "a-clone", "src"), before) << "other times";

  fs::remove_all(other.path() / "a-clone/.git");
  EXPECT_EQ(digest_below(other.path() / "a-clone", "src"), before) << "without git";
  EXPECT_NE(digest_below(other.path() / "a-clone", "src-other"), before);
}

TEST(SourceTree, APartOfACheckoutIsReadAsItselfToo) {
  TreeText tree("zlib standard 1.2\n/inner/src/a.py = a\n");
  std::string before = digest_below(tree.path() / "inner", "src");
  set_time(tree.path() / "inner/src/a.py", kOld);
  ASSERT_NO_FATAL_FAILURE(commit_all(tree.path()));
  EXPECT_EQ(digest_below(tree.path() / "inner", "src"), before);
  tree.file("inner/src/a.py", "b\n");
  EXPECT_NE(digest_below(tree.path() / "inner", "src"), before);
}

TEST(SourceTree, EditsInACheckoutAreSeenWhateverTheIndexSays) {
  TreeText tree(kTree);
  set_time(tree.path() / "src/a.py", kOld);
  ASSERT_NO_FATAL_FAILURE(commit_all(tree.path()));
  std::string before = digest_below(tree.path(), "src");
  tree.file("src/a.py", "z\n");
  EXPECT_NE(digest_below(tree.path(), "src"), before) << "the same size";
  set_time(tree.path() / "src/a.py", kOld);
  EXPECT_NE(digest_below(tree.path(), "src"), before)
      << "the same size and time: only the inode's change tells";
  tree.file("src/a.py", "a\n");
  EXPECT_EQ(digest_below(tree.path(), "src"), before);
  tree.file("src/new.py", "n\n");
  EXPECT_NE(digest_below(tree.path(), "src"), before) << "git does not track it yet";
  tree.remove("src/new.py").remove("src/a.py");
  EXPECT_NE(digest_below(tree.path(), "src"), before);
}

// An index that lies: its entry says that the file's content is `said`. The result shows whether the index
// was believed.
void lie(const fs::path& tree, const std::string& path, std::string_view said) {
  git_libgit2_init();
  git_repository* repository = nullptr;
  git_index* index = nullptr;
  ASSERT_EQ(git_repository_open(&repository, tree.c_str()), 0);
  ASSERT_EQ(git_repository_index(&index, repository), 0);
  struct stat s {};
  ASSERT_EQ(::lstat((tree / path).c_str(), &s), 0);
  git_index_entry entry{};
  ASSERT_EQ(git_blob_create_from_buffer(&entry.id, repository, said.data(), said.size()), 0);
  entry.path = path.c_str();
  entry.mode = GIT_FILEMODE_BLOB;
  entry.file_size = static_cast<std::uint32_t>(s.st_size);
  entry.ino = static_cast<std::uint32_t>(s.st_ino);
  entry.mtime = {static_cast<std::int32_t>(s.st_mtim.tv_sec), static_cast<std::uint32_t>(s.st_mtim.tv_nsec)};
  entry.ctime = {static_cast<std::int32_t>(s.st_ctim.tv_sec), static_cast<std::uint32_t>(s.st_ctim.tv_nsec)};
  ASSERT_EQ(git_index_add(index, &entry), 0);
  ASSERT_EQ(git_index_write(index), 0);
  git_index_free(index);
  git_repository_free(repository);
  git_libgit2_shutdown();
}

TEST(SourceTree, AnUnchangedFileOfACheckoutIsNotRead) {
  TreeText tree(kTree);
  set_time(tree.path() / "src/a.py", kOld);
  ASSERT_NO_FATAL_FAILURE(commit_all(tree.path()));
  ASSERT_NO_FATAL_FAILURE(lie(tree.path(), "src/a.py", "lie"));
  EXPECT_EQ(files_below(tree.path(), "src")[0].id, git_blob_id("lie"));
  set_time(tree.path() / "src/a.py", kOld + 1);
  EXPECT_EQ(files_below(tree.path(), "src")[0].id, git_blob_id("a\n")) << "with another time it is";
}

TEST(SourceTree, AFileAsYoungAsTheIndexIsRead) {
  TreeText tree(kTree);
  ASSERT_NO_FATAL_FAILURE(commit_all(tree.path()));
  ASSERT_NO_FATAL_FAILURE(lie(tree.path(), "src/a.py", "lie"));
  struct stat s {};
  ASSERT_EQ(::stat((tree.path() / "src/a.py").c_str(), &s), 0);
  set_time(tree.path() / ".git/index", s.st_mtim.tv_sec);  // written within the same second
  EXPECT_EQ(files_below(tree.path(), "src")[0].id, git_blob_id("a\n"));
}

TEST(SourceTree, GitsIdsAreNotUsedForConvertedFiles) {
  for (std::string attributes :
       {"*.py text\n", "*.py -diff filter=lfs\n", "* text=auto eol=crlf\n", "*.py ident\n"}) {
    TreeText tree(kTree);
    tree.file(".gitattributes", attributes);
    set_time(tree.path() / "src/a.py", kOld);
    ASSERT_NO_FATAL_FAILURE(run_git(tree.path(), {"init", "-q"}));
    ASSERT_NO_FATAL_FAILURE(run_git(tree.path(), {"add", ".gitattributes"}));
    ASSERT_NO_FATAL_FAILURE(lie(tree.path(), "src/a.py", "stored otherwise"));
    EXPECT_EQ(files_below(tree.path(), "src")[0].id, git_blob_id("a\n")) << attributes;
    tree.file(".gitattributes", "# text\n*.png binary\n*.py diff=python -text\n");
    EXPECT_EQ(files_below(tree.path(), "src")[0].id, git_blob_id("stored otherwise"))
        << "harmless attributes";
    ASSERT_NO_FATAL_FAILURE(run_git(tree.path(), {"config", "core.autocrlf", "input"}));
    EXPECT_EQ(files_below(tree.path(), "src")[0].id, git_blob_id("a\n"));
  }
}

TEST(SourceTree, LineEndsThatGitConvertsAreThoseOfTheFolder) {
  TreeText tree(kTree);
  tree.file("src/a.py", "a\r\n").file(".gitattributes", "*.py text\n");
  set_time(tree.path() / "src/a.py", kOld);
  ASSERT_NO_FATAL_FAILURE(commit_all(tree.path()));
  EXPECT_EQ(files_below(tree.path(), "src")[0].id, git_blob_id("a\r\n"));
}

TEST(SourceTree, TheExecutableBitCountsAndOtherBitsDoNot) {
  TreeText tree(kTree);
  std::string before = digest_below(tree.path(), "src");
  fs::permissions(tree.path() / "src/a.py", fs::perms(0600));
  EXPECT_EQ(digest_below(tree.path(), "src"), before);
  fs::permissions(tree.path() / "src/a.py", fs::perms(0744));
  EXPECT_NE(digest_below(tree.path(), "src"), before);
  EXPECT_EQ(files_below(tree.path(), "src")[0].kind, SourceFile::Kind::Executable);
}

TEST(SourceTree, SymlinksAreTheirTargets) {
  TreeText tree(kTree);
  tree.link("src/to-file", "a.py").link("src/to-folder", "deep").link("src/dangling", "/no/such");
  std::vector<SourceFile> files = files_below(tree.path(), "src");
  EXPECT_THAT(paths(files),
              ElementsAre("src/a.py", "src/dangling", "src/deep/er/b.py", "src/to-file", "src/to-folder"));
  EXPECT_EQ(files[1].kind, SourceFile::Kind::Symlink);
  EXPECT_EQ(files[1].id, git_blob_id("/no/such"));
  EXPECT_EQ(files[4].id, git_blob_id("deep")) << "a link to a folder is not walked";
  std::string before = SourceTree::digest(files);
  tree.link("src/dangling", "/no/other");
  EXPECT_NE(digest_below(tree.path(), "src"), before);
}

TEST(SourceTree, AFileAndALinkWithItsContentDiffer) {
  TreeText file("zlib standard 1\n"), link("zlib standard 1\n");
  file.file("src/x", "target");
  link.link("src/x", "target");
  EXPECT_NE(digest_below(file.path(), "src"), digest_below(link.path(), "src"));
}

TEST(SourceTree, EmptyFoldersAndSocketsAreNothing) {
  TreeText tree(kTree);
  std::string before = digest_below(tree.path(), "src");
  tree.make_folder("src/empty/er");
  ASSERT_EQ(::mkfifo((tree.path() / "src/fifo").c_str(), 0600), 0);
  EXPECT_EQ(digest_below(tree.path(), "src"), before);
}

TEST(SourceTree, APathThatMovesChangesTheDigest) {
  TreeText tree(kTree);
  std::string before = digest_below(tree.path(), "src");
  fs::rename(tree.path() / "src/a.py", tree.path() / "src/A.py");
  EXPECT_NE(digest_below(tree.path(), "src"), before);
}

TEST(SourceTree, DockerignoredFilesAreExcludedUnlessRequested) {
  TreeText tree(kTree);
  tree.file("src/a.pyc", "x")
      .file("src/keep.pyc", "x")
      .file("upstream/big.tar", "t")
      .file("upstream/in/er", "t");
  tree.file(".gitignore", "**/*.pyc\n!src/keep.pyc\n/upstream\n").link(".dockerignore", ".gitignore");
  EXPECT_THAT(paths(files_below(tree.path(), "src")),
              ElementsAre("src/a.py", "src/deep/er/b.py", "src/keep.pyc"));
  EXPECT_THAT(files_below(tree.path(), "upstream"), IsEmpty());
  EXPECT_THAT(files_below(tree.path(), "upstream/in"), IsEmpty());
  EXPECT_THAT(paths(files_below(tree.path(), "upstream", true)),
              ElementsAre("upstream/big.tar", "upstream/in/er"));
  tree.file(".gitignore", "/src\n!/src/deep/er\n");
  EXPECT_THAT(paths(files_below(tree.path(), "src")), ElementsAre("src/deep/er/b.py"));
  EXPECT_THAT(paths(files_below(tree.path(), "src/deep")), ElementsAre("src/deep/er/b.py"));
}

TEST(SourceTree, GitsOwnFolderIsNeverASource) {
  TreeText tree(kTree);
  tree.file("src/module/.git/config", "x").file("src/other/.git", "gitdir: ../x");
  EXPECT_THAT(paths(files_below(tree.path(), "src")), ElementsAre("src/a.py", "src/deep/er/b.py"));
}

TEST(SourceTree, SubfoldersAreAnsweredFromTheCache) {
  TreeText tree(kTree);
  tree.file("src/deep-er", "x").file("src/deep.x", "x");
  SourceTree sources(tree.path(), tree.path() / "no-cache/ids", kNow);
  const std::vector<SourceFile>& all = sources.below("src");
  tree.remove("src");
  EXPECT_THAT(paths(sources.below("src/deep")), ElementsAre("src/deep/er/b.py"))
      << "not src/deep-er, not src/deep.x";
  EXPECT_THAT(paths(sources.below("src/a.py")), ElementsAre("src/a.py"));
  EXPECT_THAT(paths(sources.below("src/absent")), IsEmpty());
  EXPECT_EQ(all.size(), 4u);
}

TEST(SourceTree, TheCacheSparesReadingAndIsNotBelievedForChangedFiles) {
  TreeText tree(kTree);
  fs::path cache = tree.path() / "state/ids";
  {
    SourceTree sources(tree.path(), cache, kNow);
    sources.below("src");
    sources.save_cache();
  }
  std::string text = read_file(cache).value();
  std::string id = git_blob_id("a\n");
  ASSERT_THAT(text, HasSubstr(id + " src/a.py\n"));
  text.replace(text.find(id), id.size(), git_blob_id("lie"));
  tree.file("state/ids", text);
  auto first_id = [&] { return SourceTree(tree.path(), cache, kNow).below("src")[0].id; };
  EXPECT_EQ(first_id(), git_blob_id("lie")) << "it was not read";
  tree.file("src/a.py", "a\n");
  EXPECT_EQ(first_id(), id) << "its times are other";
}

TEST(SourceTree, AFileThatIsTooYoungIsNotRemembered) {
  TreeText tree(kTree);
  set_time(tree.path() / "src/a.py", kOld);
  SourceTree sources(tree.path(), tree.path() / "state/ids", kOld + 2);
  sources.below("src/a.py");
  sources.save_cache();
  EXPECT_FALSE(read_file(tree.path() / "state/ids").has_value());
  SourceTree later(tree.path(), tree.path() / "state/ids", kOld + 3);
  later.below("src/a.py");
  later.save_cache();
  EXPECT_TRUE(read_file(tree.path() / "state/ids").has_value());
}

TEST(SourceTree, ACacheOfAnotherFormOrWithRubbishIsDropped) {
  TreeText tree(kTree);
  std::string id = git_blob_id("a\n");
  for (std::string content :
       {std::string("some other file\n"), std::string("stagemake source ids 1\nrubbish\n1 2 3\n"),
        std::string(1000, '\0'), std::string("stagemake source ids 1\n1 1 1 1 short src/a.py\n")}) {
    tree.file("state/ids", content);
    SourceTree sources(tree.path(), tree.path() / "state/ids", kNow);
    EXPECT_EQ(sources.below("src")[0].id, id);
    sources.save_cache();
    EXPECT_THAT(read_file(tree.path() / "state/ids").value(), HasSubstr(id));
  }
}

TEST(SourceTree, OddNamesSurviveTheCache) {
  TreeText tree("zlib standard 1\n");
  tree.file("src/a b  c", "1").file("src/new\nline", "2").file("src/\xff\xfe", "3").file("src/ lead", "4");
  fs::path cache = tree.path() / "state/ids";
  std::vector<SourceFile> first, second;
  for (std::vector<SourceFile>* into : {&first, &second}) {
    SourceTree sources(tree.path(), cache, kNow);
    *into = sources.below("src");
    sources.save_cache();
  }
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.size(), 4u);
}

TEST(SourceTree, ACacheThatCannotBeWrittenIsNoError) {
  TreeText tree(kTree);
  SourceTree sources(tree.path(), tree.path() / "README.md/ids", kNow);
  EXPECT_EQ(sources.below("src").size(), 2u);
  EXPECT_NO_THROW(sources.save_cache());
}

// Files that the file system's permissions hide from a plain user, even if the tests run as root.
class AsPlainUser {
 public:
  AsPlainUser() {
    if (::geteuid() == 0 && ::seteuid(65534) == 0) changed_ = true;
  }
  ~AsPlainUser() {
    if (changed_ && ::seteuid(0) != 0) ::_exit(1);
  }

 private:
  bool changed_ = false;
};

TEST(SourceTree, AllUnreadableFilesAreReportedEachTime) {
  TreeText tree(kTree);
  fs::permissions(tree.path(), fs::perms(0755));
  fs::permissions(tree.path() / "src/a.py", fs::perms(0));
  fs::permissions(tree.path() / "src/deep", fs::perms(0));
  {
    AsPlainUser user;
    SourceTree sources(tree.path(), tree.path() / "no-cache/ids", kNow);
    for (int i = 0; i < 2;
         ++i) {  // on the second call, a file that was unreadable on the first must not count as empty
      try {
        sources.below("src");
        ADD_FAILURE() << "nothing was said";
      } catch (const Error& error) {
        EXPECT_EQ(error.status(), ExitStatus::BadInput);
        ASSERT_EQ(error.faults().size(), 2u) << error.what();
        EXPECT_EQ(error.faults()[0].where, "src/a.py");
        EXPECT_THAT(error.faults()[0].what, HasSubstr("Permission denied"));
        EXPECT_EQ(error.faults()[1].where, "src/deep");
      }
    }
  }
  fs::permissions(tree.path() / "src/deep", fs::perms(0755));
}

TEST(SourceTree, ADockerignoreThatCannotBeReadIsAFault) {
  TreeText tree(kTree);
  tree.make_folder(".dockerignore");
  EXPECT_THROW(files_below(tree.path(), "src"), Error);
  tree.remove(".dockerignore").link(".dockerignore", ".gitignore");
  EXPECT_EQ(files_below(tree.path(), "src").size(), 2u) << "a link to nothing says nothing";
}

// --- What git ignores below the root.

constexpr std::string_view kPackages =
    "zlib standard 1.2\n"
    "/pkgs/conf/.gitignore = /setup.cfg\n"
    "/pkgs/conf/setup.py = s\n"
    "/src/a.py = a\n";

TEST(SourceTree, NestedGitignoresApplyToKeysAndImages) {
  TreeText tree(kPackages);
  tree.file("pkgs/.gitignore", "build/\n*.so\n!kept.so\n");
  ASSERT_NO_FATAL_FAILURE(commit_all(tree.path()));
  std::string clean = digest_below(tree.path(), "pkgs");
  // As `bootstrap` and a build in the tree leave it.
  tree.file("pkgs/conf/setup.cfg", "made").file("pkgs/conf/build/lib/x.py", "made").file("pkgs/x.so", "made");
  EXPECT_EQ(digest_below(tree.path(), "pkgs"), clean);
  EXPECT_EQ(digest_below(tree.path(), "pkgs/conf"),
            SourceTree::digest(files_below(tree.path(), "pkgs/conf")));
  EXPECT_THAT(paths(files_below(tree.path(), "pkgs/conf")),
              ElementsAre("pkgs/conf/.gitignore", "pkgs/conf/setup.py"));
  EXPECT_THAT(files_below(tree.path(), "pkgs/conf/setup.cfg"), IsEmpty())
      << "also where it is requested by name";
  EXPECT_THAT(files_below(tree.path(), "pkgs/conf/build"), IsEmpty());
  EXPECT_THAT(paths(files_below(tree.path(), "pkgs/conf/setup.cfg", true)),
              ElementsAre("pkgs/conf/setup.cfg"));
  SourceTree reader(tree.path(), tree.path() / "no-cache/ids", kNow);
  EXPECT_TRUE(reader.is_ignored("pkgs/conf/setup.cfg"));
  EXPECT_TRUE(reader.is_ignored("pkgs/other/build/a"));
  EXPECT_FALSE(reader.is_ignored("pkgs/conf/setup.py"));
  EXPECT_FALSE(reader.is_ignored("pkgs/conf/kept.so"));

  // New files that git does not ignore are part of it, and so are ignored files that it tracks.
  tree.file("pkgs/conf/new.py", "n");
  EXPECT_NE(digest_below(tree.path(), "pkgs"), clean);
  fs::remove(tree.path() / "pkgs/conf/new.py");
  ASSERT_NO_FATAL_FAILURE(
      run_git(tree.path(), {"add", "-f", "pkgs/conf/setup.cfg", "pkgs/conf/build/lib/x.py"}));
  EXPECT_THAT(paths(files_below(tree.path(), "pkgs/conf")),
              ElementsAre("pkgs/conf/.gitignore", "pkgs/conf/build/lib/x.py", "pkgs/conf/setup.cfg",
                          "pkgs/conf/setup.py"));
  SourceTree again(tree.path(), tree.path() / "no-cache/ids", kNow);
  EXPECT_FALSE(again.is_ignored("pkgs/conf/setup.cfg"));
}

TEST(SourceTree, AnExportHasWhatGitTracksAlthoughItIgnoresIt) {
  TreeText tree(kPackages);
  tree.file("pkgs/conf/setup.cfg", "tracked");  // like Sage 9.8's
  std::string of_export = digest_below(tree.path(), "pkgs");
  EXPECT_THAT(paths(files_below(tree.path(), "pkgs")), testing::Contains("pkgs/conf/setup.cfg"));
  ASSERT_NO_FATAL_FAILURE(run_git(tree.path(), {"init", "-q"}));
  EXPECT_EQ(digest_below(tree.path(), "pkgs"), of_export) << "git tracks nothing yet";
  ASSERT_NO_FATAL_FAILURE(run_git(tree.path(), {"add", "-A", "-f"}));
  EXPECT_EQ(digest_below(tree.path(), "pkgs"), of_export);
}

TEST(SourceTree, TheRootsGitignoreIsNotAskedForIt) {
  TreeText tree(kPackages);
  tree.file(".gitignore", "*.py\n");
  ASSERT_NO_FATAL_FAILURE(commit_all(tree.path()));
  tree.file("src/b.py", "b");
  EXPECT_THAT(paths(files_below(tree.path(), "src")), testing::Contains("src/b.py"))
      << ".dockerignore says what of the root's file counts";
}

TEST(SourceTreeDigests, LeaveOutFoldersAndAreThoseOfTheFilesLeft) {
  TemporaryFolder folder(fs::temp_directory_path());
  for (const char* name : {"config/a", "config/b", "config/notes/c", "config/notes-too"})
    write_file(folder.path() / name, name);
  SourceTree sources(folder.path(), folder.path() / "no-cache/ids", kNow);
  std::vector<SourceFile> files = sources.below("config");
  EXPECT_EQ(sources.digest_below("config", false, {}), SourceTree::digest(files));
  std::erase_if(files, [](const SourceFile& file) { return file.path == "config/notes/c"; });
  EXPECT_EQ(files.size(), 3u);
  EXPECT_EQ(sources.digest_below("config", false, {"config/notes"}), SourceTree::digest(files));
  EXPECT_EQ(sources.digest_below("config", false, {"config/notes"}), SourceTree::digest(files)) << "again";
  EXPECT_EQ(sources.digest_below("config", false, {"config"}), SourceTree::digest({}));
  EXPECT_EQ(sources.digest_below("nothing", true, {}), SourceTree::digest({}));
}

}  // namespace
}  // namespace stagemake
