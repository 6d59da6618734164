// The environments that a tree offers: a list for users, completion and CI. Any other name whose factors the
// tree knows can be built too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "environment/factor_table.h"
#include "tree/stage_table.h"

namespace stagemake {

// A name in one of the tree's lists that its tox.ini does not know (any longer).
struct UnknownName {
  ListedName listed;
  std::vector<std::string> factors;  // the unknown ones
  std::vector<std::string> nearest;  // names or factors that may be meant
};

class EnvironmentList {
 public:
  // Reads the lists: envlist and platforms of `table` (null: the tree has none), the systems of the workflows
  // (workflow_systems()) if tox.ini has no platforms, and ci-docker.toml's environments.
  static EnvironmentList read(const fs::path& tree, const FactorTable* table, const StageTable& stages,
                              Faults& faults);

  // "ubuntu-jammy", …: without `docker-`, in the order of the lists, each once.
  const std::vector<std::string>& systems() const { return systems_; }
  // "minimal", "standard", "maximal" and similar factors of the table.
  const std::vector<std::string>& package_factors() const { return package_factors_; }
  // Systems combined with the package factors, then other names of envlist and ci-docker.toml: without
  // `docker-`, each once, by system.
  const std::vector<std::string>& names() const { return names_; }

  // The environments that one name on a command line stands for, without `docker-`. A name without a package
  // factor stands for its system's three package sets (minimal, standard, maximal), `all-FACTOR` for all
  // systems with that package factor, any other name for itself. Throws Error (BadInput) for `all-` with
  // anything else.
  std::vector<std::string> meant(std::string_view name) const;
  // The system in a name: the name without package factors and `incremental`.
  std::string system_of(std::string_view name) const;
  // Whether the name has a package set.
  bool has_package_factor(std::string_view name) const;

 private:
  std::vector<std::string> systems_, package_factors_, names_;
};

// Names in envlist, CI's lists and the workflows that the table does not know, by file and line.
std::vector<UnknownName> unknown_names(const fs::path& tree, const FactorTable& table, Faults& faults);

}  // namespace stagemake
