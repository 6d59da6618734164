#include "run/workplace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>

#include "base/digest.h"
#include "base/tarball.h"
#include "base/text.h"
#include "plan/explanation.h"
#include "run/image_survey.h"
#include "run/source_sync.h"

namespace stagemake {
namespace {

std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string container_name(const StagePlan& plan, std::size_t stage) {
  static std::atomic<unsigned> counter{0};
  return fmt::format("stagemake-{}-{}-{}-{}-{}", plan.environment.name, plan.stages[stage].name, ::getpid(),
                     now_seconds(), ++counter);
}

// A log file that has everything from its first byte on.
class LogFile {
 public:
  explicit LogFile(const fs::path& path)
      : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
    if (fd_ < 0)
      throw engine_unusable(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
  }
  ~LogFile() { ::close(fd_); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // A full disk must not end a build that may need none itself; the log says at its end that it is cut.
  void write(std::string_view piece) {
    while (!piece.empty() && !cut_) {
      ssize_t n = ::write(fd_, piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) cut_ = true;
      if (n > 0) piece.remove_prefix(static_cast<std::size_t>(n));
    }
  }

 private:
  fs::path path_;
  int fd_;
  bool cut_ = false;
};

}  // namespace

std::string state_mark(const StateFolder& state, const std::string& environment) {
  return sha256_hex(state.environment_lock(environment).string()).substr(0, 16);
}

std::map<std::string, std::string> image_labels(const Snapshot& snapshot) {
  std::map<std::string, std::string> labels = to_labels(snapshot);
  labels[std::string(kStateLabel)] = "";
  labels[std::string(kBeganLabel)] = "";
  return labels;
}

Workplace::Workplace(const WorkplaceSetting& setting, const Candidate& start, std::size_t first_stage)
    : setting_(setting),
      start_(start),
      container_(container_name(setting.plan, first_stage)),
      began_(now_seconds()) {
  const Snapshot* from = start_.snapshot;
  bool incremental = setting.plan.environment.incremental;
  if (from != nullptr) {
    manifest_ = from->manifest;
    installed_ = from->packages;
    configured_ = from->configured;
    // Times are compared in whole seconds: what is brought or built now must not seem as old as what an image
    // made from other sources holds. (What its parent's image holds is of the same sources, and no clean
    // build waits here.)
    bool other_sources = start_.kind != Candidate::Kind::Parent || incremental;
    while (other_sources && began_ <= from->created && from->created - began_ < 3) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      began_ = now_seconds();
    }
  }
  // The labels say of the container what an image of it would: whoever finds it later knows what it holds.
  std::map<std::string, std::string> labels = to_labels(describe(first_stage, false));
  labels[std::string(kStateLabel)] = state_mark(setting_.state, setting_.plan.environment.name);
  labels[std::string(kBeganLabel)] = std::to_string(began_);
  setting_.engine.create({.name = container_,
                          .image = from != nullptr ? from->image : setting_.plan.environment.base_image,
                          .labels = std::move(labels)});
  try {
    if (incremental) learn_start();
  } catch (const Error&) {
    setting_.engine.remove_container(container_);
    throw;
  }
  uninstall_pending_ = !start_.stale.empty() || !start_.removed.empty();
}

// What an incremental environment's base image holds, and what of that its sources make stale. An image of
// ours says it; in one of somebody's own it lies before our eyes: its packages were built from the files
// beside them. So it does in what is left of a run that ended before it had looked.
void Workplace::learn_start() {
  std::optional<Snapshot> base;
  if (start_.snapshot == nullptr) {
    std::optional<ImageInfo> image = setting_.engine.find_image(setting_.plan.environment.base_image);
    if (image) base = snapshot_of(*image);
  }
  if (base) {
    manifest_ = base->manifest;
    installed_ = base->packages;
  } else if (manifest_.empty()) {
    inside_ = survey_sources(setting_.engine, container_, setting_.plan.table, setting_.sources);
    installed_ = installed_packages(stamp_folders_of(setting_.engine, container_, setting_.plan.table),
                                    setting_.packages, package_fingerprints(*inside_), {}, 0);
    std::string manifest = manifest_text(*inside_);
    manifest_ = sha256_hex(manifest);
    setting_.state.keep_manifest(manifest_, manifest);
  }
  Snapshot held;
  held.packages = installed_;
  start_.stale.clear();
  start_.removed.clear();
  judge_packages(setting_.plan, setting_.packages, held, start_);
}

Workplace::~Workplace() {
  if (kept_) return;
  try {
    setting_.engine.remove_container(container_);
  } catch (const Error&) {
    // The engine is gone; that was reported where it mattered.
  }
}

std::string Workplace::keep() {
  kept_ = true;
  return container_;
}

RunOutcome Workplace::run(std::size_t stage, const fs::path& log, std::stop_token stop,
                          const OutputSink& also) {
  LogFile file(log);
  std::string prologue = bring_sources(stage);
  std::string text = script(stage, prologue);
  has_worked_ = true;
  auto sink = [&](std::string_view piece) {
    file.write(piece);
    if (also) also(piece);
  };
  RunOutcome outcome = setting_.engine.run(container_, text, sink, {.stop = stop, .grace = setting_.grace});
  bool makes = !setting_.plan.table.stages[stage].make_targets.empty();
  if (makes) note_packages();
  if (outcome.ok() && makes) uninstall_pending_ = false;
  if (outcome.ok() && setting_.plan.table.stages[stage].configures) note_configured();
  if (setting_.plan.table.stages[stage].errors_ignored && !outcome.stopped) outcome.exit_code = 0;
  return outcome;
}

// The tree that the image was given, from this machine's copy of its manifest or from the container itself.
std::vector<SourceFile> Workplace::sources_inside() {
  if (inside_) return *inside_;
  if (manifest_.empty()) return {};
  if (std::optional<std::vector<SourceFile>> known = setting_.state.manifest(manifest_)) return *known;
  std::optional<std::string> tar = setting_.engine.copy_out(container_, std::string(kManifestPath));
  std::vector<TarEntry> entries = tar ? read_tar(*tar, 256u << 20) : std::vector<TarEntry>();
  if (entries.size() == 1 && sha256_hex(entries[0].content) == manifest_)
    if (std::optional<std::vector<SourceFile>> files = parse_manifest(entries[0].content)) return *files;
  if (setting_.plan.environment.incremental)
    return survey_sources(setting_.engine, container_, setting_.plan.table, setting_.sources);
  throw engine_unusable(fmt::format(
      "the image {} is damaged: its source manifest is not the one that its label names; remove "
      "the image, or "
      "build with --fresh",
      start_.snapshot == nullptr ? setting_.plan.environment.base_image : display_name(*start_.snapshot)));
}

// What the stages up to `stage` add; and what later ones do, where the tree inside has it already, as in an
// older image or in what such a one left unfinished: all of it is synced at once, nothing is taken away to
// come back with new times.
std::vector<SourceFile> Workplace::wanted_sources(std::size_t stage,
                                                  const std::vector<SourceFile>& before) const {
  std::vector<std::size_t> stages = setting_.plan.chain(stage);
  std::vector<SourceFile> wanted = added_files(setting_.plan.table, stages, setting_.sources);
  std::set<std::string_view> beyond;
  for (const SourceFile& file : before) beyond.insert(file.path);
  for (const SourceFile& file : wanted) beyond.erase(file.path);
  if (beyond.empty()) return wanted;
  for (std::size_t also = 0; also < setting_.plan.stages.size(); ++also) {
    std::vector<SourceFile> more = added_files(setting_.plan.table, {also}, setting_.sources);
    if (std::any_of(more.begin(), more.end(),
                    [&](const SourceFile& file) { return beyond.contains(file.path); }))
      stages.push_back(also);
  }
  return added_files(setting_.plan.table, stages, setting_.sources);
}

// Returns shell text that must run before the recipe.
std::string Workplace::bring_sources(std::size_t stage) {
  const StageTable& table = setting_.plan.table;
  std::vector<std::size_t> chain = setting_.plan.chain(stage);
  // Before any stage adds files there is nothing to bring, whatever lies in the image already.
  if (std::all_of(chain.begin(), chain.end(), [&](std::size_t s) { return table.stages[s].adds.empty(); }))
    return {};
  std::vector<SourceFile> before = sources_inside();
  std::vector<SourceFile> wanted = wanted_sources(stage, before);
  SourceSync sync = compare_sources(before, wanted);
  inside_ = wanted;
  if (sync.empty()) return {};
  std::string removals = removal_script(sync.removed);
  if (sync.removals_first) {
    RunOutcome outcome = setting_.engine.run(container_, in_root(removals), [](std::string_view) {}, {});
    if (!outcome.ok()) throw engine_unusable("removed sources could not be removed from the container");
    removals.clear();
  }
  TemporaryFolder folder(setting_.state.temporary());
  std::string manifest = manifest_text(wanted);
  write_source_tar(folder.path() / "sources.tar", setting_.sources.root(), sync.changed,
                   setting_.plan.table.root, manifest, now_seconds());
  setting_.engine.copy_in(container_, folder.path() / "sources.tar");
  manifest_ = sha256_hex(manifest);
  setting_.state.keep_manifest(manifest_, manifest);
  return removals;
}

std::string Workplace::in_root(const std::string& text) const {
  std::string root = shell_quoted(setting_.plan.table.root);
  return fmt::format("set -e\nmkdir -p {}\ncd {}\n{}", root, root, text);
}

// Runs before the first stage that makes something: make must not take for finished what was built from other
// files.
std::string Workplace::uninstall_script() const {
  const std::string& uninstall = setting_.plan.table.uninstall;
  if (!uninstall_pending_ || uninstall.empty()) return {};
  std::string text;
  if (!start_.stale.empty())
    text += fmt::format(
        "for PACKAGE in {}; do echo \"stagemake: uninstalling $PACKAGE: its files changed\"; {}; done\n",
        shell_quoted(start_.stale), uninstall);
  if (!start_.removed.empty())
    text += fmt::format(
        "for PACKAGE in {}; do echo \"stagemake: uninstalling $PACKAGE: the tree has it no more\"; {} || "
        "echo \"stagemake: $PACKAGE could not be uninstalled\"; done\n",
        shell_quoted(start_.removed), uninstall);
  return text;
}

std::string Workplace::script(std::size_t stage, const std::string& prologue) const {
  const StageSpec& spec = setting_.plan.table.stages[stage];
  std::string text;
  auto export_variable = [&](const std::string& name) {
    auto found = setting_.plan.environment.values.find(name);
    if (found != setting_.plan.environment.values.end())
      text += fmt::format("export {}={}\n", name, shell_quoted(std::string_view(found->second)));
  };
  for (const std::string& name : spec.uses) export_variable(name);
  for (const std::string& name : spec.passes) export_variable(name);
  text += prologue;
  if (!spec.make_targets.empty()) text += uninstall_script();
  return in_root(text + setting_.plan.stages[stage].recipe);
}

void Workplace::note_packages() {
  installed_ = installed_packages(stamp_folders_of(setting_.engine, container_, setting_.plan.table),
                                  setting_.packages, package_fingerprints(*inside_), installed_, began_);
}

void Workplace::note_configured() {
  configured_ = survey_configured(setting_.engine, container_, setting_.plan.table);
  std::optional<std::size_t> stage = setting_.plan.configuring_stage();
  if (configured_ && stage) setting_.state.keep_configured(setting_.plan.stages[*stage].key, *configured_);
}

Snapshot Workplace::describe(std::size_t stage, bool complete) const {
  const StagePlan& plan = setting_.plan;
  Snapshot snapshot;
  snapshot.distribution = plan.table.distribution;
  snapshot.environment = plan.environment.name;
  snapshot.stage = plan.stages[stage].name;
  snapshot.complete = complete;
  snapshot.clean = start_.kind != Candidate::Kind::Older && !plan.environment.incremental &&
                   (start_.snapshot == nullptr || start_.snapshot->clean);
  snapshot.base_digest = setting_.base_digest;
  snapshot.revision = setting_.revision;
  snapshot.made_by = STAGEMAKE_VERSION;
  snapshot.manifest = manifest_;
  for (std::size_t held : plan.chain(stage))
    snapshot.lineage.push_back({plan.stages[held].name, plan.stages[held].key, plan.stages[held].inputs});
  snapshot.packages = installed_;
  if (std::optional<std::size_t> configures = plan.configuring_stage())
    if (snapshot.holds(plan.stages[*configures].name) != nullptr) snapshot.configured = configured_;
  return snapshot;
}

std::string Workplace::commit(std::size_t stage, bool complete) {
  CommitSpec spec;
  std::string name = image_name(setting_.plan.table, setting_.repository, setting_.plan.environment.name,
                                setting_.plan.stages[stage].name);
  if (complete)
    for (const std::string& tag : setting_.tags) spec.names.push_back(name + ":" + tag);
  else
    spec.names.push_back(name + ":" + setting_.tags.front() + "-failed");
  spec.labels = image_labels(describe(stage, complete));
  spec.working_folder = setting_.plan.table.root;
  spec.squash = start_.snapshot != nullptr && start_.snapshot->layers + 1 > setting_.engine.most_layers();
  setting_.engine.commit(container_, spec);
  return spec.names.front();
}

}  // namespace stagemake
