// How many job slots a build has, and which pool provides them.
#include "cli/options/slot_choice.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <thread>

namespace stagemake {
namespace {

using testing::HasSubstr;

class SlotChoiceTest : public testing::Test {
 protected:
  void TearDown() override { ::unsetenv("MAKEFLAGS"); }
  void SetUp() override { ::unsetenv("MAKEFLAGS"); }
  static Options with_slots(std::optional<unsigned> slots) {
    Options options;
    options.slots = slots;
    return options;
  }
  static std::vector<Environment> with_jobs(std::vector<unsigned> all) {
    std::vector<Environment> environments(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) environments[i].jobs = all[i];
    return environments;
  }
  const unsigned processors_ = std::max(1u, std::thread::hardware_concurrency());
};

TEST_F(SlotChoiceTest, TheOptionComesFirstThenNumprocThenTheProcessors) {
  SlotChoice choice = choose_slots(with_slots(7), with_jobs({3}));
  EXPECT_TRUE(choice.pool && choice.is_asked);
  EXPECT_EQ(choice.count, 7u);
  choice = choose_slots({}, with_jobs({0, 3, 2}));
  EXPECT_TRUE(choice.pool && !choice.is_asked);
  EXPECT_EQ(choice.count, 3u);
  EXPECT_EQ(choose_slots({}, with_jobs({0})).count, processors_);
  EXPECT_EQ(choose_slots({}, {}).count, processors_);
  EXPECT_EQ(choice.note, "");
}

TEST_F(SlotChoiceTest, OffIsNoPool) {
  SlotChoice choice = choose_slots(with_slots(0), with_jobs({3}));
  EXPECT_FALSE(choice.pool || choice.is_asked);
  EXPECT_EQ(choice.count, processors_) << "what to expect of the machine";
}

TEST_F(SlotChoiceTest, ACallingMakesCountMoreThanNumproc) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  auto call = [&](const std::string& jobs) {
    std::string flags =
        " -j" + jobs + " --jobserver-auth=" + std::to_string(ends[0]) + "," + std::to_string(ends[1]);
    ::setenv("MAKEFLAGS", flags.c_str(), 1);
  };
  call("9");
  SlotChoice choice = choose_slots({}, with_jobs({3}));
  ASSERT_TRUE(choice.make);
  EXPECT_EQ(choice.count, 9u);
  EXPECT_EQ(choice.note, "job slots are those of the calling make -j9");
  call("");
  choice = choose_slots({}, with_jobs({3}));
  ASSERT_TRUE(choice.make);
  EXPECT_EQ(choice.count, processors_) << "it does not say how many";
  choice = choose_slots(with_slots(2), {});
  EXPECT_FALSE(choice.make) << "--slots wins";
  EXPECT_EQ(choice.count, 2u);
  ::close(ends[0]), ::close(ends[1]);
  choice = choose_slots({}, with_jobs({3}));
  EXPECT_TRUE(choice.pool && !choice.make);
  EXPECT_EQ(choice.count, 3u);
  EXPECT_THAT(choice.note, HasSubstr("must start with `+`"));
}

TEST_F(SlotChoiceTest, HalfAsManyStagesRunAtOnce) {
  EXPECT_EQ(stages_at_once({}, 16), 8u);
  EXPECT_EQ(stages_at_once({}, 1), 2u);
  Options options;
  options.at_once = 5;
  EXPECT_EQ(stages_at_once(options, 16), 5u);
}

TEST_F(SlotChoiceTest, WithoutAPoolEachMakeGetsItsPart) {
  std::vector<EnvironmentBuild> builds(2);
  builds[0].plan.environment.values["MAKE"] = builds[1].plan.environment.values["MAKE"] = "make -j5";
  builds[1].plan.environment.jobs = 5;
  give_fair_shares(builds, 4);
  EXPECT_EQ(builds[0].plan.environment.value("MAKE"),
            "make -j" + std::to_string(std::max(1u, processors_ / 2)));
  EXPECT_EQ(builds[1].plan.environment.value("MAKE"), "make -j5") << "somebody says it";
}

}  // namespace
}  // namespace stagemake
