// Trees with one fault each: everything that does not need the faulty part works, with one warning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <functional>

#include "base/text/text.h"
#include "cli/called.h"
#include "cli/tree.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kTree =
    "tool standard 1\n"
    "app standard 2.0: tool\n"
    "extra optional 1: app\n"
    "_prereq/distros/debian.txt = gcc\n"
    "_bootstrap/distros/debian.txt = autoconf\n"
    "/ci-docker.toml = environments = [\"debian-bookworm-minimal\"]\n"
    "/VERSION.txt = Small version 1.0, released today\n"
    "/bootstrap = #!/bin/sh\n"
    "/src/code.py = code\n";

struct FaultCase {
  const char* name;
  std::function<void(TreeText&)> spoil;  // the optional package `extra`
  const char* said;                      // part of the warning
};

void PrintTo(const FaultCase& fault, std::ostream* out) {
  *out << fault.name;
}

class FaultyTree : public testing::TestWithParam<FaultCase> {
 protected:
  FaultyTree() : tree_(kTree), state_(fs::temp_directory_path()) {
    ::setenv("STAGEMAKE_STATE", state_.path().c_str(), 1);
  }
  ~FaultyTree() override { ::unsetenv("STAGEMAKE_STATE"); }

  std::string call(std::vector<std::string> words) {
    words.insert(words.end(), {"--tree", tree_.path().string()});
    test::Called called = test::call_stagemake(std::move(words));
    status_ = called.status;
    errors_ = called.errors;
    return called.output;
  }
  TreeText tree_;
  TemporaryFolder state_;
  int status_ = -1;
  std::string errors_;
};

const FaultCase kFaults[] = {
    {"ConflictInType",
     [](TreeText& tree) {
       tree.file("build/pkgs/extra/type", "<<<<<<< HEAD\noptional\n=======\nexperimental\n>>>>>>> x\n");
     },
     "build/pkgs/extra/type:1"},
    {"EmptyType", [](TreeText& tree) { tree.file("build/pkgs/extra/type", ""); }, "type:1: is empty"},
    {"UnknownPackage", [](TreeText& tree) { tree.file("build/pkgs/extra/dependencies", "tol\n"); },
     "did you mean tool"},
    {"UnknownVariable", [](TreeText& tree) { tree.file("build/pkgs/extra/dependencies", "$(TOL)\n"); },
     "`TOL`"},
    {"NotUtf8", [](TreeText& tree) { tree.file("build/pkgs/extra/dependencies", "app # caf\xe9\n"); },
     "is not UTF-8"},
    {"DependenciesAreAFolder",
     [](TreeText& tree) {
       tree.remove("build/pkgs/extra/dependencies");
       tree.make_folder("build/pkgs/extra/dependencies");
     },
     "build/pkgs/extra/dependencies"},
    {"DanglingLink",
     [](TreeText& tree) { tree.link("build/pkgs/extra/dependencies", "../gone/dependencies"); },
     "is a link that leads nowhere"},
    {"LinkOutOfTheTree", [](TreeText& tree) { tree.link("build/pkgs/extra/dependencies", "/etc/hostname"); },
     "is a link that leads out of the tree"},
    {"EmptyVersion", [](TreeText& tree) { tree.file("build/pkgs/extra/package-version.txt", "\n"); },
     "package-version.txt:1: is empty"},
    {"HugeFile",
     [](TreeText& tree) { tree.file("build/pkgs/extra/dependencies", std::string(kMetadataLimit + 1, 'x')); },
     "build/pkgs/extra/dependencies"},
};
INSTANTIATE_TEST_SUITE_P(Packages, FaultyTree, testing::ValuesIn(kFaults),
                         [](const auto& one) { return one.param.name; });

TEST_P(FaultyTree, OnlyWhatNeedsThePackageFails) {
  GetParam().spoil(tree_);
  const std::string environment = "debian-bookworm-minimal";
  call({"list", ":standard:"});
  EXPECT_EQ(status_, 0) << errors_;
  call({"packages", "build"});
  EXPECT_EQ(status_, 0) << errors_;
  for (const char* command : {"env", "system-packages", "dockerfile"}) {
    call({command, environment});
    EXPECT_EQ(status_, 0) << command << errors_;
  }
  call({"envs"});
  EXPECT_EQ(status_, 0) << errors_;

  call({"plan", environment});
  EXPECT_EQ(status_, 0) << errors_;
  std::vector<std::string_view> said = lines(trimmed(std::string_view(errors_)));
  ASSERT_EQ(said.size(), 1u) << errors_;
  EXPECT_THAT(std::string(said[0]), AllOf(HasSubstr("stagemake: warning: "), HasSubstr(GetParam().said)));

  // A command that needs it.
  call({"packages", "extra"});
  EXPECT_EQ(status_, 2);
  EXPECT_THAT(errors_, AllOf(HasSubstr(GetParam().said), Not(HasSubstr("warning"))));
  call({"plan", environment, "--targets", "extra"});
  EXPECT_EQ(status_, 2);
  EXPECT_THAT(errors_, HasSubstr("with-targets of debian-bookworm-minimal needs it"));
  call({"plan", environment, "--targets", "extra", "--to", "with-targets-pre"});
  EXPECT_EQ(status_, 0) << errors_;
  // And strict checking.
  call({"plan", environment, "--strict-metadata"});
  EXPECT_EQ(status_, 2);
}

