#include "run/container/build_container.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/files/descriptor.h"
#include "base/files/tarball.h"
#include "base/process/machine.h"
#include "base/text/digest.h"
#include "base/text/random_word.h"
#include "base/text/text.h"
#include "engine/copied_files.h"
#include "environment/make_flags.h"
#include "run/container/file_times.h"
#include "run/container/image_survey.h"
#include "run/container/package_channel.h"
#include "run/container/pooled_make.h"
#include "run/container/source_sync.h"
#include "run/images/foreign_names.h"
#include "run/images/origins.h"
#include "snapshot/explanation.h"

namespace stagemake {
namespace {

// By the clock that gives files in containers their times.
std::int64_t seconds_of(ContainerEngine& engine) {
  return static_cast<std::int64_t>(engine.now());
}

std::string container_name(const StagePlan& plan, std::size_t stage, std::int64_t now) {
  static std::atomic<unsigned> counter{0};
  // Drivers in other process namespaces may have the same process number.
  return fmt::format("{}{}-{}-{}-{}-{}", container_prefix(plan.environment.name), plan.stages[stage].name,
                     ::getpid(), now, ++counter, random_word().substr(0, 6));
}

constexpr std::size_t kManifestLimit = 256u << 20;  // bytes
constexpr std::size_t kAnswerLimit = 1u << 20;      // bytes
constexpr std::int64_t kClocksDiffer = 3;           // seconds

constexpr RunOutcome kNotBegun{.exit_code = 128 + SIGTERM, .stopped = true};

// Calls a callback of the caller; ignores what it throws.
template <typename Call>
void unharmed(const Call& call) noexcept {
  try {
    call();
  } catch (...) {
  }
}

// A log file that has everything from the first byte on.
class LogFile {
 public:
  explicit LogFile(const fs::path& path)
      : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644)) {
    if (!file_.is_open())
      throw engine_unusable(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
  }

  // A full disk must not end a build that may need no space itself; the log says at its end that it is
  // truncated.
  void write(std::string_view piece) {
    while (!piece.empty() && !cut_) {
      ssize_t n = ::write(file_.get(), piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) cut_ = true;
      if (n > 0) piece.remove_prefix(static_cast<std::size_t>(n));
    }
  }

 private:
  fs::path path_;
  Descriptor file_;
  bool cut_ = false;
};

// The time by the container's clock. Times are compared in whole seconds: files copied or built now must not
// seem as old as those in an image made from other sources. (The parent's image was made from the same
// sources, so no clean build waits here.) Times further ahead come from another clock: bring_times().
std::int64_t time_after(const ContainerSetting& setting, const Candidate& start) {
  std::int64_t now = seconds_of(setting.engine);
  bool other_sources = start.kind != Candidate::Kind::Parent || setting.plan.environment.incremental;
  if (start.snapshot == nullptr || !other_sources) return now;
  std::int64_t created = start.snapshot->created;
  while (now <= created && created - now < kClocksDiffer) {
    setting.clock.sleep(0.02);
    now = seconds_of(setting.engine);
  }
  return now;
}

std::string in_root(const StageTable& table, const std::string& text) {
  std::string root = shell_quoted(table.root);
  return fmt::format("set -e\nmkdir -p {}\ncd {}\n{}", root, root, text);
}

}  // namespace

std::string state_mark(const StateFolder& state, const std::string& environment) {
  return sha256_hex(state.environment_lock(environment).string()).substr(0, 16);
}

std::string container_prefix(const std::string& environment) {
  return "stagemake-" + environment + "-";
}

