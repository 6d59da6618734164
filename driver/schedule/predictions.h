// Predicts how long a build takes from the durations of earlier builds. Pure: observations go in, in any
// order; numbers come out. Each follows a rule that is written here, and has a default as long as nothing is
// known.
//
// Durations determine the image from which a build starts, and a machine busy with something else makes them
// longer, never shorter. So the usual duration of a package, or of a stage without its packages, is the lower
// median of its last 5 durations, but at most kMostSlowdown times the shortest of them. A package that was
// built once or twice in an environment takes at most kMostSlowdown times its duration in others. The rate of
// fetching is the upper median of the last 10 transfers and the default rate, which counts as one of them.
// The reserve before a deadline (pushing, committing) is not damped: there the pessimistic number is the safe
// one.
//
// Thread rule: const after construction; all calls from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stagemake {

// Times are seconds since the epoch, durations seconds, sizes bytes.
struct PackageObservation {
  std::string environment;
  std::string package;
  double seconds = 0;
  std::int64_t when = 0;
};

struct StageObservation {
  std::string environment;
  std::string stage;
  bool built = true;          // false: it failed or was cut off, and its seconds do not predict a whole run
  double seconds = 0;         // without the commit
  double commit_seconds = 0;  // 0: no image was made
  std::uint64_t bytes = 0;    // growth of the image; 0: unknown
  std::uint64_t memory = 0;   // peak; 0: unknown
  std::int64_t when = 0;
};

// A successful transfer.
struct TransferObservation {
  enum class Kind { Fetch, Push } kind = Kind::Fetch;
  std::string host;
  std::uint64_t bytes = 0;
  double seconds = 0;
  std::int64_t when = 0;
};

struct Observations {
  std::vector<PackageObservation> packages;
  std::vector<StageObservation> stages;
  std::vector<TransferObservation> transfers;
};

inline constexpr double kUnknownPackage = 60;                 // seconds
inline constexpr double kStatedFetchRate = 20e6;              // bytes per second
inline constexpr double kStatedPushRate = 10e6;               // bytes per second
inline constexpr double kTransferSeconds = 1;                 // overhead of any transfer
inline constexpr std::uint64_t kTellingTransfer = 1'000'000;  // bytes; a smaller one does not reveal the rate
inline constexpr double kUnknownCommit = 30;                  // seconds
inline constexpr double kLeastCommit = 5;                     // seconds
inline constexpr double kCommitMargin = 1.5;
inline constexpr double kMostSlowdown = 3;  // longer durations count as the effect of a busy machine

struct PackageTime {
  double seconds = kUnknownPackage;
  // The source of the number: this environment, other environments, other packages, nothing.
  enum class From { Environment, OtherEnvironments, OtherPackages, Nothing } from = From::Nothing;
};

class Predictions {
 public:
  Predictions() = default;
  explicit Predictions(Observations observations);

  // The duration of a package: the usual one in this environment; else the median over other environments of
  // the usual one there; else the median over all known packages; else kUnknownPackage.
  PackageTime package(const std::string& environment, const std::string& package) const;

  // Transfers of more than kTellingTransfer with this host give the rate: for fetching by the rule above, for
  // pushing that of the last 10 together, by bytes. Without any, the default rate is used. kTransferSeconds
  // are added.
  double fetch_seconds(std::uint64_t bytes, const std::string& host) const;
  double push_seconds(std::uint64_t bytes, const std::string& host) const;

  // The usual duration; nullopt if the stage was never built.
  std::optional<double> stage_seconds(const std::string& environment, const std::string& stage) const;
  // With a margin, because it is subtracted from the time left: the longest of the last 5, times
  // kCommitMargin, at least kLeastCommit; kUnknownCommit if there was none.
  double commit_seconds(const std::string& environment, const std::string& stage) const;
  // The largest of the last 3; nullopt if no image was made.
  std::optional<std::uint64_t> stage_bytes(const std::string& environment, const std::string& stage) const;
  // The maximum of the last 5 runs in this environment, whatever their result; else the maximum in any other
  // environment; nullopt if it never ran long enough to be measured.
  std::optional<std::uint64_t> stage_memory(const std::string& environment, const std::string& stage) const;

 private:
  using Place = std::pair<std::string, std::string>;  // environment and stage

  void learn_packages(std::vector<PackageObservation> packages);
  void learn_stages(std::vector<StageObservation> stages);
  void learn_transfers(std::vector<TransferObservation> transfers);

  std::map<std::string, std::map<std::string, double>>
      packages_;  // by package and environment: usual seconds
  std::optional<double> any_package_;
  std::map<Place, double> stage_seconds_;
  std::map<Place, double> commit_seconds_;
  std::map<Place, std::uint64_t> stage_bytes_;
  std::map<Place, std::uint64_t> stage_memory_;
  std::map<std::string, std::uint64_t> most_memory_;  // by stage, over all environments
  std::map<std::string, double> fetch_rates_;         // by host, bytes per second
  std::map<std::string, double> push_rates_;
};

}  // namespace stagemake
