// How long a build would take, as a user asks for it: on a small tree, with an engine that has no images.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/variables.h"
#include "cli/called.h"
#include "run/state/journal.h"
#include "run/state/state_folder.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::HasSubstr;

constexpr std::string_view kTree =
    "tool standard 1\n"
    "zlib standard 1.2: | tool\n"
    "app standard 2.0: zlib\n"
    "_prereq/distros/debian.txt = gcc\n"
    "_bootstrap/distros/debian.txt = autoconf\n"
    "/ci-docker.toml = environments = [\"debian-bookworm-minimal\", \"debian-bullseye-minimal\"]\n"
    "/build/make/Makefile.in = TOOLCHAIN = tool\n"
    "/VERSION.txt = Small version 1.0, released today\n"
    "/bootstrap = #!/bin/sh\n";

// A docker that has built nothing; all other requests fail.
constexpr std::string_view kDocker =
    "#!/bin/sh\n"
    "case $1 in\n"
    "  version) echo '{\"Server\": {\"Version\": \"1\"}}' ;;\n"
    "  images|ps) ;;\n"
    "  image) echo \"Error: No such image: $3\" >&2; exit 1 ;;\n"
    "  *) echo \"not expected: $*\" >&2; exit 1 ;;\n"
    "esac\n";

class Simulating : public testing::Test {
 protected:
  Simulating() : tree_(kTree), state_(fs::temp_directory_path()) {
    write_file(docker_, kDocker);
    ::chmod(docker_.c_str(), 0755);
  }

  std::string call(std::vector<std::string> words) {
    words.insert(words.begin(), "simulate");
    words.insert(words.end(), {"--tree", tree_.path().string(), "--state", (state_.path() / "state").string(),
                               "--engine", "docker", "--slots", "2", "--memory", "16G"});
    test::Called called = test::call_stagemake(std::move(words));
    status_ = called.status;
    errors_ = called.errors;
    return called.output;
  }
  std::string durations(std::string_view text) {
    fs::path file = state_.path() / "durations";
    write_file(file, text);
    return file.string();
  }
  void remember(const std::string& package, double seconds) {
    Journal journal(StateFolder(state_.path() / "state", fs::canonical(tree_.path())).journal());
    ASSERT_TRUE(journal.add(PackageBuilt{.when = 1000,
                                         .environment = "debian-bookworm-minimal",
                                         .package = package,
                                         .version = "1",
                                         .seconds = seconds}));
  }

  TreeText tree_;
  TemporaryFolder state_;
  fs::path docker_ = state_.path() / "docker";
  test::Variables variables_{{"STAGEMAKE_DOCKER", docker_.string()}};
  int status_ = -1;
  std::string errors_;
};

constexpr const char* kOne = "debian-bookworm-minimal";
constexpr const char* kOther = "debian-bullseye-minimal";

// Three stages of 30 s, and three in which make runs for a second plus its packages, all one after the other.
TEST_F(Simulating, GivenSecondsAreNotGuessed) {
  std::string text = call({kOne, "--durations", durations("tool 100  # slow\n\nzlib 50\n")});
  EXPECT_EQ(status_, 0) << errors_;
  EXPECT_EQ(
      text,
      "1 environment: 6 stages to build, at most 3 packages; about 5 min 03 s of processor time, done in "
      "5 min 03 s (1 package never built yet: guessed)\n"
      "seconds of packages: 2 given, 1 assumed as 60 s each\n"
      "machines         done in        at least  limited by     efficiency\n"
      "       1      5 min 03 s      5 min 03 s  critical path        50 %\n"
      "each with 2 job slots and 2 stages at once, in at most 16.0 GB of memory\n");
  text = call({kOne, "--durations", durations("tool 60\nzlib 60\napp 60\n")});
  EXPECT_THAT(text, HasSubstr("done in 4 min 33 s\nseconds of packages: 3 given\n"))
      << "given, though it is what would have been guessed";
}

