// The answers of real tox and of Sage 9.8's own Dockerfile writer for hundreds of environments, compared with
// the answers here.
#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "environment/environment.h"
#include "environment/environment_list.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using nlohmann::json;
using testing::IsEmpty;

std::optional<std::string> unset(std::string_view) {
  return std::nullopt;
}

// One release of a real tree and its factor table; skips the test (or fails it) if the data is missing.
class CorpusTest : public testing::Test {
 protected:
  void open(const std::string& name) {
    tree_ = fs::path(STAGEMAKE_SHARED_DIR) / "corpus" / name;
    std::optional<std::string> text = read_file(tree_ / "tox-setenv.ini");
    if (!text) return absent();
    Faults faults;
    table_ = FactorTable::parse(*text, "tox.ini", faults);
    EXPECT_THAT(faults.list(), IsEmpty());
    packages_ = PackageIndex::read(tree_);
  }
  json oracle(const std::string& file) {
    std::optional<std::string> text =
        read_file(fs::path(STAGEMAKE_SHARED_DIR) / "oracle" / tree_.filename() / file, 64u << 20);
    if (!text) absent();
    return text ? json::parse(*text) : json();
  }
  void absent() {
    const char* must = std::getenv("STAGEMAKE_SHARED_MUST_EXIST");
    if (must != nullptr && std::string_view(must) == "1") FAIL() << "no data in " << STAGEMAKE_SHARED_DIR;
    GTEST_SKIP() << "no data in " << STAGEMAKE_SHARED_DIR;
  }
  bool is_there() const { return table_.has_value(); }
  EnvironmentReader reader() const {
    return EnvironmentReader({.packages = *packages_, .table = &*table_, .caller = unset});
  }

  fs::path tree_;
  std::optional<FactorTable> table_;
  std::optional<PackageIndex> packages_;
};

struct ToxAnswers {
  const char* tree;
  std::size_t count;
};

class ToxTest : public CorpusTest, public testing::WithParamInterface<ToxAnswers> {};
INSTANTIATE_TEST_SUITE_P(CorpusTest, ToxTest,
                         testing::Values(ToxAnswers{"sage-9.8.rc0", 560}, ToxAnswers{"sage-10.8", 92}));

TEST_P(ToxTest, EveryVariableOfEveryNameIsWhatToxSays) {
  open(GetParam().tree);
  if (!is_there()) return;
  json environments = oracle("tox-environments.json")["envs"];
  EXPECT_EQ(environments.size(), GetParam().count);
  std::vector<std::string> bases;
  std::string script;  // how a shell reads the output of tox
  for (const auto& [name, expected] : environments.items()) {
    std::map<std::string, std::string> variables =
        tox_variables(*table_, {.environment = name, .caller = unset});
    variables.erase("HOME");  // a folder on the machine where tox ran
    EXPECT_EQ(json(variables), expected) << name;
    EXPECT_THAT(table_->unknown_factors(name), IsEmpty());
    Environment environment = reader().resolve({.name = name, .given = {}});
    EXPECT_EQ(environment.setup.system, expected["SYSTEM"]) << name;
    EXPECT_THAT(environment.unexpanded, IsEmpty()) << name;
    bases.push_back(environment.base_image);
    script += "echo " + expected["FULL_BASE_IMAGE_AND_TAG"].get<std::string>() + "\n";
  }
  Finished shell = run_command({.argv = {"sh", "-c", script}});
  EXPECT_EQ(join(bases, "\n") + "\n", shell.output);
}

TEST_F(CorpusTest, SystemPackagesFlagsAndStagesAreThoseOfSagesDockerfileWriter) {
  open("sage-9.8.rc0");
  if (!is_there()) return;
  json environments = oracle("system-packages.json");
  EXPECT_EQ(environments.size(), 280u);
  EnvironmentReader shared = reader();
  std::vector<std::string> stages;
  for (const StageSpec& stage : built_in_stages(TreeFeatures::of_sage98()).stages)
    stages.push_back(stage.name);
  for (const auto& [name, facts] : environments.items()) {
    Environment environment = shared.resolve({.name = name, .given = {}});
    EXPECT_EQ(environment.setup.skipped, facts["skips_system_packages"].get<bool>()) << name;
    // The writer's words still have the shell's quotes (and the last word lacks its closing quote).
    std::set<std::string> installed;
    for (std::string word : facts["system_packages"]) {
      std::erase(word, '"');
      installed.insert(word);
    }
    const std::vector<std::string>& own = environment.setup.packages;
    if (!environment.setup.skipped) {
      EXPECT_EQ(std::set<std::string>(own.begin(), own.end()), installed) << name;
    }
    std::set<std::string> flags;
    for (const std::string& argument : environment.configure_args)
      if (argument.starts_with("--with-system-")) flags.insert(argument);
    EXPECT_EQ(flags, facts["with_system"].get<std::set<std::string>>()) << name;
    EXPECT_EQ(stages, facts["stages"].get<std::vector<std::string>>()) << name;
  }
}

// All systems of the 2026 release's CI; the list itself is in a part of its tox.ini that the data leaves out.
constexpr std::string_view kPlatforms2026 =
    "ubuntu-{bionic-toolchain-gcc_10,focal-gcc_10,jammy,noble,plucky,questing,resolute,stonking} "
    "debian-{bookworm,trixie,forky,sid} linuxmint-{21,21.1,21.2,21.3,22,22.1,22.2,22.3} "
    "fedora-{32,40,44} fedora-45{,-python3.14} centos-stream-{9-python3.12,10} "
    "almalinux-8-toolset-gcc_10-python3.12 alpine gentoo-python3.13 archlinux "
    "opensuse-{15.6-gcc_11-python3.12,16.0-python3.13} opensuse-tumbleweed voidlinux{-musl,} "
    "conda-forge-python3.14 nixos-python3.14 ubuntu-bionic-toolchain-gcc_10-i386 fedora-44-arm64v8";

TEST_F(CorpusTest, TheTableOf2026Resolves) {
  open("passagemath-2026-08");
  if (!is_there()) return;
  Faults faults;
  EnvironmentReader shared = reader();
  unsigned resolved = 0;
  for (const std::string& system : expand_braces(kPlatforms2026, "", faults))
    for (const char* packages :
         {"minimal", "standard", "maximal", "recommended", "standard-develop", "standard-sitepackages"})
      for (const char* end : {"", "-incremental"}) {
        std::string name = system + "-" + packages + end;
        Environment environment;
        ASSERT_NO_THROW(environment = shared.resolve({.name = name, .given = {}})) << name;
        EXPECT_THAT(environment.unexpanded, IsEmpty()) << name;
        EXPECT_FALSE(has_shell_text(environment.base_image)) << name << ": " << environment.base_image;
        ++resolved;
      }
  EXPECT_GT(resolved, 400u);
  Environment one = shared.resolve(
      {.name = "docker-almalinux-8-toolset-gcc_10-python3.12-minimal-incremental", .given = {}});
  EXPECT_EQ(
      one.base_image,
      "ghcr.io/passagemath/passagemath/sage-almalinux-8-toolset-gcc_10-python3.12-minimal-with-targets:dev");
  EXPECT_EQ(one.setup.toolset, "gcc-toolset-10");
}

}  // namespace
}  // namespace stagemake
