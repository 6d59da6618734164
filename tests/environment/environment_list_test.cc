#include "environment/environment_list.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/error.h"
#include "base/text/text.h"
#include "environment/name_meaning.h"
#include "environment/workflow_names.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr std::string_view kTox =
    "[tox]\n"
    "envlist =\n"
    "    check_configure,\n"
    "    docker-ubuntu-{focal,jammy}-standard,\n"
    "    docker-centos-7-devtoolset-minimal\n"
    "[testenv]\n"
    "setenv =\n"
    "    docker: FULL_BASE_IMAGE_AND_TAG={env:BASE_IMAGE}:{env:BASE_TAG:latest}\n"
    "    ubuntu: BASE_IMAGE=ubuntu\n"
    "    ubuntu-{focal,jammy}: BASE_TAG=set\n"
    "    fedora: BASE_IMAGE=fedora\n"
    "    fedora-34: BASE_TAG=34\n"
    "    archlinux: BASE_IMAGE=archlinux\n"
    "    centos-7-devtoolset: BASE_TAG=7\n"
    "    {minimal,standard,maximal,develop}: KIND=set\n"
    "    incremental: GOES_ON=yes\n"
    "    local: HOME=x\n";
constexpr std::string_view kPlatforms =
    "[testenv:check_configure]\n"
    "setenv =\n"
    "    DEFAULT_SYSTEM_FACTORS = \\\n"
    "        fedora-34 \\\n"
    "        ubuntu-focal\n";

class EnvironmentLists : public testing::Test {
 protected:
  void tox(const std::string& text) { tree_.file("tox.ini", text); }
  EnvironmentList read() {
    table_ = FactorTable::read(tree_.path());
    Faults faults;
    EnvironmentList list =
        EnvironmentList::read(tree_.path(), table_ ? &*table_ : nullptr,
                              stage_table_of(tree_.path(), TreeFeatures::of_sage98(), {}), faults);
    EXPECT_THAT(faults.list(), IsEmpty());
    return list;
  }
  // Unknown names as "FILE:LINE NAME: FACTORS; NEAREST".
  std::vector<std::string> unknown() {
    Faults faults;
    table_ = FactorTable::read(tree_.path());
    std::vector<std::string> result;
    for (const UnknownName& one : unknown_names(tree_.path(), *table_, faults))
      result.push_back(fmt::format("{}:{} {}: {}; {}", one.listed.file, one.listed.line, one.listed.name,
                                   join(one.factors, " "), join(one.nearest, " ")));
    EXPECT_THAT(faults.list(), IsEmpty());
    return result;
  }
  void workflow(const std::string& name, std::string_view text) {
    tree_.file(".github/workflows/" + name, text);
  }

  TreeText tree_{"zlib standard 1\n"};
  std::optional<FactorTable> table_;
};

TEST_F(EnvironmentLists, PlatformsAreCrossedWithPackageFactorsAndOthersFollowTheirSystem) {
  tox(std::string(kTox) + std::string(kPlatforms));
  EnvironmentList list = read();
  EXPECT_THAT(list.package_factors(), ElementsAre("minimal", "standard", "maximal", "develop"));
  EXPECT_THAT(list.systems(),
              ElementsAre("fedora-34", "ubuntu-focal", "ubuntu-jammy", "centos-7-devtoolset"));
  EXPECT_THAT(list.names(),
              ElementsAre("fedora-34-minimal", "fedora-34-standard", "fedora-34-maximal", "fedora-34-develop",
                          "ubuntu-focal-minimal", "ubuntu-focal-standard", "ubuntu-focal-maximal",
                          "ubuntu-focal-develop", "ubuntu-jammy-standard", "centos-7-devtoolset-minimal"))
      << "each once, those of envlist uncrossed";
}

