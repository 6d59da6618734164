#include "cli/commands/repro_command.h"

// `stagemake repro`: prints commands to repeat a stage without stagemake.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/engine_choice.h"
#include "cli/git.h"
#include "cli/inspection.h"
#include "cli/options/network_options.h"
#include "emit/repro.h"
#include "run/build/build.h"
#include "run/build/prepare.h"
#include "snapshot/explanation.h"

namespace stagemake {
namespace {

const char* usual_name(EngineKind kind) {
  return kind == EngineKind::Buildah ? "buildah" : kind == EngineKind::Podman ? "podman" : "docker";
}

std::string name_of(const Snapshot& snapshot) {
  return snapshot.names.empty() ? snapshot.image : display_name(snapshot);
}

std::string age(const Snapshot& snapshot) {
  std::int64_t seconds = std::max<std::int64_t>(0, std::time(nullptr) - snapshot.created);
  return duration_text(static_cast<double>(seconds)) + " ago";
}

// Where the stage starts, as far as the known images tell.
class Beginning {
 public:
  Beginning(const StagePlan& plan, std::size_t stage, const std::vector<Snapshot>& snapshots)
      : plan_(plan), stage_(stage), snapshots_(snapshots) {}

  // Sets the image, the stages that run in it, and the reason.
  void choose(Repro& repro, bool fresh) const {
    if (const Snapshot* unfinished = fresh ? nullptr : unfinished_image()) {
      repro.image = name_of(*unfinished);
      repro.is_unfinished = true;
      repro.stages = {stage_};
      repro.about.push_back(fmt::format("It starts from {}, which a run left unfinished {}{}.", repro.image,
                                        age(*unfinished),
                                        unfinished->key() == plan_.stages[stage_].key
                                            ? ""
                                            : "; the sources in it are older than those of the tree now"));
      return;
    }
    std::vector<std::size_t> chain = plan_.chain(stage_);
    std::size_t first = fresh ? 0 : chain.size() - 1;  // first stage of the chain that has to run
    while (first > 0 && holding(chain[first - 1]) == nullptr) --first;
    const Snapshot* from = first == 0 ? nullptr : holding(chain[first - 1]);
    repro.stages.assign(chain.begin() + static_cast<std::ptrdiff_t>(first), chain.end());
    repro.image = from == nullptr ? plan_.environment.base_image : name_of(*from);
    if (from != nullptr)
      repro.about.push_back(fmt::format("It starts from {}, the image of an earlier stage{}, made {}.",
                                        repro.image, first + 1 < chain.size() ? " that is here" : "",
                                        age(*from)));
    else if (stage_ != chain.front())
      repro.about.push_back(fmt::format("It starts from the base image {}{}: the stages before it run first.",
                                        repro.image,
                                        fresh ? "" : ", because there is no image of these sources here"));
  }

  // If no images are known: starts from the parent's image, by its name.
  void assume(Repro& repro, const std::string& parents_image) const {
    repro.stages = {stage_};
    if (!plan_.stages[stage_].parent) {
      repro.image = plan_.environment.base_image;
      return;
    }
    repro.image = parents_image;
    repro.about.push_back(
        fmt::format("No engine answered, so stagemake did not check that {} exists. `stagemake repro "
                    "--fresh` starts from the base image.",
                    repro.image));
  }

 private:
  // What a run left of the stage, unless something is better: the stage was finished since then, or the left
  // image has older sources and the stage before exists with the current ones.
  const Snapshot* unfinished_image() const {
    const std::string& name = plan_.stages[stage_].name;
    auto left = [&](bool with_key) {
      return newest([&](const Snapshot& snapshot) {
        return snapshot.stage == name && !snapshot.complete &&
               (!with_key || snapshot.key() == plan_.stages[stage_].key);
      });
    };
    const Snapshot* image = left(true);
    std::optional<std::size_t> parent = plan_.stages[stage_].parent;
    bool parent_is_here = parent && holding(*parent) != nullptr;
    if (image == nullptr && !parent_is_here) image = left(false);
    if (image == nullptr) return nullptr;
    const Snapshot* finished = newest([&](const Snapshot& snapshot) {
      return snapshot.complete && snapshot.holds(name) != nullptr &&
             (snapshot.holds(name)->key == plan_.stages[stage_].key || snapshot.created >= image->created);
    });
    return finished == nullptr ? image : nullptr;
  }

