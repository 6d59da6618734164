#include "snapshot/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text/text.h"

namespace stagemake {
namespace {

std::string age(std::int64_t then, std::int64_t now) {
  return duration_text(static_cast<double>(std::max<std::int64_t>(0, now - then))) + " ago";
}

bool is_digest(const std::string& value) {
  return value.starts_with("sha256:") ||
         (value.size() == 64 && value.find_first_not_of("0123456789abcdef") == std::string::npos);
}

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

class Explainer {
 public:
  Explainer(const StagePlan& plan, const PackageIndex& packages, const std::vector<StageDecision>& decisions,
            SourceTree& sources, const ManifestLookup& manifests, std::int64_t now, const Listing& listing)
      : plan_(plan),
        packages_(packages),
        decisions_(decisions),
        sources_(sources),
        manifests_(manifests),
        now_(now),
        listing_(listing) {}

  StageExplanation of(std::size_t stage) {
    const StageDecision& decision = decisions_[stage];
    StageExplanation text{plan_.stages[stage].name, {}, {}, {}};
    switch (decision.action) {
      case StageDecision::Action::NotWanted:
        text.action = "skip";
        text.headline = "not asked for";
        break;
      case StageDecision::Action::Reuse:
        text.action = "reuse";
        text.headline =
            fmt::format("{} ({})", display_name(*decision.image), age(decision.image->created, now_));
        break;
      case StageDecision::Action::Build:
        text.action = "build";
        text.headline = start_text(stage);
        text.reasons = reasons(stage);
        break;
    }
    return text;
  }

 private:
  std::string start_text(std::size_t stage) const {
    const StageDecision& decision = decisions_[stage];
    if (!decision.start) return fmt::format("after {}", plan_.stages[*plan_.stages[stage].parent].name);
    const Candidate& start = *decision.start;
    if (start.snapshot == nullptr)
      return fmt::format("from the base image {}", printable(plan_.environment.base_image));
    std::string name = display_name(*start.snapshot);
    switch (start.kind) {
      case Candidate::Kind::Parent:
        return fmt::format("from {}", name);
      case Candidate::Kind::Unfinished:
        return fmt::format("continues from {}, left unfinished {}", name, age(start.snapshot->created, now_));
      case Candidate::Kind::Older:
        return fmt::format("continues from {}, made {} {}", name, age(start.snapshot->created, now_),
                           made_from(*start.snapshot));
    }
    return name;
  }

  // Describes briefly how an image differs from the plan.
  std::string made_from(const Snapshot& image) const {
    bool sources = false, targets = false, settings = false;
    for (const LineageEntry& entry : image.lineage) {
      std::optional<std::size_t> at = plan_.table.find(entry.stage);
      if (!at || entry.key == plan_.stages[*at].key) continue;
      const StageSpec& spec = plan_.table.stages[*at];
      std::vector<KeyInput> differing;
      for (const auto* inputs : {&entry.inputs, &plan_.stages[*at].inputs}) {
        const auto* others = inputs == &entry.inputs ? &plan_.stages[*at].inputs : &entry.inputs;
        for (const KeyInput& input : *inputs)
          if (std::find(others->begin(), others->end(), input) == others->end()) differing.push_back(input);
      }
      for (const KeyInput& input : differing) {
        if (input.name == kParentInput) continue;
        bool is_file = is_added(spec, input.name);
        bool is_target = contains(spec.make_targets, "$" + input.name);
        sources = sources || is_file;
        targets = targets || is_target;
        settings = settings || (!is_file && !is_target);
      }
    }
    return sources    ? "from other sources"
           : targets  ? "for other targets"
           : settings ? "with other settings"
                      : "from the same sources";
  }

  // Why no existing image makes building the stage unnecessary.
  std::vector<std::string> causes(std::size_t stage) {
    const StageDecision& decision = decisions_[stage];
    SnapshotPtr start = start_of(stage);
    std::vector<std::string> lines;
    if (decision.rebuilt == stage)
      lines.emplace_back("--rebuild asks for it");
    else if (decision.rebuilt && decision.changes.empty())
      lines.push_back(plan_.stages[*decision.rebuilt].name + " is built again");
    if (decision.unused != nullptr)
      lines.push_back(fmt::format("{} has the same inputs but is not used: {}",
                                  display_name(*decision.unused), decision.unused_why));
    // If an image with the exact key may not be used, other images do not matter, except the one that the
    // stage starts from.
    if (decision.older != nullptr && (decision.unused == nullptr || decision.older == start)) {
      // The headline names the image only if the stage starts from it.
      bool is_named = decision.start && decision.older == start;
      for (const InputChange& change : decision.changes)
        lines.push_back(change_text(
            plan_, stage, change, [&] { return files_changed(stage, change.input, *decision.older); },
            is_named ? std::string() : display_name(*decision.older), listing_));
      if (decision.changes.empty() && lines.empty()) lines.push_back(unchanged_text(stage));
    }
    if (lines.empty() && decision.older == nullptr) lines.emplace_back("no image contains it");
    return lines;
  }