TEST_F(EnvironmentLists, WithoutPlatformsTheDockerWorkflowHasThem) {
  tox(std::string(kTox));
  workflow("docker.yml",
           "on:\n  workflow_call:\n    inputs:\n      tox_system_factors:\n"
           "        default: >-\n          [\"fedora-34\",\n           \"archlinux\"]\n");
  workflow("other.yml", "tox_system_factors: '[\"ubuntu-jammy\"]'\n");
  EXPECT_THAT(read().systems(),
              ElementsAre("fedora-34", "archlinux", "ubuntu-focal", "ubuntu-jammy", "centos-7-devtoolset"));
  EXPECT_THAT(read().names(), Contains("archlinux-develop"));
  EXPECT_THAT(read().names(), testing::Not(Contains("ubuntu-jammy-minimal")));
  tox(std::string(kTox) + std::string(kPlatforms));
  EXPECT_THAT(read().systems(), testing::Not(Contains("archlinux"))) << "tox.ini's own come before";
}

// Like Sage 9.1 to 9.6.
TEST_F(EnvironmentLists, WithoutADockerWorkflowAllWorkflowsHaveThem) {
  tox(std::string(kTox));
  workflow("tox.yml",
           "jobs:\n"
           "  docker:\n    strategy:\n      matrix:\n        tox_system_factor: [fedora-34, archlinux]\n"
           "    env:\n      TOX_ENV: docker-${{ matrix.tox_system_factor }}\n"
           "  local-macos:\n    strategy:\n      matrix:\n        tox_system_factor: [homebrew-macos]\n"
           "    env:\n      TOX_ENV: local-${{ matrix.tox_system_factor }}\n"
           "    steps:\n      - run: tox -e docker-not-a-list\n");
  workflow("tox-optional.yml", "jobs:\n  docker:\n    tox_system_factor: [archlinux, debian]\n");
  EXPECT_THAT(read().systems(), ElementsAre("archlinux", "debian", "fedora-34", "ubuntu-focal",
                                            "ubuntu-jammy", "centos-7-devtoolset"));
}

TEST_F(EnvironmentLists, ATreeWithoutAFactorTableHasThoseOfItsStageTable) {
  tree_.file("ci-docker.toml", "environments = ['docker-debian-12-minimal', 'debian-12-standard']\n");
  EnvironmentList list = read();
  EXPECT_THAT(list.package_factors(), ElementsAre("minimal", "standard", "maximal"));
  EXPECT_THAT(list.systems(), ElementsAre("debian-12"));
  EXPECT_THAT(list.names(), ElementsAre("debian-12-minimal", "debian-12-standard"));
}

TEST_F(EnvironmentLists, ATreeWithNothingHasNone) {
  EnvironmentList list = read();
  EXPECT_THAT(list.systems(), IsEmpty());
  EXPECT_THAT(list.names(), IsEmpty());
}

TEST_F(EnvironmentLists, NamesMeanOneOrSeveral) {
  tox(std::string(kTox) + std::string(kPlatforms));
  EnvironmentList list = read();
  const std::vector<std::pair<const char*, std::vector<std::string>>> all = {
      {"fedora-34-minimal", {"fedora-34-minimal"}},
      {"docker-fedora-34-minimal", {"fedora-34-minimal"}},
      {"minimal-fedora-34", {"minimal-fedora-34"}},
      {"fedora-34-develop-incremental", {"fedora-34-develop-incremental"}},
      {"fedora-34", {"fedora-34-minimal", "fedora-34-standard", "fedora-34-maximal"}},
      {"not-listed", {"not-listed-minimal", "not-listed-standard", "not-listed-maximal"}},
      {"fedora-34-incremental",
       {"fedora-34-minimal-incremental", "fedora-34-standard-incremental", "fedora-34-maximal-incremental"}},
      {"all-develop",
       {"fedora-34-develop", "ubuntu-focal-develop", "ubuntu-jammy-develop", "centos-7-devtoolset-develop"}},
  };
  for (const auto& [name, names] : all) EXPECT_EQ(list.meant(name), names) << name;
  EXPECT_EQ(list.system_of("fedora-34-minimal-incremental"), "fedora-34");
  EXPECT_EQ(list.system_of("minimal-fedora-34"), "fedora-34");
  EXPECT_TRUE(list.has_package_factor("x-develop"));
  EXPECT_FALSE(list.has_package_factor("x-recommended")) << "this table has no such factor";
}

