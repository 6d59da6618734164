// Chooses the engine of a command. A tree stays with the engine that last built it, even if others work here:
// another engine has other images, and a build in its empty storage would start from scratch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/options/host_list.h"
#include "cli/options/options.h"
#include "run/state/state_folder.h"

namespace stagemake {

// The engine that options or variables name; else the one that last built the tree; else the first that
// works. Throws EngineError if that engine does not work; a tree's own engine is not replaced by another.
std::unique_ptr<ContainerEngine> choose_engine(const Options& options, const StateFolder& state);

// One of the engines of a command.
struct ChosenEngine {
  HostSpec host = {};                            // of --hosts; without a name: the only engine of the command
  std::unique_ptr<ContainerEngine> engine = {};  // never null
  EngineMachine machine = {};                    // of a host that can be used
  std::string problem = {};  // why it cannot be used now, in one line for people; empty: it can
};
// The hosts of --hosts, in that order, each asked whether it works; else the engine of choose_engine().
// Throws EngineError if none works, and Error (BadInput) if the list is invalid.
std::vector<ChosenEngine> choose_engines(const Options& options, const StateFolder& state);

// Remembers this engine for the tree. Returns a message for the user if the engine was chosen automatically;
// empty if there is nothing to say.
std::string remember_engine(const Options& options, const StateFolder& state, const std::string& engine);

}  // namespace stagemake
