// The program buildah, and whether it can be used here.
//
// $STAGEMAKE_BUILDAH names another program than the one in PATH, $STAGEMAKE_BUILDAH_ISOLATION another
// isolation than "chroot". Buildah itself chooses the storage ($CONTAINERS_STORAGE_CONF).
#pragma once

#include <optional>
#include <string>

#include "engine/engine_program.h"
#include "engine/engine_report.h"

namespace stagemake {

// Thread rule: as for EngineProgram.
class BuildahProgram : public EngineProgram {
 public:
  BuildahProgram();

  const std::string& isolation() const { return isolation_; }
  bool uses_chroot() const { return isolation_ == "chroot"; }
  EngineReport examine(Look look = Look::Quick) const;

 private:
  // Why containers cannot run here; nothing if they can. Starts an empty one.
  std::optional<std::string> cannot_run() const;

  std::string isolation_;
};

}  // namespace stagemake