  template <class Fits>
  const Snapshot* newest(Fits fits) const {
    const Snapshot* found = nullptr;
    for (const Snapshot& snapshot : snapshots_)
      if (snapshot.environment == plan_.environment.name && fits(snapshot) &&
          (found == nullptr || snapshot.created > found->created))
        found = &snapshot;
    return found;
  }

  const Snapshot* holding(std::size_t stage) const {
    return newest([&](const Snapshot& snapshot) {
      return snapshot.stage == plan_.stages[stage].name && snapshot.complete &&
             snapshot.key() == plan_.stages[stage].key;
    });
  }

  const StagePlan& plan_;
  std::size_t stage_;
  const std::vector<Snapshot>& snapshots_;
};

// Nothing if no engine answers.
std::optional<std::vector<Snapshot>> snapshots_of(const Options& options, const Tree& tree,
                                                  std::string& engine) {
  try {
    std::unique_ptr<ContainerEngine> opened = choose_engine(options, StateFolder(options.state, tree.path));
    engine = opened->name();
    return find_snapshots(*opened, tree.table);
  } catch (const EngineError&) {
    engine = usual_name(options.engine);
    return std::nullopt;
  }
}

// Whether git knows any files of the tree; an empty index counts as no git.
bool has_git(const fs::path& tree) {
  if (!has_git_program()) return false;
  Finished listed = run_git(tree, {"ls-files", "--", "build/pkgs"});
  if (!listed.ok())
    if (std::string problem = git_problem(tree, listed.errors); !problem.empty())
      say("stagemake: the script copies all files, including those that git ignores: " + problem);
  return listed.ok() && !listed.output.empty();
}

// The network from the user's settings; else that of the last build; else the default.
Network network_of(const NetworkChoices& choices, const StageSpec& stage, const std::string& environment,
                   const JournalContents& journal) {
  if (std::optional<Network> said = choices.said(stage, environment)) return *said;
  auto last = std::find_if(journal.stages.rbegin(), journal.stages.rend(), [&](const JournalStage& run) {
    return run.environment == environment && run.stage == stage.name;
  });
  return last != journal.stages.rend() ? last->network : choices.of(stage, environment);
}

}  // namespace

int repro_command(const Options& options) {
  Inspection seen(options);
  std::size_t stage =
      stage_named(seen.tree.table, options.stage.empty() ? seen.tree.table.default_stage : options.stage);
  Environment environment = resolve_environment(options, seen.tree);
  if (!environment.missing.empty()) say(fmt::format("stagemake: {}", environment.missing));
  warn_of_shell_text(environment);
  StagePlan plan = seen.plan_of(environment).plan;
  Repro repro{.tree = seen.tree.path, .has_git = has_git(seen.tree.path)};
  repro.is_there = [&](const std::string& path) { return exists_inside(seen.tree.path, path); };
  std::optional<std::vector<Snapshot>> snapshots = snapshots_of(options, seen.tree, repro.engine);
  std::vector<Snapshot> known = snapshots.value_or(std::vector<Snapshot>());
  Beginning beginning(plan, stage, known);
  if (snapshots || options.fresh) {
    beginning.choose(repro, options.fresh);
  } else {
    std::optional<std::size_t> parent = plan.stages[stage].parent;
    std::string tag = image_tag(options, tree_revision(seen.tree.path), false);
    beginning.assume(repro, image_name(seen.tree.table, options.repository, environment.name,
                                       plan.stages[parent.value_or(stage)].name) +
                                ":" + tag);
  }
  NetworkChoices choices = network_choices(options, seen.tree.table, {environment.name});
  for (std::size_t one : repro.stages)
    repro.networks.push_back(
        network_of(choices, seen.tree.table.stages[one], environment.name, seen.journal));
  put_out(options, repro_script(repro, seen.tree.table, environment));
  return 0;
}

}  // namespace stagemake
