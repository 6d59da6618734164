// Names of systems and environments in a tree's GitHub workflows.
#pragma once

#include <vector>

#include "base/error.h"
#include "plan/factor_table.h"

namespace stagemake {

// Of all TREE/.github/workflows/*.yml, by file and line: the names in `tox_system_factors` and
// `tox_system_factor` (lists, or text that is a JSON list), and those behind `tox -e`. What GitHub replaces
// (`${{ … }}`) is passed over. A workflow that is no YAML is a fault.
std::vector<ListedName> workflow_names(const fs::path& tree, Faults& faults);

// The systems that a tree's CI builds in containers, where its tox.ini does not list them: the names in
// .github/workflows/docker.yml, or, where there is no such file, in the `tox_system_factor` lists of all
// workflows but those of jobs for `local-` environments. Each once.
std::vector<ListedName> workflow_systems(const fs::path& tree, Faults& faults);

// The same as workflow_names() of one file, relative to the tree; none where it is not there.
std::vector<ListedName> workflow_names_in(const fs::path& tree, const std::string& file, Faults& faults);

}  // namespace stagemake