TEST_P(FaultyTree, ImagesStayUsable) {
  GetParam().spoil(tree_);
  tree_.file("ci-docker.toml", "colour = 1\n").file("tox.ini", "[testenv\n");
  Options options;
  options.tree = tree_.path();
  testing::internal::CaptureStderr();
  Tree tree = open_tree(options, TreeCheck::Images);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("ci-docker.toml:1:1: unknown key"));
  EXPECT_EQ(tree.table.distribution, "Small");
  EXPECT_TRUE(tree.table.find("with-targets"));
}

TEST_F(FaultyTree, ABadLineOfToxIniConcernsItsEnvironments) {
  tree_.file("tox.ini",
             "[tox]\nenvlist = docker-debian-{bookworm,trixie}-minimal\n[testenv]\nsetenv =\n"
             "    docker: SYSTEM=debian\n    minimal: SAGE_PACKAGE_LIST_ARGS=_prereq\n"
             "    bookworm: FULL_BASE_IMAGE_AND_TAG=debian:books\n"
             "    trixie: FULL_BASE_IMAGE_AND_TAG debian:trixie\n");
  EXPECT_THAT(call({"plan", "debian-bookworm-minimal"}), HasSubstr("from debian:books"));
  EXPECT_EQ(status_, 0);
  std::vector<std::string_view> said = lines(trimmed(std::string_view(errors_)));
  ASSERT_EQ(said.size(), 1u) << errors_;
  EXPECT_THAT(std::string(said[0]), HasSubstr("warning: tox.ini:8: "));
  call({"plan", "debian-trixie-minimal"});
  EXPECT_EQ(status_, 2);
  EXPECT_THAT(errors_, HasSubstr("stagemake: tox.ini:8: "));
}

TEST_F(FaultyTree, ACircleIsAWarning) {
  tree_.file("build/pkgs/tool/dependencies", "app\n");
  call({"plan", "debian-bookworm-minimal"});
  EXPECT_EQ(status_, 0) << errors_;
  EXPECT_THAT(errors_,
              HasSubstr("warning: build/pkgs/app/dependencies:1: depends on itself: app → tool → app"));
  EXPECT_EQ(call({"packages", "app"}), "tool\napp\n");
}

// A distribution whose stages name no packages.
TEST_F(FaultyTree, ATableOfItsOwnNeedsNoPackages) {
  tree_.remove("build").remove("VERSION.txt");
  tree_.file("ci-docker.toml",
             "name = \"Own\"\nenvironments = [\"debian-bookworm-minimal\"]\n"
             "[[stage]]\nname = \"made\"\nadds = [\"src\"]\nrecipe = \"make\"\n");
  EXPECT_EQ(call({"envs"}), "debian-bookworm-minimal\n");
  EXPECT_EQ(status_, 0) << errors_;
  call({"plan", "debian-bookworm-minimal", "--package-list", "_prereq"});
  EXPECT_EQ(status_, 0) << errors_;
  EXPECT_EQ(errors_, "");
}

// If no stage installs system packages, stagemake does not ask for the package manager.
TEST_F(FaultyTree, ATableOfItsOwnNeedsNoPackageManager) {
  tree_.file("ci-docker.toml", "[[stage]]\nname = \"made\"\nrecipe = \"make\"\n");
  EXPECT_THAT(call({"plan", "wolfi-minimal", "--base-image", "wolfi:1"}), HasSubstr("from wolfi:1"));
  EXPECT_EQ(status_, 0) << errors_;
  tree_.file("ci-docker.toml", "[[stage]]\nname = \"made\"\nrecipe = \"%{system_packages}\"\n");
  call({"plan", "wolfi-minimal", "--base-image", "wolfi:1"});
  EXPECT_EQ(status_, 2);
  EXPECT_THAT(errors_, HasSubstr("system \"wolfi\": its package manager is not known"));
}

}  // namespace
}  // namespace stagemake
