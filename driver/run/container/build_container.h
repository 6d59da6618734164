// A build container: one container in which one or several stages of an environment run, one after the other,
// and from which images are committed.
//
// It knows how a tree gets into the container (by content: changed files get new times, unchanged ones keep
// theirs, removed ones are deleted), and which labels an image gets. It also finds out what an incremental
// environment's base image holds, which is a finished tree. Its ContainerPackages know what is installed in
// it. It does not know why it starts where it starts (snapshot/restore.h) nor what runs beside it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "report/events/event.h"
#include "run/container/container_packages.h"
#include "run/container/container_setting.h"
#include "run/container/guard.h"
#include "run/control/checkpointer.h"
#include "run/slots/job_slots.h"
#include "run/state/state_folder.h"
#include "snapshot/restore.h"

namespace stagemake {

// How a stage runs.
struct RunSpec {
  fs::path log;                                            // a new file
  OutputSink also = {};                                    // gets the output too
  std::function<void(const PackageStatus&)> package = {};  // called when a package starts or ends
  StopRequest stop = {};
  GuardLimits guard = {};                          // for a stage that makes packages
  const CheckpointSettings* checkpoint = nullptr;  // likewise; null: no checkpoints
};

class BuildContainer {
 public:
  // Creates the container from `start`'s image, or from the base image, for `first_stage` and the stages
  // after it, with the network of `first_stage`.
  BuildContainer(const ContainerSetting& setting, const Candidate& start, std::size_t first_stage);
  // Removes the container, unless it holds uncommitted work: only discard() gives that up.
  ~BuildContainer();
  BuildContainer(const BuildContainer&) = delete;
  BuildContainer& operator=(const BuildContainer&) = delete;

  // How the image that it was made from contradicts its labels: source manifest, installation records; empty
  // if it does not. Call it before anything runs.
  std::string mismatch();

  // Moves file times of the future in the image that it was made from to the present
  // (run/container/file_times.h). Returns why that fails; empty if no time lies in the future any more, or a
  // stop was requested. Call it before anything is copied or runs.
  std::string bring_times(const StopRequest& stop);
  // What bring_times() changed, for people; empty if nothing.
  const std::string& times_note() const { return times_note_; }

  // The marks of its installation records; nothing if nobody has looked at them. If you know those of the
  // image that it was made from, pass them to know_records() to save a look.
  const std::optional<RecordMarks>& records() const { return packages_.records(); }
  void know_records(RecordMarks records) { packages_.know_records(std::move(records)); }

  // Removes what is out of date, copies the sources that the stages up to `stage` add, and runs its recipe.
  RunOutcome run(std::size_t stage, const RunSpec& how);
  // Whether the last run() ran anything in the container: false if a stop was requested before it had a job
  // slot. Then there is nothing of its stage to keep.
  bool has_begun() const { return has_begun_; }

  // What must exist after a successful stage and does not: files that its table names, and installation
  // records of the packages of its make targets, if configure has decided which those are. Empty if nothing
  // is missing.
  std::vector<std::string> missing(std::size_t stage);

  // Packages that the last run did not start, for lack of time.
  const std::vector<std::string>& refused() const { return packages_.refused(); }
  const std::map<std::string, InstalledPackage>& installed() const { return packages_.installed(); }
  // What configure last decided in it.
  const std::optional<ConfiguredPackages>& configured() const { return packages_.configured(); }
  const std::string& container() const { return container_; }
  // Job slots that it has now; 0 if there is no pool or nothing runs.
  unsigned slots() const { return share_ ? share_->slots() : 0; }
  // Bytes of the image that it was made from; 0: not known.
  std::uint64_t size_before() const {
    return start_.snapshot == nullptr ? setting_.base_size : start_.snapshot->size;
  }

  // Whether something has run in it since it was made or last committed.
  bool has_unsaved_work() const { return is_unsaved_; }

  // Call it after run() threw: ends whatever still runs inside, and records what is installed, so that
  // commit() can describe it. Throws if that fails: then nothing may be committed, and the container stays.
  void recover();

  // Commits an image of the current state: of `stage` finished, or of the work done before it failed. Returns
  // its first name; its id if the name of unfinished images stays with another image that is_richer(). A name
  // of an image that stagemake did not make stays there, unless `take_names`; this image then gets the
  // alternative name (run/images/foreign_names.h).
  std::string commit(std::size_t stage, bool complete);
  // Names that the last commit left alone.
  const std::vector<std::string>& names_left() const { return names_left_; }

  // Gives up uncommitted work: the destructor removes the container in any case.
  void discard() { is_unsaved_ = false; }

 private:
  void remove() noexcept;
  RunOutcome run_inside(const std::string& text, const OutputSink& sink, const StopRequest& stop);
  RunOutcome run_with_slot(std::size_t stage, const RunSpec& how);
  RunOutcome run_recipe(std::size_t stage, const RunSpec& how, const OutputSink& sink,
                        const std::string& text);
  std::vector<SourceFile> sources_inside();
  std::vector<SourceFile> wanted_sources(std::size_t stage, const std::vector<SourceFile>& before) const;
  std::string bring_sources(std::size_t stage);
  std::string script(std::size_t stage, const std::string& prologue, const GuardLimits& guard) const;
  void note_running() const;
  void note_begun(std::size_t stage);
  std::string cpu() const;
  Snapshot describe(std::size_t stage, bool complete) const;
  bool must_squash() const;
  std::optional<Snapshot> describe_paused(std::size_t stage) const;
  void learn_base();
  RunOutcome uninstall(const Removal& removal, const OutputSink& sink, const StopRequest& stop);
  RunOutcome prepare_make(const OutputSink& sink, const StopRequest& stop);
  RunOutcome build_passed_over(std::size_t stage, const RunSpec& how, const OutputSink& sink);
  std::vector<std::string> missing_files(const std::vector<std::string>& paths);
  std::string lack_of_finished_stage(const Snapshot& image);
  void note_configured();

  const ContainerSetting& setting_;
  const Candidate start_;
  std::string container_;
  const std::string token_;                 // its kTokenLabel
  RunningStage running_;                    // as last written
  const std::string nonce_;                 // in the lines of the guard in its container
  std::unique_ptr<JobSlots::Share> share_;  // null: no pool
  ContainerPackages packages_;
  std::string times_note_;
  std::optional<std::vector<SourceFile>> inside_;  // the tree in the container, as last copied
  std::string manifest_;                           // its digest
  bool is_judged_ = false;                         // what is installed was judged since configure ran here
  std::vector<std::string> names_left_;
  bool has_compiled_ = false;
  bool is_unsaved_ = false;
  bool has_begun_ = false;  // something of the last run() ran inside
  bool is_torn_ = false;    // copying sources into it failed
};

// Labels of containers, in addition to those of a snapshot.
inline constexpr std::string_view kStateLabel = "org.stagemake.state";  // state_mark() of its driver
// Seconds since the epoch, by the clock of its driver; for people.
inline constexpr std::string_view kBeganLabel = "org.stagemake.began";
// The prefix of our containers' names. Images inherit the labels of the container that they were made from,
// and so do containers that people start from these images: the name tells ours apart. (Images without those
// labels cannot be made safely: buildah commits a container with the labels that it has at that moment, and a
// driver killed right then would leave a container that nobody finds.)
std::string container_prefix(const std::string& environment);
// Distinguishes the containers of drivers that share a state folder and an environment from all others.
std::string state_mark(const StateFolder& state, const std::string& environment);

}  // namespace stagemake
