// why, graph, diff and repro as a user calls them, on a small tree, without an engine.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/process/subprocess.h"
#include "base/variables.h"
#include "cli/called.h"
#include "cli/revision.h"
#include "run/state/journal.h"
#include "run/state/state_folder.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kTree =
    "tool standard 1\n"
    "zlib standard 1.2: | tool\n"
    "app standard 2.0: zlib\n"
    "extra optional 1: zlib\n"
    "_prereq/distros/debian.txt = gcc\n"
    "_bootstrap/distros/debian.txt = autoconf\n"
    "/ci-docker.toml = environments = [\"debian-bookworm-minimal\", \"debian-bookworm-standard\"]\n"
    "/build/make/Makefile.in = TOOLCHAIN = tool\n"
    "/VERSION.txt = Small version 1.0, released today\n"
    "/bootstrap = #!/bin/sh\n"
    "/src/code.py = code\n";

class Inspecting : public testing::Test {
 protected:
  Inspecting() : tree_(kTree), state_(fs::temp_directory_path()) {}

  // Returns the output; the exit status and the error output are kept.
  std::string call(std::vector<std::string> words) {
    words.insert(words.end(), {"--tree", tree_.path().string(), "--state", state_.path().string()});
    test::Called called = test::call_stagemake(std::move(words));
    status_ = called.status;
    errors_ = called.errors;
    return called.output;
  }
  nlohmann::json answer(std::vector<std::string> words) {
    words.push_back("--json");
    return nlohmann::json::parse(call(std::move(words)), nullptr, false);
  }

  void git(std::vector<std::string> words) {
    std::vector<std::string> argv{"git",         "-C", tree_.path().string(), "-c",
                                  "user.name=n", "-c", "user.email=e"};
    argv.insert(argv.end(), words.begin(), words.end());
    Finished finished = run_command({.argv = argv});
    ASSERT_TRUE(finished.ok()) << finished.errors;
  }
  void commit(const std::string& name) {
    git({"add", "-A"});
    git({"commit", "-qm", name});
  }

  void remember(const std::string& package, double seconds) {
    Journal journal(StateFolder(state_.path(), fs::canonical(tree_.path())).journal());
    ASSERT_TRUE(journal.add(PackageBuilt{.when = 1000,
                                         .environment = "debian-bookworm-minimal",
                                         .package = package,
                                         .version = "1",
                                         .seconds = seconds}));
  }

  TreeText tree_;
  TemporaryFolder state_;
  int status_ = -1;
  std::string errors_;
};

TEST_F(Inspecting, WhySaysStageUsersAndNeeds) {
  std::string text = call({"why", "zlib", "--env", "debian-bookworm-minimal"});
  EXPECT_EQ(status_, 0);
  EXPECT_THAT(text, HasSubstr("zlib 1.2: standard"));
  EXPECT_THAT(text, HasSubstr("built by     with-targets-pre"));
  EXPECT_THAT(text, HasSubstr("needed by    app\n"));
  EXPECT_THAT(text, HasSubstr("not built here: extra\n"));
  EXPECT_THAT(text, HasSubstr("needs        only installed before: tool\n"));
  EXPECT_THAT(text, HasSubstr("takes        not known"));
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    EXPECT_LE(end - at, 84u) << text.substr(at, end - at) << " (bytes; arrows have three)";
}

TEST_F(Inspecting, WhyTakesTheEnvironmentInWhichItWasBuiltLast) {
  EXPECT_TRUE(answer({"why", "zlib"})["environment"].is_null());
  remember("zlib", 75);
  nlohmann::json why = answer({"why", "zlib"});
  EXPECT_EQ(why["schema"], 1);
  EXPECT_EQ(why["environment"], "debian-bookworm-minimal");
  EXPECT_EQ(why["stage"], "with-targets-pre");
  EXPECT_EQ(why["times"][0]["median_seconds"], 75);
  EXPECT_THAT(call({"why", "zlib"}),
              AllOf(HasSubstr("1 min 15 s, built once"), HasSubstr("because it had never been built")));
}

TEST_F(Inspecting, WhyFallsBackIfTheEnvironmentIsGone) {
  Journal journal(StateFolder(state_.path(), fs::canonical(tree_.path())).journal());
  ASSERT_TRUE(journal.add(PackageBuilt{.when = 1, .environment = "gone", .package = "zlib", .seconds = 5}));
  EXPECT_TRUE(answer({"why", "zlib"})["environment"].is_null());
}

