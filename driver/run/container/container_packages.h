// The packages installed in a build container: what is known of them, from labels and from installation
// records, and which of them have to go before make may trust its stamps. Looks into the container, but runs
// nothing in it.
//
// Thread rule: while a stage runs, recorded_now() and is_news() may be called from the thread of its
// checkpoints.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "run/container/container_setting.h"
#include "run/container/guard.h"
#include "run/container/image_survey.h"
#include "snapshot/candidate.h"
#include "snapshot/snapshot.h"

namespace stagemake {

// Packages to uninstall, and the shell text that does it, in the tree's folder; empty if there are none, or
// if the tree has no way to uninstall.
struct Removal {
  std::vector<std::string> packages;
  std::string script;
};

class ContainerPackages {
 public:
  // `start`: what the container is made from. `now`: seconds since the epoch, by the container's clock.
  ContainerPackages(const ContainerSetting& setting, std::string container, const Candidate& start,
                    std::int64_t now);

  const std::map<std::string, InstalledPackage>& installed() const { return installed_; }
  // What configure last decided in the container.
  const std::optional<ConfiguredPackages>& configured() const { return configured_; }
  // Packages that the last make did not start, for lack of time.
  const std::vector<std::string>& refused() const { return refused_; }
  void forget_refused() { refused_.clear(); }

  // The marks of the installation records; nothing if nobody has looked at them. Those that differ from these
  // were built here.
  const std::optional<RecordMarks>& records() const { return records_; }
  void know_records(RecordMarks records) { records_ = std::move(records); }
  void read_records() { records_ = record_marks(stamps()); }
  // Reads them unless they are known: what is installed before anything is built here.
  void learn_records();
  StampEntries stamps() const;

  // The tree in the container.
  void know_sources(const std::vector<SourceFile>& files);
  // Takes what these labels say of the image that the container was made from.
  void know_image(const Snapshot& image);
  // Examines an image that stagemake did not make: its packages were built from these files beside them.
  void survey(const std::vector<SourceFile>& files);

  // How the records contradict the packages that the labels of its image list; empty if they do not.
  std::string mismatch(const std::map<std::string, InstalledPackage>& labelled);

  // Determines which of the packages installed now are out of date.
  void judge();
  bool are_out_of_date() const;
  Removal out_of_date() const;
  // Packages that make should have rebuilt, because a package that they need was rebuilt, and did not: their
  // stamps seemed young enough, for example because a clock was set back.
  Removal passed_over(std::size_t stage) const;
  // Call it after they were uninstalled.
  void forget(const std::vector<std::string>& packages);

  // Reads what configure decided.
  void note_configured();
  // Whether configure found packages here that are gone now, so that make would build them.
  bool is_configured_for_gone() const;

  // Call it before something runs that may change the records: until the next note(), they are not known.
  void will_change() { is_noted_ = false; }
  // Reads the records and the guard's notes.
  void note();
  bool is_noted() const { return is_noted_; }
  // The packages according to the records as they are now.
  std::map<std::string, InstalledPackage> recorded_now() const;

  // `packages` are those in the last checkpoint.
  void saved(std::map<std::string, InstalledPackage> packages) { saved_ = std::move(packages); }
  // Whether a package among these was finished since the last checkpoint, or since the image that the
  // container was made from.
  bool is_news(const std::map<std::string, InstalledPackage>& packages) const;

  // Packages of the stage's targets, according to configure's decisions here, that have no record.
  std::vector<std::string> missing_records(std::size_t stage) const;

 private:
  std::map<std::string, InstalledPackage> installed_by(const StampEntries& stamps,
                                                       const GuardNotes& notes) const;

  const ContainerSetting& setting_;
  const std::string container_;
  Candidate judged_;  // what the container was made from, with what is out of date
  std::map<std::string, InstalledPackage> installed_;
  std::map<std::string, InstalledPackage> saved_;
  std::optional<ConfiguredPackages> configured_;
  std::optional<std::map<std::string, std::string>> fingerprints_;  // of its sources, by package; if known
  std::optional<RecordMarks> records_;
  std::int64_t looked_;  // when records_ was read: seconds since the epoch, by the container's clock
  std::vector<std::string> refused_;
  bool is_noted_ = true;  // installed_ matches the container's records
};

}  // namespace stagemake
