// Where a run keeps what is no image: logs, locks, the cache of source ids, copies of source manifests.
// Losing any of it costs time, never correctness.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "plan/configured_packages.h"
#include "plan/source_tree.h"

namespace stagemake {

class StateFolder {
 public:
  // `chosen` if given; else $STAGEMAKE_STATE, $XDG_STATE_HOME/stagemake, ~/.local/state/stagemake. `tree` is
  // absolute. Makes nothing; what is there becomes the caller's alone: logs may hold secrets, and what is kept here is
  // believed. Throws Error (BadInput) where it is another user's, or others can write there (keep_private).
  StateFolder(const std::optional<fs::path>& chosen, const fs::path& tree);

  const fs::path& root() const { return root_; }
  // What tells this folder of the tree from every other at the same path, in other mount namespaces and on
  // other machines, copies of it included; the same for all that reach it. Empty before make_identity(), and
  // where it cannot be read.
  std::string identity() const;
  void make_identity() const;  // never throws: where it cannot be written there is none
  fs::path source_ids() const { return tree_ / "source-ids"; }
  fs::path engine() const { return tree_ / "engine"; }  // the name of the one that the tree is built with
  fs::path temporary() const { return root_ / "tmp"; }
  // The pipe with a container's job slots (run/job_slots.h). It must be there as long as the container is.
  fs::path job_slots(const std::string& container) const { return root_ / "slots" / container; }
  // What the driver of a container writes down of it (RunningStage): it lies here because what runs inside
  // cannot reach it. Where it cannot be written, what was there is removed: what is out of date must not be
  // believed.
  void keep_running(const std::string& container, const std::string& text) const;
  std::optional<std::string> running(const std::string& container) const;
  // What belongs to a container that is no more.
  void forget_container(const std::string& container) const;
  // The same of those whose names begin so, that are not `present`, and that were not written to for a month:
  // another engine may have them.
  void forget_containers(const std::string& prefix, const std::set<std::string>& present) const;
  fs::path runs() const { return tree_ / "runs"; }                               // run/run_folder.h
  fs::path log(const std::string& environment, const std::string& stage) const;  // of the newest run of it
  fs::path pools() const { return tree_ / "pools"; }                             // run/slot_control.h
  fs::path fresh_builds() const { return tree_ / "fresh"; }                      // run/fresh_build.h
  fs::path journal() const { return tree_ / "journal"; }                         // run/journal.h
  fs::path environment_lock(const std::string& environment) const { return tree_ / "locks" / environment; }
  // The lock of this tree's environment, and those that there are of other trees' environments of that name.
  std::vector<fs::path> environment_locks(const std::string& environment) const;

  // The log file of a stage, fresh: the last kKeptLogs older ones are kept beside it as STAGE.log.1 (the
  // youngest), ….
  fs::path fresh_log(const std::string& environment, const std::string& stage) const;
  static constexpr int kKeptLogs = 5;

  // What configure decided in an environment's stage with this key, in a base image of this content.
  void keep_configured(const std::string& key, const ConfiguredPackages& configured) const;
  std::optional<ConfiguredPackages> configured(const std::string& key) const;

  void keep_manifest(const std::string& digest, const std::string& text) const;
  // Removes the manifests that were not used for longest where all together have more than `most` bytes;
  // those in `in_use`, which images name, stay whatever their size. A manifest that is gone is read from its
  // image again.
  void bound_manifests(const std::set<std::string>& in_use, std::uint64_t most = kMostManifestBytes) const;
  static constexpr std::uint64_t kMostManifestBytes = 200u << 20;
  // Nothing where it is not at hand, or is not what its digest says.
  std::optional<std::vector<SourceFile>> manifest(const std::string& digest) const;

 private:
  fs::path root_;
  fs::path tree_;

  fs::path identity_file() const { return tree_ / "identity"; }
  fs::path running_file(const std::string& container) const { return root_ / "running" / container; }
};

}  // namespace stagemake
