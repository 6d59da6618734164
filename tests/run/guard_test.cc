// The guard as it runs: in real shells, in a folder of the test instead of /.stagemake.
#include "run/container/guard.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "engine/fake/fake_engine.h"
#include "run/container/package_channel.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

class Guard : public testing::TestWithParam<const char*> {
 protected:
  std::string in_folder(std::string text) const {
    std::string folder = folder_.path().string();
    for (std::size_t at = text.find("/.stagemake"); at != std::string::npos;
         at = text.find("/.stagemake", at + folder.size()))
      text.replace(at, 11, folder);
    return text;
  }
  // Installs the guard and runs `script`, in which $guard is the program.
  int run(const GuardLimits& limits, const std::string& script) {
    Command command;
    command.argv = {
        GetParam(), "-ec",
        in_folder(guard_setup(limits, "n1") + "guard=" + std::string(kGuardProgram) + "\n" + script)};
    Finished finished = run_command(command);
    news_.clear();
    PackageChannel channel(
        "n1", [](const std::string&) { return true; },
        [this](const PackageStatus& package) {
          news_.push_back(package.name + " " + std::string(word(package.state)));
        });
    output_ = channel.take(finished.output) + channel.rest() + finished.errors;
    // The set-up writes its files below the test's folder.
    for (const char* file : {"guard/guard", "guard/bash-env"})
      EXPECT_TRUE(fs::exists(folder_.path() / file)) << output_;
    return finished.exit_code;
  }
  std::string content(const char* file) const {
    return read_file(folder_.path() / "guard" / file).value_or("");
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  std::string output_;
  std::vector<std::string> news_;  // what the guard reported about packages
};

INSTANTIATE_TEST_SUITE_P(, Guard, testing::Values("sh", "bash", "dash"));

constexpr GuardLimits::Times kPlenty{1000, 1100};
constexpr GuardLimits::Times kClosed{0, 100};

TEST_P(Guard, WithoutADeadlineEverythingBeginsAndIsTimed) {
  EXPECT_EQ(run({}, "$guard echo -y -o zlib-1.3 /local"), 0);
  EXPECT_EQ(output_, "-y -o zlib-1.3 /local\n");
  EXPECT_THAT(content("took"), StartsWith("zlib "));
  EXPECT_EQ(content("refused"), "");
  EXPECT_THAT(news_, ElementsAre("zlib building", "zlib built"));
}

TEST_P(Guard, ReportsStartsAndEndsDespiteRedirection) {
  EXPECT_EQ(run({},
                "$guard echo zlib-1.3 > /dev/null 2>&1\n$guard false gmp-6 > /dev/null || :\n"
                "MAKEFLAGS=kq $guard echo asked-1 > /dev/null"),
            0);
  EXPECT_EQ(output_, "");
  EXPECT_THAT(news_, ElementsAre("zlib building", "zlib built", "gmp building", "gmp failed"));
}

TEST_P(Guard, TheStatusIsThatOfTheBuilder) {
  EXPECT_EQ(run({.times = kPlenty}, "$guard sh -c 'exit 7' zlib-1.3"), 7);
  EXPECT_EQ(content("took"), "") << "what failed took no time worth remembering";
}

TEST_P(Guard, NothingBeginsWhenTheDoorIsClosed) {
  EXPECT_EQ(run({.times = kClosed}, "$guard echo zlib-1.3 built"), 75);
  EXPECT_THAT(output_, StartsWith("stagemake: zlib is not begun: the deadline is near"));
  EXPECT_THAT(output_, Not(HasSubstr("built")));
  EXPECT_EQ(content("refused"), "zlib\n");
  EXPECT_THAT(news_, ElementsAre("zlib not begun"));
}

TEST_P(Guard, PackagesThatWouldNotFinishDoNotStart) {
  GuardLimits limits{.times = kPlenty, .package_seconds = {{"long", 5000}, {"short", 5}, {"longer_name", 1}}};
  EXPECT_EQ(run(limits, "$guard echo long-1 built"), 75);
  EXPECT_THAT(output_, HasSubstr("and it takes about 5000 s"));
  EXPECT_EQ(run(limits, "$guard echo short-1 built"), 0);
  EXPECT_EQ(run(limits, "$guard echo longer_name-1 built"), 0);
  EXPECT_EQ(run(limits, "$guard echo unknown-1 built"), 0);
}

TEST_P(Guard, QuestionsOfMakePass) {
  for (const char* flags : {"q", "kq -j2", "n", "t"}) {
    EXPECT_EQ(run({.times = kClosed}, fmt::format("MAKEFLAGS='{}' $guard echo zlib-1 asked", flags)), 0)
        << flags;
    EXPECT_EQ(content("took") + content("refused"), "") << flags;
  }
  for (const char* flags : {"k -j2", " -j --jobserver-auth=3,4", "", "--quiet", "V=q", "-- X=qnt"})
    EXPECT_EQ(run({.times = kClosed}, fmt::format("MAKEFLAGS='{}' $guard echo zlib-1 asked", flags)), 75)
        << flags;
}

TEST_P(Guard, PackagesOfSagesLoggerAreGuardedByBash) {
  fs::path logger = folder_.path() / "sage-logger";
  write_file(logger, "#!/usr/bin/env bash\necho \"ran $2\"\nexit ${WANTED:-0}\n");
  fs::permissions(logger, fs::owner_all);
  std::string call = logger.string() + " -p 'build it' /sage/logs/pkgs/sagelib-9.8.log";
  EXPECT_EQ(run({.times = kPlenty}, call), 0);
  EXPECT_EQ(output_, "ran build it\n");
  EXPECT_THAT(content("took"), StartsWith("sagelib "));
  EXPECT_EQ(run({.times = kClosed}, call), 75);
  EXPECT_THAT(output_, Not(HasSubstr("ran")));
  EXPECT_EQ(content("refused"), "sagelib\n");
  EXPECT_EQ(run({.times = kPlenty}, "WANTED=4 " + call), 4) << "its own status";
  EXPECT_EQ(
      run({.times = kClosed}, logger.string() + " 'cd build/make && ./install x' /sage/logs/install.log"), 0)
      << "the logger around all of make is no package";
}

TEST_P(Guard, TheCallersBashFileIsStillRead) {
  write_file(folder_.path() / "own", "echo own\n");
  EXPECT_EQ(run({}, "bash -c true"), 0);
  EXPECT_EQ(output_, "");
  Command command;
  command.argv = {"env", "BASH_ENV=" + (folder_.path() / "own").string(), "sh", "-ec",
                  in_folder(guard_setup({}, "n1") + "bash -c 'echo inner'")};
  EXPECT_EQ(run_command(command).output, "own\ninner\n");
}

TEST(GuardNotes, AreReadBoundedAndChecked) {
  FakeEngine engine;
  engine.add_image("base:1",
                   {.files = {{"/.stagemake/guard/took",
                               {.content = "zlib 12\nzlib 30\napp x\n../x 3\nbig 99999999999\n"}},
                              {"/.stagemake/guard/refused", {.content = "numpy\nnumpy\n$(reboot)\n"}}}});
  engine.create({.name = "c", .image = "base:1"});
  GuardNotes notes = read_guard_notes(engine, "c");
  EXPECT_THAT(notes.seconds, ElementsAre(Pair("big", 30 * 86400.0), Pair("zlib", 30)));
  EXPECT_THAT(notes.refused, ElementsAre("numpy"));
  engine.add_image("plain:1", {});
  engine.create({.name = "d", .image = "plain:1"});
  EXPECT_THAT(read_guard_notes(engine, "d").refused, IsEmpty());
}

TEST(GuardNotes, OfSoManyThatTheyCannotBeReadSayThatNothingIsFinished) {
  FakeEngine engine;
  std::string flood = "zlib begun\n";
  while (flood.size() <= (1u << 20)) flood += "zlib 1\n";
  engine.add_image("base:1", {.files = {{"/.stagemake/guard/took", {.content = flood}}}});
  engine.create({.name = "c", .image = "base:1"});
  EXPECT_TRUE(read_guard_notes(engine, "c").is_in_flight("zlib"));
}

}  // namespace
}  // namespace stagemake
