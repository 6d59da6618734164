// Comparison with the real tools' answers for two real trees: every package, every closure, every list.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files/files.h"
#include "base/text/text.h"
#include "environment/package_list.h"
#include "tree/dependency_words.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using nlohmann::json;

struct Answer {
  std::string tree;
  std::string file;
};

fs::path shared() {
  return STAGEMAKE_SHARED_DIR;
}

// The answers of an oracle file; null if the folder is missing.
json answers(const Answer& answer) {
  auto text = read_file(shared() / "oracle" / answer.tree / answer.file, 64u << 20);
  return text ? json::parse(*text) : json();
}

// A copy of a corpus tree in which files that contain only the path of another file become links to it. The
// corpus of 10.8 was written that way, as git does on a file system without links.
class LinkedCorpus {
 public:
  explicit LinkedCorpus(const fs::path& tree) : folder_(fs::temp_directory_path()) {
    fs::copy(tree, folder_.path() / "tree", fs::copy_options::recursive);
    std::vector<std::pair<fs::path, std::string>> links;
    for (const auto& entry : fs::recursive_directory_iterator(path())) {
      if (!fs::is_regular_file(entry.symlink_status()) || fs::file_size(entry.path()) > 200) continue;
      std::string text = read_file(entry.path()).value();
      if (text.starts_with("../") && text.find('\n') == std::string::npos)
        links.emplace_back(entry.path(), text);
    }
    for (const auto& [link, target] : links) {
      fs::remove(link);
      fs::create_symlink(target, link);
    }
  }
  fs::path path() const { return folder_.path() / "tree"; }

 private:
  TemporaryFolder folder_;
};

fs::path corpus(const std::string& tree) {
  fs::path place = shared() / "corpus" / tree;
  if (tree != "sage-10.8") return place;
  static const LinkedCorpus linked(place);
  return linked.path();
}

bool must_exist() {
  const char* value = std::getenv("STAGEMAKE_SHARED_MUST_EXIST");
  return value != nullptr && std::string_view(value) == "1";
}

#define NEED_ORACLE(oracle)                                                                                \
  if ((oracle).is_null()) {                                                                                \
    if (must_exist()) FAIL() << "no oracle data in " << shared() << ", but STAGEMAKE_SHARED_MUST_EXIST=1"; \
    GTEST_SKIP() << "no oracle data in " << shared();                                                      \
  }

