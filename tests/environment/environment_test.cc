#include "environment/environment.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/text/text.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kTree =
    "zlib standard 1.2\n"
    "zlib/spkg-configure.m4 = m4\n"
    "zlib/distros/debian.txt = zlib1g-dev zlib1g # the library\n"
    "zlib/distros/fedora.txt = zlib-devel\n"
    "pari standard 2\n"
    "pari/distros/debian.txt = pari-gp\n"
    "extra optional 1\n"
    "extra/spkg-configure.m4 = m4\n"
    "extra/distros/debian.txt = extra-dev zlib1g\n"
    "_prereq/distros/debian.txt = gcc g++ make\n"
    "_bootstrap/distros/debian.txt = autoconf gcc\n"
    "_develop/distros/debian.txt = gdb\n";

class EnvironmentTest : public testing::Test {
 protected:
  Environment resolve(const std::string& name, std::map<std::string, std::string> given = {}) const {
    return EnvironmentReader({.packages = read_.packages, .processors = 3})
        .resolve({.name = name, .given = std::move(given)});
  }
  std::string refusal(const std::string& name, std::map<std::string, std::string> given = {}) const {
    try {
      resolve(name, std::move(given));
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::BadInput);
      return error.what();
    }
    return "";
  }

  TreeText tree_{kTree};
  ReadTree read_{tree_};
};

TEST_F(EnvironmentTest, ANameMayBeginWithDocker) {
  for (const char* name : {"debian-bookworm-minimal", "docker-debian-bookworm-minimal"}) {
    Environment environment = resolve(name);
    EXPECT_EQ(environment.name, "debian-bookworm-minimal");
    EXPECT_EQ(environment.setup.system, "debian");
    EXPECT_EQ(environment.base_image, "debian:bookworm");
  }
  EXPECT_EQ(environment_name("docker-x"), "x");
  EXPECT_EQ(environment_name("dockerx"), "dockerx");
}

TEST_F(EnvironmentTest, TheNameDeterminesSystemAndBaseImageUnlessGiven) {
  EXPECT_EQ(resolve("debian-minimal").base_image, "debian:latest");
  EXPECT_EQ(resolve("debian-bookworm-minimal", {{"BASE_IMAGE", "registry:5000/own"}}).base_image,
            "registry:5000/own");
  EXPECT_EQ(resolve("debian-bookworm-minimal", {{"SYSTEM", "fedora"}}).setup.system, "fedora");
  EXPECT_EQ(resolve("ubuntu-focal-minimal").setup.system, "debian") << "whose lists are Ubuntu's too";
  EXPECT_EQ(resolve("ubuntu-focal-minimal").base_image, "ubuntu:focal");
  EXPECT_EQ(resolve("archlinux-latest-minimal").setup.system, "arch");
}

TEST_F(EnvironmentTest, PackageSetsChooseSystemPackages) {
  EXPECT_THAT(resolve("debian-bookworm-minimal").setup.packages,
              ElementsAre("autoconf", "g++", "gcc", "make"));
  EXPECT_THAT(resolve("debian-bookworm-standard").setup.packages,
              ElementsAre("autoconf", "gcc", "zlib1g", "zlib1g-dev"));
  EXPECT_THAT(resolve("debian-bookworm-maximal").setup.packages,
              ElementsAre("autoconf", "extra-dev", "gcc", "pari-gp", "zlib1g", "zlib1g-dev"));
  EXPECT_THAT(resolve("fedora-37-standard").setup.packages, ElementsAre("zlib-devel"));
  EXPECT_THAT(
      resolve("debian-bookworm-minimal", {{"ALL_EXTRA_SAGE_PACKAGES", " _develop  no_such "}}).setup.packages,
      ElementsAre("g++", "gcc", "gdb", "make"));
  EXPECT_THAT(resolve("debian-bookworm",
                      {{"SAGE_PACKAGE_LIST_ARGS", ":all: --exclude=zlib --has-file spkg-configure.m4"},
                       {"ALL_EXTRA_SAGE_PACKAGES", ""}})
                  .setup.packages,
              ElementsAre("extra-dev", "zlib1g"));
}

