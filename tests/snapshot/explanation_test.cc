#include "snapshot/explanation.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/files/files.h"
#include "base/text/digest.h"
#include "plan/planned_tree.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

class Explanation : public testing::Test {
 protected:
  Explanation() { replan(); }

  void replan(const std::map<std::string, std::string>& given = {}) {
    now_.emplace(tree_.path(), EnvironmentRequest{.name = "debian-bookworm-minimal", .given = given});
  }
  Snapshot& have(Snapshot snapshot) {
    snapshot.names = {"sage-debian-bookworm-minimal-" + snapshot.stage + ":1"};
    std::vector<SourceFile> files =
        added_files(now_->table, now_->plan.chain(now_->at(snapshot.stage)), now_->sources);
    snapshot.manifest = sha256_hex(manifest_text(files));
    manifests_[snapshot.manifest] = files;
    return snapshots_.emplace_back(std::move(snapshot));
  }
  void have_all_stages() {
    for (const char* stage : {"with-system-packages", "bootstrapped", "configured", "with-base-toolchain",
                              "with-targets-pre", "with-targets"})
      have(image_of(*now_, stage, std::string("I-") + stage,
                    stage == std::string_view("with-targets") ? 3600 : 3599));
  }
  // The explanation of one stage.
  StageExplanation of(std::string_view stage, const std::string& target = "with-targets") {
    RestoreOptions options{.targets = {now_->at(target)},
                           .base_digest = base_digest_,
                           .fresh = fresh_,
                           .rebuild = rebuild_,
                           .cpu = cpu_};
    std::vector<StageDecision> decisions = decide(now_->plan, now_->graphs, share(snapshots_), options);
    auto lookup = [this](const std::string& digest) -> std::optional<std::vector<SourceFile>> {
      auto found = manifests_.find(digest);
      return found == manifests_.end() ? std::nullopt : std::optional(found->second);
    };
    all_ = explain(now_->plan, now_->read.packages, decisions, now_->sources, lookup, 3600 + 7200, listing_);
    return all_[now_->at(stage)];
  }

  TreeText tree_{kSmallDistribution};
  std::optional<PlannedTree> now_;
  std::vector<Snapshot> snapshots_;
  std::map<std::string, std::vector<SourceFile>> manifests_;
  std::string base_digest_ = "sha256:base";
  std::string cpu_;
  bool fresh_ = false;
  std::vector<std::size_t> rebuild_;
  std::vector<StageExplanation> all_;
  Listing listing_;
};

TEST_F(Explanation, WithoutImagesEverythingIsBuilt) {
  StageExplanation first = of("with-system-packages");
  EXPECT_EQ(first.stage, "with-system-packages");
  EXPECT_EQ(first.action, "build");
  EXPECT_EQ(first.headline, "from the base image debian:bookworm");
  EXPECT_THAT(first.reasons, ElementsAre("no image contains it"));
  EXPECT_EQ(of("bootstrapped").headline, "after with-system-packages");
  EXPECT_EQ(of("with-targets-optional").action, "skip");
  EXPECT_EQ(of("with-targets-optional").headline, "not asked for");
  EXPECT_THAT(of("with-targets-optional").reasons, IsEmpty());
}

TEST_F(Explanation, AReusedStageNamesItsImageAndAge) {
  have_all_stages();
  StageExplanation configured = of("configured");
  EXPECT_EQ(configured.action, "reuse");
  EXPECT_EQ(configured.headline, "sage-debian-bookworm-minimal-configured:1 (2 h 00 min ago)");
  EXPECT_THAT(configured.reasons, IsEmpty());
}

