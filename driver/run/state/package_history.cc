#include "run/state/package_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kRecent = 5;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// The run of a stage that built a package: its packages are recorded right after it, with the same time.
const JournalStage* run_of(const JournalContents& journal, const PackageBuilt& built) {
  auto found = std::find_if(journal.stages.rbegin(), journal.stages.rend(), [&](const JournalStage& run) {
    return run.environment == built.environment && run.when == built.when;
  });
  return found == journal.stages.rend() ? nullptr : &*found;
}

// Which of its dependencies were rebuilt since the previous build.
std::string rebuilt_needs(const JournalContents& journal, const PackageBuilt& built,
                          const PackageBuilt& before, const std::vector<std::string>& needs,
                          const Listing& listing) {
  std::vector<std::string> rebuilt;
  for (const std::string& need : needs) {
    const PackageBuilt* older = nullptr;
    const PackageBuilt* newer = nullptr;
    for (const PackageBuilt& other : journal.packages) {
      if (other.environment != built.environment || other.package != need || other.when > built.when)
        continue;
      (other.when > before.when ? newer : older) = &other;
    }
    if (newer == nullptr) continue;
    bool moved = older != nullptr && older->version != newer->version;
    rebuilt.push_back(moved ? fmt::format("{} ({} -> {})", need, older->version, newer->version) : need);
  }
  if (rebuilt.empty()) return {};
  return fmt::format("it needs {}, rebuilt since then", some_of(rebuilt, listing, 8));
}

// What the keys of the two runs say.
std::string key_text(const JournalContents& journal, const JournalStage& run, const PackageBuilt& before) {
  const JournalStage* older = run_of(journal, before);
  if (older == nullptr || older->stage != run.stage || older->key.empty() || run.key.empty()) return {};
  if (older->key != run.key)
    return fmt::format("the inputs of {} had changed (key {} -> {})", printable(run.stage),
                       printable(older->key.substr(0, 12)), printable(run.key.substr(0, 12)));
  auto gone =
      std::find_if(journal.evictions.rbegin(), journal.evictions.rend(), [&](const Eviction& eviction) {
        return eviction.environment == run.environment && eviction.key == run.key &&
               eviction.when >= older->when && eviction.when <= run.when;
      });
  if (gone != journal.evictions.rend())
    return fmt::format("the image {} that contained it was evicted by {}", printable(gone->image),
                       printable(gone->why));
  return fmt::format(
      "{} was rebuilt from the same sources: its image was gone, or a fresh build was requested",
      printable(run.stage));
}

}  // namespace

std::vector<PackageTimes> times_of_package(const JournalContents& journal, const std::string& package) {
  std::map<std::string, std::vector<const PackageBuilt*>> by_environment;
  for (const PackageBuilt& built : journal.packages)
    if (built.package == package) by_environment[built.environment].push_back(&built);
  std::vector<PackageTimes> all;
  for (auto& [environment, builds] : by_environment) {
    std::stable_sort(builds.begin(), builds.end(), [](auto* a, auto* b) { return a->when < b->when; });
    std::vector<double> recent;
    for (std::size_t i = builds.size() - std::min(builds.size(), kRecent); i < builds.size(); ++i)
      recent.push_back(builds[i]->seconds);
    const PackageBuilt& last = *builds.back();
    all.push_back(
        {environment, builds.size(), median(std::move(recent)), last.seconds, last.when, last.version});
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.median > b.median; });
  return all;
}

std::optional<LastBuild> last_build(const JournalContents& journal, const std::string& environment,
                                    const std::string& package, const std::vector<std::string>& needs,
                                    const Listing& listing) {
  std::vector<PackageBuilt> builds;
  for (const PackageBuilt& built : journal.packages)
    if (built.environment == environment && built.package == package) builds.push_back(built);
  if (builds.empty()) return std::nullopt;
  std::stable_sort(builds.begin(), builds.end(),
                   [](const auto& a, const auto& b) { return a.when < b.when; });
  LastBuild last{.built = builds.back()};
  if (builds.size() > 1) last.before = builds[builds.size() - 2];
  const JournalStage* run = run_of(journal, last.built);
  if (run != nullptr) {
    last.stage = run->stage;
    last.outcome = run->outcome;
    for (const PackageBuilt& other : journal.packages)
      last.with_it +=
          other.environment == environment && other.when == run->when && other.package != package ? 1 : 0;
  }
  if (!last.before) return last;
  if (last.before->version != last.built.version)
    last.reasons.push_back(fmt::format("its version went from {} to {}", printable(last.before->version),
                                       printable(last.built.version)));
  if (std::string rebuilt = rebuilt_needs(journal, last.built, *last.before, needs, listing);
      !rebuilt.empty())
    last.reasons.push_back(std::move(rebuilt));
  if (std::string keys = run == nullptr ? "" : key_text(journal, *run, *last.before); !keys.empty())
    last.reasons.push_back(std::move(keys));
  return last;
}

}  // namespace stagemake
