#include "run/adoption.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/digest.h"
#include "base/tarball.h"
#include "base/text.h"
#include "run/image_survey.h"
#include "run/workplace.h"

namespace stagemake {
namespace {

// Fills in what its labels could not say when the container was made: what was brought and built since.
void complete_description(const BuildWorld& world, const ContainerInfo& container, Snapshot& snapshot) {
  std::optional<std::string> tar = world.engine.copy_out(container.name, std::string(kManifestPath));
  std::vector<TarEntry> entries = tar ? read_tar(*tar, 256u << 20) : std::vector<TarEntry>();
  std::optional<std::vector<SourceFile>> files;
  if (entries.size() == 1) files = parse_manifest(entries[0].content);
  snapshot.manifest = files ? sha256_hex(entries[0].content) : std::string();
  if (!files) return;
  auto began = container.labels.find(std::string(kBeganLabel));
  std::int64_t since = began == container.labels.end() ? 0 : std::atoll(began->second.c_str());
  snapshot.packages =
      installed_packages(stamp_folders_of(world.engine, container.name, world.table), world.packages,
                         package_fingerprints(*files), snapshot.packages, since);
}

void adopt(const BuildWorld& world, const ContainerInfo& container, Snapshot snapshot, Reporter& reporter) {
  complete_description(world, container, snapshot);
  std::string name = image_name(world.table, world.repository, snapshot.environment, snapshot.stage) + ":" +
                     world.tags.front() + "-failed";
  world.engine.commit(
      container.name,
      {.names = {name}, .labels = image_labels(snapshot), .working_folder = world.table.root});
  world.engine.remove_container(container.name);
  reporter.note(
      fmt::format("{}: an earlier run ended without saving its work in {}; kept it as {}, {} packages",
                  snapshot.environment, snapshot.stage, name, snapshot.packages.size()));
}

}  // namespace

std::vector<ContainerInfo> left_containers(const BuildWorld& world, const std::string& environment) {
  return world.engine.list_containers(std::string(kStateLabel), state_mark(world.state, environment));
}

void adopt_containers(const BuildWorld& world, const std::string& environment, Reporter& reporter) {
  for (const ContainerInfo& container : left_containers(world, environment)) {
    if (std::optional<Snapshot> snapshot = from_labels(container.labels)) {
      adopt(world, container, std::move(*snapshot), reporter);
    } else {
      reporter.note(
          fmt::format("{}: removed the container {} of an earlier run: it does not say what it holds",
                      environment, printable(container.name)));
      world.engine.remove_container(container.name);
    }
  }
}

}  // namespace stagemake
