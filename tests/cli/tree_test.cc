#include "cli/tree.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.h"
#include "base/process/subprocess.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    return error.what();
  }
  return "";
}

TEST(FindTree, IsTheNearestUpwards) {
  TreeText tree("zlib standard 1\n");
  tree.make_folder("src/deep/er").make_folder("inner/build/pkgs");
  EXPECT_EQ(find_tree(tree.path()), tree.path());
  EXPECT_EQ(find_tree(tree.path() / "src/deep/er"), tree.path());
  EXPECT_EQ(find_tree(tree.path() / "src/deep/../deep/."), tree.path());
  EXPECT_EQ(find_tree(tree.path() / "inner/build"), tree.path() / "inner");
  EXPECT_EQ(find_tree(tree.path() / "build/pkgs"), tree.path());
}

TEST(FindTree, SaysWhatIsMissing) {
  TemporaryFolder folder(fs::temp_directory_path());
  EXPECT_THAT(refusal([&] { find_tree(folder.path()); }),
              HasSubstr("neither this folder nor one above it contains build/pkgs"));
  TreeText tree("");
  tree.file("build/pkgs", "a file");
  EXPECT_NE(refusal([&] { find_tree(tree.path()); }), "");
}

TEST(OpenTree, ReadsAllOfATree) {
  TreeText tree("zlib standard 1\n/VERSION.txt = Small version 1\n");
  Options options;
  options.tree = tree.path();
  Tree opened = open_tree(options);
  EXPECT_EQ(opened.path, fs::canonical(tree.path()));
  EXPECT_EQ(opened.packages.size(), 1u);
  EXPECT_EQ(opened.table.distribution, "Small");
}

TEST(OpenTree, AllFaultsAreReportedTogether) {
  TreeText tree("zlib standard 1: nonsense\nbad wrongtype 1\n");
  tree.file("ci-docker.toml", "colour = 1\n");
  Options options;
  options.tree = tree.path();
  options.strict_metadata = true;
  std::string told = refusal([&] { open_tree(options); });
  EXPECT_THAT(told, HasSubstr("nonsense"));
  EXPECT_THAT(told, HasSubstr("wrongtype"));
  EXPECT_THAT(told, HasSubstr("ci-docker.toml:1:1: unknown key `colour`"));
}

TEST(OpenTree, AMissingFolderIsNamed) {
  Options options;
  options.tree = fs::path("/no/such/folder");
  EXPECT_THAT(refusal([&] { open_tree(options); }), HasSubstr("/no/such/folder"));
}

TEST(ResolveEnvironments, EachOnceAndAllFaultsAtOnce) {
  TreeText text("zlib standard 1\n_prereq/distros/debian.txt = gcc\n_bootstrap/distros/debian.txt = m4\n");
  Options options;
  options.tree = text.path();
  Tree tree = open_tree(options);
  auto resolve = [&] {
    EnvironmentReader reader = environment_reader(
        tree, [] { return "v1"; }, MayRun::Nothing);
    std::vector<std::string> names;
    for (const Environment& environment : resolve_environments(options, tree, reader))
      names.push_back(environment.name);
    return names;
  };
  options.environments = {"debian-x-minimal", "docker-debian-x-minimal", "debian-y-minimal"};
  EXPECT_THAT(resolve(), ElementsAre("debian-x-minimal", "debian-y-minimal"));
  options.environments = {"debian-x", "debian-x-minimal"};
  EXPECT_THAT(resolve(), ElementsAre("debian-x-minimal", "debian-x-standard", "debian-x-maximal"))
      << "a system stands for its three package sets";
  options.environments = {"plan9-x-minimal", "debian-x-minimal", "Debian-minimal"};
  std::string told = refusal(resolve);
  EXPECT_THAT(told, HasSubstr("plan9"));
  EXPECT_THAT(told, HasSubstr("\"Debian-minimal\""));
  options.environments = {"debian-x-minimal", "with-targets-pre"};
  EXPECT_THAT(
      refusal(resolve),
      HasSubstr("with-targets-pre is a stage, not an environment; --to with-targets-pre builds up to it"));
}

