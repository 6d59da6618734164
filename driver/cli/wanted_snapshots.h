// The images that a command acts on.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/options/options.h"
#include "cli/tree.h"
#include "snapshot/snapshot.h"

namespace stagemake {

// The snapshots of the requested environments (of all if none is named), newest first.
std::vector<Snapshot> wanted_snapshots(const Options& options, ContainerEngine& engine,
                                       const StageTable& table);

// The words that name stages, removed from `options.environments`. Throws Error (BadInput) if nothing else
// was named.
std::vector<std::string> take_stages(Options& options, const StageTable& table);

// Requested environments that are not `found` must at least have names that could be built. Throws one Error
// (BadInput) for all others, because they are typing errors.
void check_names(const Options& options, const Tree& tree, const std::set<std::string>& found);

}  // namespace stagemake
