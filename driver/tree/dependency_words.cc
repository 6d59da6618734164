#include "tree/dependency_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::string_view kStamps = "/$(SPKG_INST_RELDIR)";  // in one of several trees
constexpr std::string_view kOldStamps = "$(INST)";            // releases with one tree
// Limits that no tree comes near, for short text that expands to very much.
constexpr unsigned kDeepest = 64;  // nesting of variables and functions
constexpr std::size_t kMostReferences = 100'000;
constexpr std::size_t kLongWord = 80;  // bytes; no name is this long, so similar names are not searched for

bool is_variable_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

// The text between `start` and `end`; nullopt if `text` is not enclosed by both.
std::optional<std::string_view> between(std::string_view start, std::string_view text, std::string_view end) {
  if (text.size() < start.size() + end.size() || !text.starts_with(start) || !text.ends_with(end))
    return std::nullopt;
  return text.substr(start.size(), text.size() - start.size() - end.size());
}

// The position after the parenthesis that closes the one at `open`; npos if none does.
std::size_t after_parentheses(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

// Keeps the first of equal references. Make uses each prerequisite once, and nested variables would double
// the list with each step.
void keep_first(std::vector<Reference>& references) {
  std::set<std::pair<PackageId, bool>> seen;
  std::erase_if(references,
                [&](Reference reference) { return !seen.emplace(reference.id, reference.by_stamp).second; });
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == '\n';
}

}  // namespace

std::string Place::text() const {
  return package.empty() ? std::string(file)
                         : fmt::format("build/pkgs/{}/{}:{}", printable(package), file, line);
}

std::vector<std::string_view> dependency_words(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) return words;
    std::size_t start = at;
    int depth = 0;
    for (; at < line.size() && (depth > 0 || !is_blank(line[at])); ++at) {
      if (line[at] == '(') ++depth;
      if (line[at] == ')' && depth > 0) --depth;
    }
    words.push_back(line.substr(start, at - start));
  }
}

DependencyWords::DependencyWords(const PackageIndex& packages, const MakeVariables& variables,
                                 const std::vector<bool>& installed, const std::vector<bool>& checked,
                                 Faults& faults)
    : packages_(packages), variables_(variables), installed_(installed), checked_(checked), faults_(faults) {}

// A line may have a thousand wrong words; a few of them are enough.
void DependencyWords::fault(const Place& place, std::string what) {
  constexpr unsigned kMost = 10;
  std::string text = place.text();
  if (text != last_place_) {
    last_place_ = text;
    faults_here_ = 0;
  }
  if (faults_here_ > kMost) return;
  if (faults_here_++ == kMost) what = "and more words like these";
  faults_.add(std::move(text), std::move(what), std::string(place.package));
}

void DependencyWords::unknown(std::string_view word, const Place& place, Known known) {
  if (assumed_) return;
  std::string what = fmt::format("`{}` is not a package, variable or file of this tree",
                                 printable(word.substr(0, kLongWord)) + (word.size() > kLongWord ? "…" : ""));
  if (suggestions_left_ > 0 && word.size() <= kLongWord) {
    --suggestions_left_;
    std::vector<std::string> alike =
        nearest(word, known == Known::Packages ? packages_.names() : variables_.names());
    if (!alike.empty()) what += "; did you mean " + join(alike, " or ") + "?";
  }
  fault(place, std::move(what));
}

void DependencyWords::resolve(std::string_view line, const Place& place, References& to) {
  if (depth_ == kDeepest) return fault(place, "variables or functions are nested too deeply");
  ++depth_;
  for (std::string_view word : dependency_words(line)) {
    resolve_word(word, place, to);
    if (to.normal.size() + to.order_only.size() <= kMostReferences) continue;
    fault(place, fmt::format("requests more than {} packages", kMostReferences));
    break;
  }
  --depth_;
}

void DependencyWords::resolve_word(std::string_view word, const Place& place, References& to) {
  if (word == "|") {
    if (to.after_bar) fault(place, "a second `|`: make would treat it as a file");
    to.after_bar = true;
  } else if (word == "FORCE") {
    to.forced = true;
  } else if (word.find('/') != std::string_view::npos) {
    resolve_path(word, place, to);
  } else if (word.starts_with("$(") && after_parentheses(word, 1) == word.size()) {
    resolve_parentheses(word.substr(2, word.size() - 3), place, to);
  } else {
    resolve_name(word, place, to);
  }
}

void DependencyWords::resolve_name(std::string_view name, const Place& place, References& to) {
  auto id = name.starts_with("pkg:") ? packages_.find_purl(name) : packages_.find(name);
  if (id) {
    to.add({*id});
  } else if (name == "sagelib" && !variables_.sagelib().text.empty()) {
    for (Reference reference : packages_in(variables_.sagelib().text)) to.add(reference);
  } else {
    unknown(name, place, Known::Packages);
  }
}

