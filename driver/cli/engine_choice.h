// Which engine a command uses. A tree that was built with one stays with it, whatever else works here:
// another engine has other images, and a build in its empty storage would begin from nothing.
#pragma once

#include <memory>
#include <string>

#include "cli/options.h"
#include "run/state_folder.h"

namespace stagemake {

// The engine that options or variables name; else the one that the tree was last built with; else the first
// that works. Throws EngineError where that one does not work; a tree's own engine is not replaced by
// another.
std::unique_ptr<ContainerEngine> choose_engine(const Options& options, const StateFolder& state);

// The tree is built with this engine from now on. Returns what a person should know of it: that it was chosen
// without their word; empty where there is nothing to say.
std::string remember_engine(const Options& options, const StateFolder& state, const std::string& engine);

}  // namespace stagemake
