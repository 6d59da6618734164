// File names from untrusted text: names inside the folder are read, names that lead out of it are not.
#include "base/files/beneath.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/error.h"

namespace stagemake {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Inside : public ::testing::Test {
 protected:
  Inside() {
    write_file(at("a/file"), "inside\n");
    write_file(outside_.path() / "secret", "secret\n");
  }
  fs::path at(const std::string& name) const { return folder_.path() / name; }
  void link(const std::string& name, const fs::path& target) const { fs::create_symlink(target, at(name)); }
  std::optional<std::string> read(const std::string& relative) const {
    return read_inside(folder_.path(), relative);
  }
  bool exists(const std::string& relative) const { return exists_inside(folder_.path(), relative); }
  // The message for a name that is not read. It must be an input error.
  std::string refusal(const std::string& relative) const {
    try {
      read(relative);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::BadInput);
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  TemporaryFolder outside_{fs::temp_directory_path()};
};

TEST_F(Inside, FilesBelowTheFolderAreRead) {
  for (const char* name : {"a/file", "./a/file", "a//file", "a/./file"}) {
    EXPECT_EQ(read(name), "inside\n") << name;
    EXPECT_TRUE(exists(name)) << name;
  }
  write_file(at("..dots.."), "a name");
  EXPECT_EQ(read("..dots.."), "a name") << "begins with dots and leads nowhere";
}

TEST_F(Inside, WhatIsNotThereIsNothing) {
  for (const char* name : {"b", "b/file", "a/file/below", "a/none"}) {
    EXPECT_EQ(read(name), std::nullopt) << name;
    EXPECT_FALSE(exists(name)) << name;
  }
  EXPECT_EQ(read_inside(at("no/folder"), "x"), std::nullopt);
  EXPECT_FALSE(exists_inside(at("no/folder"), "x"));
}

TEST_F(Inside, NamesThatLeadOutAreRefused) {
  std::string sibling = "../" + outside_.path().filename().string() + "/secret";
  std::string absolute = (outside_.path() / "secret").string();
  for (const std::string& name :
       {sibling, absolute, std::string("a/../a/file"), std::string("a/.."), std::string(".."),
        std::string("/"), std::string(), std::string("a/file\0x", 8), at("a/file").string()}) {
    EXPECT_THAT(refusal(name), HasSubstr("leads out of the tree and is not read")) << name;
    EXPECT_FALSE(exists(name)) << name;
  }
}

TEST_F(Inside, LinksThatStayInsideAreFollowed) {
  link("near", "a/file");
  link("folder", "a");
  link("a/up", "../a/file");
  link("absolute", fs::canonical(at("a/file")));
  link("absolute-folder", fs::canonical(at("a")));
  for (const char* name : {"near", "folder/file", "a/up", "folder/up", "absolute", "absolute-folder/file"}) {
    EXPECT_EQ(read(name), "inside\n") << name;
    EXPECT_TRUE(exists(name)) << name;
  }
}

TEST_F(Inside, LinksThatLeadOutAreNot) {
  link("file", outside_.path() / "secret");
  link("folder", outside_.path());
  link("relative", "../" + outside_.path().filename().string() + "/secret");
  link("chain", "file");
  link("root", "/");
  for (const char* name : {"file", "folder/secret", "relative", "chain"}) {
    EXPECT_THAT(refusal(name), HasSubstr(std::string(name) + ": leads out of the tree")) << name;
    EXPECT_FALSE(exists(name)) << name;
  }
  EXPECT_THAT(refusal("root"), HasSubstr("leads out of the tree"));
  EXPECT_FALSE(exists("root"));
  EXPECT_FALSE(exists("folder/none")) << "and what there is there is not told either";
}

// A sibling folder whose name starts with this folder's name is outside too.
TEST_F(Inside, AFolderWithALongerNameIsAnother) {
  fs::path longer = folder_.path().string() + "-more";
  write_file(longer / "secret", "secret\n");
  link("link", fs::canonical(longer) / "secret");
  EXPECT_THAT(refusal("link"), HasSubstr("leads out of the tree"));
  EXPECT_FALSE(exists("link"));
  fs::remove_all(longer);
}

TEST_F(Inside, ALinkToNothingIsNothingOrRefused) {
  link("dangling", "none");
  EXPECT_EQ(read("dangling"), std::nullopt);
  EXPECT_FALSE(exists("dangling"));
  link("dangling-out", outside_.path() / "none");
  EXPECT_FALSE(exists("dangling-out"));
  EXPECT_THAT(refusal("dangling-out"), HasSubstr("leads out of the tree"));
}

TEST_F(Inside, LinksThatGoRoundEnd) {
  link("one", "two");
  link("two", "one");
  EXPECT_THAT(refusal("one"), Not(HasSubstr("no error")));
  EXPECT_FALSE(exists("one"));
}

TEST_F(Inside, AFolderExistsAndIsNoFile) {
  EXPECT_TRUE(exists("a"));
  EXPECT_TRUE(exists("."));
  EXPECT_THAT(refusal("a"), HasSubstr("is not a regular file"));
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0644), 0);
  EXPECT_THAT(refusal("pipe"), HasSubstr("is not a regular file")) << "and nobody needs its writer";
}

