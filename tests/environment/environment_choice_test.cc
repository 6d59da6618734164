// Which environments the user means.
#include "environment/environment_choice.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class Choice : public testing::Test {
 protected:
  Choice() {
    tree_.file("ci-docker.toml",
               "environments = ['debian-12-minimal', 'debian-12-standard', 'fedora-40-minimal', "
               "'fedora-41-standard', "
               "'fedora-41-maximal', 'odd']\n");
  }
  std::vector<std::string> chosen(const EnvironmentChoice& choice) {
    Faults faults;
    StageTable table = stage_table_of(tree_.path(), PackageIndex::read(tree_.path()).features(), {});
    return choose(EnvironmentList::read(tree_.path(), nullptr, table, faults), choice);
  }
  std::string refusal(const EnvironmentChoice& choice) {
    try {
      chosen(choice);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::BadInput);
      return error.what();
    }
    return {};
  }

  TreeText tree_{"zlib standard 1\n"};
};

TEST_F(Choice, NamesStandAsTheyAreSaid) {
  EXPECT_THAT(chosen({.names = {"docker-fedora-41-standard", "unlisted-minimal", "fedora-41-standard"}}),
              ElementsAre("fedora-41-standard", "unlisted-minimal"));
  EXPECT_THAT(chosen({.names = {"odd"}}), ElementsAre("odd-minimal", "odd-standard", "odd-maximal"));
  EXPECT_THAT(chosen({.names = {"odd"}, .exactly = true}), ElementsAre("odd"));
}

TEST_F(Choice, PatternsMeanWhatTheTreeOffers) {
  EXPECT_THAT(
      chosen({.names = {"fedora-4?-*", "docker-debian-*-minimal"}}),
      ElementsAre("fedora-40-minimal", "fedora-41-standard", "fedora-41-maximal", "debian-12-minimal"));
  EXPECT_THAT(chosen({.names = {"fedora-4[01]*"}, .package_sets = {"standard", "minimal"}}),
              ElementsAre("fedora-40-minimal", "fedora-41-standard"));
  EXPECT_THAT(chosen({.all = true}), SizeIs(6));
}

TEST_F(Choice, SetsAreForNamesThatSayNone) {
  EXPECT_THAT(chosen({.names = {"debian-12", "odd-maximal"}, .package_sets = {"maximal", "minimal"}}),
              ElementsAre("debian-12-maximal", "debian-12-minimal", "odd-maximal"));
}

TEST_F(Choice, SystemsAreCrossedWithSets) {
  EXPECT_THAT(chosen({.systems = {"fedora-*"}, .package_sets = {"minimal"}}),
              ElementsAre("fedora-40-minimal", "fedora-41-minimal"));
  EXPECT_THAT(chosen({.systems = {"debian-12"}}),
              ElementsAre("debian-12-minimal", "debian-12-standard", "debian-12-maximal"));
}

TEST_F(Choice, ExceptionsAreNamesSystemsOrPatterns) {
  EXPECT_THAT(chosen({.exclude = {"fedora-*", "odd"}, .all = true}),
              ElementsAre("debian-12-minimal", "debian-12-standard"));
  EXPECT_THAT(chosen({.names = {"debian-12"}, .exclude = {"docker-debian-12-standard", "fedora-40"}}),
              ElementsAre("debian-12-minimal", "debian-12-maximal"))
      << "what is known and was not chosen is no mistake";
}

TEST_F(Choice, AllUnmatchedPatternsAreReported) {
  EXPECT_THAT(
      refusal({.names = {"arch-*"}, .systems = {"debian-13"}, .exclude = {"suse*"}}),
      AllOf(HasSubstr("arch-* matches no environment of this tree, which has 6"),
            HasSubstr("debian-13 matches no system of this tree, which has 4; did you mean debian-12"),
            HasSubstr("--exclude suse*: matches no environment")));
  EXPECT_THAT(refusal({.package_sets = {"tiny"}, .all = true}),
              HasSubstr("tiny is not a package set; the sets are minimal, standard, maximal"));
  EXPECT_THAT(refusal({.names = {"debian-*"}, .package_sets = {"maximal"}}), HasSubstr("with maximal"));
  EXPECT_THAT(refusal({.names = {"odd"}, .exclude = {"odd"}}), HasSubstr("none is left"));
}

}  // namespace
}  // namespace stagemake
