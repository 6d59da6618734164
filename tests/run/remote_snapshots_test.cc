// Which of a registry's images a push does not replace.
#include "run/images/remote_snapshots.h"

#include <gtest/gtest.h>

namespace stagemake {
namespace {

Snapshot image_of(const std::vector<std::pair<std::string, std::string>>& stages) {
  Snapshot snapshot{.environment = "env"};
  for (const auto& [stage, key] : stages) snapshot.lineage.push_back({stage, key, {}});
  snapshot.stage = stages.back().first;
  snapshot.complete = true;
  snapshot.created = static_cast<std::int64_t>(stages.size());
  return snapshot;
}

TEST(WorthKeeping, TheSameAndWhatHasTheSameKey) {
  Snapshot there = image_of({{"system", "1"}}), ours = there;
  EXPECT_EQ(worth_keeping(there, ours), "it is there already");
  ours.created = 5;
  EXPECT_EQ(worth_keeping(there, ours), "the registry already has an image with the same key");
  there.clean = false;
  EXPECT_EQ(worth_keeping(there, ours), "") << "a clean one is better";
  EXPECT_EQ(worth_keeping(image_of({{"system", "2"}}), ours), "");
}

TEST(WorthKeeping, AStagesOwnImageAgainstALaterOneThatHoldsIt) {
  Snapshot there = image_of({{"system", "1"}});
  Snapshot later = image_of({{"system", "1"}, {"made", "2"}});
  EXPECT_NE(worth_keeping(there, later), "");
  EXPECT_EQ(worth_keeping(later, there), "") << "its own image is better";
  EXPECT_EQ(worth_keeping(there, image_of({{"system", "3"}, {"made", "2"}})), "") << "another key";
  there.complete = false;
  EXPECT_EQ(worth_keeping(there, later), "") << "a failed one";
  there.complete = true;
  later.base_digest = "sha256:other";
  EXPECT_EQ(worth_keeping(there, later), "");
}

}  // namespace
}  // namespace stagemake
