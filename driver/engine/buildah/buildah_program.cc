#include "engine/buildah/buildah_program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/text/text.h"

namespace stagemake {

BuildahProgram::BuildahProgram() : EngineProgram("buildah", "STAGEMAKE_BUILDAH") {
  const char* isolation = std::getenv("STAGEMAKE_BUILDAH_ISOLATION");
  isolation_ = isolation != nullptr && *isolation != '\0' ? isolation : "chroot";
}

EngineReport BuildahProgram::examine(Look look) const {
  constexpr const char* kInstall = "install buildah: apt-get install buildah";
  if (!installed()) return not_usable(name(), fmt::format("there is no {} in PATH", path()), kInstall);
  Finished finished = call({"version", "--json"});
  if (!finished.ok()) return not_usable(name(), last_words(finished), kInstall);
  if (std::optional<EngineReport> lack = lacks_ids(*this)) return *std::move(lack);
  // The version says nothing about the storage, which may break every later command.
  Finished listed = call({"images", "--quiet"});
  if (!listed.ok())
    return not_usable(name(), last_words(listed),
                      "set CONTAINERS_STORAGE_CONF to a storage.conf whose folders you may write");
  std::string version = text_at(parsed_answer("buildah", finished.output), "version");
  if (look == Look::Quick) return usable(name(), std::move(version));
  if (std::optional<std::string> why = cannot_run())
    return not_usable(
        name(), fmt::format("it cannot run anything here with isolation {}: {}", isolation_, *why),
        "run as root, or set STAGEMAKE_BUILDAH_ISOLATION to another isolation (chroot, rootless, oci)");
  Finished driver = call({"info", "--format", "{{.store.GraphDriverName}}"});
  return usable(name(), std::move(version), driver.ok() ? storage_warning(trimmed(driver.output)) : "");
}

// An empty container has no program to run: if everything else works, buildah complains about that.
std::optional<std::string> BuildahProgram::cannot_run() const {
  constexpr const char* kProgram = "/stagemake-probe";
  std::string name = fmt::format("stagemake-probe-{}", ::getpid());
  Finished made = call({"from", "--name", name, "scratch"});
  if (!made.ok()) return last_words(made);
  Finished ran = call({"run", "--isolation", isolation_, "--network", "host", name, "--", kProgram});
  call({"rm", name});
  if (ran.ok() || ran.errors.find(kProgram) != std::string::npos) return std::nullopt;
  return last_words(ran);
}

}  // namespace stagemake
