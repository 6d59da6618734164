#include "tree/make_rule.h"

#include <algorithm>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::string_view kPyproject = "src/pyproject.toml.m4";

std::string_view line_of(const Package& package, DependencyFile file) {
  const auto& line = package.line(file);
  return line ? std::string_view(*line) : std::string_view();
}

Place place_of(const Package& package, DependencyFile file) {
  return {package.name, file_name(file)};
}

void resolve_optional(const Package& package, DependencyWords& words, References& to,
                      DependencyWords::Installed test) {
  Place place = place_of(package, DependencyFile::Optional);
  for (std::string_view word : stagemake::words(line_of(package, DependencyFile::Optional)))
    words.resolve_optional(word, place, to, test);
}

// Configure puts one line together (m4/sage_spkg_collect.m4). Optional dependencies come at the end of
// `dependencies`, so they are order-only if that line has a `|` of its own.
std::vector<PrerequisiteList> one_line_rule(const PackageIndex& packages, const Package& package,
                                            DependencyWords& words, bool checked) {
  auto resolve = [&](DependencyFile file, References& to) {
    words.resolve(line_of(package, file), place_of(package, file), to);
  };
  PrerequisiteList list;
  References& all = list.references;
  resolve(DependencyFile::Main, all);
  resolve_optional(package, words, all, DependencyWords::Installed::Findstring);
  all.after_bar = true;
  if (package.line(DependencyFile::OrderOnly)) resolve(DependencyFile::OrderOnly, all);
  // The last of these files that the tree's configure knows also defines the dependencies of pip packages;
  // without it, they depend on pip.
  DependencyFile last =
      packages.features().order_only_file ? DependencyFile::OrderOnly : DependencyFile::Main;
  if (package.source == SourceType::Pip && !package.line(last))
    if (auto pip = packages.find("pip")) all.add({*pip});
  References unchecked;  // read even if it does not count, because its words may be faulty
  unchecked.after_bar = true;
  resolve(DependencyFile::Check, checked ? all : unchecked);
  return {list};
}

// `sage-package dependencies` (build/sage_bootstrap/package.py) writes three lists, each sorted, from lines
// and from names in pyproject.toml.
class SeparateLists {
 public:
  SeparateLists(const PackageIndex& packages, const Package& package, DependencyWords& words)
      : packages_(packages), features_(packages.features()), package_(package), words_(words) {}

  References build() {
    DependencyFile file = package_.line(DependencyFile::Build) ? DependencyFile::Build : DependencyFile::Main;
    std::string_view line = line_of(package_, file);
    std::size_t bar = std::min(line.find('|'), line.size());

    add(line.substr(0, bar), file);
    add(PyprojectList::Requires, [&](std::string_view name) { return !is_order_only(name); });
    add(PyprojectList::BuildRequires);
    add(PyprojectList::HostRequires);
    References result;
    flush(result);
    resolve_optional(package_, words_, result, DependencyWords::Installed::Exactly);

    result.after_bar = true;
    add(line.substr(std::min(bar + 1, line.size())), file);
    if (features_.python_toolchain && !package_.distribution.empty()) add_python(file);
    add(PyprojectList::Requires, [&](std::string_view name) { return is_order_only(name); });
    add(line_of(package_, DependencyFile::OrderOnly), DependencyFile::OrderOnly);
    flush(result);
    return result;
  }

  References runtime(bool order_only) {
    std::string_view line = line_of(package_, DependencyFile::Main);
    add(line.substr(0, line.find('|')), DependencyFile::Main);
    add(PyprojectList::Dependencies);
    add(PyprojectList::HostRequires);
    References result;
    result.after_bar = order_only;
    flush(result);
    return result;
  }

  References check() {
    DependencyFile file = features_.check_is_order_only ? DependencyFile::OrderOnly : DependencyFile::Check;
    add(line_of(package_, file), file);
    add(PyprojectList::Test);
    References result;
    result.after_bar = true;
    flush(result);
    return result;
  }

 private:
  bool is_order_only(std::string_view name) const {
    const std::vector<std::string>& those = features_.order_only_packages;
    return std::find(those.begin(), those.end(), name) != those.end();
  }

  struct Word {
    std::string_view text;
    Place place;
    bool is_name = false;  // from pyproject.toml, which has only names
  };

  void add(std::string_view line, DependencyFile file) {
    for (std::string_view word : dependency_words(line))
      words_here_.push_back({word, place_of(package_, file)});
  }

  template <class Wanted>
  void add(PyprojectList list, Wanted wanted) {
    for (const PyprojectName& said : package_.pyproject) {
      if (said.list != list) continue;
      auto id = said.name.starts_with("pkg:") ? packages_.find_purl(said.name) : packages_.find(said.name);
      std::string_view name = id ? packages_[*id].name : said.name;
      if (wanted(name)) words_here_.push_back({name, {package_.name, kPyproject, said.line}, true});
    }
  }
  void add(PyprojectList list) {
    add(list, [](std::string_view) { return true; });
  }

  // What Python packages need in order to be installed. pip cannot depend on itself, and a wheel needs only
  // pip.
  void add_python(DependencyFile file) {
    add("$(PYTHON)", file);
    if (package_.name == "pip") return;
    add(package_.source == SourceType::Wheel ? "pip" : "$(PYTHON_TOOLCHAIN)", file);
  }

  void flush(References& to) {
    auto less = [](const Word& a, const Word& b) { return a.text < b.text; };
    std::stable_sort(words_here_.begin(), words_here_.end(), less);
    auto same = [](const Word& a, const Word& b) { return a.text == b.text; };
    words_here_.erase(std::unique(words_here_.begin(), words_here_.end(), same), words_here_.end());
    for (const Word& word : words_here_) {
      if (word.is_name)
        words_.resolve_name(word.text, word.place, to);
      else
        words_.resolve_word(word.text, word.place, to);
    }
    words_here_.clear();
  }

  const PackageIndex& packages_;
  const TreeFeatures& features_;
  const Package& package_;
  DependencyWords& words_;
  std::vector<Word> words_here_;
};

// The makefile's templates join the lists differently. A script's run-time dependencies, if it has any, come
// after the `|` of its build dependencies, which makes them order-only; check dependencies are always
// order-only.
std::vector<PrerequisiteList> separate_rules(const PackageIndex& packages, const Package& package,
                                             DependencyWords& words, bool checked) {
  SeparateLists said(packages, package, words);
  bool script = make_rule(package.source) == MakeRule::Script;
  PrerequisiteList build{said.build(), true};
  PrerequisiteList runtime{said.runtime(script), script};
  if (script && !packages.features().scripts_await_runtime) runtime.references = {};
  std::vector<PrerequisiteList> lists;
  if (!script) lists.push_back(std::move(runtime));
  lists.push_back(std::move(build));
  if (script) lists.push_back(std::move(runtime));
  References check = said.check();
  if (checked) lists.push_back({std::move(check), false});
  return lists;
}

}  // namespace

std::vector<PrerequisiteList> make_rule_of(const PackageIndex& packages, PackageId id, DependencyWords& words,
                                           bool checked) {
  const Package& package = packages[id];
  return packages.features().separate_rules ? separate_rules(packages, package, words, checked)
                                            : one_line_rule(packages, package, words, checked);
}

}  // namespace stagemake
