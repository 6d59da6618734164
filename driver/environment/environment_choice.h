// Selects environments of a tree: names, groups and patterns, whole systems, and exceptions.
#pragma once

#include <string>
#include <vector>

#include "environment/environment_list.h"

namespace stagemake {

// The selection as given. A pattern contains `*`, `?` or `[…]`, as in the shell; it stands for all matching
// names that the tree offers.
struct EnvironmentChoice {
  // Names (also of environments that the tree does not offer), groups (`all-minimal`), patterns.
  std::vector<std::string> names = {};
  // Systems, or patterns of systems: each with every package set.
  std::vector<std::string> systems = {};
  // Package sets for names and patterns without one. Empty: minimal, standard, maximal for names and systems;
  // all for patterns.
  std::vector<std::string> package_sets = {};
  // Names, systems or patterns of either to exclude.
  std::vector<std::string> exclude = {};
  bool all = false;  // everything that the tree offers
  // Names without a package set stand for themselves, because the packages are defined elsewhere.
  bool exactly = false;
};

bool is_pattern(std::string_view text);
// Whether a name equals the pattern or matches it.
bool fits(const std::string& pattern, const std::string& name);

// The selected names, each once, without `docker-`: in the order of the request, those of one pattern or
// system in the order of the list. Throws one Error (BadInput) with all faults: a pattern or system that
// matches nothing, an unknown package set, a selection that leaves nothing.
std::vector<std::string> choose(const EnvironmentList& list, const EnvironmentChoice& choice);

}  // namespace stagemake
