#include "run/images/gc.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/image_name.h"
#include "base/text/text.h"
#include "run/build/build.h"
#include "run/build/prepare.h"
#include "run/state/learned.h"
#include "snapshot/explanation.h"

namespace stagemake {
namespace {

class Collection {
 public:
  Collection(ContainerEngine& engine, const StateFolder& state, const StageTable& table, Journal& journal,
             const GcRequest& request, const std::function<void(const GcEntry&)>& told)
      : engine_(engine), state_(state), table_(table), journal_(journal), request_(request), told_(told) {}

  GcResult run() {
    lock(snapshots_now());
    std::optional<fs::path> storage = engine_.storage_folder();
    auto free_now = [&] { return storage ? free_bytes(*storage) : std::nullopt; };
    result_.free = free_now();
    if (request_.policy.min_free && !result_.free)
      throw bad_input(
          "--min-free",
          fmt::format("{} does not store its images on this machine, so the free space there is unknown",
                      engine_.name()));
    JournalContents known = journal_.read();
    // Repeats until nothing more is removed: an image that the engine does not remove changes which others
    // must go, and only the file system knows how much is free.
    while (true) {
      SnapshotList snapshots = snapshots_now();
      Predictions predictions = learned(known, snapshots);
      EvictionPlan plan = plan_evictions({.snapshots = snapshots,
                                          .table = table_,
                                          .predictions = predictions,
                                          .base_images = base_images(snapshots),
                                          .environments = request_.environments,
                                          .locked = result_.locked,
                                          .in_use = in_use_,
                                          .free = free_now(),
                                          .now = request_.now},
                                         request_.policy);
      if (!plan.evictions.empty() && !request_.dry_run) {
        for (const ChosenEviction& chosen : plan.evictions)
          if (!evict(chosen)) break;
        continue;
      }
      for (const ChosenEviction& chosen : plan.evictions) note(chosen);
      finish(plan);
      return std::move(result_);
    }
  }

 private:
  // Without those of no environment: a label can say anything, and this one becomes a file name.
  SnapshotList snapshots_now() {
    std::vector<Snapshot> all = find_snapshots(engine_, table_);
    std::erase_if(all, [&](const Snapshot& snapshot) {
      bool valid = fits_in_image_name(snapshot.environment);
      if (!valid) result_.locked[snapshot.environment] = "that is not a valid environment name";
      return !valid;
    });
    return share(std::move(all));
  }

  // Takes the locks of all requested environments that have images. A running build holds one; a build with
  // another tree of the same distribution holds one of the same name elsewhere in the state folder.
  void lock(const SnapshotList& snapshots) {
    std::set<std::string> environments;
    for (const SnapshotPtr& snapshot : snapshots) environments.insert(snapshot->environment);
    for (const std::string& environment : environments) {
      bool wanted = request_.environments.empty() || request_.environments.contains(environment);
      for (const fs::path& file : state_.environment_locks(environment)) take(environment, file, wanted);
    }
  }

  // Environments that were not requested are read too: others may need the images that they are made from.
  void take(const std::string& environment, const fs::path& file, bool wanted) {
    boost::system::error_code ignored;
    bool touch = wanted && !request_.dry_run;
    if (!touch && !fs::exists(file, ignored)) return;
    std::optional<FileLock> lock = FileLock::try_take(file);
    if (!lock) {
      std::string holder = FileLock::holder(file);
      result_.locked[environment] =
          fmt::format("{} is working on {}", holder.empty() ? "another process" : holder, environment);
    } else if (touch) {
      locks_.push_back(std::move(*lock));
    }
  }

  // If base images are on this machine, ours share their layers.
  std::vector<BaseImage> base_images(const SnapshotList& snapshots) {
    for (const SnapshotPtr& snapshot : snapshots)
      for (const KeyInput& input : snapshot->lineage.front().inputs)
        if (input.name == kBaseImageInput && !base_images_.contains(input.value)) {
          std::optional<ImageInfo> image = engine_.find_image(input.value);
          base_images_[input.value] = image ? BaseImage{image->layer_ids, image->size} : BaseImage{};
        }
    std::vector<BaseImage> all;
    for (const auto& [name, image] : base_images_) all.push_back(image);
    return all;
  }

  void note(const ChosenEviction& chosen) {
    GcEntry entry{*chosen.image, chosen.bytes, chosen.rebuild_seconds, chosen.why};
    result_.freed += chosen.bytes;
    told_(entry);
    result_.evicted.push_back(std::move(entry));
  }

  // False if something uses the image: then it keeps its names.
  bool evict(const ChosenEviction& chosen) {
    const Snapshot& image = *chosen.image;
    if (!remove(image.image)) {
      in_use_.insert(image.image);
      return false;
    }
    std::string policy = policy_text(request_.policy);
    journal_.add(
        Eviction{.when = request_.now,
                 .environment = image.environment,
                 .stage = image.stage,
                 .key = image.key(),
                 .complete = image.complete,
                 .image = display_name(image),
                 .bytes = chosen.bytes,
                 .rebuild_seconds = chosen.rebuild_seconds,
                 .why = fmt::format("gc{}: {}", policy.empty() ? "" : " (" + policy + ")", chosen.why)});
    note(chosen);
    return true;
  }

  bool remove(const std::string& id) {
    std::optional<ImageInfo> image = engine_.find_image(id);
    if (!image) return true;  // it was removed with the previous one
    bool removed = true;
    for (const std::string& name : image->names) removed = removed && engine_.remove_image(name);
    if (image->names.empty()) removed = engine_.remove_image(id);
    if (removed && !engine_.find_image(id)) return true;
    for (const std::string& name : image->names) engine_.tag(id, name);
    return false;
  }

  void finish(const EvictionPlan& plan) {
    for (const KeptImage& kept : plan.kept) result_.kept.push_back({*kept.image, 0, 0, kept.why});
    result_.left = plan.left;
    result_.unmet = plan.unmet;
  }

  ContainerEngine& engine_;
  const StateFolder& state_;
  const StageTable& table_;
  Journal& journal_;
  const GcRequest& request_;
  const std::function<void(const GcEntry&)>& told_;
  std::vector<FileLock> locks_;
  std::set<std::string> in_use_;                  // ids
  std::map<std::string, BaseImage> base_images_;  // by name; without layers if it is not here
  GcResult result_;
};

}  // namespace

GcResult collect_garbage(ContainerEngine& engine, const StateFolder& state, const StageTable& table,
                         Journal& journal, const GcRequest& request,
                         const std::function<void(const GcEntry&)>& told) {
  return Collection(engine, state, table, journal, request, told).run();
}

}  // namespace stagemake
