// The journal: how long runs on this tree took, how they ended, and what was evicted, as lines of JSON in the
// state folder. Only predictions and explanations read it: losing it costs predictions, never correctness. So
// nothing here throws; lines that are truncated, of another schema or not JSON are skipped.
//
// Times are seconds since the epoch, durations seconds, sizes bytes. Several threads and several drivers may
// add and read at once.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/files/files.h"
#include "base/process/network.h"

namespace stagemake {

inline constexpr int kJournalSchema = 1;

// How a run of a stage ended. Partial: cut off by a deadline; Interrupted: by a person or a signal.
enum class StageOutcome { Built, Failed, Interrupted, Partial };

// A stage that ran in a container.
struct JournalStage {
  std::int64_t when = 0;  // its end
  std::string environment = {};
  std::string stage = {};
  std::string key = {};
  StageOutcome outcome = StageOutcome::Built;
  double seconds = 0;         // without the commit
  double commit_seconds = 0;  // 0: no image was made
  std::uint64_t bytes = 0;    // that the image grew by; 0: none was made, or not known
  std::uint64_t memory = 0;   // the most that its processes held, as measured; 0: not measured
  std::string engine = {};
  Network network = Network::Default;
};

struct PackageBuilt {
  std::int64_t when = 0;
  std::string environment = {};
  std::string package = {};
  std::string version = {};
  double seconds = 0;
};

// A transfer of an image from or to a registry.
struct TransferRecord {
  enum class Kind { Pull, Push } kind = Kind::Pull;
  std::int64_t when = 0;  // its end
  std::string host = {};  // "ghcr.io", "127.0.0.1:5000"
  std::uint64_t bytes = 0;
  double seconds = 0;
  bool ok = true;
};

// An image that was removed to make room.
struct Eviction {
  std::int64_t when = 0;
  std::string environment = {};
  std::string stage = {};
  std::string key = {};
  bool complete = true;
  std::string image = {};      // its name; its short id if it had none
  std::uint64_t bytes = 0;     // freed with it
  double rebuild_seconds = 0;  // as predicted then
  std::string why = {};        // by what, and why: "gc (--max-size 10.0 GB)"
};

// In the order in which they were written.
struct JournalContents {
  std::vector<JournalStage> stages;
  std::vector<PackageBuilt> packages;
  std::vector<TransferRecord> transfers;
  std::vector<Eviction> evictions;
};

class Journal {
 public:
  static constexpr std::size_t kMostRead = 16u << 20;  // bytes, from the end
  static constexpr std::size_t kMostKept = 32u << 20;  // bytes; a larger file loses its older half

  explicit Journal(fs::path file) : file_(std::move(file)) {}

  // After a stop request, calls do not wait for the journal's lock.
  void hurry_on(std::stop_token stop);

  // Adds a line. False if it could not be written.
  bool add(const JournalStage& run);
  bool add(const PackageBuilt& package);
  bool add(const TransferRecord& transfer);
  bool add(const Eviction& eviction);

  // Why lines could not be written, to report once: nothing if all could, and from the second call on.
  std::optional<std::string> untold_problem();

  // Empty if there is no journal, or it cannot be read.
  JournalContents read() const;

 private:
  bool add_line(const std::string& line);
  void drop_older_half() const;

  const fs::path file_;
  std::mutex mutex_;
  std::string problem_;
  bool told_ = false;
  std::stop_token stop_;
  bool has_waited_ = false;  // in vain: the holder of the lock may be stopped
};

// The eviction of an image of this stage with this key; nothing if there was none, or if the stage was built
// again since.
std::optional<Eviction> evicted(const JournalContents& journal, const std::string& environment,
                                const std::string& stage, const std::string& key);

}  // namespace stagemake
