// The programs docker and podman: a small table of their differences, and whether they can be used here.
//
// $STAGEMAKE_DOCKER and $STAGEMAKE_PODMAN name other programs than those in PATH; the program itself reads
// $DOCKER_HOST and $DOCKER_CONTEXT.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/engine_program.h"
#include "engine/engine_report.h"

namespace stagemake {

// The differences between docker and podman.
struct DockerDialect {
  const char* name;
  const char* variable;                   // names the program to use
  bool has_daemon;                        // a daemon may not answer
  std::vector<std::string> create_extra;  // gives the container exactly its image's environment
  // `commit --change LABEL` understands quotes and escapes. Podman takes them literally.
  bool label_changes;
  // `commit --squash` makes one layer. Docker lacks it: its containers are exported and imported.
  bool commit_squashes;
  // The arguments after `top CONTAINER` for process, parent, processor time and command line. (Podman passes
  // ps options to a ps inside the container, which need not exist.)
  std::vector<std::string> top_columns;
  // Pulls and pushes have --tls-verify, and pushes --digestfile. Docker prints the digest.
  bool transfer_options;
  // The `info` template for the time of the daemon's machine; empty if `info` does not say.
  const char* time_template;
  // The `info` template for the place of the images, as JSON; its output is empty if `info` knows that they
  // are on another machine.
  const char* storage_template;
  const char* install_advice;
};
const DockerDialect& docker_dialect();
const DockerDialect& podman_dialect();

// Thread rule: as for EngineProgram.
class DockerCliProgram : public EngineProgram {
 public:
  explicit DockerCliProgram(const DockerDialect& dialect)
      : EngineProgram(dialect.name, dialect.variable), dialect_(dialect) {}

  const DockerDialect& dialect() const { return dialect_; }
  EngineReport examine(Look look = Look::Quick) const;
  // Describes a container. EngineError if there is none.
  nlohmann::json inspect_container(const std::string& container) const;

 private:
  const DockerDialect& dialect_;
};

}  // namespace stagemake
