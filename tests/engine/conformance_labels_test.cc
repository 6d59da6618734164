// Labels, and finding images and containers by them.
#include "engine/conformance.h"

namespace stagemake::test {

const Labels& odd_labels() {
  static const Labels labels{{"t.quotes", R"(a "b" 'c' `d`)"},
                             {"t.dollar", "$HOME ${HOME} $(id) \\$x \\\\ \\"},
                             {"t.lines", "one\ntwo\n\tthree\r\n"},
                             {"t.utf8", "größer · 数学 · 🧮"},
                             {"t.json", R"({"a":["b",1,null],"c":"d=e, f"})"},
                             {"t.blank", "  x  "},
                             {"t.empty", ""},
                             {"t.hash", "# not a comment"},
                             {"t.long", std::string(10'000, 'x') + "\"'$\\"}};
  return labels;
}

void expect_labels(const Labels& have, const Labels& want) {
  for (const auto& [key, value] : want) {
    ASSERT_TRUE(have.contains(key)) << key;
    EXPECT_EQ(have.at(key), value) << key;
  }
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

INSTANTIATE_TEST_SUITE_P(Engines, Conformance, ::testing::Values("fake", "docker", "docker_cli", "buildah"),
                         [](const auto& tested) { return tested.param; });

TEST_P(Conformance, LabelsOfAContainerComeBackExactly) {
  std::string container = create(kBase, odd_labels());
  for (const auto& [key, value] : odd_labels()) {
    if (value.empty()) continue;
    std::vector<ContainerInfo> found = engine().list_containers(key, value);
    ASSERT_THAT(found, SizeIs(1)) << key;
    EXPECT_EQ(found[0].name, container);
    EXPECT_FALSE(found[0].running);
    expect_labels(found[0].labels, odd_labels());
  }
  std::string image = commit(container);
  expect_labels(engine().find_image(image)->labels, odd_labels());
}

TEST_P(Conformance, LabelsOfACommitComeBackExactly) {
  std::string container = create(kBase, {{"t.state", "container's"}, {"t.kept", "yes"}});
  Labels labels = odd_labels();
  labels["t.state"] = "commit's";
  for (bool squash : {false, true}) {
    std::string image = commit(container, labels, squash);
    std::optional<ImageInfo> info = engine().find_image(image);
    ASSERT_TRUE(info);
    expect_labels(info->labels, labels);
    EXPECT_EQ(info->labels["t.kept"], "yes");
  }
}

TEST_P(Conformance, LabelsOfACommitAreNotThoseOfTheNext) {
  std::string container = create(kBase, {{"t.complete", "begun"}});
  commit(container, {{"t.complete", "false"}, {"t.reason", "timed out"}});
  std::optional<ImageInfo> second = engine().find_image(commit(container));
  EXPECT_EQ(second->labels["t.complete"], "begun");
  EXPECT_FALSE(second->labels.contains("t.reason"));
}

TEST_P(Conformance, ImagesAreFoundByLabel) {
  std::string key = unique("t.key");
  std::string container = create(kBase, {{key, "a"}});
  std::string first = commit(container);
  std::string second = commit(container, {{key, "b"}});
  std::string nameless =
      engine().commit(container, {.names = {}, .labels = {{key, "b"}, {"t.more", "x\ny"}}});
  auto names = [&](const std::string& value) {
    std::vector<std::string> all;
    for (const ImageInfo& info : engine().list_images(key, value))
      all.push_back(info.names.empty() ? "none" : info.names[0]);
    return all;
  };
  EXPECT_THAT(names("a"), ElementsAre(first));
  EXPECT_THAT(names("b"), UnorderedElementsAre(second, "none"));
  EXPECT_THAT(names(""), UnorderedElementsAre(first, second, "none"));
  EXPECT_THAT(names("c"), IsEmpty());
  // A named image is found also if another image is based on it.
  engine().create({container + "-child", second, {}});
  containers_.push_back(container + "-child");
  run(container + "-child", "echo x >/x");
  engine().commit(container + "-child", {.names = {unique("image") + ":1"}, .labels = {{key, "child"}}});
  EXPECT_THAT(names("b"), UnorderedElementsAre(second, "none"));
  // Also when that image takes its name.
  engine().commit(container + "-child", {.names = {second}, .labels = {{key, "child"}}});
  EXPECT_THAT(names("b"), UnorderedElementsAre("none", "none"));
}

TEST_P(Conformance, AnImageSaysWhatItIs) {
  std::string container = create();
  run(container, "echo text >/new");
  std::string image = commit(container);
  std::optional<ImageInfo> base = engine().find_image(kBase);
  std::optional<ImageInfo> info = engine().find_image(image);
  ASSERT_TRUE(base && info);
  EXPECT_THAT(info->names, ElementsAre(image));
  EXPECT_EQ(info->layers, base->layers + 1);
  EXPECT_GT(info->size, 1'000'000u);
  EXPECT_EQ(info->digest, "");
  EXPECT_GE(info->created, base->created);
  std::optional<ImageInfo> by_id = engine().find_image(info->id);
  ASSERT_TRUE(by_id);
  EXPECT_EQ(by_id->id, info->id);
  EXPECT_EQ(by_id->names, info->names);
  if (GetParam() == "fake") return;  // it has its own clock
  EXPECT_NEAR(static_cast<double>(info->created), static_cast<double>(::time(nullptr)), 60);
}

}  // namespace
}  // namespace stagemake::test