TEST(NamesOf, WordsCommasAndFiles) {
  EXPECT_THAT(names_of({}), IsEmpty());
  EXPECT_THAT(names_of({"b,a", "c", "a"}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(names_of({",,a,,"}), ElementsAre("a"));
  TreeText tree("");
  tree.file("names", "# all of them\nx, y\nz # but not w\r\n\n  v\tu\n");
  EXPECT_THAT(names_of({"@" + (tree.path() / "names").string(), "a"}),
              ElementsAre("a", "u", "v", "x", "y", "z"));
  EXPECT_THAT(refusal([&] { names_of({"@/no/such/file"}); }), HasSubstr("/no/such/file: does not exist"));
}

TEST(TagOf, IsWhatRegistriesTake) {
  EXPECT_EQ(tag_of(""), "latest");
  EXPECT_EQ(tag_of("9.8.rc0-3-gabc-dirty"), "9.8.rc0-3-gabc-dirty");
  EXPECT_EQ(tag_of("feature/x+y"), "feature-x-y");
  EXPECT_EQ(tag_of("-x"), "_x");
  EXPECT_EQ(tag_of(".x"), "_x");
  EXPECT_EQ(tag_of("/x"), "_x");
  EXPECT_EQ(tag_of(std::string(500, 'a')).size(), 120u) << "with -failed at most 128";
}

TEST(TreeRevision, OfNoCheckoutIsEmptyAndNoProblem) {
  TemporaryFolder folder(fs::temp_directory_path());
  EXPECT_EQ(git_revision(folder.path()), "");
  EXPECT_EQ(tree_revision(folder.path()).problem, "");
}

class Checkout : public ::testing::Test {
 protected:
  void SetUp() override {
    if (find_program("git").empty()) GTEST_SKIP() << "no git";
    write_file(folder_.path() / "tree/file", "x");
    git({"init", "--quiet"});
    git({"add", "-A"});
    git({"-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "all"});
  }
  void git(std::vector<std::string> words) const {
    std::vector<std::string> argv{"git", "-C", folder_.path().string()};
    argv.insert(argv.end(), words.begin(), words.end());
    ASSERT_TRUE(run_command({.argv = argv}).ok());
  }
  std::string tag(bool pushes, std::optional<std::string> chosen = {}) const {
    Options options;
    options.verb = Verb::Build;
    options.tag = std::move(chosen);
    return image_tag(options, tree_revision(tree()), pushes);
  }
  fs::path tree() const { return folder_.path() / "tree"; }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

TEST_F(Checkout, IsDescribed) {
  TreeRevision revision = tree_revision(tree());
  EXPECT_EQ(revision.problem, "");
  EXPECT_GE(revision.name.size(), 7u);
  EXPECT_EQ(tag(true), revision.name);
}

TEST_F(Checkout, OfAnotherUserIsAProblemWithARemedy) {
  ::setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1", 1);  // as git's own tests do
  TreeRevision revision = tree_revision(tree());
  ::unsetenv("GIT_TEST_ASSUME_DIFFERENT_OWNER");
  EXPECT_EQ(revision.name, "");
  EXPECT_THAT(revision.problem, HasSubstr("dubious ownership"));
  EXPECT_THAT(revision.problem,
              HasSubstr("git config --global --add safe.directory " + folder_.path().string()));
}

TEST_F(Checkout, WithABrokenHeadGetsNoTagThatNobodyChose) {
  write_file(folder_.path() / ".git/HEAD", "ref: refs/heads/gone\n");
  std::string told = refusal([&] { tag(false); });
  EXPECT_THAT(told, HasSubstr("git cannot tell the revision of"));
  EXPECT_THAT(told, HasSubstr("describe --dirty --always` must work"));
  EXPECT_THAT(told, HasSubstr("--tag TAG"));
  EXPECT_EQ(tag(true, "mine"), "mine");
  write_file(folder_.path() / ".git/HEAD", "nonsense");
  EXPECT_THAT(refusal([&] { tag(false); }), HasSubstr("git cannot tell the revision of"));
  fs::remove_all(folder_.path() / ".git/objects");
  EXPECT_THAT(refusal([&] { tag(false); }), HasSubstr("git cannot tell the revision of"));
}

TEST_F(Checkout, WithoutGitIsAProblem) {
  std::string path = std::getenv("PATH");
  ::setenv("PATH", "/no/programs/here", 1);
  TreeRevision revision = tree_revision(tree());
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(revision.problem, HasSubstr("no git in PATH"));
}

TEST(ImageTag, LatestIsForImagesThatStayHere) {
  Options options;
  options.verb = Verb::Build;
  EXPECT_EQ(image_tag(options, {}, false), "latest");
  EXPECT_THAT(refusal([&] { image_tag(options, {}, true); }), HasSubstr("choose one with --tag TAG"));
  options.verb = Verb::Tox;
  EXPECT_THAT(refusal([&] { image_tag(options, {}, true); }), HasSubstr("choose one with DOCKER_TAG"));
  options.tag = "latest";
  EXPECT_EQ(image_tag(options, {}, true), "latest") << "somebody chose it";
}

TEST(ResolveEnvironments, AnInvalidWorkflowAffectsOnlyGroups) {
  TreeText tree("zlib standard 1\n_prereq/distros/debian.txt = make\n");
  tree.file(".github/workflows/docker.yml", "a: [\n").file(".github/workflows/other.yml", "b: {\n");
  Options options;
  options.tree = tree.path();
  Tree opened = open_tree(options);
  EnvironmentReader reader = environment_reader(
      opened, [] { return std::string(); }, MayRun::Nothing);
  options.environments = {"debian-bookworm-minimal"};
  EXPECT_EQ(resolve_environments(options, opened, reader).size(), 1u);
  options.environments = {"all-minimal"};
  EXPECT_THAT(refusal([&] { resolve_environments(options, opened, reader); }),
              AllOf(HasSubstr("docker.yml:"), HasSubstr("is not YAML"), Not(HasSubstr("other.yml"))));
}

}  // namespace
}  // namespace stagemake