BuildContainer::BuildContainer(const ContainerSetting& setting, const Candidate& start,
                               std::size_t first_stage)
    : setting_(setting),
      start_(start),
      container_(container_name(setting.plan, first_stage, static_cast<std::int64_t>(setting.clock.now()))),
      token_(random_word()),
      nonce_(random_word()),
      packages_(setting, container_, start, time_after(setting, start)) {
  const SnapshotPtr& from = start_.snapshot;
  if (from != nullptr) manifest_ = from->manifest;
  // The labels of the container are those of the image that it would become, so that an adopter knows what it
  // holds.
  std::map<std::string, std::string> labels = to_labels(describe(first_stage, false));
  labels[std::string(kStateLabel)] = state_mark(setting_.state, setting_.plan.environment.name);
  labels[std::string(kBeganLabel)] = std::to_string(static_cast<std::int64_t>(setting_.clock.now()));
  labels[std::string(kTokenLabel)] = token_;
  setting_.state.make_identity();
  labels[std::string(kHolderLabel)] = to_label(this_driver(setting_.state));
  labels[std::string(kSignLabel)] = std::to_string(seconds_of(setting_.engine));
  ContainerSpec spec{.name = container_,
                     .image = from != nullptr ? from->image : setting_.base_image,
                     .labels = std::move(labels)};
  if (first_stage < setting_.networks.size()) spec.network = setting_.networks[first_stage];
  if (setting_.slots != nullptr) {
    share_ = setting_.slots->share(setting_.state.job_slots(container_));
    spec.mounts.push_back({.from = share_->fifo(), .to = std::string(kSlotsPath)});
  }
  note_running();  // before it exists: without a record, nothing is known of a container
  try {
    setting_.engine.create(spec);
  } catch (...) {  // the container may exist anyway, so its record stays
    if (share_) ::unlink(share_->fifo().c_str());
    throw;
  }
  if (setting_.heartbeat != nullptr) setting_.heartbeat->holds(spec.image);
  try {
    if (setting_.plan.environment.incremental) learn_base();
  } catch (...) {
    remove();
    throw;
  }
}

// Finds out what an incremental environment's base image holds, and which of it the new sources make stale.
// Our images have labels for that; others are examined. The same holds for the container of a run that ended
// before it had looked.
void BuildContainer::learn_base() {
  std::optional<Snapshot> base;
  if (start_.snapshot == nullptr) {
    std::optional<ImageInfo> image = setting_.engine.find_image(setting_.base_image);
    if (image) base = snapshot_of(*image);
  }
  if (base) {
    manifest_ = base->manifest;
    packages_.know_image(*base);
  } else if (manifest_.empty()) {
    inside_ = survey_sources(setting_.engine, container_, setting_.plan.table, setting_.sources);
    packages_.survey(*inside_);
    std::string manifest = manifest_text(*inside_);
    manifest_ = sha256_hex(manifest);
    setting_.state.keep_manifest(manifest_, manifest);
  }
  packages_.judge();
}

std::string BuildContainer::mismatch() {
  const SnapshotPtr& from = start_.snapshot;
  if (from == nullptr) return {};
  if (std::string lack = lack_of_finished_stage(*from); !lack.empty()) return lack;
  if (!from->manifest.empty()) {
    std::vector<TarEntry> entries =
        copied_entries(setting_.engine, container_, std::string(kManifestPath), kManifestLimit);
    // An image that stagemake did not make, or one made from it without copying sources, has no manifest:
    // there, the files themselves are examined.
    bool may_lack = setting_.plan.environment.incremental && entries.empty();
    if (entries.size() != 1 && !may_lack) return "it has no source manifest";
    if (entries.size() == 1 && sha256_hex(entries[0].content) != from->manifest)
      return "its source manifest is not the one that its label names";
    if (entries.size() == 1 && !parse_manifest(entries[0].content))
      return "its source manifest cannot be read";
    if (entries.size() == 1) setting_.state.keep_manifest(from->manifest, entries[0].content);
  }
  return packages_.mismatch(from->packages);
}

BuildContainer::~BuildContainer() {
  if (!is_unsaved_) remove();
}

void BuildContainer::remove() noexcept {
  try {
    setting_.engine.remove_container(container_);
    setting_.state.forget_container(container_);
  } catch (...) {
    // The engine is gone; that was reported where it mattered.
  }
}

// Everything that runs in the container passes here: from now on there is work to lose.
RunOutcome BuildContainer::run_inside(const std::string& text, const OutputSink& sink,
                                      const StopRequest& stop) {
  is_unsaved_ = has_begun_ = true;
  return setting_.engine.run(container_, text, sink, stop);
}

void BuildContainer::recover() {
  constexpr std::chrono::milliseconds kGrace{5000};
  setting_.engine.stop_container(container_, kGrace);
  if (is_torn_) throw engine_unusable("it is unknown which of the tree's files were copied into it");
  if (!packages_.is_noted()) packages_.note();
}

// Everything that runs takes one slot for itself; a make may get more.
RunOutcome BuildContainer::run(std::size_t stage, const RunSpec& how) {
  has_begun_ = false;
  if (!share_) return run_with_slot(stage, how);
  if (!share_->begin(how.stop.stop)) return kNotBegun;
  struct Ending {
    JobSlots::Share& share;
    ~Ending() { share.end(); }
  } ending{*share_};
  return run_with_slot(stage, how);
}

