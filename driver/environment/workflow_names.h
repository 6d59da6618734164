// Names of systems and environments in a tree's GitHub workflows.
#pragma once

#include <vector>

#include "base/error.h"
#include "environment/factor_table.h"

namespace stagemake {

// From all TREE/.github/workflows/*.yml, by file and line: the names in `tox_system_factors` and
// `tox_system_factor` (lists, or text that is a JSON list), and those after `tox -e`. Expressions that GitHub
// replaces (`${{ … }}`) are skipped. A workflow that is not YAML is a fault.
std::vector<ListedName> workflow_names(const fs::path& tree, Faults& faults);

// The systems that a tree's CI builds in containers, if its tox.ini does not list them: the names in
// .github/workflows/docker.yml, or, if that file does not exist, in the `tox_system_factor` lists of all
// workflows except those of jobs for `local-` environments. Each once.
std::vector<ListedName> workflow_systems(const fs::path& tree, Faults& faults);

// The same as workflow_names() for one file, relative to the tree; empty if the file does not exist.
std::vector<ListedName> workflow_names_in(const fs::path& tree, const std::string& file, Faults& faults);

}  // namespace stagemake
