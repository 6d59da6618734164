// Which run `stagemake report` shows, and how.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/files.h"
#include "base/variables.h"
#include "cli/called.h"
#include "report/events/event_log.h"
#include "run/state/run_folder.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kName = "debian-bookworm-minimal";

class Reporting : public testing::Test {
 protected:
  // A run of one stage that ends like this. Returns its name.
  std::string record(StageState state, int exit_status, const StageStatus& more = {}) {
    RunFolder folder(StateFolder(work_.path() / "state", fs::canonical(tree_.path())), now_ += 1000);
    EventLog log([this] { return static_cast<double>(now_); });
    log.add_file(folder.events());
    log.facts({.distribution = "small", .engine = "docker", .command = {"stagemake", "build", "a b"}});
    StageStatus status = more;
    status.state = state;
    EnvironmentStatus environment{.name = kName, .stage_names = {"configured"}, .stages = {{}}};
    log.begins({environment});
    environment.stages[0] = status;
    log.changed({environment}, {0, 0});
    log.ends({environment}, {});
    log.exits(exit_status);
    return folder.path().filename().string();
  }
  std::string call(std::vector<std::string> words) {
    words.insert(words.end(),
                 {"--tree", tree_.path().string(), "--state", (work_.path() / "state").string()});
    test::Called called = test::call_stagemake(std::move(words));
    status_ = called.status;
    return called.output + called.errors;
  }

  TreeText tree_{"zlib standard 1.2\n/VERSION.txt = Small version 1.0, released today\n"};
  TemporaryFolder work_{fs::temp_directory_path()};
  test::Variables variables_{{"NO_COLOR", ""}, {"CI", ""}};
  std::int64_t now_ = 1'700'000'000;
  int status_ = -1;
};

TEST_F(Reporting, ARunWithNothingToDoDoesNotHideTheOneBefore) {
  std::string built = record(StageState::Built, 0);
  std::string first = record(StageState::Reused, 0), second = record(StageState::Reused, 0);
  EXPECT_THAT(call({"report"}),
              AllOf(HasSubstr("(run " + built + ")"), HasSubstr("2 later runs had nothing to do")));
  EXPECT_EQ(nlohmann::json::parse(call({"report", "--json"}))["environments"][0]["stages"][0]["state"],
            "built");
  EXPECT_THAT(call({"report", "--run", second}), HasSubstr("(run " + second + ")"));
  EXPECT_THAT(call({"report", "--run", first}), Not(HasSubstr("later run")));
}

TEST_F(Reporting, IfNoRunDidAnythingTheLatestIsShown) {
  record(StageState::Reused, 0);
  std::string latest = record(StageState::Reused, 0);
  EXPECT_THAT(call({"report"}), HasSubstr("(run " + latest + ")"));
}

TEST_F(Reporting, AFailedRunIsShownEvenIfNoStageFailed) {
  record(StageState::Built, 0);
  std::string failed = record(StageState::Reused, 1);
  EXPECT_THAT(call({"report"}), HasSubstr("(run " + failed + ")"));
}

TEST_F(Reporting, AllRunsAreListedTheLatestFirst) {
  EXPECT_THAT(call({"report", "--list"}), HasSubstr("no run of this tree is recorded here"));
  std::string built = record(StageState::Built, 0), late = record(StageState::Interrupted, 75),
              idle = record(StageState::Reused, 0);
  std::string text = call({"report", "--list"});
  EXPECT_EQ(status_, 0);
  EXPECT_THAT(text, AllOf(HasSubstr("nothing to do  " + std::string(kName) + "\n"), HasSubstr("out of time "),
                          HasSubstr("succeeded "), HasSubstr(" stagemake build 'a b'\n")));
  EXPECT_LT(text.find(idle), text.find(late));
  EXPECT_LT(text.find(late), text.find(built));
  nlohmann::json runs = nlohmann::json::parse(call({"report", "--list", "--json"}))["runs"];
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[1]["run"], late);
  EXPECT_EQ(runs[1]["exit_status"], 75);
  EXPECT_EQ(runs[2]["environments"], nlohmann::json({kName}));
  call({"report", "--list", "--html", "page.html"});
  EXPECT_EQ(status_, 2);
}

TEST_F(Reporting, AllErrorsAreListedWithV) {
  StageStatus status;
  for (const char* package : {"a", "b", "c", "d"})
    status.findings.push_back({.package = package, .message = "no"});
  record(StageState::Failed, 1, status);
  EXPECT_THAT(call({"report", "-v"}),
              HasSubstr("\ndebian-bookworm-minimal configured\n  a: no\n  b: no\n  c: no\n  d: no\n"));
}

TEST_F(Reporting, ColorsAreAskedFor) {
  record(StageState::Failed, 1);
  EXPECT_THAT(call({"report"}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(call({"report", "--color", "always"}), HasSubstr("\x1b[31mfailed"));
  for (const char* command : {"status", "explain", "tox", "build"})
    EXPECT_THAT(call({command, "--color", "sometimes"}), HasSubstr("--color: sometimes not in"));
}

}  // namespace
}  // namespace stagemake