RunOutcome BuildContainer::run_with_slot(std::size_t stage, const RunSpec& how) {
  if (how.stop.stop.stop_requested()) return kNotBegun;
  LogFile file(how.log);
  // The log comes first, and no other listener can end the stage.
  auto sink = [&](std::string_view piece) {
    file.write(piece);
    if (how.also) unharmed([&] { how.also(piece); });
  };
  const StageSpec& spec = setting_.plan.table.stages[stage];
  bool makes = !spec.make_targets.empty();
  bool must_uninstall = packages_.are_out_of_date();
  if (makes || must_uninstall) packages_.learn_records();
  // First, in the tree as the image has it: its makefile knows how to uninstall what it installed, even
  // packages that the new tree no longer knows; and configure must not find packages that have to go.
  if (must_uninstall)
    if (RunOutcome outcome = uninstall(packages_.out_of_date(), sink, how.stop); !outcome.ok())
      return outcome;
  std::string prologue = bring_sources(stage);
  if (!has_begun_ && how.stop.stop.stop_requested()) return kNotBegun;
  if (makes)
    if (RunOutcome outcome = prepare_make(sink, how.stop); !outcome.ok()) return outcome;
  std::string text = script(stage, prologue, how.guard);
  has_compiled_ = has_compiled_ || makes || spec.configures;
  packages_.forget_refused();
  RunOutcome outcome = run_recipe(stage, how, sink, text);
  if (makes && outcome.ok()) outcome = build_passed_over(stage, how, sink);
  if (outcome.ok() && spec.configures) note_configured();
  if (spec.errors_ignored && !outcome.stopped && packages_.refused().empty())
    outcome.ignored = std::exchange(outcome.exit_code, 0) != 0;
  return outcome;
}

// So that make trusts none of their stamps.
RunOutcome BuildContainer::uninstall(const Removal& removal, const OutputSink& sink,
                                     const StopRequest& stop) {
  packages_.will_change();
  RunOutcome outcome = run_inside(in_root(setting_.plan.table, removal.script), sink, stop);
  if (outcome.ok())
    packages_.forget(removal.packages);
  else
    packages_.note();
  return outcome;
}

// Only now is it known what configure decided: packages built with one of our own that the system now
// provides, or the reverse, and installed packages that configure took from the system.
RunOutcome BuildContainer::prepare_make(const OutputSink& sink, const StopRequest& stop) {
  if (is_judged_ || packages_.installed().empty()) return {};
  packages_.judge();
  if (packages_.are_out_of_date())
    if (RunOutcome outcome = uninstall(packages_.out_of_date(), sink, stop); !outcome.ok()) return outcome;
  if (packages_.is_configured_for_gone()) {
    std::size_t stage = *setting_.plan.configuring_stage();
    note_begun(stage);
    RunOutcome outcome = run_inside(script(stage, {}, {}), sink, stop);
    if (!outcome.ok()) return outcome;
    note_configured();
  }
  is_judged_ = true;
  return {};
}

// Uninstalls what make passed over, and runs make again.
RunOutcome BuildContainer::build_passed_over(std::size_t stage, const RunSpec& how, const OutputSink& sink) {
  constexpr int kMostRounds = 3;
  double began = setting_.clock.now();
  for (int round = 0;; ++round) {
    Removal over = packages_.passed_over(stage);
    if (over.packages.empty()) return {};
    if (round == kMostRounds || over.script.empty()) {
      sink(fmt::format("stagemake: make reports success, but {} {} built from outdated dependencies\n",
                       join(over.packages, ", "), over.packages.size() == 1 ? "was" : "were"));
      return {.exit_code = 1};
    }
    if (RunOutcome gone = uninstall(over, sink, how.stop); !gone.ok()) return gone;
    GuardLimits guard = how.guard;
    double passed = setting_.clock.now() - began;
    if (guard.times) guard.times = {guard.times->close - passed, guard.times->end - passed};
    if (RunOutcome outcome = run_recipe(stage, how, sink, script(stage, {}, guard)); !outcome.ok())
      return outcome;
  }
}

void BuildContainer::note_configured() {
  packages_.note_configured();
  running_.configured = packages_.configured();
  note_running();
  is_judged_ = false;
  std::optional<std::size_t> stage = setting_.plan.configuring_stage();
  if (packages_.configured() && stage)
    setting_.state.keep_configured(setting_.plan.stages[*stage].key, *packages_.configured());
}

