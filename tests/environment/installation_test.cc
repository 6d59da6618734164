#include "environment/installation.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/error.h"
#include "environment/package_machine.h"
#include "environment/package_managers.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAreArray;

constexpr InstallationHabits kOf2026,
    kOfSage98{.unminimizes_once = false, .extracts_documentation = false, .nix_attributes = false};

// One system for each package manager.
Words systems() {
  Words result;
  std::set<std::string> recipes;
  for (const std::string& system : known_systems())
    if (recipes.insert(installation_recipe({.system = system, .packages = {"x"}})).second)
      result.push_back(system);
  return result;
}

class EverySystem : public testing::TestWithParam<std::string> {
 protected:
  SystemSetup setup(Words packages, bool ignore_missing, InstallationHabits habits = kOfSage98) const {
    return {.system = GetParam(),
            .packages = std::move(packages),
            .ignore_missing = ignore_missing,
            .habits = habits};
  }
  // Calls `test` for each setup, with a new machine each time: only some systems' package managers behave
  // differently.
  void with_each(const Words& packages, bool ignore_missing,
                 const std::function<void(PackageMachine&, const SystemSetup&)>& test,
                 const std::vector<Words>& in = {{"/bin/sh"}}) const {
    SystemSetup old = setup(packages, ignore_missing, kOfSage98);
    std::vector<SystemSetup> setups = {old, setup(packages, ignore_missing, kOf2026)};
    if (installation_recipe(setups[0]) == installation_recipe(setups[1])) setups.pop_back();
    for (const SystemSetup& one : setups)
      for (const Words& shell : in) {
        SCOPED_TRACE(shell[0] + (one.habits == kOf2026 ? ", as in 2026" : ", as in Sage 9.8"));
        PackageMachine machine(shell);
        test(machine, one);
      }
  }
  // slackpkg treats names as patterns, so its names must not contain `*`.
  Words odd_names() const {
    if (GetParam() == "slackware") return {"g++", "it's", "lib", "pkgconfig(zlib)", "zlib"};
    return {"g++", "it's", "lib*", "pkgconfig(zlib)", "zlib"};
  }
};

INSTANTIATE_TEST_SUITE_P(Installation, EverySystem, testing::ValuesIn(systems()),
                         [](const auto& system) { return system.param; });

TEST_P(EverySystem, AsksNoNetworkWhereAllPackagesAreThere) {
  for (bool ignore_missing : {false, true})
    with_each(odd_names(), ignore_missing, [this](PackageMachine& machine, const SystemSetup& setup) {
      machine.set("installed", odd_names());
      machine.set("offline", {});
      EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
      EXPECT_THAT(machine.content("network"), IsEmpty());
      EXPECT_THAT(machine.output, Not(HasSubstr(kMissingLine)));
    });
}

TEST_P(EverySystem, InstallsAllMissingPackagesAtOnce) {
  for (bool ignore_missing : {false, true})
    with_each(odd_names(), ignore_missing, [this](PackageMachine& machine, const SystemSetup& setup) {
      machine.set("installed", {"g++", "zlib"});
      machine.set("known", odd_names());
      EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
      EXPECT_THAT(machine.content("installed"), UnorderedElementsAreArray(odd_names()));
      EXPECT_THAT(machine.log(), testing::ContainsRegex("it's lib\\*? pkgconfig")) << "in one call";
      EXPECT_THAT(machine.output, Not(HasSubstr(kMissingLine)));
    });
}

TEST_P(EverySystem, FailsWhereAMissingPackageMatters) {
  if (GetParam() == "slackware")
    GTEST_SKIP() << "slackpkg does not fail; see SlackwarePassesOverUnknownNames";
  with_each(
      {"absent", "zlib"}, false,
      [](PackageMachine& machine, const SystemSetup& setup) {
        machine.set("known", {"zlib"});
        EXPECT_NE(machine.run(installation_recipe(setup) + "\necho went on"), 0);
        EXPECT_THAT(machine.output, Not(HasSubstr("went on")));
        EXPECT_THAT(machine.output, HasSubstr("does not know these packages: absent\n"));
        EXPECT_THAT(machine.content("installed"), IsEmpty());
      },
      shells());
}

