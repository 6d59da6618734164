// How each system's package manager installs a list in one step.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "plan/environment.h"

namespace stagemake {
namespace {

struct PackageManager {
  std::string_view system;    // prefix of the system's name
  std::string_view is_there;  // shell condition: package "$1" is installed; nothing to fetch then
  std::string_view update;    // refreshes what the manager knows
  std::string_view exists;    // shell condition: package "$1" can be had
  std::string_view install;   // in front of the names
  std::string_view clean;
};

constexpr std::string_view kApt =
    "DEBIAN_FRONTEND=noninteractive apt-get install -qqq --no-install-recommends --yes";

// The commands are those of the trees' Dockerfile writers; `is_there` is ours: a base image that has
// everything needs no network.
constexpr PackageManager kManagers[] = {
    {"debian", "dpkg-query -W -f='${Status}' \"$1\" 2>/dev/null | grep -q 'ok installed'", "apt-get update",
     "apt-cache show \"$1\" >/dev/null 2>&1", kApt, "apt-get clean"},
    {"ubuntu", "dpkg-query -W -f='${Status}' \"$1\" 2>/dev/null | grep -q 'ok installed'", "apt-get update",
     "apt-cache show \"$1\" >/dev/null 2>&1", kApt, "apt-get clean"},
    {"linuxmint", "dpkg-query -W -f='${Status}' \"$1\" 2>/dev/null | grep -q 'ok installed'",
     "apt-get update", "apt-cache show \"$1\" >/dev/null 2>&1", kApt, "apt-get clean"},
    {"fedora", "rpm -q \"$1\" >/dev/null 2>&1", ":", "yum install -y --downloadonly \"$1\" >/dev/null 2>&1",
     "yum install -y", ":"},
    {"centos", "rpm -q \"$1\" >/dev/null 2>&1", ":", "yum install -y --downloadonly \"$1\" >/dev/null 2>&1",
     "yum install -y", ":"},
    {"redhat", "rpm -q \"$1\" >/dev/null 2>&1", ":", "yum install -y --downloadonly \"$1\" >/dev/null 2>&1",
     "yum install -y", ":"},
    {"arch", "pacman -Qi \"$1\" >/dev/null 2>&1", "pacman -Sy", "pacman -Si \"$1\" >/dev/null 2>&1",
     "pacman -Su --noconfirm", ":"},
    {"opensuse", "rpm -q \"$1\" >/dev/null 2>&1", "zypper refresh",
     "zypper --quiet install --no-confirm --auto-agree-with-licenses --no-recommends --download-only \"$1\" "
     ">/dev/null 2>&1",
     "zypper --ignore-unknown install --no-confirm --auto-agree-with-licenses --no-recommends --details",
     ":"},
    {"void", "xbps-query \"$1\" >/dev/null 2>&1", "xbps-install -Syu xbps",
     "xbps-query -R \"$1\" >/dev/null 2>&1", "xbps-install --yes", ":"},
    {"alpine", "apk info -e \"$1\" >/dev/null 2>&1", "apk update", "apk search -x \"$1\" | grep -q .",
     "apk add", ":"},
};

}  // namespace

std::string installation_recipe(const std::string& system, const std::vector<std::string>& packages,
                                bool ignore_missing) {
  if (system.empty()) return ":";  // a plan without an environment
  auto manager = std::find_if(std::begin(kManagers), std::end(kManagers),
                              [&](const PackageManager& m) { return system.starts_with(m.system); });
  if (manager == std::end(kManagers)) {
    std::vector<std::string> known;
    for (const PackageManager& m : kManagers) known.emplace_back(m.system);
    throw bad_input("", fmt::format("system \"{}\": its package manager is not known yet; known are {}",
                                    printable(system), join(known, ", ")));
  }
  std::string text = fmt::format("set -f\nis_there() {{ {}; }}\nmissing=\n", manager->is_there);
  text += fmt::format("for package in {}; do is_there \"$package\" || missing=\"$missing $package\"; done\n",
                      shell_quoted(packages));
  text += fmt::format("if [ -n \"$missing\" ]; then\n  {}\n", manager->update);
  if (ignore_missing) {
    text += fmt::format(
        "  exists() {{ {}; }}\n"
        "  available= absent=\n"
        "  for package in $missing; do\n"
        "    if exists \"$package\"; then available=\"$available $package\"; else absent=\"$absent "
        "$package\"; fi\n"
        "  done\n"
        "  if [ -n \"$available\" ] && ! {} $available; then\n"
        "    echo 'Trying again one by one:'\n"
        "    for package in $available; do {} \"$package\" || absent=\"$absent $package\"; done\n"
        "  fi\n"
        "  [ -z \"$absent\" ] || echo \"Not installed, and ignored:$absent\"\n",
        manager->exists, manager->install, manager->install);
  } else {
    text += fmt::format("  {} $missing\n", manager->install);
  }
  return text + fmt::format("  {}\nfi\nset +f", manager->clean);
}

}  // namespace stagemake
