// An environment: one system, one set of system packages, one configuration. A value that does not record its
// sources (options, tox.ini, variables, a name).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "environment/dockerfile_writer.h"
#include "environment/installation.h"
#include "environment/shell_forms.h"
#include "environment/system_packages.h"
#include "environment/tox_variables.h"
#include "tree/package_index.h"
#include "tree/stage_table.h"

namespace stagemake {

struct Environment {
  std::string name;        // without a leading "docker-"
  std::string base_image;  // a reference that the engine understands
  // The base image contains a finished tree, and the build continues in it.
  bool incremental = false;
  SystemSetup setup;
  std::vector<std::string> packages;  // packages whose system packages are wanted, in the order of the tree's
                                      // tools
  std::vector<std::string> configure_args;
  // The variables that recipes use (StageSpec::uses, ::passes).
  std::map<std::string, std::string> values;

  // NUMPROC if it is set; else 0.
  unsigned jobs = 0;
  // Variables from which a number of jobs was removed, because the first make is serial.
  std::vector<std::string> job_counts_dropped;

  // The variables that tox would set, and those of them that change when shell text is expanded
  // (environment/shell_forms.h). Empty for a tree without a factor table.
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> expanded;
  // Those of `variables` that the environment uses and only a real shell could expand.
  std::vector<std::string> unexpanded;

  // A file of the tree that is missing but needed to prepare the system, as a sentence; empty: none. Commands
  // that only look can continue without it.
  std::string missing;

  const std::string& value(const std::string& key) const;  // empty if there is none
};

// The sources that define environments. The referenced objects must outlive the reader.
struct EnvironmentSources {
  const PackageIndex& packages;
  const FactorTable* table = nullptr;  // null: the first two words of a name define its meaning
  CallerVariables caller = [](std::string_view) { return std::nullopt; };
  // See ShellFacts.
  std::function<std::optional<std::string>()> revision = [] { return std::nullopt; };
  // Expands text as bash would, in the tree; null if nothing may be run.
  std::function<std::string(const std::string& text, const std::map<std::string, std::string>& variables)>
      shell = nullptr;
  unsigned processors = 1;  // default of NUMPROC, at least 1
  // Whether the package manager of an environment's system must be known.
  bool installs_system_packages = true;
};

// The options that define environments, common to all that one command names. They take precedence over the
// tree's table, then come the caller's environment and the defaults of the tree's Dockerfile writer.
struct EnvironmentRequest {
  std::string name;
  std::map<std::string, std::string>
      given;  // by the names of Sage's variables; see driver/manual/environments.md
  std::vector<std::string> arguments = {};  // tox's positional arguments
  std::optional<std::string> envdir = {};   // tox's {envdir}, if tox is the caller
};

class EnvironmentReader {
 public:
  explicit EnvironmentReader(EnvironmentSources sources)
      : sources_(std::move(sources)),
        lists_(sources_.packages),
        writer_(DockerfileWriter::read(sources_.packages.tree(), sources_.packages.features())) {}

  // Throws Error (BadInput) if the name has a factor that the table lacks, or if neither the name nor
  // anything else defines the system or the package set. An empty name: the tree's own plan, for any system.
  Environment resolve(const EnvironmentRequest& request);

 private:
  class Resolution;
  EnvironmentSources sources_;
  SystemPackageLists lists_;
  DockerfileWriter writer_;
};

// The variables that count in the caller's environment and in `EnvironmentRequest::given`.
const std::vector<std::string>& environment_variables();

// The name without "docker-".
std::string environment_name(std::string_view name);

// "PREFIX/sage-ENVIRONMENT-STAGE": the name of this stage's images. `repository` is prepended unchanged.
// Images of an incremental build have the same names as the others and replace them.
std::string image_name(const StageTable& table, const std::string& repository, const std::string& environment,
                       const std::string& stage);

}  // namespace stagemake
