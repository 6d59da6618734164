#include "cli/options/docker_build_args.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(DockerBuildArgs, NothingIsNothing) {
  for (const char* text : {"", "  ", "\t\n"}) {
    DockerBuildArgs args = read_docker_build_args(text);
    EXPECT_THAT(args.given, IsEmpty());
    EXPECT_THAT(args.proxies, IsEmpty());
    EXPECT_THAT(args.passed_over, IsEmpty());
    EXPECT_FALSE(args.fresh);
  }
}

TEST(DockerBuildArgs, ArgumentsOfTheDockerfilesAreTaken) {
  DockerBuildArgs args = read_docker_build_args(
      "--build-arg NUMPROC=8 --build-arg=TARGETS=\"a b\" --build-arg 'TARGETS_PRE=x=y' --build-arg "
      "USE_MAKEFLAGS= "
      "--build-arg BASE_IMAGE=debian:x --build-arg BOOTSTRAP=./boot --build-arg TARGETS_OPTIONAL=ptest");
  EXPECT_THAT(args.given,
              UnorderedElementsAre(Pair("NUMPROC", "8"), Pair("TARGETS", "a b"), Pair("TARGETS_PRE", "x=y"),
                                   Pair("USE_MAKEFLAGS", ""), Pair("BASE_IMAGE", "debian:x"),
                                   Pair("BOOTSTRAP", "./boot"), Pair("TARGETS_OPTIONAL", "ptest")));
  EXPECT_THAT(args.passed_over, IsEmpty());
  EXPECT_FALSE(args.fresh);
}

TEST(DockerBuildArgs, ConfigureArgumentsHaveTwoNamesAndTheLastCounts) {
  EXPECT_THAT(read_docker_build_args("--build-arg EXTRA_CONFIGURE_ARGS=--a").given,
              ElementsAre(Pair("CONFIGURE_ARGS", "--a")));
  EXPECT_THAT(
      read_docker_build_args("--build-arg EXTRA_CONFIGURE_ARGS=--a --build-arg CONFIGURE_ARGS=--b").given,
      ElementsAre(Pair("CONFIGURE_ARGS", "--b")));
}

TEST(DockerBuildArgs, ANetworkThatAllEnginesHaveIsTaken) {
  EXPECT_EQ(read_docker_build_args("--network host").network, Network::Host);
  EXPECT_EQ(read_docker_build_args("--network=none").network, Network::None);
  EXPECT_THAT(read_docker_build_args("--network host").passed_over, IsEmpty());
}

TEST(DockerBuildArgs, NoCacheMeansFresh) {
  EXPECT_TRUE(read_docker_build_args("--no-cache").fresh);
  EXPECT_FALSE(read_docker_build_args("--no-cache-filter x").fresh);
}

TEST(DockerBuildArgs, DockerOnlyOptionsAreSkippedUnchanged) {
  DockerBuildArgs args = read_docker_build_args(
      "--pull --memory 4g --progress=plain --network mine --no-cache --build-arg OTHER=x --squash");
  EXPECT_THAT(args.passed_over, ElementsAre("--pull", "--memory 4g", "--progress=plain", "--network mine",
                                            "--build-arg OTHER", "--squash"));
  EXPECT_EQ(args.network, std::nullopt);
  EXPECT_TRUE(args.fresh);
  EXPECT_THAT(args.given, IsEmpty());
  // The value of an option is not interpreted.
  EXPECT_FALSE(read_docker_build_args("--label --no-cache").fresh);
  EXPECT_THAT(read_docker_build_args("--label NUMPROC=8").given, IsEmpty());
}

TEST(DockerBuildArgs, WithoutAValueTheCallersIsTaken) {
  ::setenv("NUMPROC", "7", 1);
  EXPECT_THAT(read_docker_build_args("--build-arg NUMPROC").given, ElementsAre(Pair("NUMPROC", "7")));
  ::unsetenv("NUMPROC");
  DockerBuildArgs args = read_docker_build_args("--build-arg NUMPROC");
  EXPECT_THAT(args.given, IsEmpty());
  EXPECT_THAT(args.passed_over, ElementsAre("--build-arg NUMPROC"));
}

TEST(DockerBuildArgs, ProxiesAreForWhatRuns) {
  DockerBuildArgs args = read_docker_build_args(
      "--build-arg http_proxy=http://p:1 --build-arg HTTPS_PROXY=x --build-arg Http_Proxy=odd --build-arg "
      "proxy=no");
  EXPECT_THAT(args.proxies, UnorderedElementsAre(Pair("http_proxy", "http://p:1"), Pair("HTTPS_PROXY", "x")));
  EXPECT_THAT(args.passed_over, ElementsAre("--build-arg Http_Proxy", "--build-arg proxy"));
  EXPECT_THAT(args.given, IsEmpty());
}

// Skipped words are printed, in CI logs too; a value there may be a token from the caller's environment.
TEST(DockerBuildArgs, SecretsAreNotShown) {
  ::setenv("NPM_TOKEN", "s3cret", 1);
  DockerBuildArgs args = read_docker_build_args(
      "--build-arg NPM_TOKEN --build-arg OTHER=s3cret --label x=https://u:s3cret@h "
      "--secret=id=a,token=s3cret");
  ::unsetenv("NPM_TOKEN");
  EXPECT_THAT(args.passed_over, ElementsAre("--build-arg NPM_TOKEN", "--build-arg OTHER",
                                            "--label x=https://…@h", "--secret=…"));
  try {
    read_docker_build_args("--build-arg http_proxy=http://u:s3cret@h --build-arg X=$Y");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("s3cret")));
  }
}

TEST(DockerBuildArgs, OtherShellSyntaxIsRefused) {
  for (const char* text :
       {"--build-arg X=$HOME", "`id`", "a;b", "'open", "--build-arg", "--no-cache --memory"}) {
    try {
      read_docker_build_args(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::BadInput);
      EXPECT_THAT(error.what(), HasSubstr("EXTRA_DOCKER_BUILD_ARGS: "));
    }
  }
  try {
    read_docker_build_args("$ \x1b[2J");
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("\x1b")));
  }
}

}  // namespace
}  // namespace stagemake
