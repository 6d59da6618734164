// Decisions in words. The same text serves `build --dry-run`, `explain` and the reporter.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plan/restore.h"

namespace stagemake {

// The source manifest with this digest, where it is at hand without asking an engine.
using ManifestLookup = std::function<std::optional<std::vector<SourceFile>>(const std::string& digest)>;

// An input of a stage's key that is other than it was, in words. `files`: which files below a folder that the
// stage adds are other; asked only where that is what changed, and empty where it is not known. `image`: the
// name of the image in which it was so; empty where it is clear.
std::string change_text(const StagePlan& plan, std::size_t stage, const InputChange& change,
                        const std::function<std::vector<std::string>()>& files, const std::string& image = {});
// The files at and below `path` that differ between two sorted lists, sorted.
std::vector<std::string> changed_files(const std::vector<SourceFile>& before,
                                       const std::vector<SourceFile>& now, const std::string& path);

struct StageExplanation {
  std::string stage;
  std::string action;                // "reuse", "build", "skip" (not asked for)
  std::string headline;              // one line: from what
  // One line each: why it is built. A line is about the image that it names, else about that of the headline.
  std::vector<std::string> reasons;
};

// `now`: seconds since the epoch, for "2 h ago". One explanation per stage, in the plan's order.
std::vector<StageExplanation> explain(const StagePlan& plan, const PackageIndex& packages,
                                      const std::vector<StageDecision>& decisions, SourceTree& sources,
                                      const ManifestLookup& manifests, std::int64_t now);

nlohmann::json to_json(const std::vector<StageExplanation>& explanations);

// An image that was weighed for the beginning of a build, in words.
struct CandidateExplanation {
  std::string stage;    // that would be built first
  std::string image;    // its name; "the base image …"
  std::string verdict;  // "chosen", "slower", or why it is not used
  std::string made;  // when, from what, how: "2 h ago from v9.8, clean, unfinished"; empty for the base image
  std::size_t ready = 0, stale = 0,
              missing = 0;                      // packages; stale: installed, to be built again or taken away
  std::uint64_t fetch_bytes = 0;                // 0: nothing is to be fetched
  double fetch_seconds = 0, build_seconds = 0;  // predicted
  std::string text() const;                     // one line, without the name
};
// All that were weighed, the best first, per stage that begins somewhere.
std::vector<CandidateExplanation> explain_candidates(const StagePlan& plan,
                                                     const std::vector<StageDecision>& decisions,
                                                     std::int64_t now);
nlohmann::json to_json(const std::vector<CandidateExplanation>& candidates);

// "sage-debian-bookworm-minimal-configured:9.8": the name of an image by its stage, else the one by
// which it was fetched, else its short id.
std::string display_name(const Snapshot& snapshot);

}  // namespace stagemake
