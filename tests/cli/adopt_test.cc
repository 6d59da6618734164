// The patch with which a distribution adopts stagemake: git applies it, and nothing is left to do afterwards.
#include <gmock/gmock.h>

#include "base/process/subprocess.h"
#include "cli/called.h"
#include "emit/adoption.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// In the form of Sage's: factors for docker and for this machine, comments in the first column, a command of
// several lines.
constexpr std::string_view kTox =
    "# a comment\n"
    "[tox]\n"
    "envlist = docker-debian-bookworm-minimal\n"
    "\n"
    "[testenv]\n"
    "passenv =\n"
    "                  EXTRA_CONFIGURE_ARGS\n"
    "    docker:       DOCKER_TAG\n"
    "                  # about the next\n"
    "    docker:   TMPDIR\n"
    "    docker-incremental: FROM_DOCKER_TAG\n"
    "    local:        MAKE\n"
    "\n"
    "setenv =\n"
    "    docker:       SYSTEM=debian\n"
    "\n"
    "allowlist_externals =\n"
    "                   bash\n"
    "    docker:        docker\n"
    "    homebrew:      brew\n"
    "\n"
    "#commands_pre =\n"
    "commands =\n"
    "    local:         bash -c 'x && \\\n"
    "    local:           y'\n"
    "##commands =\n"
    "    docker:        bash -c 'write > {envdir}/Dockerfile'\n"
    "    # emulators\n"
    "    docker-{arm64,armhf}:  docker run --rm register --reset\n"
    "    docker:        bash -c 'for t in {env:DOCKER_TARGETS:with-targets}; do \\\n"
    "    docker:            docker build --target $t; \\\n"
    "    docker:        done'\n"
    "    local:         make\n"
    "\n"
    "[testenv:other]\n"
    "commands =\n"
    "    docker:        true\n";

class Adopting : public testing::Test {
 protected:
  Adopting() { tree_.file("tox.ini", kTox).file("Makefile", "all:\n\ttrue"); }

  test::Called adopt(std::vector<std::string> words = {"--diff"}) {
    words.insert(words.begin(), "adopt");
    words.insert(words.end(), {"--tree", tree_.path().string()});
    return test::call_stagemake(std::move(words));
  }
  void apply(const std::string& patch) { apply(patch, tree_.path()); }
  void apply(const std::string& patch, const fs::path& folder) {
    write_file(work_.path() / "patch", patch);
    Finished finished =
        run_command({.argv = {"git", "-C", folder.string(), "apply", (work_.path() / "patch").string()}});
    EXPECT_TRUE(finished.ok()) << finished.errors << patch;
  }
  std::string content(const std::string& name) const { return read_file(tree_.path() / name).value_or(""); }

  TreeText tree_{"zlib standard 1.2\n/VERSION.txt = Small version 1.0, released today\n"};
  TemporaryFolder work_{fs::temp_directory_path()};
};

TEST_F(Adopting, GitAppliesThePatch) {
  apply(adopt().output);
  EXPECT_EQ(content("Makefile"), "all:\n\ttrue\n\ninclude $(wildcard ci-docker.mk)\n");
  EXPECT_EQ(content("ci-docker.mk"), makefile_fragments().front().text);
  EXPECT_THAT(
      content("tox.ini"),
      AllOf(HasSubstr("    docker:   TMPDIR\n    docker:       DOCKER_*\n"),
            HasSubstr("    docker:       MAKEFLAGS\n    docker-incremental: FROM_DOCKER_TAG\n"),
            HasSubstr("    docker:        docker\n    docker:       stagemake\n    homebrew:      brew\n"),
            HasSubstr("##commands =\n"
                      "    # emulators\n"
                      "    docker-{arm64,armhf}:  docker run --rm register --reset\n"
                      "    docker:       stagemake tox -- {posargs}\n"
                      "    local:         make\n"
                      "# seconds: after ctrl-C stagemake saves what was built\n"
                      "interrupt_timeout = 20\n"
                      "\n"
                      "[testenv:other]\n"
                      "commands =\n"
                      "    docker:        true\n")));
}

TEST_F(Adopting, AfterwardsNothingIsLeftToDo) {
  apply(adopt().output);
  test::Called again = adopt();
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(again.output, "");
  EXPECT_THAT(again.errors, AllOf(HasSubstr("Makefile: it includes ci-docker.mk already"),
                                  HasSubstr("call stagemake already")));
}

TEST_F(Adopting, ATreeInAFolderOfItsRepositoryIsPatchedThere) {
  fs::path folder = work_.path() / "repository/tree";
  fs::create_directories(folder);
  for (const char* name : {"Makefile", "tox.ini"}) write_file(folder / name, content(name));
  ASSERT_TRUE(run_command({.argv = {"git", "-C", folder.parent_path().string(), "init", "-q"}}).ok());
  apply(adopt().output, folder);
  EXPECT_THAT(read_file(folder / "Makefile").value_or(""), HasSubstr("ci-docker.mk"));
  EXPECT_EQ(read_file(folder / "ci-docker.mk"), std::string(makefile_fragments().front().text));
}

TEST_F(Adopting, TheTextInFrontSaysWhatStatus75MeansToTox) {
  EXPECT_THAT(adopt().output, AllOf(StartsWith("Makefile: it gets targets"), HasSubstr("exit status 75"),
                                    HasSubstr("tox 4 ends with 75 itself if it ran one environment")));
  test::Called told = adopt({});
  EXPECT_THAT(told.output, AllOf(HasSubstr("`stagemake adopt --diff | git apply`"), Not(HasSubstr("@@"))));
}

TEST_F(Adopting, WhatIsMissingIsSaid) {
  tree_.remove("tox.ini");
  EXPECT_THAT(adopt().output, AllOf(HasSubstr("tox.ini: there is none"), HasSubstr("+++ b/Makefile")));
  tree_.remove("Makefile");
  EXPECT_THAT(adopt().output, IsEmpty());
}

}  // namespace
}  // namespace stagemake
