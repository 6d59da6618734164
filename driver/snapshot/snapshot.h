// A snapshot: an image of a stage, finished or not, that describes itself.
//
// The whole description is in the image's labels, so that any machine that can see the image can judge it
// without pulling it. Labels come from outside and are not trusted: if they do not parse, the image is not a
// snapshot.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plan/configured_packages.h"
#include "plan/stage_plan.h"

namespace stagemake {

inline constexpr std::string_view kLabelPrefix = "org.stagemake.";
inline constexpr std::string_view kSchemaLabel = "org.stagemake.schema";
inline constexpr std::string_view kEnvironmentLabel = "org.stagemake.environment";
inline constexpr std::string_view kRunLabel =
    "org.stagemake.run";  // of containers: the run of stagemake that made it
inline constexpr std::string_view kCheckpointLabel = "org.stagemake.checkpoint";  // Snapshot::checkpoint_of
// Of containers: a unique word. Images inherit it from the container that they were committed from.
inline constexpr std::string_view kTokenLabel = "org.stagemake.token";
inline constexpr int kSnapshotSchema = 1;

// A stage whose result an image contains, with its key and the inputs of that key.
struct LineageEntry {
  std::string stage;
  std::string key;
  std::vector<KeyInput> inputs;
};

struct InstalledPackage {
  std::string version;
  // build_fingerprint() of its build; empty if unknown, or if the installation record is truncated: such a
  // package never counts as finished.
  std::string fingerprint;
  double seconds = 0;  // duration of its build; 0 if unknown

  auto operator<=>(const InstalledPackage&) const = default;
};

struct Snapshot {
  // From the engine, or from a registry:
  std::string image;      // id; empty if it is only in a registry
  std::string reference;  // if it is only in a registry: "host/repository@sha256:…", to pull
  // If there are several docker hosts: the one that has it, if that is not the one that is asked about.
  std::string host = {};
  std::string digest;              // in a registry: "sha256:…"; empty if it was never in one
  std::vector<std::string> names;  // "repository:tag"
  std::string fetched_as;          // its name in the registry from which this run fetched it; else empty
  std::int64_t created = 0;        // seconds since the epoch
  std::uint64_t size = 0;          // bytes; in a registry: as stored there, compressed
  unsigned layers = 0;
  std::vector<std::string> layer_ids = {};  // from the lowest; empty if the engine does not report them
  // In a registry: bytes of its layers as stored there, as many as layer_ids or none; and the bytes that a
  // fetch would transfer, as far as the local layers are known.
  std::vector<std::uint64_t> layer_sizes = {};
  std::uint64_t fetch_size = 0;
  // Why nobody vouches for its labels, safe for a terminal; empty: runs of this state folder made it, or a
  // trusted key signed it (run/images/origins.h). An image that nobody vouches for may save time, but is
  // never clean.
  std::string unvouched = {};
  std::string signer = {};  // fingerprint of the key that vouches; empty if none is needed or there is none
  // Name of a container that a dead run left and the next build adopts; empty: it is an image.
  std::string container = {};
  // From the labels:
  std::string distribution;
  std::string environment;
  std::string stage;             // the stage of this image
  bool complete = false;         // false: that stage failed or was cut off
  bool clean = true;             // built in one go from the base image, not on an older snapshot
  std::string base_digest;       // digest of the base image at that time
  std::string revision;          // of the sources, as git describes it
  std::string made_by;           // version of stagemake
  std::string manifest;          // sha256 of the source manifest in the image; empty if it has none
  std::string fresh_build = {};  // the fresh build that it belongs to (run/build/fresh_build.h); empty: none
  std::string cpu;  // words: features of the CPUs that made it (base/process/machine.h); empty if unknown
  // The container from which it was committed while its stage was still running; empty if the stage had
  // ended.
  std::string checkpoint_of = {};
  std::vector<LineageEntry> lineage;  // the stages it contains, from the base on, its own stage last
  std::map<std::string, InstalledPackage> packages;
  // The last decisions of configure: in a stage that it contains, or in the older image in which it was made.
  std::optional<ConfiguredPackages> configured;

  const std::string& key() const { return lineage.back().key; }
  // Whether it must be fetched to be used: from a registry, or another host.
  bool is_remote() const { return !reference.empty() || !host.empty(); }
  // Whether a build may treat it as clean.
  bool is_clean() const { return clean && unvouched.empty(); }
  const LineageEntry* holds(std::string_view stage) const;  // also if its own stage is unfinished
  // The name of the base image that it was built on; empty if unknown.
  std::string base_image() const;
};

// Lists of snapshots, and the decisions about them, share the snapshots. Null where a decision names none.
using SnapshotPtr = std::shared_ptr<const Snapshot>;
using SnapshotList = std::vector<SnapshotPtr>;
SnapshotList share(std::vector<Snapshot> snapshots);
void append(SnapshotList& list, std::vector<Snapshot> more);

// "clean", "incremental", or "clean only by its labels".
std::string_view clean_text(const Snapshot& snapshot);

// Number of its packages that are finished: built, with a known fingerprint.
std::size_t finished_packages(const Snapshot& snapshot);

// SHA-256 over the stages it contains and their keys, 64 hex digits.
std::string lineage_digest(const Snapshot& snapshot);

// The name of a fresh build: its start time and what it builds.
std::string fresh_build_name(std::int64_t began, const std::string& wanted);
// Its start time, in seconds since the epoch; nullopt if this is not the name of a fresh build.
std::optional<std::int64_t> fresh_build_began(std::string_view name);
// What it builds: 16 hex digits; empty if this is not the name of a fresh build.
std::string_view fresh_build_wants(std::string_view name);

std::map<std::string, std::string> to_labels(const Snapshot& snapshot);  // each fits in a command line
// The part of a snapshot that labels describe; nullopt if these are not a snapshot's labels, or are too long.
std::optional<Snapshot> from_labels(const std::map<std::string, std::string>& labels);

// Marks that show whether an installation record was overwritten: by file name, an opaque text of time, size
// and content. If the mark of a record has changed, the record was written since, even if a clock was
// changed.
using RecordMarks = std::map<std::string, std::string>;

// The progress of a container's driver, which the container's labels, made at its creation, cannot contain.
// It is stored in the driver's state folder, where nothing in a container can change it.
struct RunningStage {
  std::vector<LineageEntry> lineage = {};  // ends with the stage started last; empty: no recipe has started
  std::string manifest = {};               // of the sources last copied in; empty: none were
  std::map<std::string, InstalledPackage> packages = {};  // packages installed when that stage started
  RecordMarks records = {};                               // likewise
  std::optional<ConfiguredPackages> configured = {};      // the last decisions of configure
};
// `token`: the container's kTokenLabel.
std::string running_text(const std::string& container, const std::string& token, const RunningStage& running);
// nullopt if the text belongs to another container or is invalid.
std::optional<RunningStage> parse_running(std::string_view text, const std::string& container,
                                          const std::string& token);

// The source manifest: the files that a container's tree received, by path, kind and id. The image has it as
// the file kManifestPath; the state folder has a copy by its digest.
inline constexpr std::string_view kManifestPath = "/.stagemake/sources";
std::string manifest_text(const std::vector<SourceFile>& files);
// nullopt if the text is not a manifest. Paths that lead out of the tree, are duplicate or are out of order
// make it invalid.
std::optional<std::vector<SourceFile>> parse_manifest(std::string_view text);

}  // namespace stagemake
