// The images that a command is about.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/tree.h"
#include "plan/snapshot.h"

namespace stagemake {

// The snapshots of the environments asked for (all, where none is), newest first.
std::vector<Snapshot> wanted_snapshots(const Options& options, ContainerEngine& engine,
                                       const StageTable& table);

// Of the environments asked for, those that are not `found` must at least be names that could be built.
// Throws one Error (BadInput) for all that are not: they are typing mistakes.
void check_names(const Options& options, const Tree& tree, const std::set<std::string>& found);

}  // namespace stagemake
