#include "plan/installation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/text.h"

namespace stagemake {
namespace {

// One package manager, as commands. Conditions and installation are about "$1" and "$@"; each is the body of
// a shell function, so it stands on one line.
struct PackageManager {
  std::string_view probe = {};                           // a line before all others
  std::string_view is_there;                             // condition: is installed. Asks no network
  std::string_view update = ":";                         // refreshes what the manager knows
  std::string_view exists = ":";                         // condition: can be had
  std::string_view install;                              // in front of the names
  std::string_view clean = {};                           // after an installation
  std::string (*prepare)(const SystemSetup&) = nullptr;  // once, before anything is installed
  // It succeeds also where it does not know a name.
  bool passes_over_unknown = false;
};

// Ubuntu's images are "minimized": unminimize brings back what packages hold without it. What the trees do
// not do: nothing of this happens where all packages are there.
std::string prepare_apt(const SystemSetup& setup) {
  std::string text =
      "  if command -v unminimize >/dev/null; then\n    { yes | unminimize; } || echo '(ignored)'\n";
  // Once is enough; a later build on this image saves the time.
  if (setup.dialect == Dialect::Passagemath2026) text += "    rm -f \"$(command -v unminimize)\"\n";
  text += "  fi\n";
  if (!setup.dist_upgrade.empty())
    text += fmt::format(
        "  sed -i.bak {} /etc/apt/sources.list\n"
        "  apt-get update\n"
        "  DEBIAN_FRONTEND=noninteractive apt-get -y dist-upgrade\n",
        shell_quoted(setup.dist_upgrade));
  if (!setup.repositories.empty())
    text += fmt::format(
        "  apt-get update\n"
        "  install software-properties-common\n"
        "  install gpg gpg-agent || echo '(ignored)'\n"
        "  for repository in {}; do add-apt-repository --yes \"$repository\"; done\n",
        shell_quoted(setup.repositories));
  return text;
}

// Without documentation, which NoExtract leaves out, some packages do not work.
std::string prepare_pacman(const SystemSetup& setup) {
  return setup.dialect == Dialect::Passagemath2026 ? "  sed -i '/^NoExtract/d' /etc/pacman.conf\n" : "";
}

std::string prepare_conda(const SystemSetup& setup) {
  std::string text;
  if (!trimmed(setup.condarc).empty()) {
    std::vector<std::string> content;
    for (std::string_view line : lines(setup.condarc)) content.emplace_back(line);
    text += fmt::format("  printf '%s\\n' {} | conda config --stdin\n", shell_quoted(content));
  }
  return text + "  conda update --quiet --yes -n base conda\n";
}

constexpr PackageManager kApt = {
    // Not -W: that takes names for patterns.
    .is_there = "dpkg-query --status \"$1\" 2>/dev/null | grep -q '^Status: .* installed$'",
    .update = "apt-get update",
    .exists = "apt-cache show \"$1\" >/dev/null 2>&1",
    .install = "DEBIAN_FRONTEND=noninteractive apt-get install -qqq --no-install-recommends --yes",
    .clean = "apt-get clean",
    .prepare = prepare_apt};

// --whatprovides: names like pkgconfig(zlib) are what packages provide, and each provides its own name too.
constexpr std::string_view kRpmIsThere = "rpm -q --whatprovides \"$1\" >/dev/null 2>&1";

constexpr PackageManager kYum = {.probe = "yum=$(command -v yum || echo dnf)",
                                 .is_there = kRpmIsThere,
                                 .exists = "$yum install -y --downloadonly \"$1\" >/dev/null 2>&1",
                                 .install = "$yum install -y"};

constexpr PackageManager kPacman = {.is_there = "pacman -T \"$1\" >/dev/null 2>&1",
                                    .update = "pacman -Sy",
                                    .exists = "pacman -Si \"$1\" >/dev/null 2>&1",
                                    .install = "pacman -Su --noconfirm",
                                    .prepare = prepare_pacman};

constexpr PackageManager kZypper = {
    .is_there = kRpmIsThere,
    .update = "zypper refresh",
    .exists =
        "zypper --quiet install --no-confirm --auto-agree-with-licenses --no-recommends --download-only "
        "\"$1\" >/dev/null 2>&1",
    .install = "zypper install --no-confirm --auto-agree-with-licenses --no-recommends --details"};

// The manager itself comes first: an old one cannot read what a rolling distribution has today.
constexpr PackageManager kXbps = {.is_there = "xbps-query \"$1\" >/dev/null 2>&1",
                                  .update = "xbps-install -Sy && xbps-install -uy xbps && xbps-install -uy",
                                  .exists = "xbps-query -R \"$1\" >/dev/null 2>&1",
                                  .install = "xbps-install --yes"};

constexpr PackageManager kApk = {.is_there = "apk info -e \"$1\" >/dev/null 2>&1",
                                 .update = "apk update",
                                 .exists = "apk search -x \"$1\" 2>/dev/null | grep -q .",
                                 .install = "apk add"};

// Portage's tree is part of the image.
constexpr PackageManager kEmerge = {.is_there = "portageq has_version / \"$1\" >/dev/null 2>&1",
                                    .exists = "emerge --pretend --quiet --nodeps \"$1\" >/dev/null 2>&1",
                                    .install = "emerge -DNut --with-bdeps=y --complete-graph=y"};

// Names are patterns for NAME-VERSION-ARCHITECTURE-BUILD, up to the version or into it: "gcc-[0-9]".
constexpr PackageManager kSlackpkg = {
    .is_there =
        "ls /var/log/packages 2>/dev/null | grep -q -e \"^$1-[^-]*-[^-]*-[^-]*\\$\" -e "
        "\"^$1[^-]*-[^-]*-[^-]*\\$\"",
    .update = "yes | slackpkg update",
    .install = "slackpkg -batch=on -default_answer=y install",
    .passes_over_unknown = true};

constexpr std::string_view kNixUpdate =
    "nix-channel --add https://nixos.org/channels/nixpkgs-unstable nixpkgs && nix-channel --update";
constexpr std::string_view kNixIsThere = "nix-env --query \"$1\" 2>/dev/null | grep -q .";

constexpr PackageManager kNixByName = {.is_there = kNixIsThere,
                                       .update = kNixUpdate,
                                       .exists = "nix-env --query --available \"$1\" 2>/dev/null | grep -q .",
                                       .install = "nix-env --install"};

constexpr PackageManager kNixByAttribute = {
    .is_there = kNixIsThere,
    .update = kNixUpdate,
    .exists = "nix-env -f '<nixpkgs>' --query --available --attr \"$1\" 2>/dev/null | grep -q .",
    .install = "nix-env -f '<nixpkgs>' --install --attr"};

// The first line: activation scripts of conda-forge's packages need bash, whatever /bin/sh is in the image.
// Installed packages are looked up as files (NAME-VERSION-BUILD.json): conda takes a second for each
// question; only a name with a condition, "scipy>=1.5", is worth one.
constexpr PackageManager kConda = {
    .probe = "[ ! -x /bin/bash ] || ln -sf /bin/bash /bin/sh",
    .is_there =
        "case $1 in *[!A-Za-z0-9_.-]*) conda install --offline --dry-run --quiet \"$1\" 2>/dev/null | grep "
        "-q 'already installed' ;; *) ls \"${CONDA_PREFIX:-/opt/conda}/conda-meta\" 2>/dev/null | grep -q "
        "\"^$1-[^-]*-[^-]*\\.json\\$\" ;; esac",
    .exists = "conda search -f \"$1\" >/dev/null 2>&1",
    .install = "conda install --update-all --quiet --yes",
    .clean = "conda info && conda list",
    .prepare = prepare_conda};

struct System {
  std::string_view name;  // or what the name begins with
  const PackageManager& manager;
};

// Sorted.
constexpr System kSystems[] = {
    {"alpine", kApk},         {"arch", kPacman},     {"centos", kYum},    {"conda", kConda},
    {"debian", kApt},         {"fedora", kYum},      {"gentoo", kEmerge}, {"linuxmint", kApt},
    {"nix", kNixByName},      {"opensuse", kZypper}, {"raspbian", kApt},  {"redhat", kYum},
    {"slackware", kSlackpkg}, {"ubuntu", kApt},      {"void", kXbps},
};

const System* find_system(const std::string& name) {
  auto found = std::find_if(std::begin(kSystems), std::end(kSystems),
                            [&](const System& system) { return name.starts_with(system.name); });
  return found == std::end(kSystems) ? nullptr : found;
}

bool is_nix(const SystemSetup& setup) {
  return setup.system.starts_with("nix");
}

const PackageManager& manager_of(const SystemSetup& setup) {
  check_system(setup.system);
  if (is_nix(setup) && setup.dialect == Dialect::Passagemath2026) return kNixByAttribute;
  return find_system(setup.system)->manager;
}

// The words of a nix-shell that has all packages. Where some may be missing, none of them is an error: each
// is an expression of nix, and `or null` is its own way of saying so.
std::string nix_shell(const SystemSetup& setup, const std::string& command) {
  std::vector<std::string> expressions;
  for (const std::string& package : setup.packages)
    expressions.push_back(setup.ignore_missing ? "pkgs." + package + " or null" : package);
  std::string packages = shell_quoted(expressions);
  return fmt::format("nix-shell --packages {}{}--run {}\n", packages, packages.empty() ? "" : " ",
                     shell_quoted(command));
}

// All at once, and where that fails as it does.
std::string install_all(const PackageManager& manager) {
  std::string text = "  update\n  install $missing\n";
  // What the trees rely on: such a manager is given names that its releases do not all have.
  if (manager.passes_over_unknown)
    text +=
        "  absent=\n"
        "  for package in $missing; do is_there \"$package\" || absent=\"$absent $package\"; done\n";
  return text;
}

// What exists, at once, else one by one. A manager that could not refresh may still know enough (old
// releases, some of whose repositories are gone); one that then knows nothing at all has no network.
std::string install_what_exists(const PackageManager& manager) {
  std::string text = fmt::format("  exists() {{ {}; }}\n", manager.exists);
  // A manager that says yes to all names cannot be asked that, and must be refreshed.
  text += manager.passes_over_unknown ? "  outdated=\n  update\n" : "  outdated=\n  update || outdated=yes\n";
  text +=
      "  available=\n"
      "  absent=\n"
      "  for package in $missing; do\n"
      "    if exists \"$package\"; then available=\"$available $package\"; else absent=\"$absent $package\"; "
      "fi\n"
      "  done\n"
      "  if [ -z \"$available\" ] && [ -n \"$outdated\" ]; then\n"
      "    echo 'The package manager cannot be refreshed, and knows none of:' $missing >&2\n"
      "    exit 1\n"
      "  fi\n"
      "  if [ -n \"$available\" ] && ! install $available; then\n"
      "    echo 'Trying again, one by one:'\n"
      "    for package in $available; do install \"$package\" || absent=\"$absent $package\"; done\n";
  if (manager.passes_over_unknown)
    text +=
        "  else\n"
        "    for package in $available; do is_there \"$package\" || absent=\"$absent $package\"; done\n";
  return text + "  fi\n";
}

}  // namespace

std::vector<std::string> known_systems() {
  std::vector<std::string> names;
  for (const System& system : kSystems) names.emplace_back(system.name);
  return names;
}

void check_system(const std::string& system) {
  if (find_system(system) == nullptr)
    throw bad_input("", fmt::format("system \"{}\": its package manager is not known; known are {}",
                                    printable(system), join(known_systems(), ", ")));
}

std::string installation_recipe(const SystemSetup& setup) {
  if (setup.system.empty() || setup.skipped) return ":";
  const PackageManager& manager = manager_of(setup);
  // A list may hold options for the manager beside its packages (--setopt=tsflags= brings documentation).
  std::vector<std::string> packages, options, collection;
  for (const std::string& word : setup.packages) (word.starts_with('-') ? options : packages).push_back(word);
  for (const std::string& word : {setup.toolset_repository, setup.toolset})
    if (!word.empty()) collection.push_back(word);
  if (packages.empty() && collection.empty()) return ":";

  std::string install(manager.install);
  if (!options.empty()) install += ' ' + shell_quoted(options);
  // -f: names like gcc-[0-9] are patterns for the package manager, not for the shell.
  std::string text = "set -f\n";
  if (!manager.probe.empty()) text += fmt::format("{}\n", manager.probe);
  text += fmt::format("is_there() {{ {}; }}\ninstall() {{ {} \"$@\"; }}\n", manager.is_there, install);
  // Its repository first, then it: two steps, because the second needs the first. Never ignored.
  if (!collection.empty())
    text += fmt::format("for package in {}; do is_there \"$package\" || install \"$package\"; done\n",
                        shell_quoted(collection));
  if (!packages.empty()) {
    text += fmt::format(
        "missing=\nfor package in {}; do is_there \"$package\" || missing=\"$missing $package\"; done\n",
        shell_quoted(packages));
    // A function: `-e` sees its status as a whole, and not only that of the last part of `a && b`.
    text += fmt::format("if [ -n \"$missing\" ]; then\n  update() {{ {}; }}\n", manager.update);
    if (manager.prepare != nullptr) text += manager.prepare(setup);
    text += setup.ignore_missing ? install_what_exists(manager) : install_all(manager);
    // So that later stages find it all in the image.
    if (is_nix(setup)) text += "  " + nix_shell(setup, ":");
    if (!manager.clean.empty()) text += fmt::format("  {}\n", manager.clean);
    if (setup.ignore_missing || manager.passes_over_unknown)
      text += fmt::format("  [ -z \"$absent\" ] || echo \"{}$absent\"\n", kMissingLine);
    text += "fi\n";
  }
  return text + "set +f";
}

std::string in_system(const SystemSetup& setup, const std::string& recipe) {
  std::string text;
  if (!setup.extra_path.empty())
    text += fmt::format("PATH={}:$PATH\nexport PATH\n", shell_quoted(setup.extra_path));
  std::string enabled;
  if (!setup.toolset.empty())
    enabled += fmt::format(". {} || exit\n", shell_quoted("/opt/rh/" + setup.toolset + "/enable"));
  if (setup.system.starts_with("conda"))
    enabled += ". /opt/conda/etc/profile.d/conda.sh || exit\nconda activate base || exit\n";
  // What fails inside of such scripts is their business; how they end is ours. (`||` alone would do in bash;
  // dash heeds -e in a file that is read.)
  if (!enabled.empty()) text += "set +e\n" + enabled + "set -e\n";
  if (!is_nix(setup)) return text + recipe;
  // A shell of its own, because nix-shell's does not stop at errors.
  std::size_t end = recipe.find_last_not_of('\n');
  std::string body = recipe.substr(0, end == std::string::npos ? 0 : end + 1);
  return text + nix_shell(setup, "exec /bin/sh -ec " + shell_quoted(body));
}

}  // namespace stagemake
