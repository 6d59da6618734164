#include "schedule/predictions.h"

#include <algorithm>

namespace stagemake {
namespace {

constexpr std::size_t kLastSeconds = 5;
constexpr std::size_t kLastBytes = 3;
constexpr std::size_t kLastMemory = 5;
constexpr std::size_t kLastTransfers = 10;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// The usual duration, from measurements that were not all made on an idle machine.
double usual(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return std::min(seconds[(seconds.size() - 1) / 2], kMostSlowdown * seconds.front());
}

// The median over all environments but one; nullopt if there is no other.
std::optional<double> median_without(const std::map<std::string, double>& seconds,
                                     const std::string& environment) {
  std::vector<double> others;
  for (const auto& [name, one] : seconds)
    if (name != environment) others.push_back(one);
  return others.empty() ? std::nullopt : std::optional(median(std::move(others)));
}

// The median of sorted values without one of them, which is among them; nullopt if there is no other. Unlike
// median_without(), it costs no pass over all: with hundreds of environments, most were built once or twice.
std::optional<double> median_of_others(const std::vector<double>& sorted, double value) {
  if (sorted.size() < 2) return std::nullopt;
  auto left_out =
      static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
  auto other = [&](std::size_t i) { return sorted[i < left_out ? i : i + 1]; };
  std::size_t count = sorted.size() - 1, middle = count / 2;
  return count % 2 == 1 ? other(middle) : (other(middle - 1) + other(middle)) / 2;
}

constexpr std::size_t kFewDurations = 2;  // all may be from one busy day

// Appends to a list that keeps the last `most`.
template <class Value>
void add_last(std::vector<Value>& list, Value value, std::size_t most) {
  if (list.size() == most) list.erase(list.begin());
  list.push_back(std::move(value));
}

// Oldest first; observations of the same second keep their order.
template <class Observation>
void sort_by_time(std::vector<Observation>& list) {
  auto is_earlier = [](const Observation& a, const Observation& b) { return a.when < b.when; };
  // A journal is nearly always in order, and sorting moves each of its many lines.
  if (!std::is_sorted(list.begin(), list.end(), is_earlier))
    std::stable_sort(list.begin(), list.end(), is_earlier);
}

double transfer_seconds(const std::map<std::string, double>& rates, const std::string& host, double stated,
                        std::uint64_t bytes) {
  auto found = rates.find(host);
  return kTransferSeconds + static_cast<double>(bytes) / (found == rates.end() ? stated : found->second);
}

}  // namespace

Predictions::Predictions(Observations observations) {
  learn_packages(std::move(observations.packages));
  learn_stages(std::move(observations.stages));
  learn_transfers(std::move(observations.transfers));
}

void Predictions::learn_packages(std::vector<PackageObservation> packages) {
  sort_by_time(packages);
  std::map<std::string, std::map<std::string, std::vector<double>>> last;
  for (const PackageObservation& seen : packages)
    add_last(last[seen.package][seen.environment], seen.seconds, kLastSeconds);
  std::vector<double> all;
  for (const auto& [package, environments] : last) {
    std::map<std::string, double>& own = packages_[package];
    std::vector<double> measured;
    for (const auto& [environment, seconds] : environments)
      measured.push_back(own.emplace_hint(own.end(), environment, usual(seconds))->second);
    std::sort(measured.begin(), measured.end());
    for (const auto& [environment, durations] : environments) {
      if (durations.size() > kFewDurations) continue;
      double& seconds = own[environment];
      seconds = std::min(seconds, kMostSlowdown * median_of_others(measured, seconds).value_or(seconds));
    }
    all.push_back(*median_without(own, {}));
  }
  if (!all.empty()) any_package_ = median(std::move(all));
}

void Predictions::learn_stages(std::vector<StageObservation> stages) {
  sort_by_time(stages);
  std::map<Place, std::vector<double>> seconds, commits;
  std::map<Place, std::vector<std::uint64_t>> bytes, memory;
  for (const StageObservation& seen : stages) {
    Place place{seen.environment, seen.stage};
    if (seen.built) add_last(seconds[place], seen.seconds, kLastSeconds);
    if (seen.commit_seconds > 0) add_last(commits[place], seen.commit_seconds, kLastSeconds);
    if (seen.bytes > 0) add_last(bytes[place], seen.bytes, kLastBytes);
    if (seen.memory > 0) add_last(memory[place], seen.memory, kLastMemory);
  }
  for (const auto& [place, last] : seconds) stage_seconds_[place] = usual(last);
  for (const auto& [place, last] : commits)
    commit_seconds_[place] =
        std::max(kLeastCommit, kCommitMargin * *std::max_element(last.begin(), last.end()));
  for (const auto& [place, last] : bytes) stage_bytes_[place] = *std::max_element(last.begin(), last.end());
  for (const auto& [place, last] : memory) {
    stage_memory_[place] = *std::max_element(last.begin(), last.end());
    std::uint64_t& most = most_memory_[place.second];
    most = std::max(most, stage_memory_[place]);
  }
}

void Predictions::learn_transfers(std::vector<TransferObservation> transfers) {
  sort_by_time(transfers);
  using Kind = TransferObservation::Kind;
  std::map<std::pair<Kind, std::string>, std::vector<std::pair<double, double>>> last;  // (bytes, seconds)
  for (const TransferObservation& seen : transfers)
    if (seen.bytes > kTellingTransfer && seen.seconds > 0)
      add_last(last[{seen.kind, seen.host}], {static_cast<double>(seen.bytes), seen.seconds}, kLastTransfers);
  for (const auto& [way, seen] : last) {
    double bytes = 0, seconds = 0;
    std::vector<double> rates{kStatedFetchRate};
    for (const auto& [some_bytes, some_seconds] : seen) {
      bytes += some_bytes, seconds += some_seconds;
      rates.push_back(some_bytes / some_seconds);
    }
    std::sort(rates.begin(), rates.end());
    if (way.first == Kind::Fetch)
      fetch_rates_[way.second] = rates[rates.size() / 2];
    else
      push_rates_[way.second] = bytes / seconds;
  }
}

PackageTime Predictions::package(const std::string& environment, const std::string& package) const {
  using From = PackageTime::From;
  auto found = packages_.find(package);
  if (found == packages_.end())
    return any_package_ ? PackageTime{*any_package_, From::OtherPackages} : PackageTime{};
  if (auto here = found->second.find(environment); here != found->second.end())
    return {here->second, From::Environment};
  return {*median_without(found->second, environment), From::OtherEnvironments};
}

double Predictions::fetch_seconds(std::uint64_t bytes, const std::string& host) const {
  return transfer_seconds(fetch_rates_, host, kStatedFetchRate, bytes);
}

double Predictions::push_seconds(std::uint64_t bytes, const std::string& host) const {
  return transfer_seconds(push_rates_, host, kStatedPushRate, bytes);
}

std::optional<double> Predictions::stage_seconds(const std::string& environment,
                                                 const std::string& stage) const {
  auto found = stage_seconds_.find({environment, stage});
  return found == stage_seconds_.end() ? std::nullopt : std::optional(found->second);
}

double Predictions::commit_seconds(const std::string& environment, const std::string& stage) const {
  auto found = commit_seconds_.find({environment, stage});
  return found == commit_seconds_.end() ? kUnknownCommit : found->second;
}

std::optional<std::uint64_t> Predictions::stage_bytes(const std::string& environment,
                                                      const std::string& stage) const {
  auto found = stage_bytes_.find({environment, stage});
  return found == stage_bytes_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> Predictions::stage_memory(const std::string& environment,
                                                       const std::string& stage) const {
  if (auto here = stage_memory_.find({environment, stage}); here != stage_memory_.end()) return here->second;
  auto elsewhere = most_memory_.find(stage);
  return elsewhere == most_memory_.end() ? std::nullopt : std::optional(elsewhere->second);
}

}  // namespace stagemake
