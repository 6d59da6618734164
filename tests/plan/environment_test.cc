#include "plan/environment.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "tree_text.h"

namespace stagemake {
namespace {

using nlohmann::json;
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
    return resolve_environment({.name = name, .given = std::move(given)}, read_.packages, 3);
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
    EXPECT_EQ(environment.system, "debian");
    EXPECT_EQ(environment.base_image, "debian:bookworm");
  }
  EXPECT_EQ(environment_name("docker-x"), "x");
  EXPECT_EQ(environment_name("dockerx"), "dockerx");
}

TEST_F(EnvironmentTest, TheNameSaysSystemAndBaseImageUnlessSomebodySaysOther) {
  EXPECT_EQ(resolve("debian-minimal").base_image, "debian:latest");
  EXPECT_EQ(resolve("debian-bookworm-minimal", {{"BASE_IMAGE", "registry:5000/own"}}).base_image,
            "registry:5000/own");
  EXPECT_EQ(resolve("debian-bookworm-minimal", {{"SYSTEM", "fedora"}}).system, "fedora");
  EXPECT_EQ(resolve("ubuntu-focal-minimal").system, "debian") << "whose lists are Ubuntu's too";
  EXPECT_EQ(resolve("ubuntu-focal-minimal").base_image, "ubuntu:focal");
  EXPECT_EQ(resolve("archlinux-latest-minimal").system, "arch");
}

TEST_F(EnvironmentTest, PackageSetsChooseSystemPackages) {
  EXPECT_THAT(resolve("debian-bookworm-minimal").system_packages,
              ElementsAre("autoconf", "g++", "gcc", "make"));
  EXPECT_THAT(resolve("debian-bookworm-standard").system_packages,
              ElementsAre("autoconf", "gcc", "zlib1g", "zlib1g-dev"));
  EXPECT_THAT(resolve("debian-bookworm-maximal").system_packages,
              ElementsAre("autoconf", "extra-dev", "gcc", "pari-gp", "zlib1g", "zlib1g-dev"));
  EXPECT_THAT(resolve("fedora-37-standard").system_packages, ElementsAre("zlib-devel"));
  EXPECT_THAT(resolve("debian-bookworm-minimal", {{"ALL_EXTRA_SAGE_PACKAGES", " _develop  no_such "}})
                  .system_packages,
              ElementsAre("g++", "gcc", "gdb", "make"));
  EXPECT_THAT(resolve("debian-bookworm",
                      {{"SAGE_PACKAGE_LIST_ARGS", ":all: --exclude=zlib --has-file spkg-configure.m4"},
                       {"ALL_EXTRA_SAGE_PACKAGES", ""}})
                  .system_packages,
              ElementsAre("extra-dev", "zlib1g"));
}

TEST_F(EnvironmentTest, ConfigureIsToldOfTheListedPackagesThatItCanTakeFromTheSystem) {
  EXPECT_THAT(resolve("debian-bookworm-maximal").configure_args,
              ElementsAre("--enable-option-checking", "--with-system-extra=yes", "--with-system-zlib=yes"));
  EXPECT_THAT(resolve("debian-bookworm-standard", {{"WITH_SYSTEM_SPKG", "force"}}).configure_args,
              ElementsAre("--enable-option-checking", "--with-system-zlib=force"));
}

TEST_F(EnvironmentTest, ValuesHaveDefaultsAndTakeWhatIsGiven) {
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
  EXPECT_EQ(environment.value("IGNORE_MISSING_SYSTEM_PACKAGES"), "no");
  EXPECT_EQ(environment.value("NO_SUCH"), "");
  Environment given = resolve("debian-bookworm-minimal", {{"TARGETS", "a b"},
                                                          {"NUMPROC", "8"},
                                                          {"SAGE_CHECK_PACKAGES", ""},
                                                          {"IGNORE_MISSING_SYSTEM_PACKAGES", "yes"}});
  EXPECT_EQ(given.value("TARGETS"), "a b");
  EXPECT_EQ(given.value("MAKE"), "make -j8");
  EXPECT_FALSE(given.values.contains("SAGE_CHECK_PACKAGES"));
  EXPECT_EQ(given.value("IGNORE_MISSING_SYSTEM_PACKAGES"), "yes");
}

