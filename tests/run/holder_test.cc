// Whether the driver of a container is alive, from signs that only drivers and the engine can write.
#include "run/container/holder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/holds_soon.h"
#include "base/process/sleep.h"
#include "engine/fake/fake_engine.h"

namespace stagemake {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class HolderTest : public testing::Test {
 protected:
  HolderTest() {
    engine_.add_image("base:1", {});
    state_.make_identity();
    other_.make_identity();
    elsewhere_ = this_driver(other_);
    elsewhere_.run = "another-run";
    elsewhere_.process_namespace = "another-namespace";
  }
  // A container of such a driver, made this many seconds ago.
  ContainerInfo held_by(const Holder& holder, int seconds = 0) {
    return {.name = "c",
            .running = true,
            .labels = {{std::string(kHolderLabel), to_label(holder)},
                       {std::string(kSignLabel), fmt::format("{:.0f}", engine_.now() - seconds)}}};
  }
  std::string claim(const ContainerInfo& container) {
    return Holders(engine_, state_).claim(container).value_or("dead");
  }
  void sign(const std::string& run, int seconds_ago, const std::string& name) {
    engine_.create(
        {.name = name,
         .image = "base:1",
         .labels = {{std::string(kBeaconLabel), run},
                    {std::string(kSignLabel), fmt::format("{:.0f}", engine_.now() - seconds_ago)}}});
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  TemporaryFolder other_folder_{fs::temp_directory_path()};
  StateFolder state_{folder_.path(), "/some/tree"};
  StateFolder other_{other_folder_.path(), "/some/tree"};
  FakeEngine engine_;
  Holder elsewhere_;
};

TEST_F(HolderTest, LabelsDescribeTheHolder) {
  Holder me = this_driver(state_);
  EXPECT_EQ(holder_in(to_label(me)), me);
  EXPECT_EQ(me.process, ::getpid());
  EXPECT_NE(me.folder, this_driver(other_).folder);
  EXPECT_EQ(holder_in(to_label({})), Holder());
  EXPECT_EQ(holder_in("nonsense"), std::nullopt);
  EXPECT_EQ(this_driver(StateFolder(folder_.path(), "/some/tree")), me) << "the folder is the same one later";
}

TEST_F(HolderTest, InTheSameStateFolderTheLockDecides) {
  Holder same = elsewhere_;
  same.folder = this_driver(state_).folder;
  EXPECT_EQ(claim(held_by(same)), "dead") << "also where its namespace is another one, and its sign is fresh";
  EXPECT_EQ(claim({.name = "old", .running = true}), "dead") << "containers of earlier versions say nothing";
}

TEST_F(HolderTest, ACopyOfAStateFolderIsAnotherOne) {
  fs::path copied = other_folder_.path() / "copy";
  fs::create_directories(copied);
  for (fs::recursive_directory_iterator at(folder_.path()), end; at != end; ++at) {
    fs::path to = copied / fs::relative(at->path(), folder_.path());
    if (fs::is_directory(at->path()))
      fs::create_directories(to);
    else
      fs::copy_file(at->path(), to);
  }
  StateFolder copy(copied, "/some/tree");
  EXPECT_FALSE(copy.identity().empty());
  EXPECT_NE(copy.identity(), state_.identity());
}

TEST_F(HolderTest, InTheSameNamespaceTheProcessDecides) {
  Holder near = this_driver(other_);
  near.run = "another-run";
  EXPECT_THAT(claim(held_by(near, 100'000)), HasSubstr("with another state folder holds it"))
      << "it lives, however long it has been silent";
  near.started = "1";
  EXPECT_EQ(claim(held_by(near)), "dead") << "the number is another process's now";
  pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  near.process = child;
  EXPECT_EQ(claim(held_by(near)), "dead");
}

TEST_F(HolderTest, ElsewhereSignsOfLifeDecide) {
  EXPECT_THAT(claim(held_by(elsewhere_)), HasSubstr("gave a sign of life"));
  EXPECT_THAT(claim(held_by(elsewhere_, kSilence - 30)), HasSubstr("gave a sign of life 9"));
  EXPECT_EQ(claim(held_by(elsewhere_, kSilence + 5)), "dead");
  sign("another-run", 20, "stagemake.sign-1");
  EXPECT_THAT(claim(held_by(elsewhere_, 100'000)), HasSubstr("gave a sign of life 2"));
  Holder third = elsewhere_;
  third.run = "a-third-run";
  EXPECT_EQ(claim(held_by(third, 100'000)), "dead") << "signs are of one run";
}

TEST_F(HolderTest, AnotherBootIsElsewhere) {
  Holder before = this_driver(other_);
  before.run = "another-run";
  before.boot = "another-boot";
  EXPECT_THAT(claim(held_by(before)), HasSubstr("gave a sign of life")) << "it may be another machine's";
  EXPECT_EQ(claim(held_by(before, kSilence + 5)), "dead");
}

TEST_F(HolderTest, ContainersWithOtherNamesAreNotHolders) {
  sign("another-run", 0, "somebodys");
  EXPECT_EQ(claim(held_by(elsewhere_, kSilence + 5)), "dead");
}

TEST_F(HolderTest, ADriverThatLivesGivesSignsAndTakesThemAway) {
  sign("a dead run", kSilence + 5, "stagemake.sign-old");
  auto names = [&] {
    std::vector<std::string> all = engine_.container_names();
    std::erase(all, "stagemake.sign-old");
    return all;
  };
  {
    Heartbeat heart(engine_, state_, 5ms);
    EXPECT_THAT(names(), IsEmpty()) << "without containers there is nothing to hold";
    heart.holds("base:1");
    heart.holds("gone:1");  // the next sign is made from the other image
    EXPECT_TRUE(test::holds_soon([&] { return engine_.calls()["create"] >= 4; }));
    Holder me = this_driver(state_);
    EXPECT_TRUE(test::holds_soon([&] {
      std::vector<ContainerInfo> mine = engine_.list_containers(std::string(kBeaconLabel), me.run);
      return std::any_of(mine.begin(), mine.end(), [](const ContainerInfo& one) {
        return one.name.starts_with("stagemake.sign-") && !one.running;
      });
    }));
    EXPECT_LE(names().size(), 2u) << "the last one, and the one before for a moment";
  }
  EXPECT_THAT(engine_.container_names(), IsEmpty()) << "and old ones of others go with them";
}

}  // namespace
}  // namespace stagemake
