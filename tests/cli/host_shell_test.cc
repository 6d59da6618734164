// Shell text of a tree's tox.ini: when a shell of this machine may run it, and with whose permission.
#include "cli/host_shell.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.h"
#include "cli/called.h"
#include "cli/pull_request.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Variables = std::map<std::string, std::string>;

CallerVariables caller(const Variables& variables) {
  return [variables](std::string_view name) -> std::optional<std::string> {
    auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(PullRequestEvent, IsWhatTheServiceSays) {
  for (const Variables& one : {Variables{{"CI", "true"}, {"GITHUB_EVENT_NAME", "pull_request"}},
                               {{"CI", "true"}, {"GITHUB_EVENT_NAME", "pull_request_target"}},
                               {{"CI", "true"}, {"GITHUB_EVENT_NAME", "workflow_run"}},
                               {{"CI", "true"}, {"CI_PIPELINE_SOURCE", "merge_request_event"}},
                               {{"CI", "1"}, {"TRAVIS_PULL_REQUEST", "17"}},
                               {{"CI", "true"}, {"CIRCLE_PULL_REQUEST", "https://x/1"}},
                               {{"JENKINS_URL", "http://x"}, {"CHANGE_ID", "3"}},
                               {{"TF_BUILD", "True"}, {"BUILD_REASON", "PullRequest"}}})
    EXPECT_NE(pull_request_event(caller(one)), "") << testing::PrintToString(one);
  for (const Variables& none : {Variables{},
                                {{"GITHUB_EVENT_NAME", "pull_request"}},
                                {{"CI", "false"}, {"GITHUB_EVENT_NAME", "pull_request"}},
                                {{"CI", "true"}},
                                {{"CI", "true"}, {"GITHUB_EVENT_NAME", "push"}},
                                {{"CI", "true"}, {"CI_PIPELINE_SOURCE", "schedule"}},
                                {{"CI", "true"}, {"TRAVIS_PULL_REQUEST", "false"}}})
    EXPECT_EQ(pull_request_event(caller(none)), "") << testing::PrintToString(none);
}

TEST(HostShell, AnExplicitOptionWins) {
  Variables pull_request{{"CI", "true"}, {"GITHUB_EVENT_NAME", "pull_request"}};
  EXPECT_EQ(host_shell_refusal(std::nullopt, caller({})), std::nullopt);
  EXPECT_EQ(host_shell_refusal(std::nullopt, caller(pull_request)),
            "this job runs for a pull request (GITHUB_EVENT_NAME=pull_request)");
  EXPECT_EQ(host_shell_refusal(true, caller(pull_request)), std::nullopt);
  EXPECT_EQ(host_shell_refusal(false, caller({})), "--host-shell is no");
}

TEST(HostShell, GetsTheTablesVariablesAndNothingOfTheCallers) {
  TemporaryFolder tree(fs::temp_directory_path());
  write_file(tree.path() / "build/bin/of-the-tree", "#!/bin/sh\necho found\n");
  fs::permissions(tree.path() / "build/bin/of-the-tree", fs::perms(0755));
  ::setenv("REGISTRY_TOKEN", "secret", 1);
  testing::internal::CaptureStderr();
  std::string all = evaluated_by_host_shell(tree.path(), "$(env | sort)|$(pwd)|$(of-the-tree)|$SYSTEM|it's",
                                            {{"SYSTEM", "debian"}, {"ODD", "a b=c"}});
  std::string said = testing::internal::GetCapturedStderr();
  ::unsetenv("REGISTRY_TOKEN");
  EXPECT_THAT(all, Not(HasSubstr("secret")));
  EXPECT_THAT(all, Not(HasSubstr("HOME=")));
  EXPECT_THAT(all, AllOf(HasSubstr("SYSTEM=debian"), HasSubstr("ODD=a b=c"),
                         HasSubstr("PATH=" + tree.path().string())));
  EXPECT_THAT(all, HasSubstr("|" + tree.path().string() + "|found|debian|it's"));
  EXPECT_THAT(said, HasSubstr("stagemake: a shell of this machine evaluates `$(env | sort)"));
}

TEST(HostShell, AFailureIsAnErrorWithItsMessage) {
  TemporaryFolder tree(fs::temp_directory_path());
  testing::internal::CaptureStderr();
  try {
    evaluated_by_host_shell(tree.path(), "$(", {});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("bash cannot expand `$(`: bash: "));
  }
  testing::internal::GetCapturedStderr();
}

// --- The commands.

class ShellTextInATree : public testing::Test {
 protected:
  ShellTextInATree() {
    tree_.file("tox.ini",
               "[tox]\nenvlist = docker-debian-bookworm-minimal\n[testenv]\nsetenv =\n"
               "  docker: FULL_BASE_IMAGE_AND_TAG=debian:bookworm\n  debian: SYSTEM=debian\n"
               "  bookworm: BASE_TAG=bookworm\n  minimal: SAGE_PACKAGE_LIST_ARGS=_prereq\n"
               "  CONFIGURE_ARGS=$(touch " +
                   ran().string() + "; echo --x)\n");
    for (const char* name : {"CI", "GITHUB_EVENT_NAME"}) ::unsetenv(name);
    ::setenv("STAGEMAKE_STATE", state_.path().c_str(), 1);
    // No engine, so that a build ends after reading the tree.
    ::setenv("DOCKER_HOST", "unix:///no/such/socket", 1);
  }
  ~ShellTextInATree() override {
    for (const char* name : {"STAGEMAKE_STATE", "DOCKER_HOST", "CI", "GITHUB_EVENT_NAME"}) ::unsetenv(name);
  }
  fs::path ran() const { return state_.path() / "PWNED"; }
  test::Called call(std::vector<std::string> words) {
    words.insert(words.end(), {"debian-bookworm-minimal", "--tree", tree_.path().string()});
    return test::call_stagemake(words);
  }

  TemporaryFolder state_{fs::temp_directory_path()};
  TreeText tree_{
      "zlib standard 1\n_prereq/distros/debian.txt = gcc\n_bootstrap/distros/debian.txt = m4\n"
      "/VERSION.txt = Small version 1\n"};
};

TEST_F(ShellTextInATree, IsNotRunByCommandsThatLook) {
  for (const char* command :
       {"env", "plan", "dockerfile", "system-packages", "repro", "simulate", "explain", "graph"}) {
    test::Called called = call({command});
    EXPECT_FALSE(fs::exists(ran())) << command;
    if (std::string_view(command) == "dockerfile") {
      EXPECT_EQ(called.status, 0);
      EXPECT_THAT(called.errors,
                  HasSubstr("CONFIGURE_ARGS contains shell text that only `stagemake build` evaluates"));
    }
  }
  call({"build", "--dry-run"});
  EXPECT_FALSE(fs::exists(ran()));
}

TEST_F(ShellTextInATree, IsRunByABuildAndTold) {
  test::Called called = call({"build", "--engine", "docker"});
  EXPECT_TRUE(fs::exists(ran()));
  EXPECT_THAT(called.errors, HasSubstr("a shell of this machine evaluates `$(touch "));
}

TEST_F(ShellTextInATree, IsNotRunForAPullRequest) {
  ::setenv("CI", "true", 1);
  ::setenv("GITHUB_EVENT_NAME", "pull_request", 1);
  test::Called called = call({"build", "--engine", "docker"});
  EXPECT_FALSE(fs::exists(ran()));
  EXPECT_EQ(called.status, 2);
  EXPECT_THAT(
      called.errors,
      AllOf(HasSubstr("environment debian-bookworm-minimal: CONFIGURE_ARGS contains shell text (`$(touch"),
            HasSubstr("because this job runs for a pull request (GITHUB_EVENT_NAME=pull_request)"),
            HasSubstr("--host-shell yes"), HasSubstr("--set CONFIGURE_ARGS=VALUE")));
  call({"build", "--engine", "docker", "--host-shell", "yes"});
  EXPECT_TRUE(fs::exists(ran()));
}

TEST_F(ShellTextInATree, IsNotRunWhereThePersonSaysNo) {
  EXPECT_EQ(call({"build", "--engine", "docker", "--host-shell", "no"}).status, 2);
  ::setenv("STAGEMAKE_HOST_SHELL", "no", 1);
  EXPECT_EQ(call({"build", "--engine", "docker"}).status, 2);
  ::unsetenv("STAGEMAKE_HOST_SHELL");
  EXPECT_FALSE(fs::exists(ran()));
  EXPECT_EQ(call({"build", "--engine", "docker", "--host-shell", "no", "--set", "CONFIGURE_ARGS=--y"}).status,
            3)
      << "with its value said, only the engine is missing";
}

}  // namespace
}  // namespace stagemake