TEST_F(Explanation, EditedFilesAreNamed) {
  have_all_stages();
  tree_.file("build/pkgs/app/spkg-install.in", "edited\n")
      .file("build/pkgs/app/patches/new.patch", "p\n")
      .remove("m4/sage.m4");
  replan();
  StageExplanation bootstrapped = of("bootstrapped");
  EXPECT_EQ(bootstrapped.action, "build");
  EXPECT_EQ(
      bootstrapped.headline,
      "continues from sage-debian-bookworm-minimal-with-targets:1, made 2 h 00 min ago from other sources");
  EXPECT_THAT(bootstrapped.reasons,
              ElementsAre("changed: m4/sage.m4",
                          "changed: build/pkgs/app/patches/new.patch, build/pkgs/app/spkg-install.in",
                          "2 of 4 packages are ready there",
                          "rebuilt because their files changed without a new version: app"));
  EXPECT_THAT(of("configured").reasons, ElementsAre("bootstrapped is built again"));
  EXPECT_THAT(of("with-targets-pre").reasons,
              ElementsAre("with-base-toolchain is built again", "builds at most 1: app"));
  EXPECT_THAT(of("with-targets").reasons,
              ElementsAre("with-targets-pre is built again", "builds at most 1: pyapp"));
}

TEST_F(Explanation, ManyFilesAreCounted) {
  have_all_stages();
  for (int i = 0; i < 9; ++i) tree_.file("src/new" + std::to_string(i), "x");
  replan();
  EXPECT_THAT(of("with-targets").reasons,
              Contains("changed: src/new0, src/new1, src/new2, src/new3, src/new4 and 4 more"));
  listing_.how = "-v";
  EXPECT_THAT(of("with-targets").reasons, Contains(EndsWith("src/new4 and 4 more (-v lists them)")));
  listing_.is_whole = true;
  EXPECT_THAT(of("with-targets").reasons,
              Contains(EndsWith("src/new4, src/new5, src/new6, src/new7, src/new8")));
}

TEST_F(Explanation, WithoutTheOldManifestTheFolderIsNamed) {
  have_all_stages();
  manifests_.clear();
  tree_.file("src/code.py", "edited\n");
  replan();
  EXPECT_THAT(of("with-targets").reasons, Contains("src changed"));
}

TEST_F(Explanation, FileNamesCannotDriveATerminal) {
  have_all_stages();
  tree_.file("src/\x1b[31mred", "x");
  replan();
  EXPECT_THAT(of("with-targets").reasons, Contains("changed: src/\\x1b[31mred"));
}

// Each kind of reason, with what differs from the existing images (all from the same sources, with-targets
// the newest). IMAGE-x stands for the name of stage x's image.
struct ReasonCase {
  const char* about;
  std::map<std::string, std::string> given;                     // what is requested
  std::vector<std::pair<std::string, std::string>> files = {};  // edited files
  std::string base_digest = "sha256:base";
  std::string cpu = {};  // CPU features of the machine
  const char* stage = "with-targets";
  const char* headline = "";
  std::vector<std::string> reasons = {};  // all, or the first ones if "…" is last
};

std::string with_names(std::string text) {
  for (std::size_t at = 0; (at = text.find("IMAGE-", at)) != std::string::npos;) {
    std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at + 6);
    std::string stage = text.substr(at + 6, (end == std::string::npos ? text.size() : end) - at - 6);
    text.replace(at, 6 + stage.size(), "sage-debian-bookworm-minimal-" + stage + ":1");
  }
  return text;
}