TEST_F(EnvironmentTest, ConfigureArgumentsEnableListedSystemPackages) {
  EXPECT_THAT(resolve("debian-bookworm-maximal").configure_args,
              ElementsAre("--enable-option-checking", "--with-system-extra=yes", "--with-system-zlib=yes"));
  EXPECT_THAT(resolve("debian-bookworm-standard", {{"WITH_SYSTEM_SPKG", "force"}}).configure_args,
              ElementsAre("--enable-option-checking", "--with-system-zlib=force"));
}

TEST_F(EnvironmentTest, GivenValuesReplaceDefaults) {
  Environment environment = resolve("debian-bookworm-minimal");
  EXPECT_EQ(environment.value("BOOTSTRAP"), "./bootstrap");
  EXPECT_EQ(environment.value("MAKE"), "make -j3");
  EXPECT_EQ(environment.value("TARGETS_PRE"), "all-sage-local");
  EXPECT_EQ(environment.value("TARGETS"), "build");
  EXPECT_EQ(environment.value("TARGETS_OPTIONAL"), "ptest");
  EXPECT_EQ(environment.value("USE_MAKEFLAGS"), "-k V=0");
  EXPECT_EQ(environment.value("SAGE_CHECK"), "warn");
  EXPECT_THAT(environment.value("SAGE_CHECK_PACKAGES"), HasSubstr("!cython,"));
  EXPECT_EQ(environment.value("EXTRA_CONFIGURE_ARGS"), "");
  EXPECT_FALSE(environment.setup.ignore_missing);
  EXPECT_EQ(environment.value("NO_SUCH"), "");
  Environment given = resolve("debian-bookworm-minimal", {{"TARGETS", "a b"},
                                                          {"NUMPROC", "8"},
                                                          {"SAGE_CHECK_PACKAGES", ""},
                                                          {"IGNORE_MISSING_SYSTEM_PACKAGES", "yes"}});
  EXPECT_EQ(given.value("TARGETS"), "a b");
  EXPECT_EQ(given.value("MAKE"), "make -j8");
  EXPECT_FALSE(given.values.contains("SAGE_CHECK_PACKAGES"));
  EXPECT_TRUE(given.setup.ignore_missing);
}

TEST_F(EnvironmentTest, TheFirstMakeGetsNoNumberOfJobs) {
  Environment environment =
      resolve("debian-bookworm-minimal", {{"USE_MAKEFLAGS", "-kj8 V=0"}, {"TARGETS", "-j 4 build doc-html"}});
  EXPECT_EQ(environment.value("USE_MAKEFLAGS"), "-k V=0");
  EXPECT_EQ(environment.value("TARGETS"), "build doc-html");
  EXPECT_THAT(environment.job_counts_dropped, ElementsAre("USE_MAKEFLAGS", "TARGETS"));
  EXPECT_THAT(resolve("debian-bookworm-minimal").job_counts_dropped, ElementsAre());
}

TEST_F(EnvironmentTest, AllVariablesOfItAreKnown) {
  for (const char* name : {"TARGETS", "TARGETS_PRE", "NUMPROC", "BASE_IMAGE", "SAGE_PACKAGE_LIST_ARGS"})
    EXPECT_THAT(environment_variables(), Contains(name));
  for (const auto& [name, value] : resolve("debian-bookworm-minimal").values)
    EXPECT_THAT(recipe_variables(), Contains(name)) << "a stage table may use it";
}