TEST_F(EnvironmentTest, AllVariablesOfItAreKnown) {
  for (const char* name : {"TARGETS", "TARGETS_PRE", "NUMPROC", "BASE_IMAGE", "SAGE_PACKAGE_LIST_ARGS"})
    EXPECT_THAT(environment_variables(), Contains(name));
}

TEST_F(EnvironmentTest, ANumberOfJobsIsANumber) {
  for (const char* jobs : {"0", "-1", "x", "2x", "", " 2", "999999999999999999999", "1.5"})
    EXPECT_THAT(refusal("debian-bookworm-minimal", {{"NUMPROC", jobs}}), HasSubstr("NUMPROC")) << jobs;
  EXPECT_EQ(resolve("debian-bookworm-minimal", {{"NUMPROC", "00002"}}).value("MAKE"), "make -j2");
}

TEST_F(EnvironmentTest, NamesThatNoImageCouldHaveAreRefused) {
  for (const char* name :
       {"docker-", "Debian-minimal", "a b-minimal", "-minimal", ".x-minimal", "debian-minimal-",
        "a/b-minimal", "a..b-minimal", "debian_-minimal", "x\ny-minimal"})
    EXPECT_THAT(refusal(name), HasSubstr("environment \"")) << name;
  EXPECT_THAT(refusal("x\x1b[31m"), Not(HasSubstr("\x1b")));
}

TEST_F(EnvironmentTest, WhatTheNameDoesNotSaySomebodyMust) {
  EXPECT_THAT(refusal("debian-bookworm"), HasSubstr("which system packages?"));
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
  EXPECT_THAT(environment.system_packages, IsEmpty());
  EXPECT_EQ(environment.value("TARGETS"), "build");
  EXPECT_EQ(installation_recipe(environment.system, {}, false), ":");
}

TEST_F(EnvironmentTest, ImagesAreNamedAsPeopleKnowThem) {
  StageTable old = built_in_stages(Dialect::Sage98);
  StageTable recent = built_in_stages(Dialect::Passagemath2026);
  EXPECT_EQ(image_name(old, "ghcr.io/me/", "debian-bookworm-minimal", "configured"),
            "ghcr.io/me/sage-docker-debian-bookworm-minimal-configured");
  EXPECT_EQ(image_name(recent, "", "debian-bookworm-minimal", "configured"),
            "sage-debian-bookworm-minimal-configured");
}

TEST_F(EnvironmentTest, QuotesAroundASystemPackageAreTheShells) {
  tree_.file("build/pkgs/zlib/distros/debian.txt", "\"pkgconfig(zlib)\" plain\n");
  EXPECT_THAT(resolve("debian-bookworm-standard").system_packages,
              ElementsAre("autoconf", "gcc", "pkgconfig(zlib)", "plain"));
  EXPECT_THAT(
      resolve("debian-bookworm-standard", {{"EXTRA_SYSTEM_PACKAGES", "binutils-2.26 a"}}).system_packages,
      ElementsAre("a", "autoconf", "binutils-2.26", "gcc", "pkgconfig(zlib)", "plain"));
}

TEST(InstallationRecipe, QuotesOddNames) {
  std::string recipe = installation_recipe("debian", {"a'b", "x;y", "$(z)", "g++", "lib*"}, false);
  EXPECT_THAT(recipe, HasSubstr("for package in 'a'\\''b' 'x;y' '$(z)' g++ 'lib*'; do"));
  EXPECT_THAT(recipe, HasSubstr("set -f")) << "`$missing` must not become names of files";
}

TEST(InstallationRecipe, KnowsEachSystemsManager) {
  for (auto [system, command] :
       std::map<std::string, std::string>{{"debian", "apt-get install"},
                                          {"ubuntu", "apt-get install"},
                                          {"fedora", "yum install -y $missing"},
                                          {"arch", "pacman -Su --noconfirm $missing"},
                                          {"opensuse", "zypper --ignore-unknown install"},
                                          {"void", "xbps-install --yes $missing"},
                                          {"alpine", "apk add $missing"}})
    EXPECT_THAT(installation_recipe(system, {"a"}, false), HasSubstr(command)) << system;
  EXPECT_THROW(installation_recipe("plan9", {"a"}, false), Error);
  EXPECT_THROW(installation_recipe("plan9", {}, false), Error);
}