TEST_P(EverySystem, FailsWithoutANetworkWherePackagesAreMissing) {
  for (bool ignore_missing : {false, true})
    with_each({"absent", "zlib"}, ignore_missing, [](PackageMachine& machine, const SystemSetup& setup) {
      machine.set("known", {"zlib"});
      machine.set("offline", {});
      EXPECT_NE(machine.run(installation_recipe(setup) + "\necho went on"), 0) << machine.output;
      EXPECT_THAT(machine.output, Not(HasSubstr("went on")));
      EXPECT_THAT(machine.output, Not(HasSubstr(kMissingLine)));
    });
}

TEST_P(EverySystem, IgnoresWhatDoesNotExistAndSaysSoInTheLastLine) {
  with_each(
      {"absent", "g++", "lib*", "zlib"}, true,
      [](PackageMachine& machine, const SystemSetup& setup) {
        machine.set("installed", {"g++"});
        machine.set("known", {"g++", "zlib"});
        EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
        EXPECT_THAT(machine.content("installed"), ElementsAre("g++", "zlib"));
        EXPECT_EQ(machine.last_line(), std::string(kMissingLine) + " absent lib*");
      },
      shells());
}

TEST_P(EverySystem, KnownPackagesThatCannotBeInstalledAreAnError) {
  for (bool ignore_missing : {false, true})
    for (const char* fault : {"broken", "lost"})
      with_each({"bad", "g++", "zlib"}, ignore_missing,
                [&](PackageMachine& machine, const SystemSetup& setup) {
                  machine.set("known", {"bad", "g++", "zlib"});
                  machine.set(fault, {"bad"});
                  EXPECT_NE(machine.run(installation_recipe(setup) + "\necho went on"), 0);
                  EXPECT_THAT(machine.output,
                              testing::ContainsRegex("(not installed|did not install them):.* bad"));
                  EXPECT_THAT(machine.output, Not(HasSubstr("went on")));
                  EXPECT_THAT(machine.output, Not(HasSubstr(kMissingLine)));
                });
}

TEST_P(EverySystem, LeavesTheShellAsItWas) {
  with_each({"zlib"}, false, [](PackageMachine& machine, const SystemSetup& setup) {
    machine.set("known", {"zlib"});
    std::string before = "cd \"$STATE\"\n";
    EXPECT_EQ(
        machine.run(before + installation_recipe(setup) + "\nfor file in kno*; do echo \"$file\"; done"), 0);
    EXPECT_EQ(machine.last_line(), "known") << "names are patterns again";
  });
}

TEST_P(EverySystem, HasNothingToDoWhereTheImageHasAllOrNothingIsWanted) {
  SystemSetup skipped = setup({"zlib"}, false);
  skipped.skipped = true;
  EXPECT_EQ(installation_recipe(skipped), ":");
  EXPECT_EQ(installation_recipe(setup({}, false)), ":");
}

TEST(Installation, SlackwarePassesOverUnknownNamesAndWeTellThem) {
  for (bool ignore_missing : {false, true}) {
    PackageMachine machine;
    machine.set("known", {"zlib"});
    EXPECT_EQ(machine.run(installation_recipe(
                  {.system = "slackware", .packages = {"absent", "zlib"}, .ignore_missing = ignore_missing})),
              0);
    EXPECT_THAT(machine.content("installed"), ElementsAre("zlib"));
    EXPECT_EQ(machine.last_line(), std::string(kMissingLine) + " absent");
  }
}

TEST(Installation, SlackwaresNamesMayReachIntoTheVersion) {
  PackageMachine machine;
  machine.set("installed", {"gcc", "gcc-g++"});  // which matches gcc-1.0-x86_64-1
  machine.set("offline", {});
  EXPECT_EQ(machine.run(installation_recipe({.system = "slackware", .packages = {"gcc-[0-9]", "gcc-g++"}})),
            0);
  machine.set("installed", {"gcc-g++", "gcc-gfortran"});
  EXPECT_NE(machine.run(installation_recipe({.system = "slackware", .packages = {"gcc"}})), 0);
}

