// The script that repeats a stage manually.
#include "emit/repro.h"

#include <gmock/gmock.h>

#include "base/process/subprocess.h"
#include "plan/planned_tree.h"

namespace stagemake {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ReproTest : public testing::Test {
 protected:
  ReproTest() {
    repro_ = {.engine = "docker", .tree = "/some where/tree", .has_git = true, .image = "img:1"};
    repro_.stages = {planned_.at("with-targets")};
    repro_.is_there = [](const std::string& path) {
      return path == "src" || path == "build" || path == "upstream";
    };
  }
  std::string text() { return repro_script(repro_, planned_.table, planned_.environment); }

  TreeText tree_{kSmallDistribution};
  PlannedTree planned_{tree_};
  Repro repro_;
};

TEST_F(ReproTest, CreatesBringsRunsAndSaysHowToLookInside) {
  std::string script = text();
  EXPECT_THAT(script, StartsWith("#!/bin/sh\n# The stage with-targets of debian-bookworm-minimal, by hand."));
  EXPECT_THAT(script, HasSubstr("cd '/some where/tree'"));
  EXPECT_THAT(script, HasSubstr("docker create --name \"$name\" --entrypoint '' img:1 "));
  EXPECT_THAT(script, HasSubstr("git ls-files -z --cached --others --exclude-standard -- src\n"));
  EXPECT_THAT(script, HasSubstr("docker cp - \"$name\":/sage\n"));
  EXPECT_THAT(script, HasSubstr("docker exec \"$name\" /bin/sh -c \"$(recipe_6)\" || status=$?"));
  EXPECT_THAT(script, HasSubstr("export TARGETS=build\n"));
  EXPECT_THAT(script, HasSubstr("unset MAKEFLAGS GNUMAKEFLAGS MFLAGS MAKELEVEL\n"
                                "make SAGE_SPKG=\"sage-spkg -y -o\" $USE_MAKEFLAGS $TARGETS\n"))
      << "without the guard";
  EXPECT_THAT(script, HasSubstr("docker rm --force \"$name\""));
}

TEST_F(ReproTest, EveryEngineHasItsOwnWords) {
  repro_.engine = "buildah";
  EXPECT_THAT(text(), HasSubstr("buildah from --name \"$name\" img:1"));
  EXPECT_THAT(text(), HasSubstr("buildah add --quiet \"$name\" \"$work/sources.tar\" /sage"));
  EXPECT_THAT(text(), Not(HasSubstr("docker")));
  repro_.engine = "podman";
  EXPECT_THAT(text(), HasSubstr("podman cp - \"$name\":/sage"));
  EXPECT_THAT(text(), Not(HasSubstr("docker")));
}

TEST_F(ReproTest, TheNetworkIsThatOfTheBuild) {
  EXPECT_THAT(text(), HasSubstr("# Network of with-targets in a build: default.\n"));
  repro_.networks = {Network::Host};
  EXPECT_THAT(text(), HasSubstr("docker create --name \"$name\" --network host --entrypoint ''"));
  repro_.networks = {Network::None};
  EXPECT_THAT(text(), HasSubstr("docker create --name \"$name\" --network none --entrypoint ''"));
  repro_.engine = "buildah";
  EXPECT_THAT(
      text(),
      HasSubstr("\nunshare --net buildah run --isolation chroot --network host \"$name\" -- /bin/sh -c"));
  EXPECT_THAT(text(), HasSubstr("to look into it:  unshare --net buildah run"));
  repro_.networks = {Network::Default};
  EXPECT_THAT(text(), Not(HasSubstr("unshare")));
  EXPECT_THAT(text(), HasSubstr("With this isolation, that is this machine's network."));
}

TEST_F(ReproTest, InOneContainerStagesHaveTheWidestNetworkOfThem) {
  repro_.stages = {planned_.at("with-targets-pre"), planned_.at("with-targets")};
  repro_.networks = {Network::Default, Network::None};
  EXPECT_THAT(
      text(),
      HasSubstr(
          "# Network of with-targets in a build: none. Here it shares the network of the other stages."));
  EXPECT_THAT(text(), Not(HasSubstr("--network")));
  repro_.engine = "buildah";
  EXPECT_THAT(
      text(),
      HasSubstr("\nbuildah run --isolation chroot --network host \"$name\" -- /bin/sh -c \"$(recipe_5)\""));
  EXPECT_THAT(
      text(),
      HasSubstr("\nunshare --net buildah run --isolation chroot --network host \"$name\" -- /bin/sh -c"));
}

TEST_F(ReproTest, AnUnfinishedImageGetsNoSources) {
  repro_.is_unfinished = true;
  EXPECT_THAT(text(), Not(HasSubstr("tar --create")));
  EXPECT_THAT(text(), HasSubstr("# Its sources are in the image"));
}

TEST_F(ReproTest, SeveralStagesRunOneAfterTheOther) {
  repro_.stages = {planned_.at("with-base-toolchain"), planned_.at("with-targets-pre"),
                   planned_.at("with-targets")};
  std::string script = text();
  EXPECT_LT(script.find("recipe_4()"), script.find("recipe_5()"));
  EXPECT_LT(script.find("recipe_5()"), script.find("recipe_6()"));
  EXPECT_THAT(script, HasSubstr("\"$(recipe_4)\"\n")) << "what fails there ends the script";
  EXPECT_THAT(script, HasSubstr("find upstream -name .git -prune -o ! -type d -print0"))
      << "what .gitignore leaves out is brought all the same";
}

TEST_F(ReproTest, WithoutGitAllThatLiesThereIsBrought) {
  repro_.has_git = false;
  EXPECT_THAT(text(), HasSubstr("find src -name .git -prune"));
  EXPECT_THAT(text(), Not(HasSubstr("git ls-files")));
}

TEST_F(ReproTest, ValuesAndImagesAreQuotedAndTheEndOfTheRecipeIsItsOwn) {
  planned_.environment.values["TARGETS"] = "it's $(rm -rf /)";
  repro_.image = "img; rm -rf /";
  planned_.table.stages[planned_.at("with-targets")].recipe = "cat <<END_OF_RECIPE\ntext\nEND_OF_RECIPE\n";
  std::string script = text();
  EXPECT_THAT(script, HasSubstr("export TARGETS='it'\\''s $(rm -rf /)'\n"));
  EXPECT_THAT(script, HasSubstr("'img; rm -rf /'"));
  EXPECT_THAT(script, HasSubstr("cat <<'END_OF_RECIPE_'\n"));
  EXPECT_THAT(script, HasSubstr("\nEND_OF_RECIPE\nEND_OF_RECIPE_\n}\n"));
}

TEST_F(ReproTest, CommentsStayComments) {
  repro_.about = {"first\nrm -rf /", std::string(300, 'x') + " \x1b[2J"};
  std::string script = text();
  EXPECT_THAT(script, HasSubstr("# first rm -rf /\n"));
  EXPECT_THAT(script, Not(HasSubstr("\x1b")));
}

// People send the script to others.
TEST_F(ReproTest, SecretsAreTheCallersAndNotWritten) {
  planned_.environment.values["TARGETS"] = "https://user:s3cret@host";
  planned_.environment.values["http_proxy"] = "user:s3cret@proxy:1";
  planned_.table.stages[planned_.at("with-targets")].passes.push_back("http_proxy");
  std::string script = text();
  EXPECT_THAT(script, Not(HasSubstr("s3cret")));
  EXPECT_THAT(script, HasSubstr("because they may contain secrets:\n# TARGETS, http_proxy.\n"));
  EXPECT_THAT(script, HasSubstr("recipe_6() { hand_on TARGETS; hand_on http_proxy; cat <<"));

  // The caller's values reach the recipe unchanged.
  std::size_t begin = script.find("hand_on() {"), end = script.find("\n}\n", begin) + 3;
  std::string shell = "set -eu\n" + script.substr(begin, end - begin) +
                      "eval \"$(hand_on ODD; hand_on ABSENT)\"; printf %s \"$ODD\"";
  const std::string odd = "it's $(id) `id` \\ \"x\"\n%s &";
  Finished finished = run_command({.argv = {"/bin/sh", "-c", shell}, .environment = {{"ODD", odd}}});
  EXPECT_EQ(finished.output, odd) << finished.errors;
}

}  // namespace
}  // namespace stagemake
