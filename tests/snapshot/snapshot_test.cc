// What images say about themselves, and what is not believed.
#include "snapshot/snapshot.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/deep_json.h"
#include "base/text/labels.h"
#include "plan/planned_tree.h"

namespace stagemake {
namespace {

using nlohmann::json;
using testing::ElementsAre;

using Labels = std::map<std::string, std::string>;

Snapshot example() {
  Snapshot snapshot;
  snapshot.distribution = "Sage \"Math\"";
  snapshot.environment = "debian-bookworm-minimal";
  snapshot.stage = "configured";
  snapshot.complete = true;
  snapshot.clean = false;
  snapshot.base_digest = "sha256:abc";
  snapshot.revision = "9.8-3-gabc-dirty";
  snapshot.made_by = "0.1.0";
  snapshot.manifest = std::string(64, 'a');
  snapshot.lineage = {
      {"first", std::string(64, '1'), {{"base image", "debian:x"}, {"recipe", "a\nb \"c\" $d \xc3\xa9"}}},
      {"configured", std::string(64, '2'), {{"parent", std::string(64, '1')}, {"", ""}}}};
  snapshot.packages = {{"zlib", {"1.2-p1", "0123456789abcdef"}}, {"half", {"2", ""}}};
  return snapshot;
}

std::string label(std::string_view name) {
  return "org.stagemake." + std::string(name);
}

// The labels of `example` with one of them replaced.
std::optional<Snapshot> with(std::string_view name, const std::string& value) {
  Labels labels = to_labels(example());
  labels[label(name)] = value;
  return from_labels(labels);
}

TEST(Snapshot, DeepLabelsAreThoseOfNone) {
  for (std::size_t size : {4u << 20, 90'000u})
    for (const std::string& text : test::deep_json("a", size)) {
      EXPECT_FALSE(with("lineage", text));
      EXPECT_FALSE(with("packages", text));
      std::optional<Snapshot> other = with("configured", text);
      EXPECT_FALSE(other && other->configured);
      EXPECT_FALSE(parse_configured(text));
      EXPECT_FALSE(parse_running(text, "a", "b"));
    }
}

TEST(Snapshot, LabelsThatNoCommandLineTakesAreThoseOfNone) {
  std::string many = "{\"a\":[\"" + std::string(270'000, 'x') + "\",\"\"]}";
  EXPECT_FALSE(with("packages", many));
  EXPECT_FALSE(with("other", many)) << "containers would get it from the image, and images from those";
  EXPECT_FALSE(with("revision", std::string(20'000, 'x')));
  Labels labels = to_labels(example());
  labels["com.example.long"] = std::string(270'000, 'x');
  EXPECT_TRUE(from_labels(labels)) << "those of others never travel";
  // If stagemake wrote it again, this would be six times as long.
  Snapshot wide = example();
  wide.lineage[0].stage = test::many(40'000, "\xc3\xa9");
  labels = to_labels(wide);
  labels[label("lineage")] = json::parse(labels[label("lineage")]).dump();
  EXPECT_LT(labels[label("lineage")].size(), kLongestLabel);
  EXPECT_FALSE(from_labels(labels));
}

TEST(Snapshot, ItsOwnLabelsAlwaysFit) {
  Snapshot large = example();
  std::string fingerprint(16, 'f');
  for (int i = 0; i < 20'000; ++i)
    large.packages["package_" + std::to_string(i)] = {std::to_string(i), i % 10 == 7 ? fingerprint : ""};
  for (LineageEntry& entry : large.lineage) entry.inputs.push_back({"recipe", std::string(80'000, '\n')});
  large.configured.emplace().dummies.insert(std::string(200'000, 'd'));
  EXPECT_EQ(unfit_label(to_labels(large)), "");
  std::optional<Snapshot> said = from_labels(to_labels(large));
  ASSERT_TRUE(said);
  EXPECT_GT(said->packages.size(), 1500u);
  EXPECT_LT(said->packages.size(), large.packages.size());
  EXPECT_EQ(finished_packages(*said), finished_packages(large)) << "those that are finished come first";
  EXPECT_EQ(said->key(), large.key());
  EXPECT_EQ(said->base_image(), "debian:x");
  EXPECT_FALSE(said->configured);
  EXPECT_EQ(to_labels(*said), to_labels(large));
}

TEST(Snapshot, LabelsSayAllOfIt) {
  Snapshot before = example();
  std::optional<Snapshot> after = from_labels(to_labels(before));
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->distribution, before.distribution);
  EXPECT_EQ(after->environment, before.environment);
  EXPECT_EQ(after->stage, before.stage);
  EXPECT_TRUE(after->complete);
  EXPECT_FALSE(after->clean);
  EXPECT_EQ(after->base_digest, before.base_digest);
  EXPECT_EQ(after->revision, before.revision);
  EXPECT_EQ(after->made_by, before.made_by);
  EXPECT_EQ(after->manifest, before.manifest);
  EXPECT_EQ(after->packages, before.packages);
  ASSERT_EQ(after->lineage.size(), 2u);
  EXPECT_EQ(after->lineage[0].inputs, before.lineage[0].inputs);
  EXPECT_EQ(after->lineage[1].inputs, before.lineage[1].inputs);
  EXPECT_EQ(after->key(), std::string(64, '2'));
  EXPECT_EQ(after->holds("first")->key, std::string(64, '1'));
  EXPECT_EQ(after->holds("other"), nullptr);
}

TEST(Snapshot, LabelsAreAsPeopleReadThem) {
  Labels labels = to_labels(example());
  EXPECT_EQ(labels.at("org.stagemake.schema"), "1");
  EXPECT_EQ(labels.at("org.stagemake.key"), std::string(64, '2'));
  EXPECT_EQ(labels.at("org.stagemake.parent"), std::string(64, '1'));
  EXPECT_EQ(labels.at("org.stagemake.complete"), "true");
  EXPECT_EQ(labels.at("org.stagemake.revision"), "9.8-3-gabc-dirty");
  EXPECT_EQ(labels.at("org.stagemake.version"), "0.1.0");
  for (const auto& [name, value] : labels) EXPECT_TRUE(name.starts_with(kLabelPrefix));
  for (unsigned char byte : labels.at("org.stagemake.lineage"))
    EXPECT_LT(byte, 0x80) << "plain ASCII, for any engine";
}

TEST(Snapshot, BytesThatAreNoTextDoNotBreakLabels) {
  Snapshot snapshot = example();
  snapshot.packages["odd"] = {"1\xff", "f"};
  std::optional<Snapshot> after = from_labels(to_labels(snapshot));
  ASSERT_TRUE(after.has_value());
  EXPECT_NE(after->packages.at("odd").version, "1\xff") << "and equal no version of a tree";
}

TEST(Snapshot, ARealPlansLabelsRoundTripToo) {
  TreeText tree(kSmallDistribution);
  PlannedTree planned(tree);
  Snapshot before = image_of(planned, "with-targets", "I");
  std::optional<Snapshot> after = from_labels(to_labels(before));
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->packages, before.packages);
  for (std::size_t i = 0; i < before.lineage.size(); ++i)
    EXPECT_EQ(after->lineage[i].inputs, before.lineage[i].inputs);
}

TEST(Snapshot, ForeignLabelsAreIgnored) {
  EXPECT_EQ(from_labels({}), std::nullopt);
  EXPECT_EQ(from_labels({{"org.stagemake.schema", "1"}}), std::nullopt);
  EXPECT_EQ(with("schema", "2"), std::nullopt);
  EXPECT_EQ(with("schema", "1 "), std::nullopt);
  EXPECT_EQ(with("schema", ""), std::nullopt);
}

TEST(Snapshot, EveryLabelThatMattersMustBeThere) {
  for (const char* name : {"schema", "stage", "key", "lineage", "packages", "distribution", "environment"}) {
    Labels labels = to_labels(example());
    labels.erase(label(name));
    EXPECT_EQ(from_labels(labels), std::nullopt) << name;
  }
  for (const char* name : {"complete", "clean"}) {
    Labels labels = to_labels(example());
    labels.erase(label(name));
    std::optional<Snapshot> snapshot = from_labels(labels);
    ASSERT_TRUE(snapshot.has_value());
    EXPECT_FALSE(name == std::string_view("complete") ? snapshot->complete : snapshot->clean)
        << "not said, not so";
  }
}

TEST(Snapshot, MalformedLabelsAreIgnored) {
  for (const char* text :
       {"", "{", "[", "nonsense", "null", "3", "\"x\"", "{}", "[]", "[{}]", "[1]", "[[]]", "{\"a\":1}",
        "[{\"stage\":1,\"key\":2,\"inputs\":[]}]", "[{\"stage\":\"configured\",\"key\":\"k\"}]",
        "[{\"stage\":\"configured\",\"key\":\"k\",\"inputs\":[[\"a\"]]}]",
        "[{\"stage\":\"configured\",\"key\":\"k\",\"inputs\":[\"ab\"]}]", "[{}] trailing", "\xff\xfe"})
    EXPECT_EQ(with("lineage", text), std::nullopt) << text;
  for (const char* text :
       {"", "{", "nonsense", "null", "3", "\"x\"", "[]", "[[\"1\",\"f\"]]", "{\"a\":1}", "{\"a\":[]}",
        "{\"a\":[\"1\"]}", "{\"a\":[1,2]}", "{\"a\":{\"0\":\"1\",\"1\":\"f\"}}"})
    EXPECT_EQ(with("packages", text), std::nullopt) << text;
  EXPECT_TRUE(with("packages", "{}").has_value());
}

TEST(Snapshot, HugeOrDeepLabelsAreNone) {
  std::string many = "{";
  while (many.size() < (2u << 20)) many += "\"p" + std::to_string(many.size()) + "\":[\"1\",\"f\"],";
  many.back() = '}';
  EXPECT_EQ(with("packages", many), std::nullopt);
  EXPECT_EQ(with("lineage", std::string(500'000, '[')), std::nullopt);
  EXPECT_EQ(with("lineage", std::string(400'000, '[') + std::string(400'000, ']')), std::nullopt);
  EXPECT_EQ(with("stage", std::string(2u << 20, 'x')), std::nullopt);
}

TEST(Snapshot, LabelsThatContradictEachOtherAreNone) {
  EXPECT_EQ(with("stage", "first"), std::nullopt);
  EXPECT_EQ(with("key", std::string(64, '3')), std::nullopt);
  EXPECT_EQ(with("parent", std::string(64, '3')), std::nullopt);
  json lineage = json::parse(to_labels(example()).at("org.stagemake.lineage"));
  lineage.push_back(lineage[0]);
  EXPECT_EQ(with("lineage", lineage.dump()), std::nullopt) << "ends in another stage";
  lineage.push_back(lineage[1]);
  EXPECT_EQ(with("lineage", lineage.dump()), std::nullopt) << "a stage twice";
}

// --- Manifests

constexpr std::string_view kId = "0123456789abcdef0123456789abcdef01234567";

std::vector<SourceFile> files_of(std::initializer_list<std::string> paths) {
  std::vector<SourceFile> files;
  for (const std::string& path : paths) files.push_back({path, SourceFile::Kind::Plain, std::string(kId)});
  return files;
}

TEST(Manifest, OddNamesSurvive) {
  std::vector<SourceFile> files = files_of(
      {"a", "a b", "new\nline", "\xff\xfe", " lead", "...", "a/..b/c", "..a", "\xc3\xa9", "-rf", "'q\""});
  files[0].kind = SourceFile::Kind::Executable;
  files[1].kind = SourceFile::Kind::Symlink;
  std::sort(files.begin(), files.end());
  EXPECT_EQ(parse_manifest(manifest_text(files)), files);
  EXPECT_EQ(parse_manifest(""), std::vector<SourceFile>());
}

TEST(Manifest, PathsThatLeadOutMakeItNone) {
  for (const char* path :
       {"../x", "/etc/passwd", "a/../../x", "a/..", "..", ".", "./a", "a/./b", "a//b", "a/", "/", ""})
    EXPECT_EQ(parse_manifest(manifest_text(files_of({"good", path}))), std::nullopt) << path;
}

TEST(Manifest, CutOrGarbledItIsNone) {
  std::string text = manifest_text(files_of({"a/b", "c"}));
  std::size_t first = text.find('\0') + 1;
  for (std::size_t size = 1; size < text.size(); ++size) {
    if (size == first) continue;
    EXPECT_EQ(parse_manifest(std::string_view(text).substr(0, size)), std::nullopt) << size;
  }
  auto garbled = [&](std::size_t at, char byte) {
    std::string other = text;
    other[at] = byte;
    return parse_manifest(other);
  };
  EXPECT_EQ(garbled(0, 'q'), std::nullopt) << "an unknown kind";
  EXPECT_EQ(garbled(5, 'G'), std::nullopt) << "no digit of an id";
  EXPECT_EQ(garbled(41, '\t'), std::nullopt);
  EXPECT_EQ(parse_manifest(std::string(1000, '\0')), std::nullopt);
  EXPECT_EQ(parse_manifest("nonsense\n"), std::nullopt);
}

TEST(Manifest, TwiceTheSamePathMakesItNone) {
  EXPECT_EQ(parse_manifest(manifest_text(files_of({"a", "a"}))), std::nullopt);
  EXPECT_EQ(parse_manifest(manifest_text(files_of({"b", "a"}))), std::nullopt)
      << "nor is one out of order ours";
}

}  // namespace
}  // namespace stagemake
