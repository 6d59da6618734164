// What a build would do, as a user asks for it: on a small tree, with an engine that has no images.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/variables.h"
#include "cli/called.h"
#include "cli/empty_docker.h"
#include "run/state/journal.h"
#include "run/state/state_folder.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kName = "debian-bookworm-minimal";

// The packages p0 to p8, each after the one before.
std::string tree_text() {
  std::string text =
      "p0 standard 1\n"
      "_prereq/distros/debian.txt = gcc\n"
      "_bootstrap/distros/debian.txt = autoconf\n"
      "/ci-docker.toml = environments = [\"debian-bookworm-minimal\", \"debian-bullseye-minimal\"]\n"
      "/build/make/Makefile.in = TOOLCHAIN = p0\n"
      "/VERSION.txt = Small version 1.0, released today\n"
      "/bootstrap = #!/bin/sh\n";
  for (int i = 1; i < 9; ++i) text += fmt::format("p{} standard 1: p{}\n", i, i - 1);
  return text;
}

class Explaining : public testing::Test {
 protected:
  Explaining() { variables_.set("STAGEMAKE_DOCKER", test::write_empty_docker(work_.path()).string()); }

  std::string call(std::vector<std::string> words) {
    words.insert(words.end(), {"--tree", tree_.path().string(), "--state", (work_.path() / "state").string(),
                               "--engine", "docker"});
    test::Called called = test::call_stagemake(std::move(words));
    status_ = called.status;
    errors_ = called.errors;
    return called.output;
  }

  TreeText tree_{tree_text()};
  TemporaryFolder work_{fs::temp_directory_path()};
  test::Variables variables_{};
  int status_ = -1;
  std::string errors_;
};

TEST_F(Explaining, ListsAreWholeWithV) {
  EXPECT_THAT(call({"explain", kName}), HasSubstr("p1, p2, p3, p4, p5 and 3 more (-v lists them)\n"));
  EXPECT_EQ(status_, 0) << errors_;
  EXPECT_THAT(call({"explain", kName, "-v"}), AllOf(HasSubstr("p7, p8\n"), Not(HasSubstr("(-v "))));
  nlohmann::json told = nlohmann::json::parse(call({"explain", kName, "--json"}));
  EXPECT_THAT(told.dump(), HasSubstr("p7, p8"));
}

TEST_F(Explaining, ThePredictedTimeSaysHowMuchIsGuessed) {
  Journal journal(StateFolder(work_.path() / "state", fs::canonical(tree_.path())).journal());
  for (int i = 0; i < 7; ++i)
    ASSERT_TRUE(journal.add(
        PackageBuilt{.when = 1, .environment = kName, .package = fmt::format("p{}", i), .seconds = 100}));
  EXPECT_THAT(call({"explain", kName}),
              ContainsRegex("\npredicted: at most [^\n]* guesses \\(2 packages and 3 "
                            "stages were never measured\\)\n$"));
  nlohmann::json prediction = nlohmann::json::parse(call({"explain", kName, "--json"}))["prediction"];
  EXPECT_EQ(prediction["packages"], 9);
  EXPECT_EQ(prediction["guessed_packages"], 2);
  EXPECT_EQ(prediction["guessed_stages"], 3);
  EXPECT_EQ(prediction["upper_bound"], true);
  EXPECT_GT(prediction["seconds"], 900);
  EXPECT_GE(prediction["processor_seconds"], prediction["guessed_seconds"]);
  EXPECT_GE(prediction["guessed_seconds"], 200);
  EXPECT_THAT(call({"build", kName, "--dry-run"}), HasSubstr("\npredicted: at most "));
}

TEST_F(Explaining, APullOfABaseImageIsForeseen) {
  constexpr const char* kNote =
      "note: the base image debian:bookworm is not on this machine: a build pulls it, unless --base-image "
      "IMAGE names another one\n";
  EXPECT_THAT(call({"explain", kName}), HasSubstr(kNote));
  EXPECT_THAT(call({"build", kName, "--dry-run"}), HasSubstr(kNote));
}

TEST_F(Explaining, ColorsAreAskedFor) {
  EXPECT_THAT(call({"explain", kName}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(call({"explain", kName, "--color", "always"}),
              HasSubstr("\x1b[1mbuild\x1b[0m  from the base image"));
}

}  // namespace
}  // namespace stagemake