// slackpkg exits with 0, after various messages, and leaves the old list in place.
TEST(Installation, SlackwaresOldIndexIsIgnored) {
  PackageMachine machine;
  machine.set("pkglist", {"slackware64 x zlib-1.0-x86_64-1 y"});
  machine.set("known", {"zlib"});
  machine.set("offline", {});
  machine.set("words", {"Error downloading from file://gone/.", "Please check your mirror and try again."});
  SystemSetup setup{.system = "slackware", .packages = {"absent", "zlib"}, .ignore_missing = true};
  EXPECT_NE(machine.run(installation_recipe(setup)), 0);
  EXPECT_THAT(machine.output, HasSubstr("cannot refresh its index"));
}

TEST(Installation, SlackwaresPackagesThatHadNoRoomAreAnErrorAndAreTakenOffTheList) {
  PackageMachine machine;
  machine.set("known", {"zlib"});
  machine.set("said", {"\tInstalling good-1.0-x86_64-1...", "\tInstalling zlib-1.0-x86_64-1...",
                       "tar: ./opt/big: Wrote only 8192 of 10240 bytes",
                       "tar: Exiting with failure status due to previous errors"});
  fs::create_directory(machine.path() / "packages");
  for (const char* file : {"packages/good-1.0-x86_64-1", "packages/zlib-1.0-x86_64-1"}) machine.set(file, {});
  EXPECT_NE(machine.run(installation_recipe({.system = "slackware", .packages = {"zlib"}})), 0);
  EXPECT_THAT(machine.output, HasSubstr("failed, see above: zlib-1.0-x86_64-1\n"));
  EXPECT_TRUE(fs::exists(machine.path() / "packages/good-1.0-x86_64-1"));
  EXPECT_FALSE(fs::exists(machine.path() / "packages/zlib-1.0-x86_64-1"));
}

// portageq exits with 0 and prints "NAME:", as for an unknown name.
TEST(Installation, GentoosTreeThatCannotBeReadIsAnError) {
  SystemSetup setup{.system = "gentoo", .packages = {"absent"}, .ignore_missing = true};
  for (const char* words : {"!!! Invalid Repository Location (not a dir): '/var/db/repos/gentoo'",
                            " * ERROR: test/good-1::gentoo failed (depend phase):"}) {
    SCOPED_TRACE(words);
    PackageMachine machine;
    machine.set("words", {words});
    EXPECT_NE(machine.run(installation_recipe(setup)), 0);
    EXPECT_THAT(machine.output, Not(HasSubstr(kMissingLine)));
  }
  PackageMachine machine;
  fs::remove_all(machine.path() / "tree/profiles");
  EXPECT_NE(machine.run(installation_recipe(setup)), 0);
  EXPECT_THAT(machine.output,
              AllOf(HasSubstr("There is no tree of ebuilds: gentoo"),
                    HasSubstr("may contain these packages: absent"), Not(HasSubstr(kMissingLine))));
}

TEST(Installation, GentoosInvalidNameIsMissingAndHidesNoOther) {
  PackageMachine machine;
  machine.set("known", {"zlib"});
  SystemSetup setup{
      .system = "gentoo", .packages = {"absent", "it's", "other", "zlib"}, .ignore_missing = true};
  EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
  EXPECT_EQ(machine.last_line(), std::string(kMissingLine) + " absent it's other");
}

// By then Portage has merged it: the next run would find it installed.
TEST(Installation, GentoosPackageWhoseLastScriptDiesIsTakenAway) {
  PackageMachine machine;
  machine.set("known", {"zlib"});
  machine.set("broken", {"zlib"});
  machine.set("said", {"\x1b[31;01m*\x1b[0m ERROR: test/zlib-1.2-r1::gentoo failed (postinst phase):"});
  EXPECT_NE(machine.run(installation_recipe({.system = "gentoo", .packages = {"zlib"}})), 0);
  EXPECT_THAT(machine.output, HasSubstr("failed, see above: test/zlib-1.2-r1\n"));
  EXPECT_THAT(machine.log(), HasSubstr("emerge --quiet --rage-clean =test/zlib-1.2-r1"));
}

