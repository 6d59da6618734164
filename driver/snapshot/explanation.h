// Describes decisions in words. `build --dry-run`, `explain` and the reporter use the same text.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/text/text.h"
#include "snapshot/restore.h"

namespace stagemake {

// Returns the source manifest with this digest if it is available without the engine.
using ManifestLookup = std::function<std::optional<std::vector<SourceFile>>(const std::string& digest)>;

// Describes a changed input of a stage's key. `files`: returns the changed files below a folder that the
// stage adds; called only if that folder changed, and empty if unknown. `image`: the name of the image with
// the old input; empty if it is clear from the context.
std::string change_text(const StagePlan& plan, std::size_t stage, const InputChange& change,
                        const std::function<std::vector<std::string>()>& files, const std::string& image = {},
                        const Listing& listing = {});
// The files at and below `path` that differ between two sorted lists, sorted.
std::vector<std::string> changed_files(const std::vector<SourceFile>& before,
                                       const std::vector<SourceFile>& now, const std::string& path);

struct StageExplanation {
  std::string stage;
  std::string action;    // "reuse", "build", "skip" (not requested)
  std::string headline;  // one line: the starting point
  // One line each: why the stage is built. A line is about the image that it names, else about that of the
  // headline.
  std::vector<std::string> reasons;
};

// `now`: seconds since the epoch, for "2 h ago". One explanation per stage, in the plan's order.
std::vector<StageExplanation> explain(const StagePlan& plan, const PackageIndex& packages,
                                      const std::vector<StageDecision>& decisions, SourceTree& sources,
                                      const ManifestLookup& manifests, std::int64_t now,
                                      const Listing& listing = {});

nlohmann::json to_json(const std::vector<StageExplanation>& explanations);

// Describes an image that was considered as the starting point of a build.
struct CandidateExplanation {
  std::string stage;    // the first stage to be built
  std::string image;    // its name; "the base image …"
  std::string verdict;  // "chosen", "slower", or why it is not used
  std::string made;  // when, from what, how: "2 h ago from v9.8, clean, unfinished"; empty for the base image
  std::size_t ready = 0, stale = 0,
              missing = 0;                      // packages; stale: installed, to be rebuilt or uninstalled
  std::uint64_t fetch_bytes = 0;                // 0: nothing to fetch
  double fetch_seconds = 0, build_seconds = 0;  // predicted
  std::string text() const;                     // one line, without the name
};
// All candidates, the best first, for each stage that has a starting point.
std::vector<CandidateExplanation> explain_candidates(const StagePlan& plan,
                                                     const std::vector<StageDecision>& decisions,
                                                     std::int64_t now);
nlohmann::json to_json(const std::vector<CandidateExplanation>& candidates);

// "sage-debian-bookworm-minimal-configured:9.8": the name of an image by its stage, else the name by which it
// was fetched, else its short id.
std::string display_name(const Snapshot& snapshot);

}  // namespace stagemake
