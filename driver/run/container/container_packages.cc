#include "run/container/container_packages.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text/text.h"
#include "plan/build_fingerprint.h"
#include "plan/package_fingerprints.h"

namespace stagemake {
namespace {

// Uninstalls through make's own target. If that fails, the installation record is removed anyway: make must
// not consider finished what was built from other files.
std::string uninstall_script(const StageTable& table, const std::vector<std::string>& packages,
                             std::string_view why) {
  if (packages.empty() || table.uninstall.empty()) return {};
  std::string records;
  for (const std::string& folder : table.stamp_folders)
    records += fmt::format(" {}/\"$PACKAGE\"-*", shell_quoted(std::string_view(folder)));
  return fmt::format(
      "for PACKAGE in {}; do echo \"stagemake: uninstalling $PACKAGE: {}\"; {{ {}\n}} || echo \"stagemake: "
      "make could not uninstall $PACKAGE; its record is removed\"; rm -f --{}; done\n",
      shell_quoted(packages), why, table.uninstall, records);
}

}  // namespace

ContainerPackages::ContainerPackages(const ContainerSetting& setting, std::string container,
                                     const Candidate& start, std::int64_t now)
    : setting_(setting), container_(std::move(container)), judged_(start), looked_(now) {
  if (start.snapshot == nullptr) return;
  know_image(*start.snapshot);
  saved_ = installed_;
}

void ContainerPackages::learn_records() {
  if (records_) return;
  bool may_hold = !installed_.empty() || setting_.plan.environment.incremental;
  know_records(may_hold ? record_marks(stamps()) : RecordMarks());
}

StampEntries ContainerPackages::stamps() const {
  return stamp_folders_of(setting_.engine, container_, setting_.plan.table);
}

void ContainerPackages::know_sources(const std::vector<SourceFile>& files) {
  fingerprints_ = package_fingerprints(files);
}

void ContainerPackages::know_image(const Snapshot& image) {
  installed_ = image.packages;
  configured_ = image.configured;
}

void ContainerPackages::survey(const std::vector<SourceFile>& files) {
  know_sources(files);
  configured_ =
      survey_configured(setting_.engine, container_, setting_.plan.table, setting_.packages, {}, {});
  std::shared_ptr<const DependencyGraph> graph = setting_.graphs.of(setting_.plan.environment, configured_);
  const RecordMarks none;
  const GuardNotes silent;
  BuiltHere here{.graph = *graph, .fingerprints = *fingerprints_, .before = none, .notes = silent};
  installed_ = installed_packages(stamps(), setting_.packages, {}, &here);
}

std::string ContainerPackages::mismatch(const std::map<std::string, InstalledPackage>& labelled) {
  StampEntries stamps = this->stamps();
  know_records(record_marks(stamps));
  std::map<std::string, InstalledPackage> records = installed_packages(stamps, setting_.packages, labelled);
  for (const auto& [name, package] : labelled) {
    auto found = records.find(name);
    if (found == records.end())
      return fmt::format("its labels list {}, which has no installation record in it", printable(name));
    if (found->second.version != package.version || found->second.fingerprint != package.fingerprint)
      return fmt::format("its installation record of {} differs from its labels", printable(name));
  }
  for (const auto& [name, package] : records)
    if (!labelled.contains(name))
      return fmt::format("{} is installed in it, but its labels do not list it", printable(name));
  return {};
}

void ContainerPackages::judge() {
  Snapshot held;
  held.packages = installed_;
  held.configured = configured_;
  judged_.stale.clear();
  judged_.removed.clear();
  judged_.unwanted.clear();
  setting_.judge(held, judged_);
}

bool ContainerPackages::are_out_of_date() const {
  return !judged_.stale.empty() || !judged_.removed.empty() || !judged_.unwanted.empty();
}

Removal ContainerPackages::out_of_date() const {
  Removal removal;
  auto add = [&](const std::vector<std::string>& packages, std::string_view why) {
    removal.packages.insert(removal.packages.end(), packages.begin(), packages.end());
    removal.script += uninstall_script(setting_.plan.table, packages, why);
  };
  add(judged_.stale, "its inputs changed");
  add(judged_.removed, "it is no longer in the tree");
  add(judged_.unwanted, "a clean build would not have it");
  return removal;
}

Removal ContainerPackages::passed_over(std::size_t stage) const {
  if (!fingerprints_) return {};
  std::shared_ptr<const DependencyGraph> graph = setting_.graphs.of(setting_.plan.environment, configured_);
  std::vector<std::string> own(setting_.packages.size());
  for (PackageId id : graph->dependencies_first())
    if (auto found = fingerprints_->find(setting_.packages[id].name); found != fingerprints_->end())
      own[id] = found->second;
  std::vector<std::string> wanted = build_fingerprints(setting_.packages, *graph, own);
  std::vector<std::string> over;
  for (std::size_t held : setting_.plan.chain(stage))
    for (PackageId id : setting_.plan.stages[held].packages) {
      auto found = installed_.find(setting_.packages[id].name);
      // (A package that the system also provides is installed only if it was requested by name.)
      if (found == installed_.end()) continue;
      const std::string& is = found->second.fingerprint;
      if (!is.empty() && !wanted[id].empty() && is != wanted[id]) over.push_back(found->first);
    }
  std::string script = uninstall_script(setting_.plan.table, over,
                                        "make considered it up to date, but a dependency was rebuilt");
  return {std::move(over), std::move(script)};
}

// A record that comes back is new, even if it looks like the old one.
void ContainerPackages::forget(const std::vector<std::string>& packages) {
  for (const std::string& package : packages) {
    installed_.erase(package);
    if (records_)
      std::erase_if(*records_, [&](const auto& record) {
        return record.first.starts_with(package) && record.first.substr(package.size()).starts_with('-');
      });
    for (std::vector<std::string>* list : {&judged_.stale, &judged_.removed, &judged_.unwanted})
      std::erase(*list, package);
  }
  is_noted_ = true;
}

void ContainerPackages::note_configured() {
  configured_ = survey_configured(setting_.engine, container_, setting_.plan.table, setting_.packages,
                                  installed_, configured_);
}

bool ContainerPackages::is_configured_for_gone() const {
  return configured_ && setting_.plan.configuring_stage() &&
         std::any_of(configured_->found.begin(), configured_->found.end(),
                     [&](const std::string& name) { return !installed_.contains(name); });
}

void ContainerPackages::note() {
  GuardNotes notes = read_guard_notes(setting_.engine, container_);
  refused_ = notes.refused;
  StampEntries stamps = this->stamps();
  installed_ = installed_by(stamps, notes);
  records_ = record_marks(stamps);
  looked_ = static_cast<std::int64_t>(setting_.engine.now());
  is_noted_ = true;
}

std::map<std::string, InstalledPackage> ContainerPackages::recorded_now() const {
  GuardNotes notes = read_guard_notes(setting_.engine, container_);
  return installed_by(stamps(), notes);
}

std::map<std::string, InstalledPackage> ContainerPackages::installed_by(const StampEntries& stamps,
                                                                        const GuardNotes& notes) const {
  std::shared_ptr<const DependencyGraph> graph = setting_.graphs.of(setting_.plan.environment, configured_);
  std::map<std::string, std::string> fingerprints =
      fingerprints_.value_or(std::map<std::string, std::string>());
  RecordMarks before = records_.value_or(RecordMarks());
  BuiltHere here{
      .graph = *graph, .fingerprints = fingerprints, .before = before, .notes = notes, .began = looked_};
  return installed_packages(stamps, setting_.packages, installed_, &here);
}

bool ContainerPackages::is_news(const std::map<std::string, InstalledPackage>& packages) const {
  return std::any_of(packages.begin(), packages.end(), [&](const auto& package) {
    auto before = saved_.find(package.first);
    return !package.second.fingerprint.empty() &&
           (before == saved_.end() || before->second.version != package.second.version ||
            before->second.fingerprint != package.second.fingerprint);
  });
}

std::vector<std::string> ContainerPackages::missing_records(std::size_t stage) const {
  const StageSpec& spec = setting_.plan.table.stages[stage];
  const std::vector<std::string>& targets = setting_.plan.stages[stage].make_targets;
  auto takes_away = [](const std::string& target) {
    return target.ends_with("clean") || target.ends_with("uninstall");
  };
  if (targets.empty() || !configured_ || spec.errors_ignored || setting_.plan.table.stamp_folders.empty() ||
      std::any_of(targets.begin(), targets.end(), takes_away))
    return {};
  std::shared_ptr<const DependencyGraph> graph = setting_.graphs.of(setting_.plan.environment, configured_);
  std::vector<std::string> known = graph->known_targets();
  std::vector<std::string> told;
  for (const std::string& target : targets)
    if (std::find(known.begin(), known.end(), target) != known.end()) told.push_back(target);
  std::vector<std::string> lacking;
  for (PackageId id : graph->build_order(told)) {
    const Package& package = setting_.packages[id];
    // make writes none for a pip package, and a package without sources and script has nothing to install.
    bool leaves_record = package.source != SourceType::Pip && package.source != SourceType::None;
    if (leaves_record && !installed_.contains(package.name)) lacking.push_back(package.name);
  }
  return lacking;
}

}  // namespace stagemake
