// What a tree's own Dockerfile writer says, and how that affects an environment.
#include "environment/dockerfile_writer.h"

#include <gmock/gmock.h>

#include "environment/environment.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

// The relevant parts of the writers of Sage 9.2, 9.5 and passagemath.
constexpr std::string_view kByType =
    "TYPE_PATTERN=\"${2:-standard}\"\n"
    "ENV SAGE_CHECK_PACKAGES=\"!r,!gap\"\n"
    "ENV MAKE=\"make -j\\${NUMPROC}\"\n"
    "ARG TARGETS_PRE=\"sagelib-build-deps\"\n";
constexpr std::string_view kByList =
    "for PKG_BASE in $(sage-package list --has-file=distros/$SYSTEM.txt $SAGE_PACKAGE_LIST_ARGS) x; do\n"
    "RUN $INSTALL devtoolset-$DEVTOOLSET\n"
    "ENV SAGE_CHECK_PACKAGES=\"!r\"\n";
constexpr std::string_view kByTool =
    "for SPKG in $(sage-package list --has-file=spkg-configure.m4 $SAGE_PACKAGE_LIST_ARGS) x; do\n"
    "    SYSTEM_PACKAGE=$(sage-get-system-packages $SYSTEM $SPKG)\n"
    "        if [[ $SPKG != _* ]]; then\n"
    "ARG TARGETS_PRE=\"all-sage-local\"\n";

TEST(DockerfileWriter, SaysWhatItDoes) {
  DockerfileWriter writer = DockerfileWriter::parse(kByType, "");
  EXPECT_TRUE(writer.by_type);
  EXPECT_FALSE(writer.tells_configure_of_lists);
  EXPECT_THAT(writer.defaults,
              ElementsAre(Pair("SAGE_CHECK_PACKAGES", "!r,!gap"), Pair("TARGETS_PRE", "sagelib-build-deps")));
  writer = DockerfileWriter::parse(kByList, "ENABLE_SYSTEM_SITE_PACKAGES");
  EXPECT_FALSE(writer.by_type);
  EXPECT_TRUE(writer.asks_for_list);
  EXPECT_TRUE(writer.numbered_toolsets);
  EXPECT_FALSE(writer.asks_python) << "this one reads the lists itself";
  writer = DockerfileWriter::parse(kByTool, "case \"$SYSTEM:$ENABLE_SYSTEM_SITE_PACKAGES\" in");
  EXPECT_FALSE(writer.asks_for_list);
  EXPECT_TRUE(writer.asks_python);
  EXPECT_TRUE(writer.tells_configure_of_lists);
  EXPECT_FALSE(writer.tells_configure_of_pseudo);
  EXPECT_FALSE(writer.numbered_toolsets);
}

TEST(DockerfileWriter, SaysHowSystemPackagesAreInstalled) {
  InstallationHabits old =
      DockerfileWriter::parse(kByList, "", "nix*:install) nix-env --install $names").habits;
  EXPECT_FALSE(old.unminimizes || old.extracts_documentation || old.nix_attributes);
  EXPECT_TRUE(DockerfileWriter::parse("RUN (yes | unminimize) || echo ignored", "").habits.unminimizes);
  InstallationHabits now = DockerfileWriter::parse(
                               "RUN (yes | unminimize); rm -f \"\\$(command -v unminimize)\"\n"
                               "RUN sed -i '/^NoExtract/d' /etc/pacman.conf\n",
                               "", "nix-env -f '<nixpkgs>' --install --attr $names")
                               .habits;
  EXPECT_EQ(now, InstallationHabits());
}

TEST(DockerfileWriter, WithoutOneTheTreesFeaturesSayWhichIsMeant) {
  TreeText tree("zlib standard 1\n");
  EXPECT_THAT(DockerfileWriter::read(tree.path(), TreeFeatures::of_sage98()).defaults,
              Contains(Pair("SAGE_CHECK_PACKAGES", testing::HasSubstr("!cysignals"))));
  TreeFeatures now = TreeFeatures::of_passagemath2026();
  EXPECT_THAT(DockerfileWriter::read(tree.path(), now).defaults, IsEmpty());
  EXPECT_FALSE(DockerfileWriter::read(tree.path(), now).asks_for_list);
  EXPECT_EQ(DockerfileWriter::read(tree.path(), now).habits, InstallationHabits());
  tree.file(".ci/write-dockerfile.sh", kByList);
  EXPECT_TRUE(DockerfileWriter::read(tree.path(), now).asks_for_list);
}

