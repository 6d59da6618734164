// An environment: one system, one set of system packages, one configuration. A value; where it came from
// (options, variables, a name) is forgotten.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/package_index.h"
#include "plan/package_list.h"
#include "plan/stage_table.h"

namespace stagemake {

struct Environment {
  std::string name;                          // without a leading "docker-"
  std::string system;                        // as in build/pkgs/*/distros/SYSTEM.txt: "debian", "fedora", …
  std::string base_image;                    // a reference that the engine understands
  std::vector<std::string> system_packages;  // sorted, without repeats
  std::vector<std::string> configure_args;
  // The variables that recipes use (StageSpec::uses, ::passes).
  std::map<std::string, std::string> values;

  const std::string& value(const std::string& key) const;  // empty where it has none
};

// What a person says of environments, for all that one command names. A field that is absent takes its
// default: what the name says, else what the dialect does.
struct EnvironmentRequest {
  std::string name;
  std::map<std::string, std::string> given;  // by the names of Sage's variables; see README.md
};

// The variables that `EnvironmentRequest::given` may hold.
const std::vector<std::string>& environment_variables();

// Throws Error (BadInput) where the name says no system or no package set and nothing else does.
// `processors`: what NUMPROC is by default, at least 1.
Environment resolve_environment(const EnvironmentRequest& request, const PackageIndex& packages,
                                unsigned processors);

// The name without "docker-".
std::string environment_name(std::string_view name);

// The shell text that installs `packages` in one step with the package manager of `system`; does nothing, and
// needs no network, where all of them are there. Throws Error (BadInput) for a system whose package manager
// is not known.
std::string installation_recipe(const std::string& system, const std::vector<std::string>& packages,
                                bool ignore_missing);

// "PREFIX/sage-ENVIRONMENT-STAGE": where this stage's images are named. `repository` is put in front as it
// is.
std::string image_name(const StageTable& table, const std::string& repository, const std::string& environment,
                       const std::string& stage);

}  // namespace stagemake
