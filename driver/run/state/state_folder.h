// Where a run keeps everything except images: logs, locks, the cache of source ids, copies of source
// manifests. Losing any of it costs time, never correctness.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/files/files.h"
#include "plan/configured_packages.h"
#include "tree/source_tree.h"

namespace stagemake {

class StateFolder {
 public:
  // `chosen` if given; else $STAGEMAKE_STATE, $XDG_STATE_HOME/stagemake, ~/.local/state/stagemake. `tree` is
  // absolute. Creates nothing; an existing folder becomes private to the caller, because logs may hold
  // secrets and its content is trusted. Throws Error (BadInput) if it belongs to another user, or others can
  // write there (keep_private).
  StateFolder(const std::optional<fs::path>& chosen, const fs::path& tree);

  const fs::path& root() const { return root_; }
  // Distinguishes this folder of the tree from every other at the same path, in other mount namespaces and on
  // other machines, including copies; the same for all processes that reach it. Empty before make_identity(),
  // and if it cannot be read.
  std::string identity() const;
  void make_identity() const;  // never throws: if it cannot be written, there is none
  fs::path source_ids() const { return tree_ / "source-ids"; }
  fs::path engine() const { return tree_ / "engine"; }  // the name of the engine that the tree is built with
  fs::path temporary() const { return root_ / "tmp"; }
  fs::path origins() const { return root_ / "origins"; }  // run/images/origins.h; for images of all trees
  // The pipe with a container's job slots (run/slots/job_slots.h). It must exist as long as the container.
  fs::path job_slots(const std::string& container) const { return root_ / "slots" / container; }
  // What the driver of a container records about it (RunningStage), here because nothing that runs inside can
  // reach it. If it cannot be written, the old record is removed: outdated records must not be trusted.
  void keep_running(const std::string& container, const std::string& text) const;
  std::optional<std::string> running(const std::string& container) const;
  // Removes what belongs to a container that no longer exists.
  void forget_container(const std::string& container) const;
  // The same for containers whose names have this prefix, that are not `present`, and whose files were not
  // written for a month: another engine may have them.
  void forget_containers(const std::string& prefix, const std::set<std::string>& present) const;
  fs::path runs() const { return tree_ / "runs"; }                               // run/state/run_folder.h
  fs::path log(const std::string& environment, const std::string& stage) const;  // of its newest run
  fs::path pools() const { return tree_ / "pools"; }                             // run/slots/slot_control.h
  fs::path fresh_builds() const { return tree_ / "fresh"; }                      // run/build/fresh_build.h
  fs::path journal() const { return tree_ / "journal"; }                         // run/state/journal.h
  fs::path environment_lock(const std::string& environment) const { return tree_ / "locks" / environment; }
  // The lock of this tree's environment, and those of other trees' environments of that name, if they exist.
  std::vector<fs::path> environment_locks(const std::string& environment) const;

  // A new log file for a stage: the last kKeptLogs older ones stay beside it as STAGE.log.1 (the newest), ….
  fs::path fresh_log(const std::string& environment, const std::string& stage) const;
  static constexpr int kKeptLogs = 5;

  // What configure decided in an environment's stage with this key, in a base image of this content.
  void keep_configured(const std::string& key, const ConfiguredPackages& configured) const;
  std::optional<ConfiguredPackages> configured(const std::string& key) const;

  void keep_manifest(const std::string& digest, const std::string& text) const;
  // Removes the least recently used manifests if all together have more than `most` bytes; those in `in_use`,
  // which images name, stay whatever their size. A removed manifest is read from its image again.
  void bound_manifests(const std::set<std::string>& in_use, std::uint64_t most = kMostManifestBytes) const;
  static constexpr std::uint64_t kMostManifestBytes = 200u << 20;
  // Nothing if it is not here, or does not match its digest.
  std::optional<std::vector<SourceFile>> manifest(const std::string& digest) const;

 private:
  fs::path root_;
  fs::path tree_;

  fs::path identity_file() const { return tree_ / "identity"; }
  fs::path running_file(const std::string& container) const { return root_ / "running" / container; }
};

}  // namespace stagemake