  // The image from which the stage starts, or from which the first built stage before it does.
  SnapshotPtr start_of(std::size_t stage) const {
    for (std::optional<std::size_t> at = stage; at; at = plan_.stages[*at].parent)
      if (decisions_[*at].start) return decisions_[*at].start->snapshot;
    return nullptr;
  }

  std::vector<std::string> reasons(std::size_t stage) {
    const StageDecision& decision = decisions_[stage];
    std::vector<std::string> lines = causes(stage);
    if (decision.start) {
      const Candidate& start = *decision.start;
      if (start.ready > 0)
        lines.push_back(fmt::format("{} of {} {} ready there", start.ready,
                                    counted(start.ready + start.to_build.size(), "package"),
                                    start.ready == 1 ? "is" : "are"));
      if (!start.stale.empty())
        lines.push_back("rebuilt because their files changed without a new version: " +
                        some_of(start.stale, listing_));
      if (!start.removed.empty())
        lines.push_back("uninstalled because the tree no longer has them: " +
                        some_of(start.removed, listing_));
      if (!start.unwanted.empty())
        lines.push_back("uninstalled because no target needs them any more: " +
                        some_of(start.unwanted, listing_));
      if (start.fetch_seconds > 0)
        lines.push_back(fmt::format("fetched first: {}, about {}", size_text(start.snapshot->fetch_size),
                                    duration_text(start.fetch_seconds)));
    }
    if (std::string made = made_text(stage); !made.empty()) lines.push_back(made);
    return lines;
  }

  // The packages that the stage will make.
  std::string made_text(std::size_t stage) const {
    std::optional<std::size_t> first = stage;
    while (first && !decisions_[*first].start) first = plan_.stages[*first].parent;
    if (!first) return {};
    const std::vector<PackageId>& to_build = decisions_[*first].start->to_build;
    std::vector<std::string> names;
    for (PackageId id : plan_.stages[stage].packages)
      if (std::binary_search(to_build.begin(), to_build.end(), id)) names.push_back(packages_[id].name);
    return names.empty() ? std::string()
                         : fmt::format("builds {}{}: {}", plan_.is_exact() ? "" : "at most ", names.size(),
                                       some_of(names, listing_));
  }

  // The stage is built although no input differs: its image is gone, or is only part of another one.
  std::string unchanged_text(std::size_t stage) const {
    const Snapshot& older = *decisions_[stage].older;
    if (older.stage != plan_.stages[stage].name)
      return fmt::format("has no image of its own; {} contains it", display_name(older));
    return "it has the same inputs as " + display_name(older);
  }

  std::vector<std::string> files_changed(std::size_t stage, const std::string& path, const Snapshot& older) {
    std::optional<std::vector<SourceFile>> before = manifests_(older.manifest);
    if (!before) return {};
    return changed_files(*before, added_files(plan_.table, plan_.chain(stage), sources_), path);
  }