TEST_F(EnvironmentLists, AnUnknownGroupIsRefusedWithTheOnesThereAre) {
  tox(std::string(kTox));
  try {
    read().meant("all-minimum");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("all-minimum"), HasSubstr("all-minimal, all-standard")));
  }
}

TEST_F(EnvironmentLists, UnknownNamesInListsAreReported) {
  tox("[tox]\nenvlist =\n    docker-ubunto-focal-standard,\n    docker-ubuntu-focal-standard\n" +
      std::string(kTox).substr(std::string(kTox).find("[testenv]")) +
      "[testenv:check_configure]\nsetenv =\n    DEFAULT_SYSTEM_FACTORS = \\\n"
      "        fedora-34 \\\n        fedora-35 \\\n        archlinux-latest ubuntu-focal-gcc_9\n");
  workflow("b.yml",
           "jobs:\n  x:\n    steps:\n      - run: |\n          echo\n"
           "          tox -e docker-fedora-33-minimal -- x\n");
  EXPECT_THAT(unknown(),
              ElementsAre(".github/workflows/b.yml:6 docker-fedora-33-minimal: 33; 34 7",
                          "tox.ini:3 docker-ubunto-focal-standard: ubunto; ubuntu",
                          HasSubstr("fedora-35: 35; 34"), HasSubstr("ubuntu-focal-gcc_9: gcc_9; ")))
      << "archlinux-latest is the image archlinux:latest, and needs no line of its own";
}

TEST_F(EnvironmentLists, AListThatTheTableKnowsHasNothingToTell) {
  tox(std::string(kTox) + std::string(kPlatforms));
  EXPECT_THAT(unknown(), IsEmpty()) << "check_configure has a section of its own";
}

// --- Workflows

class WorkflowNames : public testing::Test {
 protected:
  // "LINE NAME" of each name in a workflow with this text.
  std::vector<std::string> names(std::string_view text) {
    tree_.file(".github/workflows/w.yml", text);
    std::vector<std::string> result;
    for (const ListedName& listed : workflow_names(tree_.path(), faults_)) {
      EXPECT_EQ(listed.file, ".github/workflows/w.yml");
      result.push_back(fmt::format("{} {}", listed.line, listed.name));
    }
    return result;
  }
  TreeText tree_{"zlib standard 1\n"};
  Faults faults_;
};

TEST_F(WorkflowNames, ListsOfSystems) {
  EXPECT_THAT(names("strategy:\n  matrix:\n    tox_system_factor: [a-1, b]\n"), ElementsAre("3 a-1", "3 b"));
  EXPECT_THAT(names("tox_system_factors:\n  - a\n  - \"b\"\n  # - c\n  - d\n"),
              ElementsAre("2 a", "3 b", "5 d"));
  EXPECT_THAT(names("with:\n  tox_system_factors: >-\n    [\"a\",\n     \"a-b\",\n     \"b\"]\n"),
              ElementsAre("3 a", "4 a-b", "5 b"));
  EXPECT_THAT(names("x:\n  tox_system_factors:\n    default: '[\"a\", \"b\"]'\n    type: string\n"),
              ElementsAre("3 a", "3 b"));
}

