// What a package was built from.
#include "plan/build_fingerprint.h"

#include <gmock/gmock.h>

#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// base ← middle ← top; `other` needs base order-only.
constexpr std::string_view kTree =
    "base standard 1\n"
    "middle standard 1: base\n"
    "top standard 1: middle\n"
    "other standard 1: | base\n";

class BuildFingerprint : public testing::Test {
 protected:
  std::vector<std::string> all(const std::map<std::string, std::string>& own = {},
                               const GraphOptions& options = {}) {
    read_.emplace(tree_, options);
    std::vector<std::string> files(read_->packages.size(), "files");
    for (const auto& [name, id] : own) files[read_->id(name)] = id;
    return build_fingerprints(read_->packages, read_->graph, files);
  }
  // The packages with different fingerprints.
  std::vector<std::string> differing(const std::vector<std::string>& one,
                                     const std::vector<std::string>& two) {
    std::vector<std::string> names;
    for (PackageId id = 0; id < one.size(); ++id)
      if (one[id] != two[id]) names.push_back(read_->packages[id].name);
    return names;
  }

  TreeText tree_{kTree};
  std::optional<ReadTree> read_;
};

TEST_F(BuildFingerprint, IsSixteenHexDigitsAndTheSameForTheSame) {
  std::vector<std::string> one = all();
  for (const std::string& fingerprint : one) EXPECT_THAT(fingerprint, testing::MatchesRegex("[0-9a-f]{16}"));
  EXPECT_THAT(differing(one, all()), IsEmpty());
}

TEST_F(BuildFingerprint, ChangesWithOwnFilesAndWithThoseOfNormalDependenciesThroughout) {
  EXPECT_THAT(differing(all(), all({{"base", "edited"}})), ElementsAre("base", "middle", "top"));
  EXPECT_THAT(differing(all(), all({{"middle", "edited"}})), ElementsAre("middle", "top"));
  EXPECT_THAT(differing(all(), all({{"other", "edited"}})), ElementsAre("other"));
}

TEST_F(BuildFingerprint, SaysWhatTheSystemHadInstead) {
  std::vector<std::string> built = all();
  std::vector<std::string> taken = all({}, {.dummies = {"base"}});
  EXPECT_THAT(differing(built, taken), testing::IsSupersetOf({"middle", "top"}));
  EXPECT_THAT(differing(taken, all({{"base", "edited"}}, {.dummies = {"base"}})), ElementsAre("base"))
      << "its recipe is of no matter then";
}

TEST_F(BuildFingerprint, IsUnknownWhereSomethingIs) {
  std::vector<std::string> some = all({{"middle", ""}});
  EXPECT_NE(some[read_->id("base")], "");
  EXPECT_EQ(some[read_->id("middle")], "");
  EXPECT_EQ(some[read_->id("top")], "");
}

// In a container, the fingerprint is computed from the recorded fingerprints of the dependencies there.
TEST_F(BuildFingerprint, OfOnePackageIsTheSameAsOfAllWhereItsDependenciesAre) {
  std::vector<std::string> clean = all();
  auto of_top = [&](const std::string& middle) {
    return build_fingerprint(read_->packages, read_->graph, read_->id("top"), "files",
                             [&](PackageId id) { return id == read_->id("middle") ? middle : clean[id]; });
  };
  EXPECT_EQ(of_top(clean[read_->id("middle")]), clean[read_->id("top")]);
  EXPECT_NE(of_top(std::string(16, '0')), clean[read_->id("top")]) << "built with an older one";
  EXPECT_EQ(of_top(""), "");
}

}  // namespace
}  // namespace stagemake
