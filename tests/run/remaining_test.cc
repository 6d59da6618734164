#include "run/build/remaining.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<RemainingWork> many(std::size_t count) {
  std::vector<RemainingWork> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back({.environment = fmt::format("e{}", i),
                   .stages_done = 2,
                   .stages = 6,
                   .packages_done = 1,
                   .packages = {"a", "b"},
                   .seconds = 60 * static_cast<double>(i)});
  return all;
}

TEST(Remaining, OfAFewEachHasItsLine) {
  EXPECT_THAT(remaining_lines({}), IsEmpty());
  EXPECT_THAT(
      remaining_lines({{.environment = "one",
                        .stages_done = 3,
                        .stages = 6,
                        .packages_done = 7,
                        .packages = {"gmp", "pari"},
                        .is_exact = false,
                        .seconds = 90},
                       {.environment = "two", .stages_done = 0, .stages = 2}}),
      ElementsAre("one: 3 of 6 stages and 7 of 9 packages are done, at most 2 remain (gmp, pari), about 1 "
                  "min 30 s; the same command continues from here",
                  "two: 0 of 2 stages are done; the same command continues from here"));
  EXPECT_THAT(remaining_lines(many(8)), SizeIs(8));
}

TEST(Remaining, OfManyThereIsOneForAll) {
  EXPECT_THAT(
      remaining_lines(many(9)),
      ElementsAre(
          "9 environments are not done: 36 stages and 18 packages remain, about 36 min 00 s one after the "
          "other; furthest behind: e8, e7, e6 and 6 more; the same command continues from here"));
  std::vector<RemainingWork> all = many(9);
  all[4].is_exact = false;
  EXPECT_THAT(remaining_lines(all)[0], testing::HasSubstr("and at most 18 packages remain"));
  all[4].packages.clear();
  EXPECT_THAT(remaining_lines(all)[0], testing::HasSubstr("and 16 packages remain"))
      << "it has none to leave out";
}

TEST(Remaining, StagesCountWhereNoPackagesAreKnown) {
  std::vector<RemainingWork> all = many(10);
  for (RemainingWork& work : all) work.packages.clear(), work.seconds = 0;
  all[7].stages_done = 0;
  EXPECT_THAT(
      remaining_lines(all),
      ElementsAre("10 environments are not done: 42 stages remain; furthest behind: e7, e0, e1 and 7 more; "
                  "the same command continues from here"));
}

}  // namespace
}  // namespace stagemake