TEST(Installation, UbuntusImagesAreUnminimized) {
  for (const InstallationHabits& habits : {kOfSage98, kOf2026}) {
    PackageMachine machine;
    machine.set("known", {"zlib"});
    SystemSetup setup{.system = "ubuntu", .packages = {"zlib"}, .habits = habits};
    EXPECT_EQ(machine.run(installation_recipe(setup)), 0);
    EXPECT_THAT(machine.log(), HasSubstr("unminimize"));
    EXPECT_EQ(fs::exists(machine.path() / "bin/unminimize"), habits == kOfSage98) << "once is enough";
    machine.remove("unminimize");
    machine.set("installed", {});
    EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << "Debian has none";
  }
}

TEST(Installation, AptsReleaseIsChangedAndRepositoriesAddedBeforeTheRest) {
  PackageMachine machine;
  machine.set("known", {"gpg", "gpg-agent", "software-properties-common", "zlib"});
  machine.remove("unminimize");
  SystemSetup setup{.system = "debian",
                    .packages = {"zlib"},
                    .repositories = {"ppa:one/ppa", "deb http://x y"},
                    .dist_upgrade = "s/stretch/buster/g"};
  EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
  std::string log = machine.log();
  std::size_t at = 0;
  for (const char* part :
       {"sed -i.bak s/stretch/buster/g /etc/apt/sources.list", "apt-get update", "apt-get -y dist-upgrade",
        "apt-get update", "--yes software-properties-common", "gpg gpg-agent",
        "add-apt-repository --yes ppa:one/ppa", "add-apt-repository --yes deb http://x y", "apt-get update",
        "--yes zlib", "clean"}) {
    at = log.find(part, at);
    ASSERT_NE(at, std::string::npos) << part << " in\n" << log;
  }
}

// The exit status of a manager does not show these; the messages are those of the real managers.
TEST(Installation, AStaleIndexIsAnErrorDespiteStatusZero) {
  const std::pair<const char*, const char*> cases[] = {
      {"debian", "W: Failed to fetch http://deb.debian.org/debian/dists/sid/InRelease  Could not connect"},
      {"debian", "W: Some index files failed to download. They have been ignored, or old ones used instead."},
      {"alpine",
       "WARNING: Ignoring https://dl-cdn.alpinelinux.org/alpine/v3.18/main: temporary error (try again "
       "later)"},
      {"alpine",
       "WARNING: updating and opening https://dl-cdn.alpinelinux.org/alpine/v3.22/main: DNS lookup error"},
      {"alpine",
       "WARNING: opening https://dl-cdn.alpinelinux.org/alpine/v3.22/main/x86_64/APKINDEX.tar.gz: UNTRUSTED "
       "signature"},
      {"alpine", "WARNING: opening /gone: No such file or directory"},
      {"void",
       "ERROR: Failed to import pubkey from https://repo-default.voidlinux.org/current: Resource "
       "temporarily unavailable"},
      {"void",
       "ERROR: [reposync] failed to fetch file `https://repo-default.voidlinux.org/current/x86_64-repodata'"},
      {"slackware", "  WARNING! One or more errors occurred while slackpkg was running"},
      {"slackware", "Another instance of slackpkg is running. If this is not correct, you can"},
  };
  for (const auto& [system, words] : cases)
    for (bool ignore_missing : {false, true}) {
      SCOPED_TRACE(words);
      PackageMachine machine;
      machine.set("known", {"zlib"});
      machine.set("words", {words});
      SystemSetup setup{.system = system, .packages = {"absent", "zlib"}, .ignore_missing = ignore_missing};
      EXPECT_NE(machine.run(installation_recipe(setup)), 0);
      EXPECT_THAT(machine.output, HasSubstr(words));
      EXPECT_THAT(machine.output, Not(HasSubstr(kMissingLine)));
      EXPECT_THAT(machine.content("installed"), IsEmpty());
    }
}

TEST(Installation, OutputOfPackageScriptsIsNoError) {
  for (const char* system : {"alpine", "debian", "gentoo", "slackware", "void"}) {
    SCOPED_TRACE(system);
    PackageMachine machine;
    machine.set("known", {"zlib"});
    machine.set("said", {"ERROR: harmless", "WARNING: Ignoring a thing", "W: Some index files failed"});
    EXPECT_EQ(machine.run(installation_recipe({.system = system, .packages = {"zlib"}})), 0)
        << machine.output;
    EXPECT_THAT(machine.output, HasSubstr("harmless"));
  }
}

