#include "environment/environment_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text/text.h"
#include "environment/environment.h"
#include "environment/workflow_names.h"

namespace stagemake {
namespace {

// Factors of an environment's name that select its set of system packages (Sage's tox.ini), in the usual
// order. A name without any of them has the standard set.
const std::vector<std::string> kPackageFactors = {"minimal",     "standard", "maximal",
                                                  "recommended", "develop",  "sitepackages"};
constexpr std::size_t kPackageSets = 3;  // the first of them
constexpr std::string_view kIncremental = "incremental";

template <class T>
bool contains(const std::vector<T>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

void add_new(std::vector<std::string>& names, std::string name) {
  if (!contains(names, name)) names.push_back(std::move(name));
}

std::vector<ListedName> platforms_of(const fs::path& tree, const FactorTable* table, Faults& faults) {
  if (table != nullptr && !table->platforms().empty()) return table->platforms();
  return workflow_systems(tree, faults);
}

}  // namespace

bool EnvironmentList::has_package_factor(std::string_view name) const {
  std::vector<std::string_view> factors = split(name, '-');
  return std::any_of(factors.begin(), factors.end(),
                     [&](std::string_view factor) { return contains(package_factors_, factor); });
}

std::string EnvironmentList::system_of(std::string_view name) const {
  std::vector<std::string> kept;
  for (std::string_view factor : split(name, '-'))
    if (!contains(package_factors_, factor) && factor != kIncremental) kept.emplace_back(factor);
  return join(kept, "-");
}

std::vector<std::string> EnvironmentList::meant(std::string_view asked) const {
  constexpr std::string_view kAll = "all-";
  std::string name = environment_name(asked);
  std::vector<std::string> result;
  if (name.starts_with(kAll) && contains(package_factors_, name.substr(kAll.size()))) {
    for (const std::string& system : systems_) result.push_back(system + name.substr(kAll.size() - 1));
    return result;
  }
  if (name.starts_with(kAll)) {
    std::vector<std::string> groups;
    for (const std::string& factor : package_factors_) groups.push_back(std::string(kAll) + factor);
    throw bad_input("", fmt::format("{} is not a group of environments; the groups are {}", shown(name),
                                    join(groups, ", ")));
  }
  if (has_package_factor(name)) return {name};
  std::string system = system_of(name);
  bool incremental = system != name;
  for (std::size_t i = 0; i < std::min(kPackageSets, package_factors_.size()); ++i)
    result.push_back(system + "-" + package_factors_[i] + (incremental ? "-incremental" : ""));
  return result;
}

EnvironmentList EnvironmentList::read(const fs::path& tree, const FactorTable* table,
                                      const StageTable& stages, Faults& faults) {
  EnvironmentList list;
  for (std::size_t i = 0; i < kPackageFactors.size(); ++i)
    if (table == nullptr ? i < kPackageSets : table->factors().contains(kPackageFactors[i]))
      list.package_factors_.push_back(kPackageFactors[i]);

  std::vector<std::string> single;
  for (const ListedName& platform : platforms_of(tree, table, faults)) add_new(list.systems_, platform.name);
  std::size_t crossed = list.systems_.size();
  for (const std::string& name : stages.environments) single.push_back(environment_name(name));
  if (table != nullptr)
    for (const ListedName& listed : table->envlist())
      if (listed.name.starts_with("docker-")) single.push_back(environment_name(listed.name));
  for (const std::string& name : single) add_new(list.systems_, list.system_of(name));

  for (std::size_t i = 0; i < list.systems_.size(); ++i) {
    if (i < crossed)
      for (const std::string& factor : list.package_factors_)
        list.names_.push_back(list.systems_[i] + "-" + factor);
    for (const std::string& name : single)
      if (list.system_of(name) == list.systems_[i]) add_new(list.names_, name);
  }
  return list;
}

namespace {

// The factors of a listed name that have no meaning in the table. A word that is in the base image of the
// name (archlinux-latest: `archlinux:latest`) has a meaning without the table.
std::vector<std::string> meaningless(const FactorTable& table, const std::string& name) {
  std::vector<std::string> unknown;
  std::optional<std::set<std::string>> of_image;
  for (std::string_view factor : split(name, '-')) {
    if (table.meaning().contains(factor) || contains(kPackageFactors, factor)) continue;
    if (!of_image) {
      auto variables = tox_variables(
          table,
          {.environment = name.starts_with("docker-") || name.starts_with("local-") ? name : "docker-" + name,
           .caller = [](std::string_view) { return std::nullopt; }});
      std::string image = variables["FULL_BASE_IMAGE_AND_TAG"];
      for (char& c : image)
        if (c == ':' || c == '/' || c == '-') c = ' ';
      of_image.emplace();
      for (std::string_view word : words(image)) of_image->emplace(word);
    }
    if (!of_image->contains(std::string(factor))) unknown.emplace_back(factor);
  }
  return unknown;
}

std::vector<std::string> suggestions(const FactorTable& table, const ListedName& listed,
                                     const std::vector<std::string>& unknown) {
  std::vector<std::string> meanings(table.meaning().begin(), table.meaning().end());
  std::vector<std::string> near;
  for (const std::string& factor : unknown)
    for (std::string& one : nearest(factor, meanings)) near.push_back(std::move(one));
  if (!near.empty()) return near;
  std::vector<std::string> known;
  for (const ListedName& platform : table.platforms())
    if (meaningless(table, platform.name).empty()) known.push_back(platform.name);
  return nearest(listed.name, known);
}

}  // namespace

std::vector<UnknownName> unknown_names(const fs::path& tree, const FactorTable& table, Faults& faults) {
  std::vector<ListedName> all = table.envlist();
  all.insert(all.end(), table.platforms().begin(), table.platforms().end());
  for (ListedName& listed : workflow_names(tree, faults)) all.push_back(std::move(listed));
  std::vector<UnknownName> result;
  for (ListedName& listed : all) {
    // Other entries of an envlist (`lint`) are not names made of factors.
    bool of_factors =
        listed.file != table.file() || listed.name.starts_with("docker-") ||
        listed.name.starts_with("local-") ||
        std::find(table.platforms().begin(), table.platforms().end(), listed) != table.platforms().end();
    if (!of_factors) continue;
    std::vector<std::string> unknown = meaningless(table, listed.name);
    if (unknown.empty()) continue;
    std::vector<std::string> near = suggestions(table, listed, unknown);
    result.push_back({std::move(listed), std::move(unknown), std::move(near)});
  }
  std::sort(result.begin(), result.end(), [](const UnknownName& a, const UnknownName& b) {
    return std::tie(a.listed.file, a.listed.line, a.listed.name) <
           std::tie(b.listed.file, b.listed.line, b.listed.name);
  });
  return result;
}

}  // namespace stagemake
