// stagemake's own folders, and other users of the same machine.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "base/error.h"
#include "base/files/files.h"

namespace stagemake {
namespace {

using testing::HasSubstr;

constexpr uid_t kNeighbour = 65534;

// Whether `attack` succeeds as another user of this machine.
bool succeeds_as_neighbour(const std::function<bool()>& attack) {
  pid_t child = ::fork();
  if (child == 0) {
    bool changed = ::setgid(kNeighbour) == 0 && ::setuid(kNeighbour) == 0;
    ::_exit(changed ? (attack() ? 1 : 0) : 2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) < 2);
  return WEXITSTATUS(status) == 1;
}

class PrivateFolder : public testing::TestWithParam<mode_t> {
 protected:
  PrivateFolder() : umask_(::umask(GetParam())) { ::chmod(folder_.path().c_str(), 0755); }
  ~PrivateFolder() override { ::umask(umask_); }

  fs::path at(const std::string& name) const { return folder_.path() / name; }
  unsigned mode(const std::string& name) const {
    struct stat facts {};
    EXPECT_EQ(::stat(at(name).c_str(), &facts), 0) << name;
    return facts.st_mode & 07777;
  }
  std::string refusal(const std::string& name) const {
    try {
      keep_private(at(name), "name another");
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::BadInput);
      return error.what();
    }
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  mode_t umask_;
};

TEST_P(PrivateFolder, WhateverTheUmaskOthersAreOut) {
  write_file(at("a/b/file"), "x");
  append_line(at("c/d/line"), "x");
  std::optional<FileLock> lock = FileLock::try_take(at("e/f/lock"));
  make_own_folder(at("g/h"));
  for (const char* made : {"a", "a/b", "c", "c/d", "e", "e/f", "g", "g/h"})
    EXPECT_EQ(mode(made), 0700u) << made;
  EXPECT_EQ(mode("a/b/file"), 0600u);
  EXPECT_EQ(mode("e/f/lock"), 0600u);
  EXPECT_EQ(refusal("a"), "");
  if (::geteuid() != 0) GTEST_SKIP() << "nobody else to be here";
  EXPECT_FALSE(succeeds_as_neighbour([&] { return ::open(at("e/f/lock").c_str(), O_RDONLY) >= 0; }));
}

TEST_P(PrivateFolder, FoldersOpenToOthersAreClosed) {
  for (mode_t open : {0777, 0775, 0755, 0711, 0500}) {
    fs::path folder = at("state");
    ASSERT_TRUE(fs::create_directory(folder));
    ASSERT_EQ(::chmod(folder.c_str(), open), 0);
    EXPECT_EQ(refusal("state"), "");
    EXPECT_EQ(mode("state"), open == 0500 ? 0500u : 0700u);
    fs::remove_all(folder);
  }
  EXPECT_EQ(refusal("not there"), "");
  fs::create_directory(at("state"));
  ASSERT_EQ(::chmod(at("state").c_str(), 01777), 0);
  EXPECT_THAT(
      refusal("state"),
      HasSubstr(
          "state: other users can write there and change the files that stagemake keeps: name another"));
  EXPECT_EQ(mode("state"), 01777u) << "who made it so has a reason";
}

TEST_P(PrivateFolder, AnOldLockIsHeldByItsUserAlone) {
  fs::create_directory(at("locks"));
  std::string lock = at("locks/x").string();
  ::close(::open(lock.c_str(), O_CREAT | O_WRONLY, 0644));
  ::chmod(lock.c_str(), 0644);
  EXPECT_TRUE(FileLock::try_take(lock));
  EXPECT_EQ(mode("locks/x"), 0600u);
  fs::remove(lock);
  fs::create_symlink(at("elsewhere"), lock);
  EXPECT_THROW(FileLock::try_take(lock), Error) << "somebody's link";
  EXPECT_FALSE(fs::exists(at("elsewhere")));
}

TEST_P(PrivateFolder, FoldersOfOtherUsersAreRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "nobody else to be here";
  fs::create_directory(at("theirs"));
  ASSERT_EQ(::chown(at("theirs").c_str(), kNeighbour, kNeighbour), 0);
  EXPECT_THAT(refusal("theirs"),
              HasSubstr("who could change the files that stagemake keeps there: name another"));
  EXPECT_THROW(write_file(at("theirs/x"), ""), Error);
  EXPECT_THROW(FileLock::try_take(at("theirs/x")), Error);
  EXPECT_FALSE(fs::exists(at("theirs/x")));

  fs::create_directory(at("ours"));
  fs::create_symlink(at("ours"), at("link"));
  EXPECT_EQ(refusal("link"), "");
  ASSERT_EQ(::lchown(at("link").c_str(), kNeighbour, kNeighbour), 0);
  EXPECT_THAT(refusal("link"), HasSubstr("belongs to the user ")) << "they say where it leads";

  // The opposite: other users may use root's folders if only root can write there.
  ASSERT_EQ(::chmod(at("ours").c_str(), 0755), 0);
  EXPECT_TRUE(succeeds_as_neighbour([&] { return refusal("ours").empty(); }));
  ASSERT_EQ(::chmod(at("ours").c_str(), 0777), 0);
  EXPECT_FALSE(succeeds_as_neighbour([&] { return refusal("ours").empty(); }));
  ASSERT_EQ(::chmod(at("ours").c_str(), 01777), 0);
  EXPECT_FALSE(succeeds_as_neighbour([&] { return refusal("ours").empty(); })) << "as /tmp";
}

INSTANTIATE_TEST_SUITE_P(Umask, PrivateFolder, testing::Values(mode_t{0}, mode_t{022}, mode_t{077}));

}  // namespace
}  // namespace stagemake
