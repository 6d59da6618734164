#include "run/remote_snapshots.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/machine.h"
#include "base/text.h"
#include "plan/environment.h"
#include "run/push_queue.h"

namespace stagemake {
namespace {

// "host/name:tag" and a digest as "host/name@digest".
std::string reference_of(const std::string& name, const std::string& digest) {
  std::size_t slash = name.rfind('/');
  return name.substr(0, name.find(':', slash == std::string::npos ? 0 : slash)) + "@" + digest;
}

// What an image is, wherever it lies: engines give other ids and digests to what they store otherwise.
using Likeness = std::pair<std::int64_t, std::map<std::string, std::string>>;
Likeness likeness(const Snapshot& snapshot) {
  return {snapshot.created, to_labels(snapshot)};
}

std::size_t finished_packages(const Snapshot& snapshot) {
  return static_cast<std::size_t>(
      std::count_if(snapshot.packages.begin(), snapshot.packages.end(),
                    [](const auto& package) { return !package.second.fingerprint.empty(); }));
}

}  // namespace

std::optional<Snapshot> snapshot_in(const RegistryImage& image) {
  std::optional<Snapshot> snapshot = from_labels(image.labels);
  if (!snapshot) return std::nullopt;
  snapshot->names = {image.name};
  snapshot->reference = reference_of(image.name, image.digest);
  snapshot->digest = image.digest;
  snapshot->created = image.created;
  snapshot->size = image.size;
  snapshot->layers = static_cast<unsigned>(image.layers.size());
  return snapshot;
}

RemoteSnapshots find_remote_snapshots(Registry& registry, const StageTable& table,
                                      const std::vector<std::string>& environments,
                                      const std::vector<std::string>& repositories,
                                      const std::vector<Snapshot>& here) {
  std::vector<std::string> places;
  for (const std::string& repository : repositories)
    for (const std::string& environment : environments)
      for (const StageSpec& stage : table.stages)
        places.push_back(image_name(table, repository, environment, stage.name));
  RegistrySurvey survey = registry.survey(places);
  RemoteSnapshots found;
  std::set<Likeness> known;
  for (const Snapshot& snapshot : here) known.insert(likeness(snapshot));
  std::map<std::string, std::size_t> by_reference;
  for (const RegistryImage& image : survey.images) {
    std::optional<Snapshot> snapshot = snapshot_in(image);
    if (!snapshot || snapshot->distribution != table.distribution) continue;
    if (std::find(environments.begin(), environments.end(), snapshot->environment) == environments.end())
      continue;
    if (!image.architecture.empty() && image.architecture != machine_architecture()) {
      found.problems.push_back(
          fmt::format("{} is for {}", printable(image.name), printable(image.architecture)));
      continue;
    }
    if (known.contains(likeness(*snapshot))) continue;
    auto [place, is_new] = by_reference.try_emplace(snapshot->reference, found.snapshots.size());
    if (is_new)
      found.snapshots.push_back(std::move(*snapshot));
    else
      found.snapshots[place->second].names.push_back(image.name);
  }
  for (const RegistryProblem& problem : survey.problems)
    found.problems.push_back(fmt::format("{}: {}", printable(problem.repository), printable(problem.what)));
  return found;
}

std::string worth_keeping(const Snapshot& there, const Snapshot& ours) {
  if (there.environment != ours.environment || there.stage != ours.stage || there.key() != ours.key())
    return {};
  if (there.base_digest != ours.base_digest) return {};
  if (likeness(there) == likeness(ours)) return std::string(kAlreadyThere);
  if (there.complete && ours.complete && (there.clean || !ours.clean))
    return "one of the same key is there already";
  if (!there.complete && !ours.complete && finished_packages(there) > finished_packages(ours))
    return fmt::format("what is there has more packages finished: {} against {}", finished_packages(there),
                       finished_packages(ours));
  return {};
}

}  // namespace stagemake
