// Paths through the graph, on graphs of a few lines.
#include "plan/dependency_paths.h"

#include <gmock/gmock.h>

#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A diamond with a tail, and a tool that is only there before.
//   base ← left ← top ← end
//   base ← right ← top,  right needs tool order-only,  top also needs base itself
constexpr std::string_view kTree =
    "base standard 1\n"
    "left standard 1: base\n"
    "right standard 1: base | tool\n"
    "tool standard 1\n"
    "top standard 1: left right base\n"
    "end standard 1: top\n"
    "alone standard 1\n";

class DependencyPaths : public testing::Test {
 protected:
  std::vector<std::string> chain(std::vector<std::string> from, std::string_view to) {
    std::vector<PackageId> ids;
    for (const std::string& name : from) ids.push_back(read_.id(name));
    return read_.names(shortest_chain(read_.graph, ids, read_.id(to)));
  }
  std::vector<PackageId> all() const {
    std::vector<PackageId> ids;
    for (PackageId id = 0; id < read_.packages.size(); ++id) ids.push_back(id);
    return ids;
  }
  LongestWay way(const std::map<std::string, double>& seconds, const std::vector<PackageId>& among) {
    return longest_way(read_.graph, among, [&](PackageId id) {
      auto found = seconds.find(read_.packages[id].name);
      return found == seconds.end() ? 1 : found->second;
    });
  }

  TreeText tree_{kTree};
  ReadTree read_{tree_};
};

TEST_F(DependencyPaths, UsersAreTheEdgesTheOtherWayRound) {
  DependencyUsers users(read_.graph);
  EXPECT_THAT(read_.names(users.normal(read_.id("base"))), ElementsAre("left", "right", "top"));
  EXPECT_THAT(read_.names(users.normal(read_.id("tool"))), IsEmpty());
  EXPECT_THAT(read_.names(users.order_only(read_.id("tool"))), ElementsAre("right"));
  EXPECT_THAT(read_.names(users.all(read_.id("tool"))), ElementsAre("right", "top", "end"));
  EXPECT_THAT(users.all(read_.id("alone")), IsEmpty());
}

TEST_F(DependencyPaths, AllDependenciesComeFirst) {
  std::vector<std::string> before = read_.names(needed_before(read_.graph, read_.id("top")));
  EXPECT_THAT(before, testing::UnorderedElementsAre("base", "left", "tool", "right"));
  EXPECT_LT(std::find(before.begin(), before.end(), "tool"),
            std::find(before.begin(), before.end(), "right"));
  EXPECT_THAT(needed_before(read_.graph, read_.id("base")), IsEmpty());
}

TEST_F(DependencyPaths, TheShortestChainTakesTheDirectEdge) {
  EXPECT_THAT(chain({"end"}, "base"), ElementsAre("end", "top", "base"));
  EXPECT_THAT(chain({"end", "left"}, "base"), ElementsAre("left", "base"));
  EXPECT_THAT(chain({"top"}, "tool"), ElementsAre("top", "right", "tool"));
  EXPECT_THAT(chain({"top"}, "top"), ElementsAre("top"));
  EXPECT_THAT(chain({"end"}, "alone"), IsEmpty());
  EXPECT_THAT(chain({}, "base"), IsEmpty());
}

TEST_F(DependencyPaths, TheLongestWayIsTheOneThatTakesLongest) {
  LongestWay longest = way({{"right", 5}, {"left", 3}}, all());
  EXPECT_THAT(read_.names(longest.packages),
              ElementsAre(testing::AnyOf("base", "tool"), "right", "top", "end"));
  EXPECT_DOUBLE_EQ(longest.seconds, 8);
  EXPECT_THAT(read_.names(way({{"alone", 100}}, all()).packages), ElementsAre("alone"));
  EXPECT_THAT(way({}, {}).packages, IsEmpty());
  EXPECT_DOUBLE_EQ(way({}, {}).seconds, 0);
}

TEST_F(DependencyPaths, OfWaysThatTakeNothingTheOneWithMorePackagesIsLonger) {
  std::map<std::string, double> nothing;
  for (const std::string& name : read_.packages.names()) nothing[name] = 0;
  EXPECT_EQ(way(nothing, all()).packages.size(), 4u);
}

TEST_F(DependencyPaths, ThePathStaysInsideTheGivenPackages) {
  std::vector<PackageId> among{read_.id("base"), read_.id("top")};
  EXPECT_THAT(read_.names(way({}, among).packages), ElementsAre("base", "top"));
}

TEST_F(DependencyPaths, NeedsThatFollowFromOthersAreLeftOut) {
  std::vector<std::string> edges;
  for (const Need& need : reduced_needs(read_.graph, all()))
    edges.push_back(read_.packages[need.package].name + (need.order_only ? " | " : " ") +
                    read_.packages[need.needed].name);
  EXPECT_THAT(edges, testing::UnorderedElementsAre("left base", "right base", "right | tool", "top left",
                                                   "top right", "end top"))
      << "top needs base, too: by left";
}

TEST_F(DependencyPaths, EdgesImpliedByUndrawnPackagesAreKept) {
  std::vector<Need> needs = reduced_needs(read_.graph, {read_.id("base"), read_.id("top"), read_.id("end")});
  ASSERT_EQ(needs.size(), 2u);
  EXPECT_EQ(needs[0], (Need{read_.id("end"), read_.id("top"), false}));
  EXPECT_EQ(needs[1], (Need{read_.id("top"), read_.id("base"), false}));
}

}  // namespace
}  // namespace stagemake
