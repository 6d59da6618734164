// Two fake machines and one registry.
#include "engine/fake/fake_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake/fake_engine.h"

namespace stagemake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TwoMachines : public ::testing::Test {
 protected:
  // Made on the first machine, and pushed.
  Transfer pushed(const std::string& name, const std::string& content = "x") {
    first.add_image(name, {.files = {{"/file", {.content = content}}}, .labels = {{"k", "v"}}});
    return first.push(name);
  }

  std::shared_ptr<FakeRegistry> registry = std::make_shared<FakeRegistry>();
  FakeEngine first{registry, "first"};
  FakeEngine second{registry, "second"};
};

TEST_F(TwoMachines, OnePushesAndTheOtherPulls) {
  Transfer push = pushed("r.example/a:1");
  ASSERT_TRUE(push.ok);
  EXPECT_EQ(push.digest.size(), 71u);
  EXPECT_EQ(first.find_image("r.example/a:1")->digest, push.digest);
  EXPECT_THAT(registry->tags(),
              ElementsAre(std::pair<const std::string, std::string>("r.example/a:1", push.digest)));

  std::string reference = "r.example/a@" + push.digest;
  EXPECT_FALSE(second.find_image(reference));
  Transfer pull = second.pull(reference);
  ASSERT_TRUE(pull.ok) << pull.why;
  EXPECT_EQ(pull.digest, push.digest);
  std::optional<ImageInfo> found = second.find_image(reference);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->digest, push.digest);
  EXPECT_EQ(found->labels["k"], "v");
  EXPECT_THAT(found->names, IsEmpty()) << "a digest is no name";
  second.tag(reference, "here:1");
  EXPECT_THAT(second.find_image(reference)->names, ElementsAre("here:1"));
  EXPECT_EQ(second.image("here:1").files.at("/file").content, "x");
  // Again, by its tag: the same image.
  EXPECT_TRUE(second.pull("r.example/a:1").ok);
  EXPECT_EQ(second.find_image("r.example/a:1")->id, found->id);
}

TEST_F(TwoMachines, TagsMoveAndDigestsStay) {
  std::string old = pushed("r.example/a:1", "old").digest;
  std::string fresh = pushed("r.example/a:1", "new").digest;
  EXPECT_NE(old, fresh);
  EXPECT_EQ(registry->find("r.example/a:1")->files.at("/file").content, "new");
  EXPECT_EQ(registry->find("r.example/a@" + old)->files.at("/file").content, "old");
  EXPECT_FALSE(registry->find("r.example/b@" + old)) << "another repository";
  registry->remove_tag("r.example/a:1");
  EXPECT_FALSE(second.pull("r.example/a:1").ok);
  EXPECT_TRUE(second.pull("r.example/a@" + fresh).ok);
  registry->remove(fresh);
  EXPECT_EQ(second.pull("r.example/a@" + fresh).why, "not found: r.example/a@" + fresh);
}

TEST_F(TwoMachines, ItFailsWhereToldAndCounts) {
  registry->fail("500 Internal Server Error", 2);
  EXPECT_EQ(pushed("r.example/a:1").why, "500 Internal Server Error");
  EXPECT_EQ(second.pull("r.example/a:1").why, "500 Internal Server Error");
  EXPECT_TRUE(pushed("r.example/a:1").ok);
  EXPECT_EQ(registry->calls(), 3u);
  registry->fail("gone");
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(second.pull("r.example/a:1").ok);
  registry->mend();
  EXPECT_TRUE(second.pull("r.example/a:1").ok);
}

TEST_F(TwoMachines, ItLies) {
  std::string digest = pushed("r.example/a:1", "right").digest;
  ASSERT_TRUE(second.pull("r.example/a:1").ok);
  registry->lie(digest, {.files = {{"/file", {.content = "wrong"}}}});
  Transfer pull = second.pull("r.example/a@" + digest);
  EXPECT_TRUE(pull.ok);
  EXPECT_EQ(pull.digest, digest);
  EXPECT_EQ(second.image("r.example/a@" + digest).files.at("/file").content, "wrong");
  EXPECT_EQ(second.image("r.example/a:1").files.at("/file").content, "right") << "that came before";
}

TEST_F(TwoMachines, AnotherPushComesInBetween) {
  pushed("r.example/a:1", "old");
  registry->on_call = [&](const std::string& verb, const std::string& image) {
    registry->on_call = nullptr;
    EXPECT_EQ(verb, "pull");
    EXPECT_EQ(image, "r.example/a:1");
    pushed("r.example/a:1", "new");
  };
  EXPECT_TRUE(second.pull("r.example/a:1").ok);
  EXPECT_EQ(second.image("r.example/a:1").files.at("/file").content, "new");
}

}  // namespace
}  // namespace stagemake
