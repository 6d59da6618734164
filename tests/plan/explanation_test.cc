#include "plan/explanation.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "planned_tree.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::ElementsAre;
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
  // What is said of one stage.
  StageExplanation of(std::string_view stage, const std::string& target = "with-targets") {
    RestoreOptions options{.targets = {now_->at(target)}, .base_digest = base_digest_};
    std::vector<StageDecision> decisions =
        decide(now_->plan, now_->read.packages, now_->read.variables, snapshots_, options);
    auto lookup = [this](const std::string& digest) -> std::optional<std::vector<SourceFile>> {
      auto found = manifests_.find(digest);
      return found == manifests_.end() ? std::nullopt : std::optional(found->second);
    };
    all_ = explain(now_->plan, now_->read.packages, decisions, now_->sources, lookup, 3600 + 7200);
    return all_[now_->at(stage)];
  }

  TreeText tree_{kSmallDistribution};
  std::optional<PlannedTree> now_;
  std::vector<Snapshot> snapshots_;
  std::map<std::string, std::vector<SourceFile>> manifests_;
  std::string base_digest_ = "sha256:base";
  std::vector<StageExplanation> all_;
};

TEST_F(Explanation, WhereNothingIsThereAllIsBuilt) {
  StageExplanation first = of("with-system-packages");
  EXPECT_EQ(first.stage, "with-system-packages");
  EXPECT_EQ(first.action, "build");
  EXPECT_EQ(first.headline, "from the base image debian:bookworm");
  EXPECT_THAT(first.reasons, ElementsAre("never built here"));
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
  EXPECT_EQ(bootstrapped.headline,
            "goes on in sage-debian-bookworm-minimal-with-targets:1, made 2 h 00 min ago from other sources");
  EXPECT_THAT(bootstrapped.reasons,
              ElementsAre("changed: m4/sage.m4",
                          "changed: build/pkgs/app/patches/new.patch, build/pkgs/app/spkg-install.in",
                          "2 of 4 packages are ready there",
                          "to be built again, since their files changed and not their version: app"));
  EXPECT_THAT(of("configured").reasons, ElementsAre("bootstrapped is built again"));
  EXPECT_THAT(of("with-targets-pre").reasons,
              ElementsAre("with-base-toolchain is built again", "makes at most 1: app"));
  EXPECT_THAT(of("with-targets").reasons,
              ElementsAre("with-targets-pre is built again", "makes at most 1: pyapp"));
}

TEST_F(Explanation, ManyFilesAreCounted) {
  have_all_stages();
  for (int i = 0; i < 9; ++i) tree_.file("src/new" + std::to_string(i), "x");
  replan();
  EXPECT_THAT(of("with-targets").reasons,
              Contains("changed: src/new0, src/new1, src/new2, src/new3, src/new4 and 4 more"));
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

TEST_F(Explanation, ValuesAreToldBeforeAndAfter) {
  have_all_stages();
  replan({{"TARGETS", "app zlib"}, {"EXTRA_CONFIGURE_ARGS", "--x"}});
  EXPECT_THAT(of("with-targets").reasons,
              IsSupersetOf({"with-targets-pre is built again", "TARGETS was \"build\", is \"app zlib\""}));
  EXPECT_THAT(of("configured").reasons, Contains("EXTRA_CONFIGURE_ARGS was \"\", is \"--x\""));
  replan({{"TARGETS", std::string(300, 'x')}});
  EXPECT_THAT(of("with-targets").reasons, Contains("TARGETS changed")) << "a value too long to show";
}

TEST_F(Explanation, ChangedRecipesAndBaseImages) {
  have_all_stages();
  replan({{"ALL_EXTRA_SAGE_PACKAGES", "zlib"}});
  EXPECT_THAT(of("with-system-packages").reasons, ElementsAre("its recipe changed"));
  replan({{"BASE_IMAGE", "debian:other"}});
  EXPECT_THAT(of("with-system-packages").reasons,
              ElementsAre("base image was \"debian:bookworm\", is \"debian:other\""));
  replan();
  base_digest_ = "sha256:new";
  EXPECT_THAT(of("with-system-packages").reasons, ElementsAre("content of the base image changed"));
}

TEST_F(Explanation, AnUnfinishedRunGoesOn) {
  have_all_stages();
  snapshots_.resize(4);
  have(unfinished_image_of(*now_, "with-targets-pre", "F", {"zlib"}, 3600)).names = {
      "sage-x-with-targets-pre:1-failed"};
  StageExplanation pre = of("with-targets-pre");
  EXPECT_EQ(pre.headline, "goes on in sage-x-with-targets-pre:1-failed, left unfinished 2 h 00 min ago");
  EXPECT_THAT(pre.reasons, Contains("2 of 4 packages are ready there"));
}

TEST_F(Explanation, AParentsImageIsWhereACleanBuildBegins) {
  have_all_stages();
  snapshots_.resize(3);
  EXPECT_EQ(of("with-base-toolchain").headline, "from sage-debian-bookworm-minimal-configured:1");
  EXPECT_THAT(of("with-base-toolchain").reasons, ElementsAre("never built here", "makes at most 1: tool"));
  EXPECT_THAT(of("with-targets-pre").reasons, ElementsAre("never built here", "makes at most 2: zlib, app"));
}

TEST_F(Explanation, RemovedPackagesAreNamed) {
  have_all_stages();
  tree_.remove("build/pkgs/pyapp");
  replan();
  EXPECT_THAT(of("bootstrapped").reasons,
              Contains("to be uninstalled, since the tree has them no more: pyapp"));
}

TEST_F(Explanation, AStageWithoutAnImageOfItsOwnSaysWhoHoldsIt) {
  have(image_of(*now_, "with-targets", "T", 3600));
  EXPECT_THAT(of("with-targets-pre", "with-targets-pre").reasons,
              Contains("has no image of its own; sage-debian-bookworm-minimal-with-targets:1 holds it"));
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
