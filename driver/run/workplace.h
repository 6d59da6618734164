// A workplace: one container in which one or several stages of an environment run, one after the other, and
// from which images are committed.
//
// It knows how a tree gets into the container (by content: changed files get new times, unchanged ones keep
// theirs, removed ones go), which packages must be uninstalled before make may trust its stamps, and what to
// write on an image. An incremental environment's base image holds a finished tree; what lies in it is found
// out here. It does not know why it starts where it starts (plan/restore.h) nor what runs beside it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "plan/restore.h"
#include "report/event.h"
#include "run/checkpointer.h"
#include "run/clock.h"
#include "run/guard.h"
#include "run/holder.h"
#include "run/image_survey.h"
#include "run/job_slots.h"
#include "run/state_folder.h"

namespace stagemake {

// What all workplaces of one environment share. Must outlive them.
struct WorkplaceSetting {
  ContainerEngine& engine;
  const StateFolder& state;
  const PackageIndex& packages;
  const StagePlan& plan;
  SourceTree& sources;
  std::string base_digest;
  std::string fresh_build;        // that all images are part of; empty: those that go on in one of it
  std::string revision;           // of the sources, as git describes it
  std::string repository;         // in front of image names
  std::vector<std::string> tags;  // the first is the build's own; never empty
  Clock& clock;
  // Whether one unfinished image holds more than another: is_richer() with the plan.
  std::function<bool(const Snapshot& there, const Snapshot& ours)> is_richer;
  // What of the packages of an image is out of date: judge_packages() with the plan.
  std::function<void(const Snapshot&, Candidate&)> judge;
  // The tree's, where configure decided so.
  std::function<DependencyGraph(const std::optional<ConfiguredPackages>&)> graph;
  std::string base_image;  // what a container is made from where no snapshot is: a name, or one with a digest
  std::uint64_t base_size = 0;  // its bytes; 0 where that is not known
  JobSlots* slots = nullptr;    // in which all that runs takes part; null: each make has jobs of its own
  unsigned fair_share = 1;      // of these, for a make that cannot take part
  bool take_names = false;      // also those of images that stagemake did not make
  Heartbeat* heartbeat = nullptr;      // learns of each container; null: there is none
  std::vector<Network> networks = {};  // by stage of the plan; a stage beyond them has the engine's own
};

// How a stage runs.
struct RunSpec {
  fs::path log;                                            // a new file
  OutputSink also = {};                                    // gets the output too
  std::function<void(const PackageStatus&)> package = {};  // is told what begins and ends
  StopRequest stop = {};
  GuardLimits guard = {};                          // of a stage that makes packages
  const CheckpointSettings* checkpoint = nullptr;  // likewise; null: it is not saved while it runs
};

class Workplace {
 public:
  // Creates the container from `start`'s image, or from the base image, for `first_stage` and what follows
  // it, with the network of `first_stage`.
  Workplace(const WorkplaceSetting& setting, const Candidate& start, std::size_t first_stage);
  // Removes the container, unless it holds work that was not committed: that is lost only by discard().
  ~Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  // In what the image that it was made from is not what it says it is: source manifest, installation records;
  // empty where it is. To be asked before anything runs.
  std::string mismatch();

  // Brings file times of the future in the image that it was made from to the present (run/file_times.h). Why
  // that cannot be; empty where none lies in the future any more, or a stop was requested. To be asked before
  // anything is brought or runs.
  std::string bring_times(const StopRequest& stop);
  // What bring_times() has changed, for a person; empty where nothing.
  const std::string& times_note() const { return times_note_; }

  // The marks of its installation records; null where nobody has looked at them. Whoever knows those of the
  // image that it was made from saves it a look.
  const RecordMarks* records() const { return knows_records_ ? &records_ : nullptr; }
  void know_records(RecordMarks records);

  // Takes away what is out of date, brings the sources that the stages up to `stage` add, and runs its
  // recipe.
  RunOutcome run(std::size_t stage, const RunSpec& how);
  // Whether anything has run in the container in the last run(): not where a stop was requested before it had
  // a job slot. Then there is nothing of its stage to keep.
  bool has_begun() const { return has_begun_; }

  // What must exist after a stage that ended well and does not: files that its table names, and installation
  // records of the packages that its make targets stand for, where configure has said which those are. Empty
  // where all is there.
  std::vector<std::string> missing(std::size_t stage);

  // Packages that the last run did not begin, for want of time.
  const std::vector<std::string>& refused() const { return refused_; }
  const std::map<std::string, InstalledPackage>& installed() const { return installed_; }
  // What configure decided last in it.
  const std::optional<ConfiguredPackages>& configured() const { return configured_; }
  const std::string& container() const { return container_; }
  // Job slots that it has now; 0 where there is no pool, or nothing runs.
  unsigned slots() const { return share_ ? share_->slots() : 0; }
  // Bytes of the image that it was made from; 0 where that is not known.
  std::uint64_t size_before() const {
    return start_.snapshot == nullptr ? setting_.base_size : start_.snapshot->size;
  }

