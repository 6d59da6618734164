// Commands about images, as a user calls them, on a small tree and a `docker` that has images of it.
#include <gmock/gmock.h>

#include "cli/docker_with_images.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Images : public testing::Test {
 protected:
  Images() {
    for (const char* stage : {"with-system-packages", "bootstrapped", "configured", "with-base-toolchain",
                              "with-targets-pre", "with-targets"})
      docker_.add(stage);
    docker_.add("configured", kOther);
  }

  static constexpr const char* kOne = "debian-bookworm-minimal";
  static constexpr const char* kOther = "debian-bookworm-standard";
  TreeText tree_{kSmallDistribution};
  test::DockerWithImages docker_{tree_};
};

TEST_F(Images, CleanRemovesAllOfAnEnvironment) {
  EXPECT_EQ(docker_.call({"clean", kOne}).status, 0);
  EXPECT_EQ(docker_.calls("rmi").size(), 6u);
  EXPECT_THAT(docker_.calls("rmi"), Contains("debian-bookworm-minimal-configured:1"));
}

TEST_F(Images, CleanOfAStageAlsoRemovesWhatIsBuiltOnIt) {
  test::Called called = docker_.call({"clean", kOne, "with-base-toolchain"});
  EXPECT_EQ(called.status, 0) << called.errors;
  EXPECT_THAT(docker_.calls("rmi"), ElementsAre("debian-bookworm-minimal-with-targets:1",
                                                "debian-bookworm-minimal-with-targets-pre:1",
                                                "debian-bookworm-minimal-with-base-toolchain:1"));
  called = docker_.call({"clean", kOne, kOther, "configured", "--dry-run"});
  EXPECT_THAT(docker_.calls("rmi"), IsEmpty());
  EXPECT_THAT(called.output, HasSubstr("would remove debian-bookworm-standard-configured:1\n"));
  EXPECT_EQ(called.output.find("bootstrapped"), std::string::npos);
  called = docker_.call({"clean", kOther, "with-targets"});
  EXPECT_EQ(called.output, "nothing to remove\n");
}

TEST_F(Images, CleanOfAStageNeedsAnEnvironment) {
  test::Called called = docker_.call({"clean", "configured"});
  EXPECT_EQ(called.status, 2);
  EXPECT_EQ(called.errors,
            "stagemake: configured is a stage, not an environment; name the environment before it\n");
  EXPECT_THAT(docker_.calls("rmi"), IsEmpty());
}

TEST_F(Images, AStageInTheEnvironmentsPlaceIsNamed) {
  for (const char* command :
       {"shell", "logs", "snapshots", "gc", "env", "repro", "clean", "system-packages"}) {
    test::Called called = docker_.call({command, "configured"});
    EXPECT_EQ(called.status, 2) << command;
    EXPECT_EQ(called.errors,
              "stagemake: configured is a stage, not an environment; name the environment before it\n")
        << command;
  }
}

TEST_F(Images, MistypedNamesAreAnsweredWithSimilarOnes) {
  tree_.file("tox.ini",
             "[testenv]\nsetenv =\n  debian: SYSTEM=debian\n  debian-bookworm: BASE_IMAGE=debian:bookworm\n"
             "  minimal: X=1\n  docker: Y=1\n");
  for (const char* command : {"shell", "logs", "snapshots", "clean", "gc"}) {
    test::Called called = docker_.call({command, "debian-bokworm-minimal"});
    EXPECT_EQ(called.status, 2) << command;
    EXPECT_THAT(called.errors, HasSubstr("did you mean bookworm?")) << command;
  }
  for (const char* command : {"shell", "logs"}) {
    test::Called called = docker_.call({command, kOne, "configurd"});
    EXPECT_EQ(called.status, 2) << command;
    EXPECT_THAT(called.errors, HasSubstr("no stage is named configurd; did you mean configured?")) << command;
  }
  test::Called called = docker_.call({"clean", kOne, "configurd"});
  EXPECT_EQ(called.status, 2);
  EXPECT_THAT(called.errors, HasSubstr("if the stage configured was meant: name the environment before it"));
}

TEST_F(Images, ShellRunsACommandAndExitsWithItsStatus) {
  test::Called called = docker_.call({"shell", kOne, "configured", "--", "sh", "-c", "exit $1", "-", "42"});
  EXPECT_EQ(called.status, 42) << called.errors;
  EXPECT_THAT(called.errors, HasSubstr("debian-bookworm-minimal-configured:1 (complete)"));
  ASSERT_EQ(docker_.calls("run").size(), 1u);
  EXPECT_THAT(docker_.calls("run").front(), testing::Not(HasSubstr("--tty")));
  EXPECT_EQ(docker_.call({"shell", kOne, "--", "false"}).status, 1) << "the newest image";
  called = docker_.call({"shell", kOne, "configured", "--dry-run", "--", "rm", "-rf", "a b"});
  EXPECT_EQ(called.output, "would run `rm -rf 'a b'` in debian-bookworm-minimal-configured:1\n");
}

}  // namespace
}  // namespace stagemake
