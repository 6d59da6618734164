// Dependency graphs and fingerprints: computed once, shared, and bounded.
#include "plan/dependency_graphs.h"

#include <gmock/gmock.h>

#include "plan/package_fingerprints.h"
#include "plan/planned_tree.h"

namespace stagemake {
namespace {

class DependencyGraphsTest : public testing::Test {
 protected:
  static Environment environment(const std::map<std::string, std::string>& values) {
    Environment result;
    result.values = values;
    return result;
  }

  TreeText tree_{kSmallDistribution};
  ReadTree read_{tree_};
  DependencyGraphs graphs_{read_.packages, read_.variables};
};

TEST_F(DependencyGraphsTest, EnvironmentsWithEqualOptionsShareOne) {
  auto first = graphs_.of(environment({{"SYSTEM", "debian"}}));
  EXPECT_EQ(graphs_.of(environment({{"SYSTEM", "fedora"}})), first);
  EXPECT_NE(graphs_.of(environment({{"SAGE_CHECK", "yes"}})), first);
  EXPECT_EQ(graphs_.of(environment({}), ConfiguredPackages{{"gone"}, {}}), first) << "no package of the tree";
}

TEST_F(DependencyGraphsTest, WhatConfigureDecidedMakesAnother) {
  ConfiguredPackages decided{{"zlib"}, {}};
  auto exact = graphs_.of(environment({}), decided);
  EXPECT_TRUE(exact->is_dummy(read_.id("zlib")));
  EXPECT_FALSE(graphs_.of(environment({}))->is_dummy(read_.id("zlib")));
  EXPECT_EQ(graphs_.of(environment({}), decided), exact);
}

TEST_F(DependencyGraphsTest, ManyDecisionsDoNotFillTheMemory) {
  std::weak_ptr<const DependencyGraph> first = graphs_.of(environment({}), ConfiguredPackages{{"zlib"}, {}});
  auto held = graphs_.of(environment({}));
  for (int i = 0; i < 300; ++i)
    graphs_.of(environment({{"SAGE_CHECK", "yes"}, {"SAGE_CHECK_PACKAGES", "!x" + std::to_string(i)}}));
  EXPECT_TRUE(first.expired());
  EXPECT_FALSE(held->is_dummy(read_.id("zlib"))) << "in use, so it stays";
}

TEST_F(DependencyGraphsTest, PlansShareTheFingerprintsOfPackages) {
  SourceTree sources(tree_.path(), tree_.path() / "no-cache/ids", 2'000'000'000);
  auto fingerprints = graphs_.fingerprints(sources);
  ASSERT_EQ(fingerprints->size(), read_.packages.size());
  EXPECT_EQ(fingerprints->at(read_.id("zlib")), package_fingerprints(sources.below("build/pkgs")).at("zlib"));
  EXPECT_EQ(graphs_.fingerprints(sources), fingerprints);
}

}  // namespace
}  // namespace stagemake