  // Whether something has run in it since it was made or last committed.
  bool has_unsaved_work() const { return is_unsaved_; }

  // After run() threw: ends what may still run inside, and notes what is installed, so that commit() can
  // tell. Throws where that cannot be found out: then nothing may be committed, and the container stays.
  void recover();

  // An image of what there is now: of `stage` finished, or of what was done before it failed. Returns its
  // first name; its id where the name of an unfinished one stays with another image, which is_richer(). A
  // name of an image that stagemake did not make stays there, unless `take_names`; this one gets the name
  // beside it (run/foreign_names.h).
  std::string commit(std::size_t stage, bool complete);
  // Names that the last commit left alone.
  const std::vector<std::string>& names_left() const { return names_left_; }

  // Gives up what is not committed: the destructor removes the container in any case.
  void discard() { is_unsaved_ = false; }

 private:
  // workplace.cc: sources and scripts
  void remove() noexcept;
  RunOutcome run_inside(const std::string& text, const OutputSink& sink, const StopRequest& stop);
  RunOutcome run_with_slot(std::size_t stage, const RunSpec& how);
  RunOutcome run_recipe(std::size_t stage, const RunSpec& how, const OutputSink& sink,
                        const std::string& text);
  std::vector<SourceFile> sources_inside();
  std::vector<SourceFile> wanted_sources(std::size_t stage, const std::vector<SourceFile>& before) const;
  std::string bring_sources(std::size_t stage);
  std::string in_root(const std::string& text) const;
  std::string script(std::size_t stage, const std::string& prologue, const GuardLimits& guard) const;
  void note_running() const;
  void note_begun(std::size_t stage);
  std::string cpu() const;
  Snapshot describe(std::size_t stage, bool complete) const;
  bool must_squash() const;

  // workplace_packages.cc: what is installed
  void learn_start();
  void judge_start();
  std::string uninstall_script(const std::vector<std::string>& packages, std::string_view why) const;
  RunOutcome uninstall(const OutputSink& sink, const StopRequest& stop);
  RunOutcome prepare_make(const OutputSink& sink, const StopRequest& stop);
  bool is_configured_for_gone() const;
  std::optional<Snapshot> describe_paused(std::size_t stage) const;
  void learn_records();
  void forget(const std::string& package);
  std::vector<std::string> passed_over(std::size_t stage) const;
  RunOutcome build_passed_over(std::size_t stage, const RunSpec& how, const OutputSink& sink);
  std::vector<std::string> missing_files(const std::vector<std::string>& paths);
  std::string lack_of_finished_stage(const Snapshot& image);
  std::vector<std::string> missing_records(std::size_t stage) const;
  std::map<std::string, InstalledPackage> installed_by(const StampEntries& stamps,
                                                       const GuardNotes& notes) const;
  void note_packages();
  void note_configured();

  const WorkplaceSetting& setting_;
  Candidate start_;
  std::string container_;
  const std::string token_;                 // its kTokenLabel
  RunningStage running_;                    // as last written down
  const std::string nonce_;                 // in the guard's lines from its container
  std::unique_ptr<JobSlots::Share> share_;  // null where there is no pool
  std::int64_t looked_;  // when records_ was looked at: seconds since the epoch, by the container's clock
  RecordMarks records_ = {};  // what is other than these was built here
  bool knows_records_ = false;
  std::string times_note_;
  // What the last checkpoint holds, or the image that it was made from.
  std::map<std::string, InstalledPackage> saved_;
  std::optional<std::vector<SourceFile>> inside_;  // the tree in the container, as last brought
  std::string manifest_;                           // its digest
  bool uninstall_pending_;
  bool is_judged_ = false;  // what is installed was, since configure ran here
  std::vector<std::string> refused_;
  std::vector<std::string> names_left_;
  bool has_compiled_ = false;
  std::map<std::string, InstalledPackage> installed_;
  std::optional<ConfiguredPackages> configured_;
  bool is_unsaved_ = false;
  bool has_begun_ = false;  // something of the last run() ran inside
  bool is_torn_ = false;    // copying sources into it failed
  bool is_noted_ = true;    // installed_ is what the container's records say
};

// Labels of containers, beside those of a snapshot.
inline constexpr std::string_view kStateLabel = "org.stagemake.state";  // state_mark() of its driver
// Seconds since the epoch, by the clock of its driver; for people.
inline constexpr std::string_view kBeganLabel = "org.stagemake.began";
// What the names of our containers begin with. Images have the labels of the container that they were made
// of, and so has what a person starts from them: its name tells it from ours. (An image without those labels
// cannot be had safely: buildah commits a container with the labels that it has at that moment, and who is
// killed then would leave a container that nobody finds.)
std::string container_prefix(const std::string& environment);
// Tells the containers of drivers that share a state folder and an environment from all others.
std::string state_mark(const StateFolder& state, const std::string& environment);

}  // namespace stagemake
