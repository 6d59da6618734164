// Every kind of hostile registry (registry/hostile_registry.h) against every command that contacts
// registries: each ends as it would without that registry, and says why it got nothing from it.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "base/text/text.h"
#include "base/variables.h"
#include "cli/called.h"
#include "cli/empty_docker.h"
#include "registry/hostile_registry.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class HostileToCommands : public testing::TestWithParam<std::string> {
 protected:
  HostileToCommands() {
    variables_.set("STAGEMAKE_DOCKER", test::write_empty_docker(work_.path()).string());
    for (const char* name : {"HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG"})
      variables_.set(name, (work_.path() / name).string());
    variables_.set("REGISTRY_AUTH_FILE", "");
    variables_.set("NO_COLOR", "1");
  }

  test::Called call(std::vector<std::string> words, const std::string& from) {
    for (const std::string& word : {std::string("debian-bookworm-minimal"), std::string("--tree"),
                                    tree_.path().string(), std::string("--engine"), std::string("docker"),
                                    std::string("--state"), (work_.path() / "state").string()})
      words.push_back(word);
    if (!from.empty()) words.insert(words.end(), {"--from", from});
    return test::call_stagemake(std::move(words));
  }

  void expect_the_same(const std::vector<std::string>& command) {
    std::string shown = join(command, " ");
    static std::map<std::string, int> without;
    if (!without.contains(shown)) without[shown] = call(command, "").status;
    test::Called called = call(command, hostile_.host() + "/a/b");
    EXPECT_EQ(called.status, without[shown]) << shown << called.errors;
    std::string all = called.output + called.errors;
    // A list whose pages contain nothing new counts as ended.
    if (GetParam() != "EndlessEmptyPages") {
      EXPECT_THAT(all, HasSubstr(hostile_.host())) << shown << " says why it had nothing of it";
    }
    for (std::string_view line : lines(all)) EXPECT_LT(line.size(), 4000u) << shown;
    EXPECT_EQ(all.find('\x1b'), std::string::npos) << shown;
  }

  TreeText tree_{
      "zlib standard 1.2\n"
      "_prereq/distros/debian.txt = gcc\n"
      "_bootstrap/distros/debian.txt = autoconf\n"
      "/ci-docker.toml = environments = [\"debian-bookworm-minimal\"]\n"
      "/build/make/Makefile.in = TOOLCHAIN = tool\n"
      "/VERSION.txt = Small version 1.0, released today\n"
      "/bootstrap = #!/bin/sh\n"};
  TemporaryFolder work_{fs::temp_directory_path()};
  test::Variables variables_{};
  test::HttpServer hostile_{test::hostilities().at(GetParam())};
};

using HostileToEachCommand = HostileToCommands;

TEST_P(HostileToCommands, ALookEndsAsWithoutIt) {
  expect_the_same({"explain"});
}

TEST_P(HostileToEachCommand, EachEndsAsWithoutIt) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"explain", "--json"}, {"simulate"}, {"build", "--dry-run"}, {"build"}})
    expect_the_same(command);
}

TEST_P(HostileToEachCommand, DoctorSaysOneLineOfABaseImageThere) {
  std::string image = hostile_.host() + "/a/b:1";
  test::Called called = call({"doctor", "--base-image", image}, "");
  EXPECT_THAT(called.status, testing::AnyOf(0, 3)) << called.errors;
  EXPECT_THAT(called.output, HasSubstr("\n  " + image + "  is "));
  std::string all = called.output + called.errors;
  for (std::string_view line : lines(all)) EXPECT_LT(line.size(), 4000u);
  EXPECT_EQ(all.find('\x1b'), std::string::npos);
}

// hostile_registry_test.cc covers those that use up a command's whole patience.
std::vector<std::string> those_that_end_soon() {
  const std::set<std::string> slow = {"Busy", "SlowAnswer", "SlowBody", "EndlessHeaders",
                                      "EndlessTagsOneByOne"};
  std::vector<std::string> names;
  for (const auto& [name, answer] : test::hostilities())
    if (!slow.contains(name)) names.push_back(name);
  return names;
}

constexpr auto kName = [](const auto& name) { return name.param; };
INSTANTIATE_TEST_SUITE_P(Registries, HostileToCommands, testing::ValuesIn(those_that_end_soon()), kName);
INSTANTIATE_TEST_SUITE_P(Registries, HostileToEachCommand,
                         testing::Values("DeepTags0", "EndlessLongTags", "WrongTypes", "HugeSizeOfLayer",
                                         "IndexToItself", "RedirectToAFile", "CompressedFlood",
                                         "LoginForEver"),
                         kName);

}  // namespace
}  // namespace stagemake
