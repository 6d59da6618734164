// An environment: one system, one set of system packages, one configuration. A value; where it came from
// (options, tox.ini, variables, a name) is forgotten.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/dockerfile_writer.h"
#include "plan/installation.h"
#include "plan/package_index.h"
#include "plan/shell_forms.h"
#include "plan/stage_table.h"
#include "plan/system_packages.h"
#include "plan/tox_variables.h"

namespace stagemake {

struct Environment {
  std::string name;        // without a leading "docker-"
  std::string base_image;  // a reference that the engine understands
  // The base image holds a finished tree, and the build goes on in it.
  bool incremental = false;
  SystemSetup setup;
  std::vector<std::string> packages;  // whose system packages are wanted, in the order of the tree's tools
  std::vector<std::string> configure_args;
  // The variables that recipes use (StageSpec::uses, ::passes).
  std::map<std::string, std::string> values;

  // NUMPROC, where anybody says it; 0: nobody does.
  unsigned jobs = 0;
  // The variables in which a number of jobs was said for the first make, which is serial: it is left out.
  std::vector<std::string> job_counts_dropped;

  // What tox would give it, and what of that is other after a shell had its turn (plan/shell_forms.h). Empty
  // for a tree without a factor table.
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> expanded;
  // Of `variables`: what the environment uses and only a real shell could replace.
  std::vector<std::string> unexpanded;

  // A file of the tree that preparing the system needs and that is not there, as a sentence; empty: none. Who
  // only looks may do without.
  std::string missing;

  const std::string& value(const std::string& key) const;  // empty where it has none
};

// Where environments get their meaning from. What it refers to must outlive the reader.
struct EnvironmentSources {
  const PackageIndex& packages;
  const FactorTable* table = nullptr;  // null: names mean what their first two words say
  CallerVariables caller = [](std::string_view) { return std::nullopt; };
  // See ShellFacts.
  std::function<std::optional<std::string>()> revision = [] { return std::nullopt; };
  // Expands text as bash would, in the tree; null where nothing may be run.
  std::function<std::string(const std::string& text, const std::map<std::string, std::string>& variables)>
      shell = nullptr;
  unsigned processors = 1;  // what NUMPROC is by default, at least 1
  // Whether the package manager of an environment's system must be known.
  bool installs_system_packages = true;
};

// What a person says of environments, for all that one command names. What is said wins over the tree's
// table, which wins over the caller's environment, which wins over what the tree's Dockerfile writer does by
// default.
struct EnvironmentRequest {
  std::string name;
  std::map<std::string, std::string> given;  // by the names of Sage's variables; see README.md
  std::vector<std::string> arguments = {};   // tox's positional arguments
  std::optional<std::string> envdir = {};    // tox's {envdir}, where tox is the caller
};

class EnvironmentReader {
 public:
  explicit EnvironmentReader(EnvironmentSources sources)
      : sources_(std::move(sources)),
        lists_(sources_.packages),
        writer_(DockerfileWriter::read(sources_.packages.tree(), sources_.packages.features())) {}

  // Throws Error (BadInput) where the name has a factor that the table has not, or says no system or no
  // package set and nothing else does. An empty name: the tree's own plan, whatever the system.
  Environment resolve(const EnvironmentRequest& request);

 private:
  class Resolution;
  EnvironmentSources sources_;
  SystemPackageLists lists_;
  DockerfileWriter writer_;
};

// The variables that the caller's environment may hold, and `EnvironmentRequest::given`.
const std::vector<std::string>& environment_variables();
// Those that Environment::values may hold, sorted: what a stage's recipe can use.
const std::vector<std::string>& recipe_variables();

// The name without "docker-".
std::string environment_name(std::string_view name);

// "PREFIX/sage-ENVIRONMENT-STAGE": where this stage's images are named. `repository` is put in front as it
// is. An incremental build's images have the names of the others: they replace them.
std::string image_name(const StageTable& table, const std::string& repository, const std::string& environment,
                       const std::string& stage);

}  // namespace stagemake
