// What a build will take, from what builds took. Pure: observations go in, in any order; numbers come out,
// each by a rule that is written here, and each with a stated number where nothing is known yet.
//
// Durations decide which image a build starts in, and a machine that was busy with something else makes them
// longer, never shorter. So what a package, or a stage beside its packages, usually takes is the lower median
// of its last 5 durations, and at most kMostSlowdown times the least of them. A package that was built once or
// twice in an environment takes at most kMostSlowdown times what it takes in others. The rate of fetching is
// the upper median of the last 10 transfers and the stated rate, which counts as one of them. What is kept in
// reserve before a deadline (pushing, committing) is not damped: there the pessimistic number is the safe one.
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
  bool built = true;          // false: it failed or was cut off; what it took then says little of a whole run
  double seconds = 0;         // without the commit
  double commit_seconds = 0;  // 0: no image was made
  std::uint64_t bytes = 0;    // by which the image grew; 0: not known
  std::uint64_t memory = 0;   // that it held at most; 0: not known
  std::int64_t when = 0;
};

// A transfer that went well.
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
inline constexpr double kStatedFetchRate = 20e6;              // bytes a second
inline constexpr double kStatedPushRate = 10e6;               // bytes a second
inline constexpr double kTransferSeconds = 1;                 // that any transfer takes beside its bytes
inline constexpr std::uint64_t kTellingTransfer = 1'000'000;  // bytes; a smaller one says nothing of the rate
inline constexpr double kUnknownCommit = 30;                  // seconds
inline constexpr double kLeastCommit = 5;                     // seconds
inline constexpr double kCommitMargin = 1.5;
inline constexpr double kMostSlowdown = 3;  // by which a busy machine may make a duration longer and count

struct PackageTime {
  double seconds = kUnknownPackage;
  // What the number is made from: this environment, other environments, other packages, nothing.
  enum class From { Environment, OtherEnvironments, OtherPackages, Nothing } from = From::Nothing;
};

class Predictions {
 public:
  Predictions() = default;
  explicit Predictions(Observations observations);

  // What a package takes: usually in this environment; else the median over other environments of what it
  // usually takes there; else the median over all packages known; else kUnknownPackage.
  PackageTime package(const std::string& environment, const std::string& package) const;

  // Transfers of more than kTellingTransfer with this host tell the rate: of fetching as said above, of pushing
  // that of the last 10 together, by bytes. Else the stated rate; and kTransferSeconds.
  double fetch_seconds(std::uint64_t bytes, const std::string& host) const;
  double push_seconds(std::uint64_t bytes, const std::string& host) const;

  // What it usually takes; nothing where it never was built.
  std::optional<double> stage_seconds(const std::string& environment, const std::string& stage) const;
  // With a margin, as it is subtracted from the time that is left: the most of the last 5, times
  // kCommitMargin, at least kLeastCommit; kUnknownCommit where there was none.
  double commit_seconds(const std::string& environment, const std::string& stage) const;
  // The most of the last 3; nothing where no image was made of it.
  std::optional<std::uint64_t> stage_bytes(const std::string& environment, const std::string& stage) const;
  // The most of the last 5 times that it ran in this environment, however it ended; else the most that it was
  // in any other; nothing where it never ran long enough to be looked at.
  std::optional<std::uint64_t> stage_memory(const std::string& environment, const std::string& stage) const;

 private:
  using Place = std::pair<std::string, std::string>;  // environment and stage

  void learn_packages(std::vector<PackageObservation> packages);
  void learn_stages(std::vector<StageObservation> stages);
  void learn_transfers(std::vector<TransferObservation> transfers);

  std::map<std::string, std::map<std::string, double>> packages_;  // by package and environment: usual seconds
  std::optional<double> any_package_;
  std::map<Place, double> stage_seconds_;
  std::map<Place, double> commit_seconds_;
  std::map<Place, std::uint64_t> stage_bytes_;
  std::map<Place, std::uint64_t> stage_memory_;
  std::map<std::string, std::uint64_t> most_memory_;  // by stage, of all environments
  std::map<std::string, double> fetch_rates_;         // by host, bytes a second
  std::map<std::string, double> push_rates_;
};

}  // namespace stagemake
