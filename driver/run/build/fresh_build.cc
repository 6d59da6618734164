#include "run/build/fresh_build.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kRemembered = 256;  // finished fresh builds

bool is_target(const EnvironmentBuild& build, const Snapshot& snapshot, std::size_t target) {
  return snapshot.complete && snapshot.stage == build.plan.stages[target].name &&
         snapshot.key() == build.plan.stages[target].key;
}

bool is_asked_for(const EnvironmentBuild& build) {
  return build.restore.fresh || !build.restore.rebuild.empty();
}

// Whether a stage is part of the fresh build: with --rebuild, earlier stages keep their images.
bool is_built(const EnvironmentBuild& build, std::size_t stage) {
  if (build.restore.fresh) return true;
  const std::vector<std::size_t>& rebuild = build.restore.rebuild;
  std::vector<std::size_t> chain = build.plan.chain(stage);
  return std::any_of(chain.begin(), chain.end(), [&](std::size_t one) {
    return std::find(rebuild.begin(), rebuild.end(), one) != rebuild.end();
  });
}

// Everything that a fresh build must build, as text.
std::string wanted_text(const std::vector<EnvironmentBuild>& builds) {
  std::vector<std::string> lines;
  for (const EnvironmentBuild& build : builds)
    for (std::size_t target : build.restore.targets)
      lines.push_back(fmt::format("{} {} {}\n", build.plan.environment.name, build.plan.stages[target].name,
                                  build.plan.stages[target].key));
  for (const EnvironmentBuild& build : builds)
    for (std::size_t stage : build.restore.rebuild)
      lines.push_back(
          fmt::format("{} rebuild {}\n", build.plan.environment.name, build.plan.stages[stage].name));
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return join(lines, "");
}

// According to the existing images.
bool has_all_targets(const std::vector<EnvironmentBuild>& builds, const std::string& name) {
  return std::all_of(builds.begin(), builds.end(), [&](const EnvironmentBuild& build) {
    return std::all_of(build.restore.targets.begin(), build.restore.targets.end(), [&](std::size_t target) {
      return !is_built(build, target) ||
             std::any_of(build.snapshots.begin(), build.snapshots.end(), [&](const SnapshotPtr& snapshot) {
               return snapshot->fresh_build == name && is_target(build, *snapshot, target);
             });
    });
  });
}

bool is_remembered(const StateFolder& state, const std::string& name) {
  boost::system::error_code ignored;
  return fs::exists(state.fresh_builds() / name, ignored);
}

// The newest fresh build of these stages that images name; empty if there is none.
std::string newest_of(const std::vector<EnvironmentBuild>& builds, std::string_view wants) {
  std::string newest;
  for (const EnvironmentBuild& build : builds)
    for (const SnapshotPtr& snapshot : build.snapshots)
      if (fresh_build_wants(snapshot->fresh_build) == wants &&
          (newest.empty() || fresh_build_began(snapshot->fresh_build) > fresh_build_began(newest)))
        newest = snapshot->fresh_build;
  return newest;
}

// Names sort by time: seconds since the epoch have ten digits until the year 2286.
void forget_old(const fs::path& folder) {
  std::vector<fs::path> files;
  boost::system::error_code failed;
  for (fs::directory_iterator file(folder, failed), end; !failed && file != end; file.increment(failed))
    files.push_back(file->path());
  std::sort(files.begin(), files.end());
  boost::system::error_code ignored;
  for (std::size_t i = 0; i + kRemembered < files.size(); ++i) fs::remove(files[i], ignored);
}

}  // namespace

void settle_fresh(const BuildWorld& world, std::vector<EnvironmentBuild>& builds, bool start_over) {
  if (builds.empty() || !is_asked_for(builds.front())) return;
  auto now = static_cast<std::int64_t>(world.clock.now());
  std::string wanted = wanted_text(builds);
  std::string name = fresh_build_name(now, wanted);
  std::string newest = newest_of(builds, fresh_build_wants(name));
  bool continues = !newest.empty() && !start_over && !is_remembered(world.state, newest) &&
                   !has_all_targets(builds, newest);
  if (continues) {
    double seconds = static_cast<double>(std::max<std::int64_t>(0, now - *fresh_build_began(newest)));
    name = newest;
    builds.front().notes.push_back(fmt::format(
        "continuing the {} that was begun {} ago and is not finished (--start-over begins another)",
        builds.front().restore.fresh ? "fresh build" : "rebuild", duration_text(seconds)));
  } else if (!newest.empty()) {
    // Clocks differ between machines: the new one must be the newest anyway.
    name = fresh_build_name(std::max(now, *fresh_build_began(newest) + 1), wanted);
  }
  for (EnvironmentBuild& build : builds) {
    build.restore.fresh_build = name;
    build.starts_over = start_over;
    if (continues) build.decisions = decide(build.plan, world.graphs, build.snapshots, build.restore);
  }
}

void remember_finished(const BuildWorld& world, const std::vector<EnvironmentBuild>& builds) {
  if (builds.empty() || builds.front().restore.fresh_build.empty()) return;
  try {
    write_file(world.state.fresh_builds() / builds.front().restore.fresh_build, "");
    forget_old(world.state.fresh_builds());
  } catch (const Error&) {
    // The labels of its images say it too.
  }
}

}  // namespace stagemake