TEST_F(WorkflowNames, GitHubExpressionsAreSkipped) {
  EXPECT_THAT(names("m:\n  tox_system_factor: ${{ fromJson(inputs.x) }}\n"
                    "  tox_packages_factor: [no]\n"
                    "  steps:\n    - run: tox -e docker-${{ matrix.x }}-minimal\n"),
              IsEmpty());
  EXPECT_THAT(names("tox_system_factors: text\n"), IsEmpty());
  EXPECT_THAT(names("tox_system_factors: [[a], {b: c}, \"no name\", -x]\n"), IsEmpty());
}

TEST_F(WorkflowNames, CallsOfTox) {
  EXPECT_THAT(names("steps:\n  - run: |\n      set -x\n      tox -e docker-a-minimal,local-b -- x\n"
                    "      tox -p -e lint -e docker-c\n      python -m tox -e docker-d\n"),
              ElementsAre("4 docker-a-minimal", "4 local-b", "5 docker-c", "6 docker-d"));
  EXPECT_THAT(names("steps:\n  - run: tox -e\n  - name: tox docker-x\n"), IsEmpty());
}

TEST_F(WorkflowNames, FilesInOrderAndOnlyYaml) {
  tree_.file(".github/workflows/b.yaml", "tox_system_factors: [b]\n");
  tree_.file(".github/workflows/a.yml", "tox_system_factors: [a]\n");
  tree_.file(".github/workflows/c.txt", "tox_system_factors: [c]\n");
  tree_.file(".github/other/d.yml", "tox_system_factors: [d]\n");
  std::vector<std::string> found;
  for (const ListedName& listed : workflow_names(tree_.path(), faults_)) found.push_back(listed.name);
  EXPECT_THAT(found, ElementsAre("a", "b"));
}

TEST_F(WorkflowNames, InvalidYamlIsAFaultOfThatFileOnly) {
  tree_.file(".github/workflows/z.yml", "tox_system_factors: [z]\n");
  tree_.file(".github/workflows/bad.yml", "a: b\n\tc: [\n");
  EXPECT_THAT(workflow_names(tree_.path(), faults_), testing::SizeIs(1));
  ASSERT_EQ(faults_.list().size(), 1u);
  EXPECT_THAT(faults_.list()[0].text(), HasSubstr(".github/workflows/bad.yml:2: is not YAML: "));
}

TEST_F(WorkflowNames, NoFolderNoNames) {
  EXPECT_THAT(workflow_names(tree_.path(), faults_), IsEmpty());
  EXPECT_TRUE(faults_.empty());
}

// --- Names in a tree without a factor table

TEST(NameMeaning, FirstWordSystemFirstTwoImageAnyPackageSet) {
  struct Case {
    const char *name, *system, *image, *packages;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"debian-bookworm-minimal", "debian", "debian:bookworm", "_prereq"},
           {"debian-minimal", "debian", "debian:latest", "_prereq"},
           {"debian", "debian", "debian:latest", ""},
           {"ubuntu-focal-standard", "debian", "ubuntu:focal", "--has-file=spkg-configure.m4 :standard:"},
           {"fedora-37-gcc-maximal", "fedora", "fedora:37", ":standard: :optional:"},
           {"centos-7", "fedora", "centos:7", ""},
           {"archlinux-latest-minimal-incremental", "arch", "archlinux:latest", "_prereq"},
           {"linuxmint-21-minimal", "debian", "linuxmint:21", "_prereq"},
           {"voidlinux-minimal", "void", "voidlinux:latest", "_prereq"},
           {"nixos-x-minimal", "nix", "nixos:x", "_prereq"}}) {
    auto meaning = name_meaning(one.name);
    EXPECT_EQ(meaning["SYSTEM"], one.system) << one.name;
    EXPECT_EQ(meaning["FULL_BASE_IMAGE_AND_TAG"], one.image) << one.name;
    EXPECT_EQ(meaning["SAGE_PACKAGE_LIST_ARGS"], one.packages) << one.name;
  }
  EXPECT_THAT(name_meaning("debian"), testing::SizeIs(2)) << "what the name does not say is not there";
}

}  // namespace
}  // namespace stagemake
