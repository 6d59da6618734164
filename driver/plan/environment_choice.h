// Which of a tree's environments a person means: names, groups and patterns, whole systems, and exceptions.
#pragma once

#include <string>
#include <vector>

#include "plan/environment_list.h"

namespace stagemake {

// What was said. A pattern has `*`, `?` or `[…]` in it, as the shell's; it means all names that the tree
// offers and that fit it.
struct EnvironmentChoice {
  // Names (also of environments that the tree does not offer), groups (`all-minimal`), patterns.
  std::vector<std::string> names = {};
  // Systems, or patterns of systems: each with every set of packages.
  std::vector<std::string> systems = {};
  // Sets of packages, for names and patterns that do not say one. Empty: minimal, standard, maximal for names
  // and systems; all for patterns.
  std::vector<std::string> package_sets = {};
  // Names, systems or patterns of either: not these.
  std::vector<std::string> exclude = {};
  bool all = false;  // all that the tree offers
  // Names that say no set of packages stand for themselves: somebody says otherwise which packages are meant.
  bool exactly = false;
};

bool is_pattern(std::string_view text);
// Whether a name is the pattern, or fits it.
bool fits(const std::string& pattern, const std::string& name);

// The names, each once, without `docker-`: in the order in which they were asked for, those of one pattern or
// system in the order of the list. Throws one Error (BadInput) with all that is wrong: a pattern or a system
// that fits nothing, a set of packages that there is not, a choice of which nothing is left.
std::vector<std::string> choose(const EnvironmentList& list, const EnvironmentChoice& choice);

}  // namespace stagemake