TEST_F(Simulating, MeasuredDurationsFillGaps) {
  remember("zlib", 7);
  std::string text = call({kOne, "--durations", durations("app 10\n")});
  EXPECT_THAT(
      text,
      HasSubstr("(1 package never built yet: guessed)\nseconds of packages: 1 given, 1 measured there, 1 "
                "guessed from other packages\n"));
}

TEST_F(Simulating, MoreMachinesForMoreEnvironments) {
  std::string file = durations("tool 100\nzlib 50\napp 60\n");
  std::string text = call({kOne, kOther, "--durations", file});
  EXPECT_THAT(text, HasSubstr("2 environments: 12 stages to build, at most 6 packages; about 10 min 06 s"));
  EXPECT_THAT(text, HasSubstr("       1      5 min 03 s      5 min 03 s  critical path       100 %\n"
                              "       2      5 min 03 s      5 min 03 s  critical path        50 %\n"
                              "each with 2 job slots"));
  nlohmann::json answer =
      nlohmann::json::parse(call({kOne, kOther, "--durations", file, "--json"}), nullptr, false);
  nlohmann::json machine = {{"machines", 1}, {"slots", 2}, {"seconds", 303.0},  {"lower_bound", 303.0},
                            {"work", 606.0}, {"late", {}}, {"efficiency", 1.0}, {"longest_path", 303.0}};
  machine["late"] = nlohmann::json::array();
  nlohmann::json second = machine;
  second["machines"] = 2, second["slots"] = 4, second["efficiency"] = 0.5;
  EXPECT_EQ(answer["schema"], 1);
  EXPECT_EQ(answer["memory"], 16'000'000'000u) << answer;
  EXPECT_EQ(answer["machines"], (nlohmann::json{machine, second}));
  EXPECT_EQ(answer["environments"],
            (nlohmann::json{{{"name", kOne}, {"ends", 303.0}}, {{"name", kOther}, {"ends", 303.0}}}));
}

TEST_F(Simulating, AStageToRebuildThatDoesNotExistIsAnError) {
  call({kOne, "--rebuild", "configurd"});
  EXPECT_EQ(status_, static_cast<int>(ExitStatus::BadInput));
  EXPECT_EQ(errors_, "stagemake: no stage is named configurd; did you mean configured?\n");
}

TEST_F(Simulating, LateEnvironmentsAreNamed) {
  std::string text = call({kOne, kOther, "--machines", "1", "--deadline", "4min"});
  EXPECT_EQ(status_, 0) << errors_;
  EXPECT_THAT(text, HasSubstr("efficiency  late\n"));
  EXPECT_THAT(text, HasSubstr("100 %     2\n"));
  EXPECT_THAT(text,
              HasSubstr("not done by the deadline: debian-bookworm-minimal, debian-bullseye-minimal\n"));
}

TEST_F(Simulating, BadDurationsAreReportedTogether) {
  std::string file = durations("tool\nzlib -1\napp nan\ntool 1e999\ntool 1 2\n\xff\x1b 1x\nzlib 5min\n");
  call({kOne, "--durations", file});
  EXPECT_EQ(status_, static_cast<int>(ExitStatus::BadInput));
  for (int line : {1, 2, 3, 4, 5, 6, 7})
    EXPECT_THAT(errors_, HasSubstr(file + ":" + std::to_string(line) + ": is not `PACKAGE SECONDS`"));
  EXPECT_EQ(errors_.find('\x1b'), std::string::npos);
  call({kOne, "--durations", durations("zlip 3\n")});
  EXPECT_THAT(errors_, HasSubstr("zlip is not a package of this tree"));
  call({kOne, "--durations", "/nowhere/durations"});
  EXPECT_THAT(errors_, HasSubstr("/nowhere/durations: does not exist"));
}

}  // namespace
}  // namespace stagemake