TEST_F(EnvironmentTest, ANumberOfJobsIsANumber) {
  for (const char* jobs : {"0", "-1", "x", "2x", "", " 2", "999999999999999999999", "1.5"})
    EXPECT_THAT(refusal("debian-bookworm-minimal", {{"NUMPROC", jobs}}), HasSubstr("NUMPROC")) << jobs;
  EXPECT_EQ(resolve("debian-bookworm-minimal", {{"NUMPROC", "00002"}}).value("MAKE"), "make -j2");
  EXPECT_EQ(resolve("debian-bookworm-minimal", {{"NUMPROC", "00002"}}).jobs, 2u);
  EXPECT_EQ(resolve("debian-bookworm-minimal", {}).jobs, 0u) << "nobody says it";
}

TEST_F(EnvironmentTest, NamesThatNoImageCouldHaveAreRefused) {
  for (const char* name :
       {"docker-", "Debian-minimal", "a b-minimal", "-minimal", ".x-minimal", "debian-minimal-",
        "a/b-minimal", "a..b-minimal", "debian_-minimal", "x\ny-minimal"})
    EXPECT_THAT(refusal(name), HasSubstr("environment \"")) << name;
  EXPECT_THAT(refusal("x\x1b[31m"), Not(HasSubstr("\x1b")));
}

TEST_F(EnvironmentTest, MissingSettingsMustBeGiven) {
  EXPECT_THAT(refusal("debian-bookworm"), HasSubstr("name its system packages with --package-list"));
  EXPECT_EQ(refusal("debian-bookworm", {{"SAGE_PACKAGE_LIST_ARGS", "_prereq"}}), "");
  EXPECT_THAT(refusal("debian-bookworm-minimal", {{"WITH_SYSTEM_SPKG", "perhaps"}}),
              HasSubstr("WITH_SYSTEM_SPKG"));
  EXPECT_THAT(refusal("debian-bookworm-minimal", {{"IGNORE_MISSING_SYSTEM_PACKAGES", "1"}}),
              HasSubstr("neither yes nor no"));
  EXPECT_THAT(refusal("debian-bookworm", {{"SAGE_PACKAGE_LIST_ARGS", ":all: --has-file"}}),
              HasSubstr("needs a value"));
  EXPECT_THAT(refusal("debian-bookworm", {{"SAGE_PACKAGE_LIST_ARGS", ":all: --has-files=x"}}),
              HasSubstr("unknown option"));
  EXPECT_THAT(refusal("debian-bookworm", {{"SAGE_PACKAGE_LIST_ARGS", ":most:"}}), HasSubstr(":most:"));
}

TEST_F(EnvironmentTest, WithoutANameThereIsThePlanOfTheTreeItself) {
  Environment environment = resolve("");
  EXPECT_THAT(environment.setup.packages, IsEmpty());
  EXPECT_EQ(environment.value("TARGETS"), "build");
}

TEST_F(EnvironmentTest, ImagesAreNamedAsPeopleKnowThem) {
  StageTable old = built_in_stages(TreeFeatures::of_sage98());
  StageTable recent = built_in_stages(TreeFeatures::of_passagemath2026());
  EXPECT_EQ(image_name(old, "ghcr.io/me/", "debian-bookworm-minimal", "configured"),
            "ghcr.io/me/sage-docker-debian-bookworm-minimal-configured");
  EXPECT_EQ(image_name(recent, "", "debian-bookworm-minimal", "configured"),
            "sage-debian-bookworm-minimal-configured");
}

TEST_F(EnvironmentTest, QuotesAroundASystemPackageAreTheShells) {
  tree_.file("build/pkgs/zlib/distros/debian.txt", "\"pkgconfig(zlib)\" plain\n");
  EXPECT_THAT(resolve("debian-bookworm-standard").setup.packages,
              ElementsAre("autoconf", "gcc", "pkgconfig(zlib)", "plain"));
  EXPECT_THAT(
      resolve("debian-bookworm-standard", {{"EXTRA_SYSTEM_PACKAGES", "binutils-2.26 a"}}).setup.packages,
      ElementsAre("a", "autoconf", "binutils-2.26", "gcc", "pkgconfig(zlib)", "plain"));
}

}  // namespace
}  // namespace stagemake