TEST(InstallationRecipe, OnlyWhereItIsAllowedMissingPackagesAreIgnored) {
  EXPECT_THAT(installation_recipe("debian", {"a"}, true), HasSubstr("Not installed, and ignored"));
  EXPECT_THAT(installation_recipe("debian", {"a"}, false), Not(HasSubstr("ignored")));
}

// --- Against what Sage 9.8's own Dockerfile writer does.

// The variables of an environment as the real tox resolved them, with their one shell call done.
std::map<std::string, std::string> given_of(const json& tox, const fs::path& tree) {
  std::map<std::string, std::string> given;
  for (const char* name : {"SYSTEM", "SAGE_PACKAGE_LIST_ARGS", "ALL_EXTRA_SAGE_PACKAGES", "WITH_SYSTEM_SPKG",
                           "IGNORE_MISSING_SYSTEM_PACKAGES", "EXTRA_SYSTEM_PACKAGES"})
    if (tox.contains(name)) given[name] = tox[name].get<std::string>();
  std::string& extra = given["ALL_EXTRA_SAGE_PACKAGES"];
  constexpr std::string_view kCall = "$(head -n 1 ";
  for (std::size_t at = extra.find(kCall); at != std::string::npos; at = extra.find(kCall)) {
    std::size_t end = extra.find(')', at);
    fs::path file = tree / extra.substr(at + kCall.size(), end - at - kCall.size());
    std::string content = read_file(file).value();
    extra.replace(at, end + 1 - at, content.substr(0, content.find('\n')));
  }
  return given;
}

TEST(EnvironmentOracle, SystemPackagesAndFlagsAreThoseOfSagesDockerfileWriter) {
  fs::path shared = STAGEMAKE_SHARED_DIR;
  auto text = read_file(shared / "oracle/sage-9.8.rc0/system-packages.json", 64u << 20);
  auto tox_text = read_file(shared / "oracle/sage-9.8.rc0/tox-environments.json", 64u << 20);
  if (!text || !tox_text) {
    const char* must = std::getenv("STAGEMAKE_SHARED_MUST_EXIST");
    if (must != nullptr && std::string_view(must) == "1") FAIL() << "no oracle data in " << shared;
    GTEST_SKIP() << "no oracle data in " << shared;
  }
  fs::path tree = shared / "corpus/sage-9.8.rc0";
  ReadTree read(tree);
  json oracle = json::parse(*text);
  json tox = json::parse(*tox_text)["envs"];
  unsigned compared = 0, by_name = 0;
  for (const auto& [name, facts] : oracle.items()) {
    if (facts["skips_system_packages"]) continue;
    ++compared;
    Environment environment =
        resolve_environment({.name = name, .given = given_of(tox.at(name), tree)}, read.packages, 1);
    // The writer's words still have the quotes of the shell (and the last word lacks its second one).
    std::set<std::string> installed;
    for (std::string word : facts["system_packages"]) {
      std::erase(word, '"');
      installed.insert(word);
    }
    EXPECT_EQ(std::set<std::string>(environment.system_packages.begin(), environment.system_packages.end()),
              installed)
        << name;
    auto flags_of = [](const Environment& resolved) {
      std::set<std::string> flags;
      for (const std::string& argument : resolved.configure_args)
        if (argument.starts_with("--with-system-")) flags.insert(argument);
      return flags;
    };
    std::set<std::string> expected = facts["with_system"].get<std::set<std::string>>();
    EXPECT_EQ(flags_of(environment), expected) << name;
    // What the name alone says must be the same where tox adds nothing for a compiler, a Python or a wish.
    std::string extra = tox.at(name)["ALL_EXTRA_SAGE_PACKAGES"];
    if (trimmed(extra) != "_bootstrap" || name.starts_with("docker-manylinux")) continue;
    ++by_name;
    Environment alone = resolve_environment({.name = name, .given = {}}, read.packages, 1);
    EXPECT_EQ(alone.system, tox.at(name)["SYSTEM"]) << name;
    EXPECT_EQ(alone.system_packages, environment.system_packages) << name;
    EXPECT_EQ(flags_of(alone), expected) << name;
  }
  EXPECT_EQ(compared, 168u);
  EXPECT_GT(by_name, 50u);
}

}  // namespace
}  // namespace stagemake
