// What is installed in a workplace: judged, uninstalled where make must not believe it, and noted after make
// ran.
#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "plan/build_fingerprint.h"
#include "run/image_survey.h"
#include "run/workplace.h"

namespace stagemake {

// What is out of date among what is installed now.
void Workplace::judge_start() {
  Snapshot held;
  held.packages = installed_;
  held.configured = configured_;
  start_.stale.clear();
  start_.removed.clear();
  start_.unwanted.clear();
  setting_.judge(held, start_);
  uninstall_pending_ = !start_.stale.empty() || !start_.removed.empty() || !start_.unwanted.empty();
}

// What an incremental environment's base image holds, and what of that its sources make stale. An image of
// ours says it; in one of somebody's own it lies before our eyes: its packages were built from the files
// beside them. So it does in what is left of a run that ended before it had looked.
void Workplace::learn_start() {
  std::optional<Snapshot> base;
  if (start_.snapshot == nullptr) {
    std::optional<ImageInfo> image = setting_.engine.find_image(setting_.base_image);
    if (image) base = snapshot_of(*image);
  }
  if (base) {
    manifest_ = base->manifest;
    installed_ = base->packages;
    configured_ = base->configured;
  } else if (manifest_.empty()) {
    inside_ = survey_sources(setting_.engine, container_, setting_.plan.table, setting_.sources);
    configured_ =
        survey_configured(setting_.engine, container_, setting_.plan.table, setting_.packages, {}, {});
    DependencyGraph graph = setting_.graph(configured_);
    std::map<std::string, std::string> fingerprints = package_fingerprints(*inside_);
    const RecordMarks none;
    const GuardNotes silent;
    BuiltHere here{.graph = graph, .fingerprints = fingerprints, .before = none, .notes = silent};
    installed_ = installed_packages(stamp_folders_of(setting_.engine, container_, setting_.plan.table),
                                    setting_.packages, {}, &here);
    std::string manifest = manifest_text(*inside_);
    manifest_ = sha256_hex(manifest);
    setting_.state.keep_manifest(manifest_, manifest);
  }
  judge_start();
}

// Uninstalls through make's own target. Where that fails the installation record goes all the same: make must
// not take for finished what was built from other files.
std::string Workplace::uninstall_script(const std::vector<std::string>& packages,
                                        std::string_view why) const {
  const std::string& uninstall = setting_.plan.table.uninstall;
  if (packages.empty() || uninstall.empty()) return {};
  std::string records;
  for (const std::string& folder : setting_.plan.table.stamp_folders)
    records += fmt::format(" {}/\"$PACKAGE\"-*", shell_quoted(std::string_view(folder)));
  return fmt::format(
      "for PACKAGE in {}; do echo \"stagemake: uninstalling $PACKAGE: {}\"; {{ {}\n}} || echo \"stagemake: "
      "make could "
      "not uninstall $PACKAGE; its record is removed\"; rm -f --{}; done\n",
      shell_quoted(packages), why, uninstall, records);
}

// At first in the tree as the image has it: its makefile knows how to uninstall what it installed, also what
// the tree that is brought next knows no more; and configure must not find what is to go.
RunOutcome Workplace::uninstall(const OutputSink& sink, const StopRequest& stop) {
  std::string text = uninstall_script(start_.stale, "what it was built from changed") +
                     uninstall_script(start_.removed, "the tree has it no more") +
                     uninstall_script(start_.unwanted, "a clean build would not have it");
  is_noted_ = false;
  RunOutcome outcome = run_inside(in_root(text), sink, stop);
  uninstall_pending_ = !outcome.ok();
  if (!outcome.ok()) {
    note_packages();
    return outcome;
  }
  for (const std::vector<std::string>* gone : {&start_.stale, &start_.removed, &start_.unwanted})
    for (const std::string& name : *gone) forget(name);
  is_noted_ = true;
  return outcome;
}

// Only now it is known what configure decided: what was built with something of our own that the system has
// now, or the other way round, and what configure took from the system and is installed.
RunOutcome Workplace::prepare_make(const OutputSink& sink, const StopRequest& stop) {
  if (is_judged_ || installed_.empty()) return {};
  judge_start();
  if (uninstall_pending_)
    if (RunOutcome outcome = uninstall(sink, stop); !outcome.ok()) return outcome;
  if (is_configured_for_gone()) {
    std::size_t stage = *setting_.plan.configuring_stage();
    note_begun(stage);
    RunOutcome outcome = run_inside(script(stage, {}, {}), sink, stop);
    if (!outcome.ok()) return outcome;
    note_configured();
  }
  is_judged_ = true;
  return {};
}

// Whether make would build what configure found here, and what is here no more.
bool Workplace::is_configured_for_gone() const {
  return configured_ && setting_.plan.configuring_stage() &&
         std::any_of(configured_->found.begin(), configured_->found.end(),
                     [&](const std::string& name) { return !installed_.contains(name); });
}

void Workplace::know_records(RecordMarks records) {
  records_ = std::move(records);
  knows_records_ = true;
}

// What is installed before anything was built here.
void Workplace::learn_records() {
  if (knows_records_) return;
  bool may_hold = !installed_.empty() || setting_.plan.environment.incremental;
  know_records(may_hold ? record_marks(stamp_folders_of(setting_.engine, container_, setting_.plan.table))
                        : RecordMarks());
}

// A record that comes back is a new one, even if it looks like the old.
void Workplace::forget(const std::string& package) {
  installed_.erase(package);
  std::erase_if(records_, [&](const auto& record) {
    return record.first.starts_with(package) && record.first.substr(package.size()).starts_with('-');
  });
}

// Packages that make should have built again, for something that they need was, and did not: their stamps
// seemed young enough, because a clock was set back, say.
std::vector<std::string> Workplace::passed_over(std::size_t stage) const {
  if (!inside_) return {};
  DependencyGraph graph = setting_.graph(configured_);
  std::map<std::string, std::string> files = package_fingerprints(*inside_);
  std::vector<std::string> own(setting_.packages.size());
  for (PackageId id : graph.dependencies_first())
    if (auto found = files.find(setting_.packages[id].name); found != files.end()) own[id] = found->second;
  std::vector<std::string> wanted = build_fingerprints(setting_.packages, graph, own);
  std::vector<std::string> over;
  for (std::size_t held : setting_.plan.chain(stage))
    for (PackageId id : setting_.plan.stages[held].packages) {
      auto found = installed_.find(setting_.packages[id].name);
      // (One that the system has, too, is installed only where it was asked for by its own name.)
      if (found == installed_.end()) continue;
      const std::string& is = found->second.fingerprint;
      if (!is.empty() && !wanted[id].empty() && is != wanted[id]) over.push_back(found->first);
    }
  return over;
}

// They are uninstalled, so that make believes nothing, and it runs again.
RunOutcome Workplace::build_passed_over(std::size_t stage, const RunSpec& how, const OutputSink& sink) {
  constexpr int kMostRounds = 3;
  double began = setting_.clock.now();
  for (int round = 0;; ++round) {
    std::vector<std::string> over = passed_over(stage);
    if (over.empty()) return {};
    std::string text =
        uninstall_script(over, "make took it for up to date, and what it needs was built again");
    if (round == kMostRounds || text.empty()) {
      sink(fmt::format("stagemake: make says that all is built, but {} {} built from what is out of date\n",
                       join(over, ", "), over.size() == 1 ? "was" : "were"));
      return {.exit_code = 1};
    }
    if (RunOutcome gone = run_inside(in_root(text), sink, how.stop); !gone.ok()) {
      note_packages();
      return gone;
    }
    for (const std::string& name : over) forget(name);
    GuardLimits guard = how.guard;
    double passed = setting_.clock.now() - began;
    if (guard.times) guard.times = {guard.times->close - passed, guard.times->end - passed};
    if (RunOutcome outcome = run_recipe(stage, how, sink, script(stage, {}, guard)); !outcome.ok())
      return outcome;
  }
}

// The packages by the records that are there after make ran, or while it does.
std::map<std::string, InstalledPackage> Workplace::installed_by(const StampEntries& stamps,
                                                                const GuardNotes& notes) const {
  DependencyGraph graph = setting_.graph(configured_);
  std::map<std::string, std::string> fingerprints;
  if (inside_) fingerprints = package_fingerprints(*inside_);
  BuiltHere here{
      .graph = graph, .fingerprints = fingerprints, .before = records_, .notes = notes, .began = looked_};
  return installed_packages(stamps, setting_.packages, installed_, &here);
}

// What an image of the container holds that is made while a stage runs in it and is paused; nothing where no
// package was finished since the last.
std::optional<Snapshot> Workplace::describe_paused(std::size_t stage) const {
  Snapshot snapshot = describe(stage, false);
  snapshot.checkpoint_of = container_;
  snapshot.packages = installed_by(stamp_folders_of(setting_.engine, container_, setting_.plan.table),
                                   read_guard_notes(setting_.engine, container_));
  bool is_news = std::any_of(snapshot.packages.begin(), snapshot.packages.end(), [&](const auto& package) {
    auto before = saved_.find(package.first);
    return !package.second.fingerprint.empty() &&
           (before == saved_.end() || before->second.version != package.second.version ||
            before->second.fingerprint != package.second.fingerprint);
  });
  return is_news ? std::optional(std::move(snapshot)) : std::nullopt;
}

void Workplace::note_packages() {
  GuardNotes notes = read_guard_notes(setting_.engine, container_);
  refused_ = notes.refused;
  StampEntries stamps = stamp_folders_of(setting_.engine, container_, setting_.plan.table);
  installed_ = installed_by(stamps, notes);
  records_ = record_marks(stamps);
  looked_ = static_cast<std::int64_t>(setting_.engine.now());
  is_noted_ = true;
}

// The packages that the stage's targets stand for, by what configure decided here, and that have no record.
std::vector<std::string> Workplace::missing_records(std::size_t stage) const {
  const StageSpec& spec = setting_.plan.table.stages[stage];
  const std::vector<std::string>& targets = setting_.plan.stages[stage].make_targets;
  auto takes_away = [](const std::string& target) {
    return target.ends_with("clean") || target.ends_with("uninstall");
  };
  if (targets.empty() || !configured_ || spec.errors_ignored || setting_.plan.table.stamp_folders.empty() ||
      std::any_of(targets.begin(), targets.end(), takes_away))
    return {};
  DependencyGraph graph = setting_.graph(configured_);
  std::vector<std::string> known = graph.known_targets();
  std::vector<std::string> told;
  for (const std::string& target : targets)
    if (std::find(known.begin(), known.end(), target) != known.end()) told.push_back(target);
  std::vector<std::string> lacking;
  for (PackageId id : graph.build_order(told)) {
    const Package& package = setting_.packages[id];
    // make writes none for a pip package, and a package without sources and script has nothing to install.
    bool leaves_record = package.source != SourceType::Pip && package.source != SourceType::None;
    if (leaves_record && !installed_.contains(package.name)) lacking.push_back(package.name);
  }
  return lacking;
}

void Workplace::note_configured() {
  configured_ = survey_configured(setting_.engine, container_, setting_.plan.table, setting_.packages,
                                  installed_, configured_);
  running_.configured = configured_;
  note_running();
  is_judged_ = false;
  std::optional<std::size_t> stage = setting_.plan.configuring_stage();
  if (configured_ && stage) setting_.state.keep_configured(setting_.plan.stages[*stage].key, *configured_);
}

}  // namespace stagemake
