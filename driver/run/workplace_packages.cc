// What is installed in a workplace: judged, uninstalled where make must not believe it, and noted after make
// ran.
#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
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
    std::map<std::string, double> unmeasured;
    BuiltHere here{.graph = graph, .fingerprints = fingerprints, .began = 0, .seconds = unmeasured};
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
    for (const std::string& name : *gone) installed_.erase(name);
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

void Workplace::note_packages() {
  GuardNotes notes = read_guard_notes(setting_.engine, container_);
  refused_ = notes.refused;
  DependencyGraph graph = setting_.graph(configured_);
  std::map<std::string, std::string> fingerprints;
  if (inside_) fingerprints = package_fingerprints(*inside_);
  BuiltHere here{.graph = graph, .fingerprints = fingerprints, .began = began_, .seconds = notes.seconds};
  installed_ = installed_packages(stamp_folders_of(setting_.engine, container_, setting_.plan.table),
                                  setting_.packages, installed_, &here);
  is_noted_ = true;
}

void Workplace::note_configured() {
  configured_ = survey_configured(setting_.engine, container_, setting_.plan.table, setting_.packages,
                                  installed_, configured_);
  is_judged_ = false;
  std::optional<std::size_t> stage = setting_.plan.configuring_stage();
  if (configured_ && stage) setting_.state.keep_configured(setting_.plan.stages[*stage].key, *configured_);
}

}  // namespace stagemake