class WrittenEnvironments : public testing::Test {
 protected:
  WrittenEnvironments() {
    tree_.file("build/pkgs/zlib/spkg-configure.m4", "x");
    tree_.file("build/pkgs/opt/spkg-configure.m4", "x");
    tree_.file("build/pkgs/debian.txt", "gcc # of the system\n");
    tree_.file("build/pkgs/debian-bootstrap.txt", "autoconf\n");
  }
  Environment resolve(const std::string& tox, const std::string& name) {
    Faults faults;
    FactorTable table = FactorTable::parse("[testenv]\nsetenv =\n  docker: SYSTEM=debian\n" + tox +
                                               "  docker: FULL_BASE_IMAGE_AND_TAG=debian:12\n",
                                           "tox.ini", faults);
    PackageIndex packages = PackageIndex::read(tree_.path());
    return EnvironmentReader({.packages = packages, .table = &table}).resolve({.name = name, .given = {}});
  }
  TreeText tree_{
      "zlib standard 1\nzlib/distros/debian.txt = zlib1g-dev\n"
      "bare standard 1\nbare/distros/debian.txt = bare-dev\n"
      "opt optional 1\nopt/distros/debian.txt = opt-dev\n"
      "_bootstrap/distros/debian.txt = automake\n"};
};

// Sage 9.1 and 9.2.
TEST_F(WrittenEnvironments, TypesChoosePackagesAndTheSystemsOwnListsAreAdded) {
  tree_.file("build/bin/write-dockerfile.sh", kByType);
  const std::string tox =
      "  TYPE_PATTERN=standard\n  minimal: TYPE_PATTERN=minimal\n  maximal: "
      "TYPE_PATTERN=@(standard|optional)\n";
  EXPECT_THAT(resolve(tox, "minimal").setup.packages, ElementsAre("autoconf", "gcc"));
  Environment standard = resolve(tox, "docker");
  EXPECT_THAT(standard.setup.packages, ElementsAre("autoconf", "gcc", "zlib1g-dev"));
  EXPECT_THAT(standard.packages, ElementsAre("zlib"));
  EXPECT_THAT(standard.configure_args, Contains("--with-system-zlib=yes"));
  EXPECT_EQ(standard.value("TARGETS_PRE"), "sagelib-build-deps");
  EXPECT_EQ(standard.value("SAGE_CHECK_PACKAGES"), "!r,!gap");
  EXPECT_THAT(resolve(tox, "maximal").setup.packages,
              ElementsAre("autoconf", "gcc", "opt-dev", "zlib1g-dev"));
}

// Sage 9.4 to 9.7: the list that tox builds is EXTRA_SAGE_PACKAGES.
TEST_F(WrittenEnvironments, ExtraPackagesAreThoseThatToxHandsOver) {
  tree_.file("build/bin/write-dockerfile.sh", kByList);
  const std::string tox =
      "  more: E=opt\n  docker: SAGE_PACKAGE_LIST_ARGS=zlib\n"
      "  docker: EXTRA_SAGE_PACKAGES=_bootstrap {env:E:}\n";
  EXPECT_THAT(resolve(tox, "more").setup.packages, ElementsAre("automake", "opt-dev", "zlib1g-dev"));
  EXPECT_THAT(resolve("  docker: SAGE_PACKAGE_LIST_ARGS=zlib\n  docker: ALL_EXTRA_SAGE_PACKAGES=\n", "docker")
                  .setup.packages,
              ElementsAre("automake", "zlib1g-dev"))
      << "${5:-_bootstrap}: nothing means _bootstrap to the writer";
}

// With its own ci-docker.toml.
TEST(OwnDistribution, NeedsNoPackagesAndNoListsOfSages) {
  TreeText tree("zlib standard 1\n");
  auto packages_of = [&](const std::string& name) {
    Faults faults;
    PackageIndex packages = PackageIndex::read(tree.path(), {}, &faults);
    return EnvironmentReader({.packages = packages}).resolve({.name = name, .given = {}}).setup.packages;
  };
  EXPECT_THAT(packages_of("debian-12-minimal"), IsEmpty()) << "there is no _prereq";
  tree.file("build/pkgs/_bootstrap/distros/debian.txt", "automake\n");
  EXPECT_THAT(packages_of("debian-12-minimal"), ElementsAre("automake"));
  tree.remove("build/pkgs").make_folder("build/pkgs");
  EXPECT_THAT(packages_of("debian-12"), IsEmpty()) << "no package: nothing to choose";
  EXPECT_THAT(packages_of("debian-12-maximal"), IsEmpty());
}

}  // namespace
}  // namespace stagemake