  const StagePlan& plan_;
  const PackageIndex& packages_;
  const std::vector<StageDecision>& decisions_;
  SourceTree& sources_;
  const ManifestLookup& manifests_;
  std::int64_t now_;
  const Listing& listing_;
};

}  // namespace

std::vector<std::string> changed_files(const std::vector<SourceFile>& before,
                                       const std::vector<SourceFile>& now, const std::string& path) {
  std::vector<SourceFile> differing;
  std::set_symmetric_difference(before.begin(), before.end(), now.begin(), now.end(),
                                std::back_inserter(differing));
  std::vector<std::string> names;
  for (const SourceFile& file : differing) {
    bool inside = file.path == path || file.path.starts_with(path + "/");
    if (inside && (names.empty() || names.back() != file.path)) names.push_back(file.path);
  }
  return names;
}

std::string change_text(const StagePlan& plan, std::size_t stage, const InputChange& change,
                        const std::function<std::vector<std::string>()>& files, const std::string& image,
                        const Listing& listing) {
  std::string since = image.empty() ? "" : " since " + image;
  std::string in = image.empty() ? "" : " in " + image;
  if (change.input == kParentInput)
    return fmt::format("{} is built again", plan.stages[*plan.stages[stage].parent].name);
  if (change.input == kRecipeInput) return "its recipe changed" + since;
  if (is_added(plan.table.stages[stage], change.input)) {
    std::vector<std::string> changed = files();
    if (!changed.empty()) return fmt::format("changed{}: {}", since, some_of(changed, listing));
    return fmt::format("{} changed{}", printable(change.input), since);
  }
  if (is_digest(change.before) || is_digest(change.after))
    return fmt::format("{} changed{}", printable(change.input), since);
  return fmt::format("{} was \"{}\"{}, is \"{}\"", printable(change.input), printable(change.before), in,
                     printable(change.after));
}

std::vector<StageExplanation> explain(const StagePlan& plan, const PackageIndex& packages,
                                      const std::vector<StageDecision>& decisions, SourceTree& sources,
                                      const ManifestLookup& manifests, std::int64_t now,
                                      const Listing& listing) {
  Explainer explainer(plan, packages, decisions, sources, manifests, now, listing);
  std::vector<StageExplanation> all;
  for (std::size_t i = 0; i < decisions.size(); ++i) all.push_back(explainer.of(i));
  return all;
}

nlohmann::json to_json(const std::vector<StageExplanation>& explanations) {
  nlohmann::json list = nlohmann::json::array();
  for (const StageExplanation& e : explanations)
    list.push_back({{"name", e.stage}, {"action", e.action}, {"how", e.headline}, {"reasons", e.reasons}});
  return list;
}

std::string CandidateExplanation::text() const {
  std::string line = made.empty() ? "" : made + "; ";
  line += ready == 0 ? "nothing ready"
                     : fmt::format("{} of {} ready", ready, counted(ready + missing, "package"));
  if (stale > 0) line += fmt::format(", {} out of date", stale);
  if (fetch_seconds > 0)
    line += fmt::format("; {} to fetch, about {}", size_text(fetch_bytes), duration_text(fetch_seconds));
  if (missing > 0) line += fmt::format("; {} to build, about {}", missing, duration_text(build_seconds));
  return line;
}

std::vector<CandidateExplanation> explain_candidates(const StagePlan& plan,
                                                     const std::vector<StageDecision>& decisions,
                                                     std::int64_t now) {
  std::vector<CandidateExplanation> all;
  for (std::size_t stage = 0; stage < decisions.size(); ++stage) {
    const std::vector<Candidate>& candidates = decisions[stage].candidates;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const Candidate& one = candidates[i];
      CandidateExplanation text{.stage = plan.stages[stage].name};
      text.image = "the base image " + printable(plan.environment.base_image);
      if (const SnapshotPtr& from = one.snapshot) {
        text.image = display_name(*from);
        text.made = fmt::format("{} from {}, {}{}", age(from->created, now),
                                from->revision.empty() ? "no revision" : printable(from->revision),
                                clean_text(*from), from->complete ? "" : ", unfinished");
        if (from->is_remote()) text.fetch_bytes = from->fetch_size;
      }
      text.verdict = !one.refused.empty() ? one.refused : i == 0 ? "chosen" : "slower";
      text.ready = one.ready;
      text.stale = one.stale.size() + one.removed.size() + one.unwanted.size();
      text.missing = one.to_build.size();
      text.fetch_seconds = one.fetch_seconds;
      text.build_seconds = one.build_seconds;
      all.push_back(std::move(text));
    }
  }
  return all;
}

nlohmann::json to_json(const std::vector<CandidateExplanation>& candidates) {
  nlohmann::json list = nlohmann::json::array();
  for (const CandidateExplanation& c : candidates)
    list.push_back({{"stage", c.stage},
                    {"image", c.image},
                    {"verdict", c.verdict},
                    {"made", c.made},
                    {"ready", c.ready},
                    {"stale", c.stale},
                    {"missing", c.missing},
                    {"fetch_bytes", c.fetch_bytes},
                    {"fetch_seconds", c.fetch_seconds},
                    {"build_seconds", c.build_seconds}});
  return list;
}

std::string display_name(const Snapshot& snapshot) {
  if (!snapshot.container.empty()) return "container " + printable(snapshot.container);
  if (!snapshot.names.empty()) {
    // An image that contains several stages has all their names: the name of its own stage describes it best.
    auto own = std::find_if(snapshot.names.begin(), snapshot.names.end(), [&](const std::string& name) {
      return name.substr(0, name.rfind(':')).ends_with("-" + snapshot.stage);
    });
    return printable(own != snapshot.names.end() ? *own : snapshot.names.front());
  }
  if (!snapshot.fetched_as.empty()) return snapshot.fetched_as;
  std::string_view id = snapshot.image;
  if (id.starts_with("sha256:")) id.remove_prefix(7);
  return std::string(id.substr(0, 12));
}

}  // namespace stagemake