// apk 2 and 3 exit with 1 for any request, and print "1 error; 30 B in 3 packages" and no name.
TEST(Installation, AlpinesPackagesThatAreMarkedAsBrokenAreAnErrorOfTheirDependentsToo) {
  for (const char* mark : {"f:s", "f:fs", "f:f"}) {
    SCOPED_TRACE(mark);
    PackageMachine machine;
    machine.set("database", {"P:culprit", "V:1-r0", mark, "", "P:zlib", "V:1-r0", "f:x"});
    machine.set("installed", {"culprit", "zlib"});
    machine.set("known", {"zlib"});
    machine.set("broken", {"zlib"});
    EXPECT_NE(machine.run(installation_recipe({.system = "alpine", .packages = {"zlib"}})), 0);
    EXPECT_THAT(machine.output, HasSubstr("could not be installed: culprit\n"));
    EXPECT_THAT(machine.output, HasSubstr("not installed: zlib\n"));
  }
}

TEST(Installation, VoidsPackagesMayBeThereByANameThatTheyProvide) {
  PackageMachine machine;
  SystemSetup setup{.system = "void", .packages = {"virtual-lib", "zlib"}};
  machine.set("provides", {"pro-vider-1.2_1: virtual-lib-1_1", "other-1_1: zlib-9_1"});
  machine.set("installed", {"pro-vider", "zlib"});
  machine.set("offline", {});
  EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
  EXPECT_THAT(machine.content("network"), IsEmpty());
  machine.set("installed", {"zlib"});  // the other one is unpacked but not configured
  EXPECT_NE(machine.run(installation_recipe(setup)), 0);
}

// xbps-install -S exits with 0 and does not report it.
TEST(Installation, VoidsRepositoriesThatCannotBeReadAreAnError) {
  PackageMachine machine;
  machine.set("known", {"zlib"});
  SystemSetup setup{.system = "void", .packages = {"zlib"}};
  machine.set("repositories", {"   13 https://repo-default.voidlinux.org/current (RSA signed)",
                               "   -1 /gone (RSA maybe-signed)"});
  EXPECT_NE(machine.run(installation_recipe(setup)), 0);
  EXPECT_THAT(machine.output, HasSubstr("cannot refresh its index"));
  machine.set("repositories", {"   13 https://repo-default.voidlinux.org/current (RSA signed)"});
  EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
  EXPECT_THAT(machine.log(), HasSubstr("rm -rf /var/cache/xbps")) << "xbps-remove -O keeps what is current";
}

TEST(Installation, ALockIsWaitedForAndNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"alpine", "ERROR: Unable to lock database: temporary error (try again later)"},
      {"arch", "error: failed to synchronize all databases (unable to lock database)"},
      {"debian", "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 42 (apt-get)"},
      {"fedora", "metadata already locked by 42"},
      {"opensuse", "System management is locked by the application with pid 42 (zypper)."},
      {"slackware", "Another instance of slackpkg is running. If this is not correct, you can"},
  };
  for (const auto& [system, words] : cases) {
    SCOPED_TRACE(system);
    PackageMachine machine;
    machine.set("known", {"zlib"});
    machine.set("words", {words});
    machine.set("offline", {});
    SystemSetup setup{.system = system, .packages = {"zlib"}, .ignore_missing = true};
    EXPECT_NE(machine.run(installation_recipe(setup)), 0);
    EXPECT_THAT(machine.output,
                HasSubstr("another process holds the package manager's lock, for more than 0 s"));
  }
}

TEST(Installation, ACompilerCollectionComesFirstAndMustBeThere) {
  SystemSetup setup{.system = "fedora",
                    .packages = {"zlib"},
                    .ignore_missing = true,
                    .toolset = "devtoolset-11",
                    .toolset_repository = "centos-release-scl"};
  PackageMachine machine;
  machine.set("known", {"zlib", "centos-release-scl", "devtoolset-11"});
  EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
  EXPECT_THAT(machine.content("installed"), ElementsAre("centos-release-scl", "devtoolset-11", "zlib"));
  PackageMachine lacking;
  lacking.set("known", {"zlib", "centos-release-scl"});
  EXPECT_NE(lacking.run(installation_recipe(setup) + "\n:"), 0);
  setup.packages.clear();
  EXPECT_THAT(installation_recipe(setup), HasSubstr("devtoolset-11"));
}

