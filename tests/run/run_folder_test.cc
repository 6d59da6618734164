#include "run/state/run_folder.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

using testing::SizeIs;

class Runs : public testing::Test {
 protected:
  TemporaryFolder folder_{fs::temp_directory_path()};
  StateFolder state_{folder_.path(), "/tree"};
};

TEST_F(Runs, AreKeptTheYoungestFirstAndKnownAliveByTheirDriver) {
  EXPECT_THAT(kept_runs(state_), SizeIs(0));
  { RunFolder ended(state_, 1'700'000'000); }
  RunFolder living(state_, 1'700'000'100);
  std::vector<KeptRun> runs = kept_runs(state_);
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].events, living.events());
  EXPECT_TRUE(runs[0].is_alive);
  EXPECT_FALSE(runs[1].is_alive);
  EXPECT_EQ(runs[1].events.parent_path().filename().string().substr(0, 16), "20231114-221320-");
}

TEST_F(Runs, OldOnesGoWhenANewOneBeginsButNoneThatLives) {
  RunFolder oldest(state_, 1'600'000'000);
  for (std::size_t i = 0; i < kKeptRuns + 5; ++i)
    RunFolder(state_, 1'700'000'000 + static_cast<std::int64_t>(i));
  std::vector<KeptRun> runs = kept_runs(state_);
  EXPECT_THAT(runs, SizeIs(kKeptRuns + 1));
  EXPECT_TRUE(runs.back().is_alive);
  EXPECT_EQ(runs.back().events, oldest.events());
}

}  // namespace
}  // namespace stagemake
