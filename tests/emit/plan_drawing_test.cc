// Plans as drawings.
#include "emit/plan_drawing.h"

#include <gmock/gmock.h>

#include "plan/planned_tree.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PlanDrawing : public testing::Test {
 protected:
  DrawnPlan drawn() {
    auto seconds = [this](PackageId id) -> std::optional<double> {
      auto found = seconds_.find(planned_.read.packages[id].name);
      return found == seconds_.end() ? std::nullopt : std::optional(found->second);
    };
    return {planned_.plan,
            planned_.read.graph,
            planned_.read.packages,
            {.package = seconds, .stage = [](const std::string&) { return std::nullopt; }}};
  }
  static std::vector<std::string> names(const Drawing& drawing) {
    std::vector<std::string> all;
    for (const DrawnNode& node : drawing.nodes) all.push_back(node.name);
    return all;
  }

  TreeText tree_{kSmallDistribution};
  PlannedTree planned_{tree_};
  std::map<std::string, double> seconds_;
};

TEST_F(PlanDrawing, StagesHangOnTheBaseImage) {
  seconds_ = {{"tool", 90}};
  Drawing drawing = stages_drawing({drawn()});
  EXPECT_EQ(drawing.title, "stages on debian-bookworm-minimal");
  EXPECT_THAT(names(drawing), ElementsAre("debian-bookworm-minimal", "with-system-packages", "bootstrapped",
                                          "configured", "with-base-toolchain", "with-targets-pre",
                                          "with-targets", "with-targets-optional"));
  EXPECT_EQ(drawing.nodes[4].note, "1 package, 1 min 30 s: base-toolchain");
  EXPECT_THAT(drawing.nodes[7].note, HasSubstr("not by default"));
  EXPECT_TRUE(drawing.edges.back().is_weak);
  EXPECT_EQ(drawing.edges.size(), 7u);
  EXPECT_EQ(stages_drawing({drawn(), drawn()}).nodes.size(), 16u);
}

TEST_F(PlanDrawing, PartlyKnownSumsAreLowerBounds) {
  seconds_ = {{"app", 10}};
  EXPECT_THAT(stages_drawing({drawn()}).nodes[5].note, HasSubstr("more than 10 s"));
}

TEST_F(PlanDrawing, PackagesOfAStageWithTheLongestWay) {
  seconds_ = {{"zlib", 5}, {"app", 20}};
  Drawing drawing = packages_drawing(drawn(), planned_.at("with-targets-pre"));
  EXPECT_THAT(names(drawing), ElementsAre("zlib", "app"));
  ASSERT_EQ(drawing.edges.size(), 1u);
  EXPECT_EQ(drawing.edges[0].from, 0u);
  EXPECT_TRUE(drawing.edges[0].is_stressed);
  EXPECT_EQ(drawing.nodes[1].note, "20 s, 2.0");
  EXPECT_THAT(drawing.notes, ElementsAre("one after the other: 25 s", "critical path (*), 25 s: zlib → app"));
}

TEST_F(PlanDrawing, AStageWithoutPackagesIsEmpty) {
  Drawing drawing = packages_drawing(drawn(), planned_.at("configured"));
  EXPECT_THAT(drawing.nodes, testing::IsEmpty());
  EXPECT_EQ(drawing.title, "configured on debian-bookworm-minimal: no packages");
}

TEST_F(PlanDrawing, APackageIsDrawnWithDependenciesAndDependents) {
  Drawing drawing = package_drawing(drawn(), planned_.read.id("zlib"));
  EXPECT_EQ(drawing.title, "zlib on debian-bookworm-minimal: 1 package before it, 2 after it");
  EXPECT_THAT(names(drawing), ElementsAre("tool", "zlib", "app", "pyapp")) << "extra is built by nobody";
  EXPECT_TRUE(drawing.nodes[1].is_subject);
  EXPECT_TRUE(drawing.edges.back().is_weak) << "tool is only to be there before";
}

}  // namespace
}  // namespace stagemake
