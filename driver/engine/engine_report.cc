#include "engine/engine_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/files/files.h"
#include "base/text/text.h"
#include "engine/id_maps.h"

namespace stagemake {

EngineReport usable(const std::string& engine, std::string version, std::string warning) {
  return {engine, true, std::move(version), "", "", std::move(warning)};
}

EngineReport not_usable(const std::string& engine, std::string problem, std::string advice) {
  return {engine, false, "", std::move(problem), std::move(advice), ""};
}

std::string usable_version(const EngineReport& report) {
  if (!report.usable)
    throw EngineError(fmt::format("{}: {}; {}", report.name, report.problem, report.advice));
  return report.version;
}

std::optional<EngineReport> lacks_ids(const EngineProgram& program) {
  std::string user = user_name();
  if (::geteuid() != 0) {
    for (const char* helper : {"newuidmap", "newgidmap"})
      if (find_program(helper).empty())
        return not_usable(program.name(),
                          fmt::format("there is no {} in PATH; without it, a user other than root has only "
                                      "one user id in containers",
                                      helper),
                          "install it: apt-get install uidmap");
    Finished maps =
        program.call({"unshare", "sh", "-c", "cat /proc/self/uid_map; echo; cat /proc/self/gid_map"});
    if (!maps.ok())
      return not_usable(
          program.name(), "it cannot create a user namespace: " + last_words(maps),
          "allow it (sysctl kernel.unprivileged_userns_clone=1, or what your system calls it), or "
          "run as root");
    std::string lack = lack_of_ids(maps.output, user);
    if (!lack.empty()) return not_usable(program.name(), lack, ids_advice(user));
    return std::nullopt;
  }
  std::string lack = lack_of_ids(
      read_file("/proc/self/uid_map").value_or("") + "\n" + read_file("/proc/self/gid_map").value_or(""),
      user);
  if (lack.empty()) return std::nullopt;
  return not_usable(program.name(), lack,
                    "run in a container or namespace that has 65536 user and group ids");
}

std::string storage_warning(std::string_view driver) {
  if (driver != "vfs") return {};
  return "its storage driver is vfs, which copies the whole image for each container and commit: slow, and "
         "it "
         "fills the disk. Put the engine's storage on a file system that overlay works on (not inside an "
         "overlay, "
         "as in most containers), or install fuse-overlayfs";
}

}  // namespace stagemake
