#include "run/images/remote_snapshots.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>

#include "base/process/machine.h"
#include "base/text/labels.h"
#include "base/text/text.h"
#include "environment/environment.h"
#include "run/images/push_queue.h"
#include "snapshot/explanation.h"

namespace stagemake {
namespace {

// Joins "host/name:tag" and a digest to "host/name@digest".
std::string reference_of(const std::string& name, const std::string& digest) {
  std::size_t slash = name.rfind('/');
  return name.substr(0, name.find(':', slash == std::string::npos ? 0 : slash)) + "@" + digest;
}

// Whether they are the same image, wherever each is stored: an engine that stores an image differently gives
// it another id and digest.
bool is_same(const Snapshot& one, const Snapshot& other) {
  return one.created == other.created && to_labels(one) == to_labels(other);
}

// Not every stage has images everywhere: if a repository has some of the images, missing ones are not
// reported. A problem that all look-ups in a repository share is reported once, not per stage.
std::vector<std::string> problem_lines(const std::vector<RegistryProblem>& problems,
                                       const std::vector<std::string>& repositories,
                                       const std::vector<std::string>& places) {
  std::map<std::pair<std::string, std::string>, std::size_t> same;  // how often, by repository and problem
  std::size_t each = places.size() / std::max<std::size_t>(repositories.size(), 1);
  std::map<std::string_view, std::size_t> numbers;  // of the places; hundreds of environments have thousands
  for (std::size_t i = 0; i < places.size(); ++i) numbers.emplace(places[i], i);
  auto whole = [&](const RegistryProblem& problem) {
    auto at = numbers.find(problem.repository);
    return at != numbers.end() ? repositories[at->second / each] : problem.repository;
  };
  for (const RegistryProblem& problem : problems) ++same[{whole(problem), problem.what}];
  std::vector<std::string> lines;
  std::set<std::string> told;
  for (const RegistryProblem& problem : problems) {
    bool is_everywhere = same[{whole(problem), problem.what}] >= each;
    if (problem.is_missing && !is_everywhere) continue;
    std::string line = fmt::format("{}: {}", printable(is_everywhere ? whole(problem) : problem.repository),
                                   printable(problem.what));
    if (told.insert(line).second) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::optional<Snapshot> snapshot_in(const RegistryImage& image) {
  std::optional<Snapshot> snapshot = from_labels(image.labels);
  if (!snapshot) return std::nullopt;
  snapshot->names = {image.name};
  snapshot->reference = reference_of(image.name, image.digest);
  snapshot->digest = image.digest;
  snapshot->created = image.created;
  snapshot->size = snapshot->fetch_size = image.size;
  snapshot->layers = static_cast<unsigned>(image.layers.size());
  if (image.layer_ids.size() == image.layers.size()) {
    snapshot->layer_ids = image.layer_ids;
    for (const RegistryLayer& layer : image.layers) snapshot->layer_sizes.push_back(layer.size);
  }
  return snapshot;
}

// Engines also identify a layer by those below it: only layers from the bottom up count as being here.
void set_fetch_sizes(std::vector<Snapshot>& remote, const std::vector<std::vector<std::string>>& here) {
  for (Snapshot& snapshot : remote) {
    std::size_t most = 0;
    for (const std::vector<std::string>& layers : here) {
      auto end =
          std::mismatch(layers.begin(), layers.end(), snapshot.layer_ids.begin(), snapshot.layer_ids.end());
      most = std::max(most, static_cast<std::size_t>(end.first - layers.begin()));
    }
    if (snapshot.layer_sizes.size() != snapshot.layer_ids.size()) continue;
    for (std::size_t i = 0; i < most; ++i)
      snapshot.fetch_size -= std::min(snapshot.fetch_size, snapshot.layer_sizes[i]);
  }
}

RemoteSnapshots find_remote_snapshots(Registry& registry, const StageTable& table,
                                      const std::vector<std::string>& environments,
                                      const std::vector<std::string>& repositories,
                                      const SnapshotList& here) {
  std::vector<std::string> places;
  for (const std::string& repository : repositories)
    for (const std::string& environment : environments)
      for (const StageSpec& stage : table.stages)
        places.push_back(image_name(table, repository, environment, stage.name));
  const std::set<std::string_view> wanted(environments.begin(), environments.end());
  RegistrySurvey survey = registry.survey(places);
  RemoteSnapshots found;
  std::map<std::string, std::size_t> by_content;
  for (const RegistryImage& image : survey.images) {
    std::optional<Snapshot> snapshot = snapshot_in(image);
    if (std::string why = unfit_label(image.labels, kLabelPrefix); !why.empty())
      found.problems.push_back(fmt::format("{} is skipped: {}", printable(image.name), why));
    if (!snapshot || snapshot->distribution != table.distribution) continue;
    if (!wanted.contains(snapshot->environment)) continue;
    if (!image.architecture.empty() && image.architecture != machine_architecture()) {
      found.problems.push_back(
          fmt::format("{} is for {}", printable(image.name), printable(image.architecture)));
      continue;
    }
    auto is_this = [&](const SnapshotPtr& one) { return is_same(*one, *snapshot); };
    if (std::any_of(here.begin(), here.end(), is_this)) continue;
    auto [place, is_new] =
        by_content.try_emplace(registry_host(image.name) + "@" + image.digest, found.snapshots.size());
    if (is_new) {
      found.snapshots.push_back(std::move(*snapshot));
      continue;
    }
    // An image of several stages is in the repositories of all of them. It is fetched by the name that is
    // shown.
    Snapshot& same = found.snapshots[place->second];
    same.names.push_back(image.name);
    if (display_name(same) == image.name) same.reference = std::move(snapshot->reference);
  }
  std::vector<std::string> told = problem_lines(survey.problems, repositories, places);
  std::move(told.begin(), told.end(), std::back_inserter(found.problems));
  return found;
}

std::string worth_keeping(const Snapshot& there, const Snapshot& ours) {
  if (there.environment != ours.environment || there.base_digest != ours.base_digest) return {};
  // Other machines find where to continue a fresh build by its images in the registry.
  if (!ours.fresh_build.empty() && ours.fresh_build != there.fresh_build) return {};
  // A later stage's image, which contains the stage that the name denotes, is worth less than that stage's
  // own image.
  const LineageEntry* held = ours.holds(there.stage);
  bool is_later = there.stage != ours.stage && held != nullptr && held->key == there.key();
  if (is_later && there.complete)
    return "the registry already has an image of that stage alone with the same key";
  if (there.stage != ours.stage || there.key() != ours.key()) return {};
  if (is_same(there, ours)) return std::string(kAlreadyThere);
  if (there.complete && ours.complete && (there.clean || !ours.clean))
    return "the registry already has an image with the same key";
  if (!there.complete && !ours.complete && finished_packages(there) > finished_packages(ours))
    return fmt::format("the image in the registry has more finished packages: {}, this one {}",
                       finished_packages(there), finished_packages(ours));
  return {};
}

}  // namespace stagemake