TEST_F(Inspecting, WhyOfAnOptionalPackageSaysWhatWouldEnableIt) {
  EXPECT_THAT(call({"why", "extra"}), HasSubstr("by no stage: it is an optional package"));
}

TEST_F(Inspecting, UnknownNamesAreReportedWithTheNearest) {
  call({"why", "zlip"});
  EXPECT_EQ(status_, 2);
  EXPECT_EQ(errors_, "stagemake: no package is named zlip; did you mean zlib?\n");
  call({"graph", "--stage", "configurd"});
  EXPECT_EQ(status_, 2);
  EXPECT_EQ(errors_, "stagemake: no stage is named configurd; did you mean configured?\n");
}

TEST_F(Inspecting, GraphDrawsStagesPackagesAndCones) {
  EXPECT_THAT(call({"graph", "debian-bookworm-minimal"}), HasSubstr("\n  with-system-packages"));
  EXPECT_THAT(call({"graph", "debian-bookworm-minimal", "--stage", "with-targets-pre", "--dot"}),
              HasSubstr("digraph stages {"));
  EXPECT_THAT(call({"graph", "--package", "zlib"}),
              HasSubstr("zlib on any system: 1 package before it, 1 after it"));
  call({"graph", "debian-bookworm-minimal", "debian-bookworm-standard", "--package", "zlib"});
  EXPECT_EQ(status_, 2);
}

TEST_F(Inspecting, GraphvizDrawsPictures) {
  if (find_program("dot").empty()) GTEST_SKIP() << "Graphviz is not installed";
  std::string file = (state_.path() / "out.svg").string();
  EXPECT_THAT(call({"graph", "--package", "zlib", "--svg", "-o", file}), IsEmpty());
  EXPECT_EQ(errors_, "");
  EXPECT_THAT(read_file(file).value_or(""), HasSubstr("<svg "));
}

TEST_F(Inspecting, WithoutGraphvizTheInputOfDotIsWritten) {
  test::Variables nothing{{"PATH", state_.path().string()}};
  EXPECT_THAT(call({"graph", "--package", "zlib", "--svg"}), testing::StartsWith("digraph stages {"));
  EXPECT_EQ(status_, 0);
  EXPECT_THAT(errors_, HasSubstr("Graphviz is not installed (apt-get install graphviz)"));
}

TEST_F(Inspecting, AnErrorOfDotIsReported) {
  fs::path dot = state_.path() / "dot";
  write_file(dot, "#!/bin/sh\necho broken >&2\nexit 1\n");
  fs::permissions(dot, fs::owner_all);
  test::Variables ours{{"PATH", state_.path().string() + ":/usr/bin:/bin"}};
  EXPECT_THAT(call({"graph", "--package", "zlib", "--svg"}), IsEmpty());
  EXPECT_EQ(status_, 3);
  EXPECT_THAT(errors_, HasSubstr("dot cannot draw this (use --dot to see its input): broken"));
}

TEST_F(Inspecting, DiffComparesTheFolderWithARevision) {
  git({"init", "-q"});
  commit("one");
  EXPECT_THAT(call({"diff", "HEAD"}), HasSubstr("all 2 environments:\n  nothing is built again\n"));
  tree_.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  std::string text = call({"diff", "HEAD"});
  EXPECT_EQ(status_, 0) << errors_;
  EXPECT_THAT(
      text,
      HasSubstr(
          "1 package changes:\n  zlib 1.2 -> 1.3\n1 more is built again because of what it needs: app\n"));
  EXPECT_THAT(text, HasSubstr("bootstrapped: build/pkgs/zlib/package-version.txt\n"));
  EXPECT_THAT(text, HasSubstr("all 2 environments:\n  2 packages built again"));
  EXPECT_THAT(text, HasSubstr("no durations were measured here"));
}