// `inner`: the text between `$(` and `)`.
void DependencyWords::resolve_parentheses(std::string_view inner, const Place& place, References& to) {
  if (inner.starts_with("inst_$(")) return resolve_word(inner.substr(5), place, to);
  if (!is_variable_name(inner)) return resolve_function(inner, place, to);
  if (inner.starts_with("inst_")) return resolve_name(inner.substr(5), place, to);
  if (inner.starts_with("optional_inst_"))
    return resolve_optional(inner.substr(14), place, to, Installed::Exactly);
  if (variables_.find(inner) == nullptr) return unknown(inner, place, Known::Variables);
  for (Reference reference : expanded(inner)) to.add(reference);
}

std::vector<Reference> DependencyWords::packages_of(std::string_view variable) {
  bool outer = std::exchange(assumed_, true);
  std::vector<Reference> found = expanded(variable);
  assumed_ = outer;
  return found;
}

std::vector<Reference> DependencyWords::packages_in(std::string_view prerequisites) {
  bool outer = std::exchange(assumed_, true);
  References found;
  resolve(prerequisites, Place{{}, ""}, found);
  assumed_ = outer;
  found.normal.insert(found.normal.end(), found.order_only.begin(), found.order_only.end());
  keep_first(found.normal);
  return found.normal;
}

const std::vector<Reference>& DependencyWords::expanded(std::string_view name) {
  auto known = expansions_.find(name);
  if (known != expansions_.end()) {
    const MakeVariables::Value* value = variables_.find(name);
    if (!known->second.complete)
      fault(Place{{}, value != nullptr ? value->where : ""}, fmt::format("{} is defined by itself", name));
    return known->second.references;
  }
  Expansion& expansion = expansions_[std::string(name)];
  if (const MakeVariables::Value* value = variables_.find(name)) {
    References found;
    bool outer = std::exchange(assumed_, assumed_ || value->assumed());
    resolve(value->text, Place{{}, value->where}, found);
    assumed_ = outer;
    expansion.references = std::move(found.normal);
    expansion.references.insert(expansion.references.end(), found.order_only.begin(), found.order_only.end());
    keep_first(expansion.references);
  }
  expansion.complete = true;
  return expansion.references;
}

// Whether SAGE_CHECK_NAME of that package has its value when this list is expanded.
bool DependencyWords::is_set_for(PackageId id, const Place& place) const {
  if (packages_.features().checked != TreeFeatures::Checked::NormalBefore) return true;
  std::optional<PackageId> owner = packages_.find(place.package);
  return !owner || make_rule(packages_[*owner].source) != MakeRule::Normal || id < *owner;
}

void DependencyWords::resolve_function(std::string_view function, const Place& place, References& to) {
  if (auto arguments = between("findstring ", function, "")) {
    std::size_t comma = arguments->find(',');
    std::string_view list = comma == std::string_view::npos ? "" : trimmed(arguments->substr(comma + 1));
    if (list == "$(OPTIONAL_INSTALLED_PACKAGES)" || list == "$(INSTALLED_PACKAGES)")
      return resolve_optional(trimmed(arguments->substr(0, comma)), place, to, Installed::Findstring);
  }
  if (auto arguments = between("and $(filter-out no,$(SAGE_CHECK", function, "")) {
    std::size_t end = arguments->find("))");
    std::size_t comma = arguments->find(',');
    bool is_any = end == 0;  // $(SAGE_CHECK) itself, without a package
    if (end != std::string_view::npos && comma != std::string_view::npos && comma > end &&
        (is_any || arguments->starts_with('_'))) {
      bool counts = is_any && std::find(checked_.begin(), checked_.end(), true) != checked_.end();
      if (!is_any) {
        std::string_view name = arguments->substr(1, end - 1);
        auto id = packages_.find(name);
        if (!id) return unknown(name, place, Known::Packages);
        counts = checked_[*id] && is_set_for(*id, place);
      }
      References ignored;  // wrong words of the tree are faults even if the list does not count
      ignored.after_bar = to.after_bar;
      return resolve(arguments->substr(comma + 1), place, counts ? to : ignored);
    }
  }
  fault(place, fmt::format("`$({})` is not a make function that is allowed here",
                           printable(function.substr(0, kLongWord))));
}

// A path is the stamp of a package, or a file. Only make knows which files exist, because the build creates
// many of them.
void DependencyWords::resolve_path(std::string_view path, const Place& place, References& to) {
  std::size_t last = path.rfind('/');
  std::string_view folder = path.substr(0, last), stamp = path.substr(last + 1);
  if (!folder.ends_with(kStamps) && folder != kOldStamps) return;
  if (stamp == ".dummy") return;
  std::string_view name = stamp.substr(0, stamp.find('-'));
  if (auto id = packages_.find(name))
    to.add({*id, true});
  else
    unknown(name, place, Known::Packages);
}

// make's findstring looks for the name in the list of installed packages: any part of a word matches.
bool DependencyWords::is_found_installed(std::string_view name) const {
  for (PackageId id = 0; id < packages_.size(); ++id)
    if (installed_[id] && packages_[id].name.find(name) != std::string::npos) return true;
  return false;
}

void DependencyWords::resolve_optional(std::string_view name, const Place& place, References& to,
                                       Installed test) {
  auto id = packages_.find(name);
  if (!id) return unknown(name, place, Known::Packages);
  if (installed_[*id] || (test == Installed::Findstring && is_found_installed(name))) to.add({*id});
}

}  // namespace stagemake
