#include "plan/package_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

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
  return std::all_of(query.has_file.begin(), query.has_file.end(), has) &&
         std::none_of(query.no_file.begin(), query.no_file.end(), has);
}

// The name that a selector stands for; nothing, and a fault, where there is none.
std::optional<std::string> named(const PackageIndex& packages, const std::string& selector, Faults& faults) {
  if (packages.dialect() == Dialect::Passagemath2026) {
    bool shortened = selector.starts_with("pypi/") || selector.starts_with("generic/");
    if (shortened || selector.starts_with("pkg:")) {
      if (auto id = packages.find_purl(shortened ? "pkg:" + selector : selector)) return packages[*id].name;
      faults.add("", fmt::format("no package has the URL `{}`", printable(selector)));
      return std::nullopt;
    }
  }
  if (packages.has_folder(selector)) return selector;
  bool colon = selector.find(':') != std::string::npos;
  std::vector<std::string> alike = nearest(selector, colon ? kClasses : packages.names());
  std::string classes = colon ? "; the classes are " + join(kClasses, " ") : "";
  faults.add("", fmt::format("`{}` is no {} of packages{}{}", printable(selector), colon ? "class" : "name",
                             classes, alike.empty() ? "" : "; did you mean " + join(alike, " or ") + "?"));
  return std::nullopt;
}

}  // namespace

std::vector<std::string> list_packages(const PackageIndex& packages, const PackageListQuery& query) {
  std::set<std::string> names;
  Faults faults;
  std::vector<std::string> selectors = query.selectors;
  if (selectors.empty()) selectors.push_back(":all:");
  auto excluded = [&](const std::string& name) {
    return std::find(query.exclude.begin(), query.exclude.end(), name) != query.exclude.end();
  };
  bool exclude_names = packages.dialect() == Dialect::Passagemath2026;
  for (const std::string& selector : selectors) {
    if (!is_class(selector)) {
      auto name = named(packages, selector, faults);
      if (name && !(exclude_names && excluded(*name))) names.insert(*name);
      continue;
    }
    for (PackageId id = 0; id < packages.size(); ++id)
      if (in_class(packages[id], selector) && !excluded(packages[id].name) && passes(packages, id, query))
        names.insert(packages[id].name);
  }
  faults.throw_if_any();
  return {names.begin(), names.end()};
}

}  // namespace stagemake