TEST_F(Inspecting, DiffComparesTwoRevisionsAndTouchesNothing) {
  git({"init", "-q"});
  commit("one");
  tree_.file("src/code.py", "other");
  commit("two");
  tree_.file("src/code.py", "edited and not committed");
  std::optional<std::string> index = read_file(tree_.path() / ".git/index");
  nlohmann::json diff = answer({"diff", "HEAD~1..HEAD", "--env", "*-minimal"});
  ASSERT_EQ(status_, 0) << errors_;
  ASSERT_EQ(diff["environments"].size(), 1u);
  EXPECT_EQ(diff["environments"][0]["status"], "changed");
  EXPECT_EQ(diff["environments"][0]["stages"][0]["name"], "with-targets");
  EXPECT_EQ(diff["files"]["src"], nlohmann::json({"src/code.py"}));
  EXPECT_EQ(diff["before"]["revision"], "HEAD~1");
  EXPECT_EQ(diff["after"]["commit"].get<std::string>().size(), 40u);
  EXPECT_TRUE(diff["packages"].empty());
  EXPECT_EQ(read_file(tree_.path() / ".git/index"), index);
  EXPECT_EQ(read_file(tree_.path() / "src/code.py"), "edited and not committed");
  EXPECT_TRUE(fs::is_empty(state_.path() / "tmp")) << "what was written for the comparison is gone";
  EXPECT_EQ(answer({"diff", "HEAD", "HEAD"})["environments"][0]["status"], "same");
}

TEST_F(Inspecting, DiffWithoutARevisionComparesTheFolderWithHead) {
  git({"init", "-q"});
  tree_.file(".gitignore", "*.log\n/out\n");
  tree_.file("src/kept.log", "tracked");
  git({"add", "-f", "src/kept.log"});
  commit("one");
  EXPECT_THAT(call({"diff"}), HasSubstr("all 2 environments:\n  nothing is built again\n"));
  EXPECT_EQ(status_, 0) << errors_;
  tree_.file("src/new.py", "new");
  tree_.file("src/made.log", "ignored");
  tree_.file("build/pkgs/zlib/made.log", "ignored");
  tree_.file("src/kept.log", "edited");
  nlohmann::json diff = answer({"diff"});
  EXPECT_EQ(diff["before"]["revision"], "HEAD");
  EXPECT_EQ(diff["files"], nlohmann::json({{"src", {"src/kept.log", "src/new.py"}}}));
  EXPECT_TRUE(diff["packages"].empty()) << diff["packages"];
}

TEST_F(Inspecting, LongListsOfADiffAreWholeWithV) {
  git({"init", "-q"});
  commit("one");
  for (int i = 0; i < 4; ++i) {
    tree_.file(fmt::format("build/pkgs/zlib/patches/{}.patch", i), "p");
    tree_.file(fmt::format("src/{}.py", i), "p");
  }
  EXPECT_THAT(call({"diff"}),
              AllOf(HasSubstr("zlib (patches/0.patch, patches/1.patch and 2 more;\n  -v lists them)"),
                    HasSubstr("src (4 files)")));
  EXPECT_THAT(call({"diff", "-v"}), AllOf(HasSubstr("patches/2.patch, patches/3.patch)"),
                                          HasSubstr("src/3.py"), Not(HasSubstr(" more;"))));
}

TEST_F(Inspecting, TimesInManyEnvironmentsAreWholeWithV) {
  Journal journal(StateFolder(state_.path(), fs::canonical(tree_.path())).journal());
  for (int i = 10; i < 24; ++i)
    ASSERT_TRUE(journal.add(PackageBuilt{
        .when = 1, .environment = fmt::format("e{}", i), .package = "zlib", .seconds = 100.0 - i}));
  EXPECT_THAT(call({"why", "zlib"}), AllOf(HasSubstr("and 2 more (-v lists them)\n"), Not(HasSubstr("e23"))));
  EXPECT_THAT(call({"why", "zlib", "-v"}), AllOf(HasSubstr("e23"), Not(HasSubstr("(-v "))));
}

TEST_F(Inspecting, EnvironmentsComeAndGo) {
  git({"init", "-q"});
  commit("one");
  tree_.file("ci-docker.toml", "environments = [\"debian-bookworm-minimal\", \"debian-trixie-minimal\"]\n");
  nlohmann::json diff = answer({"diff", "HEAD"});
  std::map<std::string, std::string> status;
  for (const nlohmann::json& one : diff["environments"]) status[one["name"]] = one["status"];
  EXPECT_EQ(status["debian-bookworm-minimal"], "same");
  EXPECT_EQ(status.count("debian-trixie-minimal"), 1u);
}