TEST_F(Inside, TheFolderItselfMayBeALink) {
  fs::create_symlink(folder_.path(), outside_.path() / "tree");
  EXPECT_EQ(read_inside(outside_.path() / "tree", "a/file"), "inside\n");
  link("absolute", fs::canonical(at("a/file")));
  EXPECT_EQ(read_inside(outside_.path() / "tree", "absolute"), "inside\n");
  EXPECT_TRUE(exists_inside(outside_.path() / "tree", "absolute"));
}

TEST_F(Inside, ThereIsALimit) {
  write_file(at("large"), std::string(100, 'x'));
  EXPECT_EQ(read_inside(folder_.path(), "large", 100)->size(), 100u);
  EXPECT_THROW(read_inside(folder_.path(), "large", 99), Error);
  link("absolute", fs::canonical(at("large")));
  EXPECT_THROW(read_inside(folder_.path(), "absolute", 99), Error);
}

// An old kernel, or a sandbox without the call that resolves paths, gives the same answers.
TEST_F(Inside, StepByStepTheAnswersAreTheSame) {
  link("near", "a/file");
  link("folder", "a");
  link("a/up", "../a/./file");
  link("a/twice-up", "../../" + folder_.path().filename().string() + "/a/file");
  link("absolute", fs::canonical(at("a/file")));
  link("root", fs::canonical(folder_.path()));
  link("out", outside_.path());
  link("chain", "out/secret");
  link("up", "..");
  link("dangling", "none");
  link("one", "two");
  link("two", "one");
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0644), 0);
  Beneath folder(folder_.path());
  auto what = [](const Descriptor& file) {
    struct stat facts {};
    if (!file.is_open()) return std::string(::strerror(errno));
    return ::fstat(file.get(), &facts) == 0 ? std::to_string(facts.st_ino) : "no facts";
  };
  for (const char* name : {"",
                           ".",
                           "a",
                           "a/",
                           "a/file",
                           "./a//file",
                           "near",
                           "folder/file",
                           "a/up",
                           "a/twice-up",
                           "absolute",
                           "root",
                           "root/a/file",
                           "root/root/near",
                           "out",
                           "out/secret",
                           "chain",
                           "up",
                           "up/x",
                           "dangling",
                           "dangling/x",
                           "one",
                           "a/file/below",
                           "none",
                           "none/x",
                           "pipe",
                           "..",
                           "a/../a",
                           "/",
                           "/etc/passwd"})
    for (int flags : {O_PATH, O_PATH | O_NOFOLLOW, O_RDONLY | O_NONBLOCK, O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
                      O_RDONLY | O_DIRECTORY | O_NONBLOCK}) {
      std::string steps = what(folder.open_by_steps(name, flags));
      EXPECT_EQ(what(folder.open(name, flags)), steps) << name << ", flags " << flags;
    }
}

TEST_F(Inside, StepByStepNothingOutsideIsOpened) {
  link("out", outside_.path());
  link("up", "a/../..");
  Beneath folder(folder_.path());
  for (const char* name : {"out", "out/secret", "up"}) {
    EXPECT_FALSE(folder.open_by_steps(name, O_RDONLY | O_NONBLOCK).is_open()) << name;
    EXPECT_EQ(errno, EXDEV) << name;
  }
}

TEST_F(Inside, AFolderSaysItsNames) {
  write_file(at("a/other"), "");
  link("out", outside_.path());
  link("folder", "a");
  Beneath folder(folder_.path());
  EXPECT_THAT(folder.names("a"), ::testing::ElementsAre("file", "other"));
  EXPECT_THAT(folder.names("folder"), ::testing::ElementsAre("file", "other"));
  EXPECT_THAT(folder.names(""), ::testing::ElementsAre("a", "folder", "out"));
  for (const char* none : {"out", "none", "a/file", ".."})
    EXPECT_THAT(folder.names(none), ::testing::IsEmpty());
}

TEST_F(Inside, RefusalsDriveNoTerminal) {
  EXPECT_THAT(refusal("../\x1b[2J"), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace stagemake