TEST(Installation, FedoraHasYumOrDnf) {
  PackageMachine machine;
  machine.set("known", {"zlib"});
  fs::rename(machine.path() / "bin/yum", machine.path() / "bin/dnf");
  EXPECT_EQ(machine.run(installation_recipe({.system = "fedora", .packages = {"zlib"}})), 0)
      << machine.output;
  EXPECT_THAT(machine.log(), HasSubstr("dnf install -y --setopt=exit_on_lock=1 zlib"));
}

TEST(Installation, OptionsAmongTheNamesGoToThePackageManager) {
  for (bool ignore_missing : {false, true}) {
    PackageMachine machine;
    machine.set("known", {"pari", "zlib"});
    SystemSetup setup{.system = "fedora",
                      .packages = {"--setopt=tsflags=", "pari", "zlib"},
                      .ignore_missing = ignore_missing};
    EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
    EXPECT_THAT(machine.log(),
                HasSubstr("yum install -y --setopt=exit_on_lock=1 --setopt=tsflags= pari zlib"));
    EXPECT_THAT(machine.output, Not(HasSubstr(kMissingLine)));
  }
}

TEST(Installation, ArchsDocumentationIsExtractedIn2026) {
  for (const InstallationHabits& habits : {kOfSage98, kOf2026}) {
    PackageMachine machine;
    machine.set("known", {"zlib"});
    EXPECT_EQ(machine.run(installation_recipe({.system = "arch", .packages = {"zlib"}, .habits = habits})),
              0);
    EXPECT_EQ(machine.log().find("sed -i /^NoExtract/d /etc/pacman.conf") != std::string::npos,
              habits == kOf2026);
  }
}

TEST(Installation, CondaIsConfiguredAndGetsBashAsItsShell) {
  PackageMachine machine;
  machine.set("known", {"scipy>=1.5", "blas=2.*=openblas"});
  std::string condarc = "channels:\n  - conda-forge\n  - it's \"$HOME\"\n";
  SystemSetup setup{.system = "conda", .packages = {"blas=2.*=openblas", "scipy>=1.5"}, .condarc = condarc};
  EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
  EXPECT_EQ(read_file(machine.path() / "condarc"), condarc);
  EXPECT_THAT(machine.content("log"),
              IsSupersetOf({"ln -sf /bin/bash /bin/sh", "conda update --quiet --yes -n base conda",
                            "conda install --update-all --quiet --yes blas=2.*=openblas scipy>=1.5"}));
}

TEST(Installation, NixInstallsByNameOrAttributeAndFillsItsShell) {
  SystemSetup setup{.system = "nix", .packages = {"gmp", "perlPackages.JSON"}};
  for (const InstallationHabits& habits : {kOfSage98, kOf2026}) {
    setup.habits = habits;
    PackageMachine machine;
    machine.set("known", setup.packages);
    EXPECT_EQ(machine.run(installation_recipe(setup)), 0) << machine.output;
    std::string by_attribute =
        habits == kOfSage98 ? "nix-env --install" : "nix-env -f <nixpkgs> --install --attr";
    EXPECT_THAT(machine.log(), HasSubstr(by_attribute + " gmp perlPackages.JSON"));
    EXPECT_THAT(machine.log(), HasSubstr("nix-shell --packages gmp perlPackages.JSON --run :"));
  }
}

TEST(Installation, UnknownSystemsAreRefusedWithTheKnownOnes) {
  Words known = known_systems();
  EXPECT_TRUE(std::is_sorted(known.begin(), known.end()));
  for (const std::string& system : known) EXPECT_NO_THROW(check_system(system));
  EXPECT_NO_THROW(check_system("opensuse-leap"));
  try {
    installation_recipe({.system = "plan9\x1b", .packages = {"zlib"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("plan9"), HasSubstr("alpine, arch"), Not(HasSubstr("\x1b"))));
  }
  EXPECT_EQ(installation_recipe({}), ":") << "a plan without an environment";
}

}  // namespace
}  // namespace stagemake
