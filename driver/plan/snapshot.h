// A snapshot: an image of a stage, finished or not, that says of itself what it is.
//
// All of it stands in the image's labels, so that any machine that can see the image can judge it without
// pulling it. Labels come from outside and are not trusted: what does not parse is no snapshot.
#pragma once

#include <cstdint>
#include <map>
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
    "org.stagemake.run";  // of containers: which run of stagemake made it
inline constexpr std::string_view kCheckpointLabel = "org.stagemake.checkpoint";  // Snapshot::checkpoint_of
// Of containers: a word that no other one has. Images have it from the container that they were made of.
inline constexpr std::string_view kTokenLabel = "org.stagemake.token";
inline constexpr int kSnapshotSchema = 1;

// A stage whose result an image holds, with the key it had and what went into that key.
struct LineageEntry {
  std::string stage;
  std::string key;
  std::vector<KeyInput> inputs;
};

struct InstalledPackage {
  std::string version;
  // build_fingerprint() of its build; empty where that is not known, or where the installation record was cut
  // short: such a package is never taken for finished.
  std::string fingerprint;
  double seconds = 0;  // that its build took; 0 where that is not known

  auto operator<=>(const InstalledPackage&) const = default;
};

struct Snapshot {
  // From the engine, or from a registry:
  std::string image;      // id; empty for one that lies in a registry alone
  std::string reference;  // where it lies in a registry alone: "host/repository@sha256:…", to be pulled
  std::string digest;     // in a registry: "sha256:…"; empty where it never was in one
  std::vector<std::string> names;  // "repository:tag"
  std::string fetched_as;          // what a registry calls it from which this run has fetched it; else empty
  std::int64_t created = 0;        // seconds since the epoch
  std::uint64_t size = 0;          // bytes; of one in a registry: as stored there, compressed
  unsigned layers = 0;
  std::vector<std::string> layer_ids = {};  // from the lowest on; empty where the engine does not say
  // Of one in a registry: bytes of its layers as stored there, as many as layer_ids or none; and the bytes
  // that a fetch would bring, as far as it is known which layers are here.
  std::vector<std::uint64_t> layer_sizes = {};
  std::uint64_t fetch_size = 0;
  // A container that a dead run left, and that the next build takes over: its name; empty: it is an image.
  std::string container = {};
  // From the labels:
  std::string distribution;
  std::string environment;
  std::string stage;             // whose image it is
  bool complete = false;         // false: that stage failed or was cut off
  bool clean = true;             // built from the base image in one line, not on top of an older snapshot
  std::string base_digest;       // what the base image's name meant then
  std::string revision;          // of the sources, as git describes it
  std::string made_by;           // version of stagemake
  std::string manifest;          // sha256 of the source manifest inside the image; empty where it has none
  std::string fresh_build = {};  // the fresh build that it is part of (run/fresh_build.h); empty: of none
  std::string cpu;  // words: what the CPUs that made it can do (base/machine.h); empty where unknown
  // The container of which it was made while its stage went on; empty where that had ended.
  std::string checkpoint_of = {};
  std::vector<LineageEntry> lineage;  // what it holds, from the base on; with its own stage as last
  std::map<std::string, InstalledPackage> packages;
  // What configure decided last: in a stage that it holds, or in the older image in which it was made.
  std::optional<ConfiguredPackages> configured;

  const std::string& key() const { return lineage.back().key; }
  bool is_remote() const { return !reference.empty(); }
  const LineageEntry* holds(std::string_view stage) const;  // also an unfinished own stage
  // The name of the base image that it was built on; empty where it does not say.
  std::string base_image() const;
};

// How many of its packages are finished: built, and known from what.
std::size_t finished_packages(const Snapshot& snapshot);

// The name of a fresh build: when it began, and what it is to build.
std::string fresh_build_name(std::int64_t began, const std::string& wanted);
// When it began, in seconds since the epoch; nothing where this is no name of a fresh build.
std::optional<std::int64_t> fresh_build_began(std::string_view name);
// What it builds: 16 hexadecimal digits; empty where this is no name of a fresh build.
std::string_view fresh_build_wants(std::string_view name);

std::map<std::string, std::string> to_labels(const Snapshot& snapshot);  // each fits a command line
// The label-given part of a snapshot; nothing where the labels are not those of one, or are too long.
std::optional<Snapshot> from_labels(const std::map<std::string, std::string>& labels);

// What tells installation records from others that are written over them: by the file's name an opaque text
// of time, size and content. A record whose mark is another one now was written since, whatever any clock
// says.
using RecordMarks = std::map<std::string, std::string>;

// How far the driver of a container has come in it, which the container's labels, made at its creation,
// cannot say. It stands in the driver's state folder: nothing that runs in a container can change it.
struct RunningStage {
  std::vector<LineageEntry> lineage = {};  // with the stage that was begun last; empty: no recipe has begun
  std::string manifest = {};               // of the sources as last brought; empty: none were
  std::map<std::string, InstalledPackage> packages = {};  // what was installed when that stage began
  RecordMarks records = {};                               // likewise
  std::optional<ConfiguredPackages> configured = {};      // what configure had decided last
};
// `token`: the container's kTokenLabel.
std::string running_text(const std::string& container, const std::string& token, const RunningStage& running);
// Nothing where the text is of another container, or means nothing.
std::optional<RunningStage> parse_running(std::string_view text, const std::string& container,
                                          const std::string& token);

// The source manifest: which files a container's tree was given, by path, kind and id. In the image it is the
// file kManifestPath; in the state folder a copy by its digest.
inline constexpr std::string_view kManifestPath = "/.stagemake/sources";
std::string manifest_text(const std::vector<SourceFile>& files);
// Nothing where the text is no manifest. Paths that lead out of the tree, that come twice or out of order
// make it none.
std::optional<std::vector<SourceFile>> parse_manifest(std::string_view text);

}  // namespace stagemake