TEST_F(Explanation, EachReasonIsAboutTheImageThatItNames) {
  const std::string edited = "edited\n";
  const ReasonCase cases[] = {
      {.about = "other sources: the image of the headline",
       .given = {},
       .files = {{"build/pkgs/app/spkg-install.in", edited}},
       .stage = "bootstrapped",
       .headline = "continues from IMAGE-with-targets, made 2 h 00 min ago from other sources",
       .reasons = {"changed: build/pkgs/app/spkg-install.in", "…"}},
      {.about = "only targets differ, and the stage starts in its own older image",
       .given = {{"TARGETS", "app zlib"}},
       .stage = "with-targets",
       .headline = "from IMAGE-with-targets-pre",
       .reasons = {"TARGETS was \"build\" in IMAGE-with-targets, is \"app zlib\"", "…"}},
      {.about = "targets of the stage before: another image than the one it starts from",
       .given = {{"TARGETS_PRE", "zlib"}},
       .stage = "with-targets-pre",
       .headline = "continues from IMAGE-with-targets, made 2 h 00 min ago for other targets",
       .reasons = {"TARGETS_PRE was \"all-sage-local\", is \"zlib\"", "…"}},
      {.about = "a later stage of that build",
       .given = {{"TARGETS_PRE", "zlib"}},
       .stage = "with-targets",
       .headline = "after with-targets-pre",
       .reasons = {"with-targets-pre is built again", "…"}},
      {.about = "a setting of configure: it starts from the stage before",
       .given = {{"EXTRA_CONFIGURE_ARGS", "--x"}},
       .stage = "configured",
       .headline = "from IMAGE-bootstrapped",
       .reasons = {"EXTRA_CONFIGURE_ARGS was \"\" in IMAGE-with-targets, is \"--x\""}},
      {.about = "a value too long to show",
       .given = {{"EXTRA_CONFIGURE_ARGS", std::string(300, 'x')}},
       .stage = "configured",
       .headline = "from IMAGE-bootstrapped",
       .reasons = {"EXTRA_CONFIGURE_ARGS changed since IMAGE-with-targets"}},
      {.about = "other system packages",
       .given = {{"ALL_EXTRA_SAGE_PACKAGES", "zlib"}},
       .stage = "with-system-packages",
       .headline = "from the base image debian:bookworm",
       .reasons = {"its recipe changed since IMAGE-with-targets"}},
      {.about = "another base image was asked for: it has not moved",
       .given = {{"BASE_IMAGE", "debian:other"}},
       .stage = "with-system-packages",
       .headline = "from the base image debian:other",
       .reasons = {"base image was \"debian:bookworm\" in IMAGE-with-targets, is \"debian:other\""}},
      {.about = "the base image has moved",
       .given = {},
       .base_digest = "sha256:new",
       .stage = "with-system-packages",
       .headline = "from the base image debian:bookworm",
       .reasons = {"IMAGE-with-system-packages has the same inputs but is not used: it was built on "
                   "different content of the base image"}},
      {.about = "the CPU: images have all inputs, and must not be used",
       .given = {},
       .cpu = "sse2",
       .stage = "with-targets-pre",
       .headline = "after with-base-toolchain",
       .reasons = {"IMAGE-with-targets-pre has the same inputs but is not used: it was built on a CPU with "
                   "avx512f, which this machine lacks",
                   "…"}},
  };
  for (const ReasonCase& one : cases) {
    SCOPED_TRACE(one.about);
    snapshots_.clear();
    replan();
    have_all_stages();
    if (!one.cpu.empty())
      for (Snapshot& snapshot : snapshots_)
        if (!snapshot.packages.empty()) snapshot.cpu = "avx512f sse2";
    std::map<std::string, std::string> originals;
    for (const auto& [path, content] : one.files) {
      originals[path] = read_file(tree_.path() / path).value();
      tree_.file(path, content);
    }
    replan(one.given);
    base_digest_ = one.base_digest;
    cpu_ = one.cpu;
    StageExplanation told = of(one.stage);
    EXPECT_EQ(told.headline, with_names(one.headline));
    std::vector<std::string> expected;
    bool all = true;
    for (const std::string& reason : one.reasons)
      if (reason == "…")
        all = false;
      else
        expected.push_back(with_names(reason));
    if (!all && told.reasons.size() > expected.size()) told.reasons.resize(expected.size());
    EXPECT_EQ(told.reasons, expected);
    for (const auto& [path, content] : originals) tree_.file(path, content);
  }
}

TEST_F(Explanation, AFreshBuildSaysThatItWasAskedFor) {
  have_all_stages();
  fresh_ = true;
  EXPECT_EQ(of("configured").headline, "after bootstrapped");
  EXPECT_THAT(of("configured").reasons,
              ElementsAre("sage-debian-bookworm-minimal-configured:1 has the same inputs but is not used: "
                          "--fresh starts from the base image"));
}

