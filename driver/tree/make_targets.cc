#include "tree/make_targets.h"

#include <algorithm>

#include "base/text/text.h"

namespace stagemake {
namespace {

// A target and the targets or packages that it makes, in this order.
struct Composite {
  std::string_view name;
  std::string_view made_of;
};

constexpr Composite kComposites[] = {
    // build/make/Makefile.in
    {"all-toolchain", "base-toolchain toolchain-deps"},
    {"all-sage", "all-sage-local all-sage-venv"},
    {"all-build", "toolchain-deps all-sage"},
    {"all-build-local", "toolchain-deps all-sage-local"},
    {"all-build-venv", "toolchain-deps all-sage-venv"},
    {"all-build-docs", "toolchain-deps all-sage-docs"},
    {"all-start", "toolchain-deps all-sage-docs all-sage"},
    {"build-start", "all-build"},
    {"all-sageruntime", "toolchain-deps sageruntime-packages"},
    {"doc", "doc-html"},
    {"doc-html", "doc-html-packages"},
    {"doc-html-no-plot", "doc-html"},
    {"doc-html-mathjax", "doc-html"},
    {"doc-html-jsmath", "doc-html"},
    {"doc-pdf", "sagemath_doc_pdf"},
    // the top-level Makefile
    {"all", "base-toolchain all-start"},
    {"default", "all"},
    {"install", "all"},
    {"build", "base-toolchain all-build"},
    {"build-local", "base-toolchain all-build-local"},
    {"build-venv", "base-toolchain all-build-venv"},
    {"start", "base-toolchain build-start"},
    {"sageruntime", "base-toolchain all-sageruntime"},
};

constexpr Composite kFallbackTarget[] = {
    {"ci-build-with-fallback", "build sagemath_doc_html-build-deps"},
};

constexpr Composite kWithoutDocsTarget[] = {
    {"all-start", "toolchain-deps doc all-sage"},
};

constexpr std::string_view kBuildNothing[] = {"bdist-clean",      "build-clean",   "clean",      "distclean",
                                              "doc-clean",        "doc-uninstall", "download",   "list",
                                              "maintainer-clean", "misc-clean",    "reconfigure"};

// Tests need what `all` builds; those with this suffix need what `build` builds.
constexpr std::string_view kNoDoc = "-nodoc";
constexpr std::string_view kTests[] = {
    "check", "test",     "testall",   "testlong",     "testalllong",   "testoptional",     "testoptionallong",
    "ptest", "ptestall", "ptestlong", "ptestalllong", "ptestoptional", "ptestoptionallong"};

struct Suffix {
  std::string_view text;
  enum class Meaning { Alone, BuildDependencies, Dependencies, Ensure, Nothing } meaning;
  bool TreeFeatures::*feature;  // of trees with such targets; null: all trees
};

// Longer suffixes come before those that they end with.
constexpr Suffix kSuffixes[] = {
    {"-no-deps", Suffix::Meaning::Alone, nullptr},
    {"-build-deps", Suffix::Meaning::BuildDependencies, nullptr},
    {"-deps", Suffix::Meaning::Dependencies, &TreeFeatures::deps_targets},
    {"-ensure", Suffix::Meaning::Ensure, &TreeFeatures::ensure_targets},
    {"-check", Suffix::Meaning::Nothing, &TreeFeatures::check_targets},
    {"-uninstall", Suffix::Meaning::Nothing, nullptr},
    {"-clean", Suffix::Meaning::Nothing, nullptr},
};

template <class List>
bool holds(const List& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

}  // namespace

const std::vector<PackageId>* MakeTargets::list(std::string_view target) const {
  const struct {
    std::string_view name;
    const std::vector<PackageId>& packages;
  } lists[] = {
      {"base", lists_.base},
      {"base-toolchain", lists_.base_toolchain},
      {"toolchain", lists_.toolchain},
      {"toolchain-deps", lists_.toolchain_deps},
      {"sageruntime-packages", lists_.sageruntime},
      {"doc-html-packages", lists_.doc_html},
  };
  for (const auto& list : lists)
    if (list.name == target) return &list.packages;
  const bool by_tree = packages_.features().tree_targets;
  if (!packages_.features().sage_by_tree && target == "all-sage") return &lists_.sage;
  if (by_tree && target == "all-sage-local") return &lists_.local;
  if (by_tree && target == "all-sage-venv") return &lists_.venv;
  if (packages_.features().docs_target && target == "all-sage-docs") return &lists_.docs;
  if (!lists_.sagelib.empty() && (target == "sagelib" || target == "sagelib-build-deps"))
    return &lists_.sagelib;
  return target == "wheels" && !lists_.wheels.empty() ? &lists_.wheels : nullptr;
}

bool MakeTargets::add_target(std::string_view target, std::vector<TargetPart>& parts) const {
  if (const std::vector<PackageId>* packages = list(target)) {
    for (PackageId id : *packages) parts.push_back({id});
    return true;
  }
  auto add_all = [&](std::string_view made_of) {
    for (std::string_view part : words(made_of))
      if (!add_target(part, parts)) return false;
    return true;
  };
  if (!packages_.features().docs_target)
    for (const Composite& composite : kWithoutDocsTarget)
      if (composite.name == target) return add_all(composite.made_of);
  for (const Composite& composite : kComposites)
    if (composite.name == target) return add_all(composite.made_of);
  if (packages_.features().fallback_target)
    for (const Composite& composite : kFallbackTarget)
      if (composite.name == target) return add_all(composite.made_of);
  if (holds(kBuildNothing, target)) return true;
  std::string_view test = target.ends_with(kNoDoc) ? target.substr(0, target.size() - kNoDoc.size()) : target;
  if (holds(kTests, test)) return add_target(test == target ? "all" : "build", parts);
  auto single = package_parts(target, {});
  if (!single) return false;
  parts.insert(parts.end(), single->begin(), single->end());
  return true;
}

std::optional<std::vector<TargetPart>> MakeTargets::package_parts(std::string_view target,
                                                                  const std::vector<bool>& dummy) const {
  using Parts = std::vector<TargetPart>;
  if (auto id = packages_.find(target)) return Parts{{*id}};
  for (const Suffix& suffix : kSuffixes) {
    if (!target.ends_with(suffix.text)) continue;
    if (suffix.feature != nullptr && !(packages_.features().*suffix.feature)) continue;
    auto id = packages_.find(target.substr(0, target.size() - suffix.text.size()));
    if (!id) continue;
    // The templates for script packages have no such target.
    if (suffix.meaning == Suffix::Meaning::Dependencies &&
        make_rule(packages_[*id].source) == MakeRule::Script)
      continue;
    switch (suffix.meaning) {
      case Suffix::Meaning::Alone:
        return Parts{{*id, TargetPart::Extent::Alone}};
      case Suffix::Meaning::BuildDependencies:
        return Parts{{*id, TargetPart::Extent::BuildDependencies}};
      case Suffix::Meaning::Dependencies:
        return Parts{{*id, TargetPart::Extent::Dependencies}};
      case Suffix::Meaning::Ensure:
        return *id < dummy.size() && dummy[*id] ? Parts{} : Parts{{*id}};
      case Suffix::Meaning::Nothing:
        return Parts{};
    }
  }
  return std::nullopt;
}

std::optional<std::vector<TargetPart>> MakeTargets::parts(std::string_view target,
                                                          const std::vector<bool>& dummy) const {
  // These names are internal to stagemake's lists; they are not make targets.
  if (target == "sageruntime-packages" || target == "doc-html-packages") return std::nullopt;
  if (packages_.find(target) || target.ends_with("-ensure")) return package_parts(target, dummy);
  std::vector<TargetPart> parts;
  if (!add_target(target, parts)) return std::nullopt;
  return parts;
}

std::vector<std::string> MakeTargets::names() const {
  std::vector<std::string> names = {"base", "base-toolchain", "toolchain", "toolchain-deps"};
  auto add = [&](std::string_view target) {
    std::vector<TargetPart> parts;
    if (add_target(target, parts)) names.emplace_back(target);
  };
  for (const char* target : {"all-sage-local", "all-sage-venv", "all-sage-docs"}) add(target);
  for (const Composite& composite : kComposites) add(composite.name);
  for (const Composite& composite : kFallbackTarget) add(composite.name);
  add("wheels");
  for (std::string_view target : kBuildNothing) names.emplace_back(target);
  for (std::string_view test : kTests) {
    names.emplace_back(test);
    names.push_back(std::string(test) + std::string(kNoDoc));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace stagemake