class Closures : public testing::TestWithParam<Answer> {
 protected:
  // The options that configure chose in this oracle.
  static GraphOptions options(const json& oracle) {
    GraphOptions options;
    for (const auto& [name, facts] : oracle["packages"].items()) {
      if (facts["status"] == "dummy") options.dummies.insert(name);
      if (facts["installed"]) options.installed.insert(name);
    }
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Oracle, Closures,
                         testing::Values(Answer{"sage-9.8.rc0", "make-closures-none-from-system.json"},
                                         Answer{"sage-9.8.rc0", "make-closures-detected.json"},
                                         Answer{"sage-10.8", "make-closures-none-from-system.json"},
                                         Answer{"sage-10.8", "make-closures-detected.json"},
                                         Answer{"passagemath-2026-08",
                                                "make-closures-none-from-system.json"}),
                         [](const auto& one) {
                           std::string name = one.param.tree + "_" + one.param.file;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

TEST_P(Closures, FactsOfPackagesAreThoseOfConfigure) {
  json oracle = answers(GetParam());
  NEED_ORACLE(oracle);
  ReadTree tree(corpus(GetParam().tree), options(oracle));
  ASSERT_EQ(tree.packages.size(), oracle["packages"].size());
  for (PackageId id = 0; id < tree.packages.size(); ++id) {
    const Package& package = tree.packages[id];
    const json& facts = oracle["packages"][package.name];
    EXPECT_EQ(package.version, facts["version"]) << package.name;
    EXPECT_EQ(join(package.trees, " "), facts["trees"]) << package.name;
    EXPECT_EQ(name(make_rule(package.source)), facts["rule"]) << package.name;
    EXPECT_EQ(tree.graph.is_installed(id), facts["installed"].get<bool>()) << package.name;
  }
}

TEST_P(Closures, StandardPackagesCountAsInstalledWithoutBeingNamed) {
  json oracle = answers(GetParam());
  NEED_ORACLE(oracle);
  ReadTree tree(corpus(GetParam().tree));
  for (PackageId id = 0; id < tree.packages.size(); ++id)
    EXPECT_EQ(tree.graph.is_installed(id),
              oracle["packages"][tree.packages[id].name]["installed"].get<bool>())
        << tree.packages[id].name;
}

TEST_P(Closures, BuildOrderIsWhatMakeBuilt) {
  json oracle = answers(GetParam());
  NEED_ORACLE(oracle);
  ReadTree tree(corpus(GetParam().tree), options(oracle));
  ASSERT_EQ(oracle["stages"].size(), 6u);
  for (const auto& [target, built] : oracle["stages"].items()) {
    std::vector<std::string> ours = tree.build_order({target});
    EXPECT_THAT(ours, testing::UnorderedElementsAreArray(built.get<std::vector<std::string>>())) << target;
    EXPECT_EQ(ours, built.get<std::vector<std::string>>()) << "the order of make -j1 for " << target;
  }
}

// Closures contain only installed packages; the lines that configure wrote contain the optional packages too.
TEST_P(Closures, DependenciesAreThoseOfTheConfiguredLines) {
  json oracle = answers(GetParam());
  NEED_ORACLE(oracle);
  ReadTree tree(corpus(GetParam().tree), options(oracle));
  std::vector<bool> installed, checked(tree.packages.size());
  for (PackageId id = 0; id < tree.packages.size(); ++id) installed.push_back(tree.graph.is_installed(id));
  Faults faults;
  DependencyWords words(tree.packages, tree.variables, installed, checked, faults);
  for (PackageId id = 0; id < tree.packages.size(); ++id) {
    const Package& package = tree.packages[id];
    json facts = oracle["packages"][package.name];
    std::vector<std::string> lines = {facts["deps"]};
    if (facts.contains("build_deps")) {
      bool script = facts["rule"] == "script";
      lines.insert(script ? lines.begin() : lines.end(), facts["build_deps"].get<std::string>());
    }
    References found;
    words.resolve(join(lines, " "), {package.name, "oracle"}, found);
    auto built = [&](const std::vector<Reference>& references) {
      std::set<std::string> names;
      for (Reference reference : references)
        if (reference.by_stamp || !tree.graph.is_dummy(reference.id))
          names.insert(tree.packages[reference.id].name);
      return names;
    };
    std::set<std::string> normal = built(found.normal), order_only = built(found.order_only);
    for (const std::string& name : normal) order_only.erase(name);
    EXPECT_THAT(tree.normal(package.name), testing::UnorderedElementsAreArray(normal)) << package.name;
    EXPECT_THAT(tree.order_only(package.name), testing::UnorderedElementsAreArray(order_only))
        << package.name;
  }
  EXPECT_THAT(faults.list(), testing::IsEmpty());
}

TEST_P(Closures, DependenciesComeBeforeTheirUsers) {
  json oracle = answers(GetParam());
  NEED_ORACLE(oracle);
  ReadTree tree(corpus(GetParam().tree), options(oracle));
  std::vector<PackageId> order = tree.graph.build_order({"all"});
  std::set<PackageId> before;
  for (PackageId id : order) {
    for (PackageId other : tree.graph.normal_dependencies(id)) EXPECT_TRUE(before.contains(other));
    for (PackageId other : tree.graph.order_only_dependencies(id)) EXPECT_TRUE(before.contains(other));
    EXPECT_TRUE(before.insert(id).second);
  }
}

// An oracle's command line as a query.
PackageListQuery query_of(const std::string& command) {
  std::vector<std::string> words;
  for (std::string_view word : stagemake::words(command)) {
    if (word.starts_with('\'') && word.ends_with('\'')) word = word.substr(1, word.size() - 2);
    words.emplace_back(word);
  }
  return package_list_query(words);
}

class OracleLists : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Trees, OracleLists, testing::Values("sage-9.8.rc0", "sage-10.8"));

TEST_P(OracleLists, AreThoseOfSagePackageList) {
  json oracle = answers({GetParam(), "package-lists.json"});
  NEED_ORACLE(oracle);
  PackageIndex packages = PackageIndex::read(corpus(GetParam()));
  ASSERT_FALSE(oracle["accepted"].empty());
  for (const auto& [command, names] : oracle["accepted"].items()) {
    // The corpus has the files that bootstrap writes; when the tool was asked, they did not exist.
    if (std::string_view(GetParam()) == "sage-10.8" &&
        command.find("version_requirements") != std::string::npos)
      continue;
    EXPECT_EQ(list_packages(packages, query_of(command)), names.get<std::vector<std::string>>()) << command;
  }
  for (const auto& command : oracle["rejected"]) {
    EXPECT_THROW(list_packages(packages, query_of(command)), Error) << command;
  }
}

}  // namespace
}  // namespace stagemake