TEST_F(Explanation, ARebuildSaysThatItWasAskedFor) {
  have_all_stages();
  rebuild_ = {now_->at("configured")};
  EXPECT_EQ(of("configured").headline, "from sage-debian-bookworm-minimal-bootstrapped:1");
  EXPECT_THAT(of("configured").reasons, ElementsAre("--rebuild asks for it"));
  EXPECT_EQ(of("with-base-toolchain").reasons.front(), "configured is built again");
}

TEST_F(Explanation, AContainerThatADeadRunLeftIsNamed) {
  have_all_stages();
  snapshots_.resize(4);
  Snapshot& left = have(unfinished_image_of(*now_, "with-targets-pre", "", {"zlib"}, 3600));
  left.names.clear();
  left.container = "stagemake-x-1";
  StageExplanation pre = of("with-targets-pre");
  EXPECT_EQ(pre.headline, "continues from container stagemake-x-1, left unfinished 2 h 00 min ago");
  EXPECT_THAT(pre.reasons, Contains("2 of 4 packages are ready there"));
}

TEST_F(Explanation, AnUnfinishedRunContinues) {
  have_all_stages();
  snapshots_.resize(4);
  have(unfinished_image_of(*now_, "with-targets-pre", "F", {"zlib"}, 3600)).names = {
      "sage-x-with-targets-pre:1-failed"};
  StageExplanation pre = of("with-targets-pre");
  EXPECT_EQ(pre.headline, "continues from sage-x-with-targets-pre:1-failed, left unfinished 2 h 00 min ago");
  EXPECT_THAT(pre.reasons, Contains("2 of 4 packages are ready there"));
}

TEST_F(Explanation, AParentsImageIsWhereACleanBuildBegins) {
  have_all_stages();
  snapshots_.resize(3);
  EXPECT_EQ(of("with-base-toolchain").headline, "from sage-debian-bookworm-minimal-configured:1");
  EXPECT_THAT(of("with-base-toolchain").reasons,
              ElementsAre("no image contains it", "builds at most 1: tool"));
  EXPECT_THAT(of("with-targets-pre").reasons,
              ElementsAre("no image contains it", "builds at most 2: zlib, app"));
}

TEST_F(Explanation, RemovedPackagesAreNamed) {
  have_all_stages();
  tree_.remove("build/pkgs/pyapp");
  replan();
  EXPECT_THAT(of("bootstrapped").reasons, Contains("uninstalled because the tree no longer has them: pyapp"));
}

TEST_F(Explanation, AStageWithoutAnImageOfItsOwnSaysWhoHoldsIt) {
  have(image_of(*now_, "with-targets", "T", 3600));
  EXPECT_THAT(of("with-targets-pre", "with-targets-pre").reasons,
              Contains("has no image of its own; sage-debian-bookworm-minimal-with-targets:1 contains it"));
}

TEST_F(Explanation, JsonHasTheSameWords) {
  have_all_stages();
  of("configured");
  nlohmann::json list = to_json(all_);
  ASSERT_EQ(list.size(), 7u);
  EXPECT_EQ(list[2]["name"], "configured");
  EXPECT_EQ(list[2]["action"], "reuse");
  EXPECT_EQ(list[2]["how"], all_[2].headline);
  EXPECT_TRUE(list[2]["reasons"].is_array());
}

TEST(DisplayName, IsTheNameOfItsStageElseAnyElseTheShortId) {
  Snapshot snapshot;
  snapshot.image = "sha256:0123456789abcdef0123";
  snapshot.stage = "with-targets";
  EXPECT_EQ(display_name(snapshot), "0123456789ab");
  snapshot.fetched_as = "host:5000/sage-x-with-targets:2";
  EXPECT_EQ(display_name(snapshot), "host:5000/sage-x-with-targets:2");
  snapshot.names = {"me/sage-x-configured:1"};
  EXPECT_EQ(display_name(snapshot), "me/sage-x-configured:1");
  snapshot.names.push_back("host:5000/sage-x-with-targets:1");
  EXPECT_EQ(display_name(snapshot), "host:5000/sage-x-with-targets:1");
  snapshot.names = {"\x1b[31m-with-targets:1"};
  EXPECT_THAT(display_name(snapshot), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace stagemake
