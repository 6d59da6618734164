// Which network the containers of a build have.
#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class BuildNetwork : public testing::Test {
 protected:
  BuildNetwork() {
    bench_.before = [this](const FakeContainer& container, const std::string& package, std::stop_token) {
      if (package.empty()) networks_.push_back(name_of(container.network));
    };
  }
  void say(const std::string& text) { bench_.networks.all.push_back(read_network_choice("--network", text)); }
  std::vector<std::string_view> build() {
    networks_.clear();
    run_ = bench_.build();
    EXPECT_TRUE(run_.result.all_well());
    return networks_;
  }

  BuildBench bench_{kSmallDistribution};
  BuildBench::Run run_;
  std::vector<std::string_view> networks_;
};

TEST_F(BuildNetwork, EachStageHasItsOwn) {
  say("none");
  say("with-system-packages=default");
  say("bootstrapped=host");
  std::vector<std::string_view> networks = build();
  ASSERT_GE(networks.size(), 3u);
  EXPECT_EQ(networks[0], "default");
  EXPECT_EQ(networks[1], "host");
  EXPECT_EQ(networks[2], "none");
  std::vector<std::string_view> noted;
  for (const JournalStage& run : bench_.journal.read().stages) noted.push_back(name_of(run.network));
  EXPECT_THAT(noted, ElementsAre("default", "host", "none", "none", "none", "none"));
}

TEST_F(BuildNetwork, WithoutAWordNoContainerHasTheHosts) {
  EXPECT_THAT(build(), Not(Contains("host")));
}

// In an older image, stages share a container, which has one network.
TEST_F(BuildNetwork, WhereItChangesAnotherContainerGoesOn) {
  build();
  bench_.tree.file("build/pkgs/app/spkg-install.in", "edited\n");
  say("with-targets=none");
  build();
  EXPECT_EQ(run_.calls.at("create"), 2u);
  EXPECT_EQ(run_.calls.at("commit"), 2u);
  EXPECT_EQ(networks_.front(), "default");
  EXPECT_EQ(networks_.back(), "none");
  EXPECT_THAT(run_.scripts, Contains("make all-sage-local: app")) << "and nothing is made twice";
  EXPECT_THAT(run_.scripts.back(), HasSubstr("make build: pyapp"));
  std::string pre = bench_.id_of(image_of_stage("with-targets-pre"));
  EXPECT_NE(pre, bench_.id_of(image_of_stage("with-targets")));
  EXPECT_EQ(bench_.id_of(image_of_stage("configured")), pre);
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
  EXPECT_THAT(bench_.build().scripts, IsEmpty());
}

TEST_F(BuildNetwork, WhatAnEngineCannotDoIsSaidOnceWhereItIsWanted) {
  bench_.engine.network_gaps[Network::Default] = "it has none";
  say("with-system-packages=host");
  build();
  EXPECT_THAT(run_.notes, Contains("network `default`: it has none").Times(1));
  EXPECT_THAT(bench_.build().notes, Not(Contains(HasSubstr("network"))));
}

TEST_F(BuildNetwork, ATableOfAPullRequestThatAsksForTheHostsIsTold) {
  bench_.tree.file("ci-docker.toml", "[[stage]]\nname = 'one'\nrecipe = 'true'\nnetwork = 'host'\n");
  bench_.targets = {"one"};
  bench_.networks.table_may_open_host = false;
  EXPECT_THAT(build(), Each("default"));
  EXPECT_THAT(run_.notes,
              Contains(HasSubstr("one asks for this machine's network, which a pull request does not open; "
                                 "`--network one=host`")));
}

}  // namespace
}  // namespace stagemake