RunOutcome BuildContainer::run_recipe(std::size_t stage, const RunSpec& how, const OutputSink& sink,
                                      const std::string& text) {
  PackageChannel channel(
      nonce_, [&](const std::string& name) { return setting_.packages.find(name).has_value(); },
      [&](const PackageStatus& package) {
        if (how.package) unharmed([&] { how.package(package); });
      },
      setting_.plan.stages[stage].make_targets.size());
  bool makes = !setting_.plan.table.stages[stage].make_targets.empty();
  note_begun(stage);
  if (makes) packages_.will_change();
  RunOutcome outcome;
  {
    // Only while the recipe runs: what is known of the container changes before and after.
    CheckpointSettings settings;
    std::optional<Checkpointer> checkpoints;
    if (how.checkpoint != nullptr && !must_squash()) {
      settings = *how.checkpoint;
      settings.made = [this, &how](const Checkpoint& checkpoint) {
        packages_.saved(checkpoint.snapshot.packages);
        if (how.checkpoint->made) how.checkpoint->made(checkpoint);
      };
      checkpoints.emplace(setting_.engine, setting_.clock, settings, container_,
                          CommitSpec{.working_folder = setting_.plan.table.root}, how.stop.stop,
                          [this, stage] { return describe_paused(stage); });
    }
    outcome = run_inside(
        text, [&](std::string_view piece) { sink(channel.take(piece)); }, how.stop);
  }
  sink(channel.rest());
  sink(channel.dropped_text());
  if (makes) packages_.note();
  return outcome;
}

// If the script fails because the container lacks its programs, other evidence counts: when the image was
// made, and when its records were written.
std::string BuildContainer::bring_times(const StopRequest& stop) {
  std::string output;
  RunOutcome outcome = setting_.engine.run(
      container_, present_times_script(setting_.plan.table.root),
      [&](std::string_view piece) {
        output += piece.substr(0, kAnswerLimit - std::min(kAnswerLimit, output.size()));
      },
      stop);
  if (outcome.stopped) return {};
  std::string why;
  std::optional<TimesBrought> brought = times_brought(outcome.exit_code, output, why);
  std::int64_t now = seconds_of(setting_.engine);
  if (!brought) {
    std::int64_t youngest = start_.snapshot == nullptr ? 0 : start_.snapshot->created;
    for (const TarEntry& entry : packages_.stamps()) youngest = std::max(youngest, entry.time);
    if (youngest <= now) return {};
    return fmt::format("it has file times {} in the future, and {}",
                       duration_text(static_cast<double>(youngest - now)), why);
  }
  if (brought->files == 0) return {};
  times_note_ = fmt::format("{} in it ({}) had times up to {} in the future, and were set to the present",
                            counted(brought->files, "file"), size_text(brought->bytes),
                            duration_text(static_cast<double>(brought->ahead)));
  // At once: an adopter must know how older records look now, or it would consider all of them built here.
  packages_.read_records();
  // Files copied next must be younger, in whole seconds.
  while (seconds_of(setting_.engine) == now) setting_.clock.sleep(0.02);
  return {};
}

std::vector<std::string> BuildContainer::missing_files(const std::vector<std::string>& paths) {
  std::vector<std::string> lacking;
  Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));  // may be a folder of any size
  for (const std::string& path : paths)
    if (!setting_.engine.copy_out_to(container_, setting_.plan.table.root + "/" + path, nowhere.get()))
      lacking.push_back(path);
  return lacking;
}

// For images of a version that did not check what its stages leave. The last stage that declares its results
// decides: it could not have succeeded without those of the stages before it.
std::string BuildContainer::lack_of_finished_stage(const Snapshot& image) {
  for (std::size_t i = image.lineage.size(); i-- > 0;) {
    bool is_finished = image.complete || i + 1 < image.lineage.size();
    std::optional<std::size_t> stage = setting_.plan.table.find(image.lineage[i].stage);
    if (!is_finished || !stage) continue;
    const StageSpec& spec = setting_.plan.table.stages[*stage];
    if (spec.must_exist.empty()) continue;
    std::vector<std::string> lacking = missing_files(spec.must_exist);
    return lacking.empty()
               ? std::string()
               : fmt::format("it has no {}, which {} must create", join(lacking, ", "), spec.name);
  }
  return {};
}

