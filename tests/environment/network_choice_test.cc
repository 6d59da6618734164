// What is said about a stage's network, and which setting counts.
#include "environment/network_choice.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace stagemake {
namespace {

using testing::HasSubstr;

NetworkChoices choices(const std::vector<std::string>& said) {
  NetworkChoices all;
  for (const std::string& text : said) all.all.push_back(read_network_choice("--network", text));
  return all;
}

TEST(NetworkChoice, TheLastWordThatFitsCountsAndElseTheTable) {
  StageSpec stage{.name = "configured", .network = Network::None};
  EXPECT_EQ(choices({}).of(stage, "debian-12-minimal"), Network::None);
  EXPECT_EQ(choices({}).of({.name = "other"}, "debian-12-minimal"), Network::Default);
  EXPECT_EQ(choices({"host"}).of(stage, "debian-12-minimal"), Network::Host);
  EXPECT_EQ(choices({"host", "configured=default"}).of(stage, "debian-12-minimal"), Network::Default);
  EXPECT_EQ(choices({"configured=default", "host"}).of(stage, "debian-12-minimal"), Network::Host);
  EXPECT_EQ(choices({"other=host"}).of(stage, "debian-12-minimal"), Network::None);
}

TEST(NetworkChoice, EnvironmentsMayBePatternsAndHaveTheirPrefix) {
  StageSpec stage{.name = "configured"};
  for (const char* text :
       {"debian-12-minimal=host", "docker-debian-12-minimal=host", "debian-*=host", "docker-debian-*=host"})
    EXPECT_EQ(choices({text}).of(stage, "debian-12-minimal"), Network::Host) << text;
  EXPECT_EQ(choices({"fedora-*=host"}).of(stage, "debian-12-minimal"), Network::Default);
}

TEST(NetworkChoice, ATableMayBeKeptFromTheHostsNetworkAndAPersonIsNot) {
  StageSpec stage{.name = "configured", .network = Network::Host};
  NetworkChoices none;
  EXPECT_EQ(none.of(stage, "e"), Network::Host);
  none.table_may_open_host = false;
  EXPECT_EQ(none.of(stage, "e"), Network::Default);
  stage.network = Network::None;
  EXPECT_EQ(none.of(stage, "e"), Network::None);
  NetworkChoices said = choices({"host"});
  said.table_may_open_host = false;
  EXPECT_EQ(said.of(stage, "e"), Network::Host);
}

TEST(NetworkChoice, InvalidNetworksAreRefused) {
  for (const char* text : {"", "bridge", "HOST", "=host", "configured=", "configured=bridge"}) {
    try {
      read_network_choice("--network", text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("none, default or host"));
    }
  }
}

}  // namespace
}  // namespace stagemake