TEST_F(Inspecting, DiffReportsUnknownRevisions) {
  call({"diff", "HEAD"});
  EXPECT_EQ(status_, 2);
  EXPECT_THAT(errors_, HasSubstr("is not in a git checkout"));
  git({"init", "-q"});
  commit("one");
  git({"branch", "feature"});
  call({"diff", "featrue"});
  EXPECT_EQ(status_, 2);
  EXPECT_THAT(errors_, HasSubstr("no revision is named featrue; did you mean feature?"));
  call({"diff", "--", "--output=x"});
  EXPECT_EQ(status_, 2) << "a name, and never an option of git's";
  EXPECT_FALSE(fs::exists("x"));
}

TEST_F(Inspecting, FaultsOfARevisionHaveItsName) {
  tree_.file("build/pkgs/zlib/type", "nonsense\n");
  git({"init", "-q"});
  commit("faulty");
  tree_.file("build/pkgs/zlib/type", "standard\n");
  call({"diff", "HEAD"});
  EXPECT_EQ(status_, 0);
  EXPECT_THAT(errors_,
              AllOf(HasSubstr("stagemake: warning: HEAD:build/pkgs/zlib/type:1:"), Not(HasSubstr("/tmp/"))));
}

TEST_F(Inspecting, ATreeInAFolderOfItsRepositoryIsComparedToo) {
  TemporaryFolder outer(fs::temp_directory_path());
  TreeText inner(kTree);
  auto git_there = [&](std::vector<std::string> words) {
    std::vector<std::string> argv{"git",         "-C", outer.path().string(), "-c",
                                  "user.name=n", "-c", "user.email=e"};
    argv.insert(argv.end(), words.begin(), words.end());
    ASSERT_TRUE(run_command({.argv = argv}).ok());
  };
  ASSERT_TRUE(
      run_command({.argv = {"cp", "-r", inner.path().string(), (outer.path() / "dist").string()}}).ok());
  write_file(outer.path() / "beside", "x");
  git_there({"init", "-q"});
  git_there({"add", "-A"});
  git_there({"commit", "-qm", "one"});
  Revision revision(outer.path() / "dist", "HEAD", state_.path());
  EXPECT_TRUE(fs::exists(revision.path() / "build/pkgs/zlib/type"));
  EXPECT_FALSE(fs::exists(revision.path() / "beside"));
}

TEST_F(Inspecting, RangesAreThoseOfGit) {
  git({"init", "-q", "-b", "main"});
  commit("one");
  git({"checkout", "-qb", "topic"});
  tree_.file("src/code.py", "topic");
  commit("two");
  git({"checkout", "-q", "main"});
  tree_.file("src/more.py", "main");
  commit("three");
  fs::path path = tree_.path();
  EXPECT_EQ(revision_range(path, {"main", "topic"}).after, "topic");
  EXPECT_EQ(revision_range(path, {"main"}).after, "");
  EXPECT_EQ(revision_range(path, {"main.."}).after, "HEAD");
  EXPECT_EQ(revision_range(path, {"main..topic"}).before, "main");
  RevisionRange branch = revision_range(path, {"main...topic"});
  Finished one = run_command({.argv = {"git", "-C", path.string(), "rev-parse", "main~1"}});
  EXPECT_EQ(branch.before + "\n", one.output);
  EXPECT_EQ(branch.after, "topic");
}

TEST_F(Inspecting, ReproPrintsAScriptWithoutAnEngine) {
  ::setenv("STAGEMAKE_DOCKER", "/nowhere", 1);
  std::string script =
      call({"repro", "debian-bookworm-minimal", "with-targets", "--engine", "docker", "--tag", "v1"});
  ::unsetenv("STAGEMAKE_DOCKER");
  EXPECT_EQ(status_, 0) << errors_;
  EXPECT_THAT(script, HasSubstr("# No engine answered"));
  EXPECT_THAT(script, HasSubstr("-debian-bookworm-minimal-with-targets-pre:v1 "));
  fs::path file = state_.path() / "script";
  write_file(file, script);
  EXPECT_TRUE(run_command({.argv = {"sh", "-n", file.string()}}).ok());
}

}  // namespace
}  // namespace stagemake
