#include "environment/package_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

const std::vector<std::string> kClasses = {":all:", ":standard:", ":optional:", ":experimental:"};

bool is_class(std::string_view selector) {
  return std::find(kClasses.begin(), kClasses.end(), selector) != kClasses.end();
}

bool in_class(const Package& package, std::string_view selector) {
  return selector == ":all:" || name(package.type) == selector.substr(1, selector.size() - 2);
}

bool has_any(const PackageIndex& packages, PackageId id, std::string_view files) {
  for (std::string_view file : split(files, '|'))
    if (packages.has_file(id, file)) return true;
  return false;
}

bool passes(const PackageIndex& packages, PackageId id, const PackageListQuery& query) {
  auto has = [&](const std::string& files) { return has_any(packages, id, files); };
  const std::vector<std::string>& own = packages[id].trees;
  auto is_own = [&](const std::string& tree) { return std::find(own.begin(), own.end(), tree) != own.end(); };
  return std::all_of(query.has_file.begin(), query.has_file.end(), has) &&
         std::none_of(query.no_file.begin(), query.no_file.end(), has) &&
         (query.trees.empty() || std::any_of(query.trees.begin(), query.trees.end(), is_own));
}

// The name that a selector stands for; nullopt, and a fault, if there is none.
std::optional<std::string> named(const PackageIndex& packages, const std::string& selector, bool must_exist,
                                 Faults& faults) {
  if (packages.features().urls) {
    bool shortened = selector.starts_with("pypi/") || selector.starts_with("generic/");
    if (shortened || selector.starts_with("pkg:")) {
      if (auto id = packages.find_purl(shortened ? "pkg:" + selector : selector)) return packages[*id].name;
      faults.add("", fmt::format("no package has the URL `{}`", shown(selector)));
      return std::nullopt;
    }
  }
  if (packages.has_folder(selector)) return selector;
  bool colon = selector.find(':') != std::string::npos;
  bool dash = packages.features().urls && selector.find('-') != std::string::npos;
  bool is_plain = std::all_of(selector.begin(), selector.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '+' || c == '-';
  });
  if (is_plain && !selector.empty() && !dash && !must_exist) return selector;
  std::vector<std::string> alike = nearest(selector, colon ? kClasses : packages.names());
  std::string classes = colon ? "; the classes are " + join(kClasses, " ") : "";
  faults.add("", fmt::format("`{}` is not a {} of packages{}{}", shown(selector), colon ? "class" : "name",
                             classes, alike.empty() ? "" : "; did you mean " + join(alike, " or ") + "?"));
  return std::nullopt;
}

// The run-time dependencies of a package, by the rules of the real tool: names of `dependencies` before the
// `|`, and those of pyproject.toml. Words that are not packages are ignored.
std::vector<PackageId> ordinary_dependencies(const PackageIndex& packages, PackageId id) {
  static const std::map<std::string_view, std::string_view> kVariables = {
      {"$(PYTHON)", "python3"}, {"$(MP_LIBRARY)", "gmp"}, {"$(BLAS)", "openblas"}};
  std::vector<PackageId> result;
  auto add = [&](std::optional<PackageId> found) {
    if (found) result.push_back(*found);
  };
  const std::optional<std::string>& said = packages[id].line(DependencyFile::Main);
  std::string_view line = said ? std::string_view(*said) : std::string_view();
  for (std::string_view word : words(line.substr(0, line.find('|')))) {
    auto variable = kVariables.find(word);
    add(packages.find(variable == kVariables.end() ? word : variable->second));
  }
  for (const PyprojectName& needed : packages[id].pyproject)
    if (needed.list == PyprojectList::Dependencies || needed.list == PyprojectList::HostRequires)
      add(needed.name.starts_with("pkg:") ? packages.find_purl(needed.name) : packages.find(needed.name));
  return result;
}

// All dependencies of `from`, without `from` itself unless one of them needs another.
std::set<PackageId> needed_by(const PackageIndex& packages, const std::vector<PackageId>& from) {
  std::set<PackageId> needed;
  std::vector<PackageId> open = from;
  while (!open.empty()) {
    PackageId id = open.back();
    open.pop_back();
    for (PackageId dependency : ordinary_dependencies(packages, id))
      if (needed.insert(dependency).second) open.push_back(dependency);
  }
  return needed;
}

void follow_dependencies(const PackageIndex& packages, const PackageListQuery& query,
                         std::set<std::string>& names) {
  std::vector<PackageId> selected;
  for (const std::string& name : names)
    if (std::optional<PackageId> id = packages.find(name)) selected.push_back(*id);
  for (PackageId id : needed_by(packages, selected)) {
    if (query.exclude_dependencies)
      names.erase(packages[id].name);
    else
      names.insert(packages[id].name);
  }
  for (const std::string& name : query.exclude) names.erase(name);
}

}  // namespace

PackageListQuery package_list_query(const std::vector<std::string>& arguments) {
  constexpr std::string_view kTool = "sage-package list";
  PackageListQuery query;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    auto option = [&](std::string_view name, std::vector<std::string>& into) {
      if (!word.starts_with(name)) return false;
      if (word.size() > name.size() && word[name.size()] == '=') {
        into.push_back(word.substr(name.size() + 1));
        return true;
      }
      if (word.size() != name.size()) return false;
      if (++i == arguments.size()) throw bad_input(std::string(kTool), fmt::format("{} needs a value", name));
      into.push_back(arguments[i]);
      // The real tool accepts any number of values for this option.
      while (name == "--exclude" && i + 1 < arguments.size() && !arguments[i + 1].starts_with('-'))
        into.push_back(arguments[++i]);
      return true;
    };
    if (option("--has-file", query.has_file) || option("--no-file", query.no_file) ||
        option("--exclude", query.exclude) || option("--tree", query.trees))
      continue;
    if (word == "--include-dependencies")
      query.include_dependencies = true;
    else if (word == "--exclude-dependencies")
      query.exclude_dependencies = true;
    else if (word.starts_with("-"))
      throw bad_input(std::string(kTool), fmt::format("unknown option {}", shown(word)));
    else
      query.selectors.push_back(word);
  }
  return query;
}

std::vector<std::string> list_packages(const PackageIndex& packages, const PackageListQuery& query,
                                       bool names_must_exist) {
  std::set<std::string> names;
  Faults faults;
  std::vector<std::string> selectors = query.selectors;
  bool follows = query.include_dependencies || query.exclude_dependencies;
  if (selectors.empty() && !follows) selectors.push_back(":all:");
  auto excluded = [&](const std::string& name) {
    return std::find(query.exclude.begin(), query.exclude.end(), name) != query.exclude.end();
  };
  bool exclude_names = packages.features().excludes_names;
  for (const std::string& selector : selectors) {
    if (!is_class(selector)) {
      auto name = named(packages, selector, names_must_exist, faults);
      if (name && !(exclude_names && excluded(*name))) names.insert(*name);
      continue;
    }
    for (PackageId id = 0; id < packages.size(); ++id)
      if (in_class(packages[id], selector) && !excluded(packages[id].name) && passes(packages, id, query))
        names.insert(packages[id].name);
  }
  faults.throw_if_any();
  if (follows) follow_dependencies(packages, query, names);
  return {names.begin(), names.end()};
}

}  // namespace stagemake