std::vector<std::string> BuildContainer::missing(std::size_t stage) {
  std::vector<std::string> lacking = missing_files(setting_.plan.table.stages[stage].must_exist);
  for (const std::string& package : packages_.missing_records(stage))
    lacking.push_back("the installation record of " + package);
  return lacking;
}

// The tree that the image was given, from this machine's copy of its manifest or from the container itself.
std::vector<SourceFile> BuildContainer::sources_inside() {
  if (inside_) return *inside_;
  if (manifest_.empty()) return {};
  if (std::optional<std::vector<SourceFile>> known = setting_.state.manifest(manifest_)) return *known;
  std::vector<TarEntry> entries =
      copied_entries(setting_.engine, container_, std::string(kManifestPath), kManifestLimit);
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

// What the stages up to `stage` add, and what later stages add if the tree inside already has it, as in an
// older image or in an unfinished image made from one. Everything is synced at once: no file is removed only
// to come back with a new time.
std::vector<SourceFile> BuildContainer::wanted_sources(std::size_t stage,
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
std::string BuildContainer::bring_sources(std::size_t stage) {
  const StageTable& table = setting_.plan.table;
  std::vector<std::size_t> chain = setting_.plan.chain(stage);
  // Until a stage adds files, there is nothing to copy, whatever the image already holds.
  if (std::none_of(chain.begin(), chain.end(), [&](std::size_t s) { return table.stages[s].adds_files(); }))
    return {};
  std::vector<SourceFile> before = sources_inside();
  std::vector<SourceFile> wanted = wanted_sources(stage, before);
  SourceSync sync = compare_sources(before, wanted);
  inside_ = wanted;
  packages_.know_sources(wanted);
  if (sync.empty()) return {};
  std::string removals = removal_script(sync.removed);
  if (sync.removals_first) {
    RunOutcome outcome = run_inside(in_root(setting_.plan.table, removals), [](std::string_view) {}, {});
    if (!outcome.ok()) throw engine_unusable("removed sources could not be removed from the container");
    removals.clear();
  }
  TemporaryFolder folder(setting_.state.temporary());
  std::string manifest = manifest_text(wanted), meanwhile = manifest_text(half_brought(before, sync));
  write_source_tar(folder.path() / "sources.tar", setting_.sources.root(), sync.changed,
                   setting_.plan.table.root, meanwhile, manifest, seconds_of(setting_.engine));
  running_.manifest = sha256_hex(meanwhile);
  setting_.state.keep_manifest(running_.manifest, meanwhile);
  note_running();
  is_torn_ = true;
  setting_.engine.copy_in(container_, folder.path() / "sources.tar");
  is_torn_ = false;
  manifest_ = sha256_hex(manifest);
  setting_.state.keep_manifest(manifest_, manifest);
  running_.manifest = manifest_;
  note_running();
  return removals;
}

void BuildContainer::note_running() const {
  setting_.state.keep_running(container_, running_text(container_, token_, running_));
}

// Called before the stage's script runs. The labels are those of the first stage; an adopter must know how
// far the container came.
void BuildContainer::note_begun(std::size_t stage) {
  running_ = {.lineage = describe(stage, false).lineage,
              .manifest = manifest_,
              .packages = packages_.installed(),
              .records = packages_.records().value_or(RecordMarks()),
              .configured = packages_.configured()};
  note_running();
}

std::string BuildContainer::script(std::size_t stage, const std::string& prologue,
                                   const GuardLimits& guard) const {
  const StageSpec& spec = setting_.plan.table.stages[stage];
  bool makes = !spec.make_targets.empty();
  std::string text;
  auto export_variable = [&](const std::string& name) {
    auto found = setting_.plan.environment.values.find(name);
    if (found != setting_.plan.environment.values.end())
      text += fmt::format("export {}={}\n", name, shell_quoted(std::string_view(found->second)));
  };
  for (const std::string& name : spec.uses) export_variable(name);
  for (const std::string& name : spec.passes) export_variable(name);
  text += prologue;
  if (!makes) return in_root(setting_.plan.table, text + stage_recipe(spec, setting_.plan.environment));
  text += guard_setup(guard, nonce_);
  std::string make(kForgetMakeFlags);
  if (share_)
    make = pooled_make_setup({.fifo = std::string(kSlotsPath),
                              .slots = setting_.slots->count(),
                              .fair_share = setting_.fair_share});
  return in_root(setting_.plan.table,
                 text + stage_recipe(spec, setting_.plan.environment, kGuardProgram, make));
}

// The CPU features of all machines that compiled anything in the container.
std::string BuildContainer::cpu() const {
  std::string before = start_.snapshot == nullptr ? std::string() : start_.snapshot->cpu;
  if (!has_compiled_) return before;
  std::set<std::string_view> all;
  std::string own = cpu_features();
  for (std::string_view word : words(before)) all.insert(word);
  for (std::string_view word : words(own)) all.insert(word);
  std::string joined;
  for (std::string_view word : all) joined += (joined.empty() ? "" : " ") + std::string(word);
  return joined;
}

Snapshot BuildContainer::describe(std::size_t stage, bool complete) const {
  const StagePlan& plan = setting_.plan;
  Snapshot snapshot;
  snapshot.distribution = plan.table.distribution;
  snapshot.environment = plan.environment.name;
  snapshot.stage = plan.stages[stage].name;
  snapshot.complete = complete;
  snapshot.clean = start_.kind != Candidate::Kind::Older && !plan.environment.incremental &&
                   (start_.snapshot == nullptr || start_.snapshot->is_clean());
  // The digest of the base image that it was built on, whatever the name means now (--base-policy warn).
  bool inherits = start_.snapshot != nullptr && !start_.snapshot->base_digest.empty();
  snapshot.base_digest = inherits ? start_.snapshot->base_digest : setting_.base_digest;
  // A stage that continues from an image of a fresh build, with the same keys, belongs to that fresh build.
  bool continues = start_.snapshot != nullptr && start_.kind != Candidate::Kind::Older;
  snapshot.fresh_build = !setting_.fresh_build.empty() ? setting_.fresh_build
                         : continues                   ? start_.snapshot->fresh_build
                                                       : std::string();
  snapshot.revision = setting_.revision;
  snapshot.made_by = STAGEMAKE_VERSION;
  snapshot.manifest = manifest_;
  snapshot.cpu = cpu();
  for (std::size_t held : plan.chain(stage))
    snapshot.lineage.push_back({plan.stages[held].name, plan.stages[held].key, plan.stages[held].inputs});
  snapshot.packages = packages_.installed();
  // In an older image also before the configuring stage: what was enabled there.
  snapshot.configured = packages_.configured();
  return snapshot;
}

// Describes an image of the container made while a stage is paused in it; nothing if no package was finished
// since the last one.
std::optional<Snapshot> BuildContainer::describe_paused(std::size_t stage) const {
  Snapshot snapshot = describe(stage, false);
  snapshot.checkpoint_of = container_;
  snapshot.packages = packages_.recorded_now();
  return packages_.is_news(snapshot.packages) ? std::optional(std::move(snapshot)) : std::nullopt;
}

bool BuildContainer::must_squash() const {
  return start_.snapshot != nullptr && start_.snapshot->layers + 1 > setting_.engine.most_layers();
}

std::string BuildContainer::commit(std::size_t stage, bool complete) {
  CommitSpec spec;
  std::string name = image_name(setting_.plan.table, setting_.repository, setting_.plan.environment.name,
                                setting_.plan.stages[stage].name);
  if (complete)
    for (const std::string& tag : setting_.tags) spec.names.push_back(name + ":" + tag);
  else
    spec.names.push_back(name + ":" + setting_.tags.front() + "-failed");
  Snapshot ours = describe(stage, complete);
  names_left_.clear();
  if (!setting_.take_names)
    for (std::string& wanted : spec.names)
      if (is_foreign_name(setting_.engine, wanted)) {
        names_left_.push_back(wanted);
        wanted = name_beside(wanted);
      }
  if (!complete && setting_.is_richer) {
    std::optional<ImageInfo> named = setting_.engine.find_image(spec.names.front());
    std::optional<Snapshot> there = named ? snapshot_of(*named) : std::nullopt;
    if (there && setting_.is_richer(*there, ours)) spec.names.clear();
  }
  spec.labels = to_labels(ours);
  spec.working_folder = setting_.plan.table.root;
  spec.squash = must_squash();
  std::string id = setting_.engine.commit(container_, spec);
  is_unsaved_ = false;
  Origins(setting_.state.origins()).made(id);
  return spec.names.empty() ? id : spec.names.front();
}

}  // namespace stagemake
