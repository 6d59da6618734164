#include "environment/package_managers.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

// Ubuntu's images are "minimized": unminimize restores the files that packages lack there. Unlike in the
// trees' scripts, it does not run if all packages are installed.
std::string prepare_apt(const SystemSetup& setup) {
  std::string text;
  if (setup.habits.unminimizes)
    text = fmt::format("  if command -v unminimize >/dev/null; then\n    {}\n{}  fi\n",
                       "{ yes | unminimize; } || echo '(ignored)'",
                       setup.habits.unminimizes_once ? "    rm -f \"$(command -v unminimize)\"\n" : "");
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

// Some packages do not work without documentation, which NoExtract leaves out.
std::string prepare_pacman(const SystemSetup& setup) {
  return setup.habits.extracts_documentation ? "  sed -i '/^NoExtract/d' /etc/pacman.conf\n" : "";
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

// Defaults that most managers keep.
constexpr std::string_view kDefaults = R"sh(look() { :; }
begin() { :; }
certain() { :; }
broken() { :; }
clean() { :; }
locked= stale= failed=
)sh";

// dpkg-query -W gets no names, because it treats them as patterns. apt's update only warns if a site cannot
// be reached.
constexpr std::string_view kApt = R"sh(look() {
  there=" $(echo $(dpkg-query -W -f='${db:Status-Abbrev} ${Package} ${Package}:${Architecture} ${Provides}\n' \
    2>/dev/null | sed -n -e 's/ ([^)]*)//g' -e 's/,/ /g' -e 's/^.i *//p')) "
}
is_there() { case $there in *" ${1%%[=/]*} "*) ;; *) return 1 ;; esac; }
update() { apt-get update; }
unknown() {
  apt-get install --simulate -qq --no-install-recommends "$@" 2>&1 | sed -n \
    -e 's/^E: Unable to locate package //p' \
    -e "s/^E: Package '\(.*\)' has no installation candidate/\1/p" \
    -e "s/^E: Version '\(.*\)' for '\(.*\)' was not found/\2=\1/p" \
    -e "s/^E: Release '\(.*\)' for '\(.*\)' was not found/\2\/\1/p"
}
install() { DEBIAN_FRONTEND=noninteractive apt-get install -qqq --no-install-recommends --yes "$@"; }
clean() { apt-get clean; }
locked='Could not get lock|Unable to (lock|acquire)'
stale='^W: (Failed to fetch|Some index files failed)'
)sh";

// For dnf, yum and zypper. Names like pkgconfig(zlib) are provided by packages, and each package also
// provides its own name; files are provided without being listed, and groups are not packages. rpm counts a
// package as installed even if its last script fails.
constexpr std::string_view kRpm =
    R"sh(look() { there=" $(echo $(rpm -qa --queryformat '%{NAME} %{NAME}.%{ARCH} [%{PROVIDENAME} ]' 2>/dev/null)) "; }
is_there() {
  case $there in *" $1 "*) return 0 ;; esac
  case $1 in
    @*) [ -n "$done" ] ;;
    /*) rpm -q --whatprovides "$1" >/dev/null 2>&1 ;;
    *) return 1 ;;
  esac
}
broken() {
  names=$(sed -n -e 's/.*%post(\(.*\)) scriptlet failed.*/\1/p' -e 's/.*%posttrans(\(.*\)) scriptlet failed.*/\1/p' \
    "$notes")
  [ -n "$names" ] || return 0
  echo $names
  rpm -e --nodeps --noscripts $names >/dev/null 2>&1 || :
  names=$(rpm -q --whatprovides --queryformat '%{NAME}\n' $available 2>/dev/null | grep -v ' ' | sort -u)
  [ -z "$names" ] || rpm -e --nodeps --noscripts $names >/dev/null 2>&1 || :
}
)sh";

// Repositories that may be unreachable count only if a name is unknown, because it may be there.
// (skip_if_unavailable in the main section applies to all repositories.) CentOS releases past their end of
// life are only in its archive, and the mirror lists that they use are gone.
constexpr std::string_view kYum = R"sh(yum=$(command -v yum || echo dnf)
begin() {
  case $($yum --version 2>/dev/null) in
    [23].*) makecache() { $yum clean expire-cache && $yum makecache fast --setopt=exit_on_lock=1 "$@"; } ;;
    *) makecache() { $yum makecache --refresh --setopt=exit_on_lock=1 "$@"; } ;;
  esac
}
to_archive() {
  lists=$(grep -rl -e '^mirrorlist=.*mirrorlist\.centos\.org' /etc/yum.repos.d 2>/dev/null) || return 1
  echo 'The mirrors of this release of CentOS cannot be reached; trying its archive, vault.centos.org'
  sed -i -e 's/^mirrorlist=/#mirrorlist=/' \
    -e 's|^#* *baseurl=http://mirror\.centos\.org|baseurl=http://vault.centos.org|' $lists
}
update() {
  makecache --setopt=skip_if_unavailable=0 || { to_archive && makecache --setopt=skip_if_unavailable=0; }
}
unknown() {
  $yum install --assumeno --setopt=exit_on_lock=1 "$@" 2>&1 | sed -n -e 's/^No match for argument: //p' \
    -e 's/^No package \(.*\) available\.*$/\1/p' -e 's/^All matches were filtered out by .* for argument: //p' \
    -e "s/^Module or Group '\(.*\)' is not available\.*$/@\1/p"
}
certain() { makecache '--setopt=*.skip_if_unavailable=0'; }
install() { $yum install -y --setopt=exit_on_lock=1 "$@"; }
clean() { $yum clean all; }
locked='already locked by|holding the yum lock|btain .*lock'
)sh";

// 102 and 103 mean that something should be restarted, which does not run in a container; 107 means that
// scripts failed.
constexpr std::string_view kZypper = R"sh(update() { zypper --non-interactive refresh; }
unknown() {
  zypper --non-interactive --ignore-unknown install --dry-run --no-recommends "$@" 2>&1 | sed -n \
    -e "s/^No provider of '\(.*\)' found\.*$/\1/p" -e "s/^Package '\(.*\)' not found\.*$/\1/p"
}
install() {
  zypper --non-interactive install --no-confirm --auto-agree-with-licenses --no-recommends --details "$@" ||
    case $? in 102 | 103 | 107) ;; *) return $? ;; esac
}
clean() { zypper --non-interactive clean --all; }
locked='System management is locked'
)sh";

// Packages do not provide groups. -Sddp accepts everything that can be installed, and resolves nothing.
// pacman reports failed scripts without naming the package: it is the one that it named last. (After a
// transaction, hooks fail, which belong to no package.)
constexpr std::string_view kPacman = R"sh(is_there() {
  pacman -T "$1" >/dev/null 2>&1 || {
    set -- $(pacman -Sgq "$1" 2>/dev/null) && [ $# != 0 ] && pacman -T "$@" >/dev/null 2>&1
  }
}
update() { pacman -Sy; }
unknown() {
  pacman -Sddp --noconfirm --print-format %n "$@" 2>&1 | sed -n 's/^error: target not found: //p'
}
install() { pacman -Su --noconfirm "$@"; }
broken() {
  name= names=
  while read -r verb rest; do
    case "$verb $rest" in
      'installing '*... | 'upgrading '*... | 'reinstalling '*...) name=${rest%...} ;;
      *' post-transaction hooks'*) break ;;
      'error: command failed to execute correctly'*) [ -z "$name" ] || names="$names $name" ;;
    esac
  done < "$notes"
  [ -n "$names" ] || return 0
  echo $names
  pacman -Rddn --noconfirm --noscriptlet $(pacman -Qq $names $available 2>/dev/null | sort -u) >/dev/null 2>&1 || :
}
clean() { yes | pacman -Scc; }
locked='unable to lock database|could not lock database'
)sh";

// The manager itself comes first: an old one cannot read the current index of a rolling distribution. Names
// are looked up in the list of all packages; names that packages only provide are queried one by one. The
// list of repositories has -1 for one that cannot be read; for a missing folder there is no other sign.
constexpr std::string_view kXbps =
    R"sh(look() {
  there=" $(echo $(xbps-query -p provides -s '' 2>/dev/null |
    sed -n 's/^\(.*\)-[^-]*: *\([^ ]*\)-[^- ]*$/\2=\1/p')) "
}
state() { [ "$(xbps-query -p state "$1" 2>/dev/null)" = installed ]; }
is_there() {
  state "$1" && return
  case $there in *" $1="*) ;; *) return 1 ;; esac
  name=${there#*" $1="}
  state "${name%% *}"
}
update() {
  xbps-install -Sy || return
  xbps-query -L
  xbps-install -uy xbps && xbps-install -uy
}
unknown() {
  known=" $(echo $(xbps-query -Rs '' 2>/dev/null | sed -n 's/^\[.\] \([^ ]*\)-[^- ]* .*/\1/p')) "
  for package; do
    case $known in
      *" $package "*) ;;
      *) xbps-install --dry-run --yes "$package" 2>&1 | grep -q 'not found in repository pool' && echo "$package" ;;
    esac
  done
  :
}
install() { xbps-install --yes "$@"; }
clean() { rm -rf /var/cache/xbps; }
locked='[Ff]ailed to (acquire|lock)|[Cc]annot (acquire|lock)|pkgdb.*(locked|[Rr]esource temporarily)'
stale='^ERROR: (.reposync.|[Ff]ailed to (import pubkey|open repo|read repo))|^ *-1 '
)sh";

// apk marks packages whose script failed, or which it could not unpack, in its list (a line f: with s or f),
// but installs them. As long as there is such a package, every command of apk fails, so no package counts as
// installed.
constexpr std::string_view kApk = R"sh(look() {
  marked=$(echo $(sed -n -e '/^P:/h' -e '/^f:.*[fs]/{' -e x -e 's/^P://p' -e '}' /lib/apk/db/installed \
    /usr/lib/apk/db/installed 2>/dev/null | sort -u))
}
is_there() { [ -z "$marked" ] && apk info -e "$1" >/dev/null 2>&1; }
update() { apk update; }
unknown() {
  apk add --simulate "$@" 2>&1 | sed -n -e 's/^ *\(.*\) (no such package):$/\1/p' -e 's/^ *\(.*\) (missing):$/\1/p'
}
install() {
  apk add "$@" && return || set -- $?
  look
  [ -z "$marked" ] || echo "These packages have scripts that failed, or files that could not be installed: $marked"
  return "$1"
}
clean() { apk cache clean >/dev/null 2>&1 || :; }
locked='[Uu]nable to lock database'
stale='^ERROR: |^WARNING: |[1-9][0-9]* unavailable'
)sh";

// Portage's tree is part of the image. portageq answers for many atoms at once, with "ATOM:PACKAGE" each; for
// a tree or an ebuild that cannot be read, the answer is the same as for an unknown name. (The message for an
// invalid atom goes to another stream, and the line ends there.) A package whose last script dies is still
// merged.
constexpr std::string_view kEmerge =
    R"sh(look() { there=$(portageq mass_best_version / "$@" 2>/dev/null) || :; }
is_there() { printf '%s\n' "$there" | grep -F -e "$1:" | grep -q ':.*/'; }
update() { :; }
unknown() {
  portageq mass_best_visible / "$@" 2>&1 | sed -n -e 's/: *$//p' -e 's/:ERROR: Invalid atom.*//p'
}
certain() {
  for name in $(portageq get_repos /); do
    [ -s "$(portageq get_repo_path / "$name")/profiles/repo_name" ] || { echo "There is no tree of ebuilds: $name"; return 1; }
  done
  portageq mass_best_visible / $absent >/dev/null
}
broken() {
  names=$(sed -n 's/.*ERROR: \([^ ]*\)::[^ ]* failed (postinst phase).*/\1/p' "$notes" | sort -u)
  [ -n "$names" ] || return 0
  echo $names
  for name in $names; do emerge --quiet --rage-clean "=$name" >/dev/null 2>&1 || :; done
}
install() { emerge -DNut --with-bdeps=y --complete-graph=y "$@"; }
clean() { rm -rf /var/cache/distfiles /usr/portage/distfiles; }
stale='depend phase|^!!! (Section|Invalid|Your current profile)'
)sh";

// Names are patterns for NAME-VERSION-ARCHITECTURE-BUILD, up to the version or into it: "gcc-[0-9]". The exit
// status is meaningless: the index is refreshed if there is a new one. Packages that could not be unpacked,
// for lack of space, are still in the list of installed packages. (Failed scripts are not reported.)
constexpr std::string_view kSlackpkg = R"sh(is_there() {
  ls /var/log/packages 2>/dev/null | grep -q -e "^$1-[^-]*-[^-]*-[^-]*\$" -e "^$1[^-]*-[^-]*-[^-]*\$"
}
update() { rm -f /var/lib/slackpkg/pkglist && yes | slackpkg update && [ -s /var/lib/slackpkg/pkglist ]; }
unknown() {
  for package; do
    grep -q -e " $package-[^- ]*-[^- ]*-[^- ]* " -e " $package[^- ]*-[^- ]*-[^- ]* " /var/lib/slackpkg/pkglist ||
      echo "$package"
  done
}
install() { slackpkg -batch=on -default_answer=y install "$@"; }
broken() {
  name= names=
  while read -r first second rest; do
    case "$first $second" in
      'Installing '*...) name=${second%...} ;;
      'tar: Exiting' | 'tar: Error') [ -z "$name" ] || names="$names $name" ;;
    esac
  done < "$notes"
  [ -n "$names" ] || return 0
  echo $names
  for name in $names; do rm -f "/var/log/packages/$name"; done
}
clean() { rm -rf /var/cache/packages; }
locked='Another instance of slackpkg'
failed='[Oo]ne or more errors occurred|Another instance of slackpkg|problem was encountered'
stale=$failed
)sh";

// Activation scripts of conda-forge's packages need bash, whatever /bin/sh is in the image. Installed
// packages are looked up as files (NAME-VERSION-BUILD.json), because conda takes a second per query; only a
// name with a condition, "scipy>=1.5", needs one. conda lists unknown names, without conditions, before it
// looks for compatible versions. If it knows all of them, its plan lists them in the same form.
constexpr std::string_view kConda = R"sh([ ! -x /bin/bash ] || ln -sf /bin/bash /bin/sh
CONDA_PLUGINS_AUTO_ACCEPT_TOS=yes
export CONDA_PLUGINS_AUTO_ACCEPT_TOS
is_there() {
  case $1 in
    *[!A-Za-z0-9_.-]*) conda install --offline --dry-run --quiet "$1" 2>/dev/null | grep -q 'already installed' ;;
    *) ls "${CONDA_PREFIX:-/opt/conda}/conda-meta" 2>/dev/null | grep -q "^$1-[^-]*-[^-]*\.json\$" ;;
  esac
}
update() { :; }
unknown() {
  unknown=" $(echo $(conda install --dry-run --no-deps --quiet --yes "$@" 2>&1 | sed -n \
    -e 's/^ *- nothing provides requested \([A-Za-z0-9_.-]*\).*/\1/p' \
    -e '/PackagesNotFound[A-Za-z]*Error/,/^Current channels/s/^ *- \([A-Za-z0-9_.-]*\).*/\1/p')) "
  for package; do
    case $unknown in *" ${package%%[!A-Za-z0-9_.-]*} "*) echo "$package" ;; esac
  done
}
install() { conda install --update-all --quiet --yes "$@"; }
clean() { conda info && conda list && conda clean --all --yes --quiet; }
)sh";

// The store is not cleaned: packages that the shell needs are garbage to nix while the shell does not run.
// nix waits for locks, and says so, by itself.
constexpr std::string_view kNix = R"sh(update() {
  nix-channel --add https://nixos.org/channels/nixpkgs-unstable nixpkgs && nix-channel --update
}
clean() { rm -rf "${HOME:-/root}/.cache/nix"; }
)sh";

// Listing all names takes nix as long as querying one.
constexpr std::string_view kNixByName = R"sh(is_there() { nix-env --query "$1" 2>/dev/null | grep -q .; }
unknown() {
  known=" $(echo $(nix-env --query --available 2>/dev/null | sed 's/-[^a-zA-Z].*//')) "
  for package; do
    case $known in
      *" $package "*) ;;
      *) nix-env --query --available "$package" 2>/dev/null | grep -q . || echo "$package" ;;
    esac
  done
}
install() { nix-env --install "$@"; }
)sh";

// The name of an attribute (perlPackages.JSON) does not determine the name of the installed package, so their
// paths are compared, ATTRIBUTE=PATH for all at once. Missing, removed and refused packages have no path.
constexpr std::string_view kNixByAttribute = R"sh(expression='
  let
    pkgs = import <nixpkgs> {};
    words = pattern: text: builtins.filter (word: builtins.isString word && word != "") (builtins.split pattern text);
    find = set: path:
      if path == [] then set
      else if builtins.isAttrs set && builtins.hasAttr (builtins.head path) set
      then find (builtins.getAttr (builtins.head path) set) (builtins.tail path)
      else {};
    out = name:
      let found = builtins.tryEval ((find pkgs (words "[.]" name)).outPath or "" + "");
      in if found.success then builtins.unsafeDiscardStringContext found.value else "";
  in builtins.concatStringsSep " " (map (name: name + "=" + out name) (words " +" (builtins.getEnv "names")))'
look() {
  paths=" $(names="$*" nix-instantiate --eval -E "$expression" 2>/dev/null | sed 's/"//g') "
  there=" $(echo $(nix-env --query --out-path --no-name 2>/dev/null | sed 's/;/ /g')) "
}
is_there() {
  case $paths in *" $1=/"*) ;; *) return 1 ;; esac
  path=${paths#*" $1="}
  path=${path%% *}
  case $there in *" $path "* | *"=$path "*) ;; *) return 1 ;; esac
}
unknown() {
  look "$@"
  for package; do case $paths in *" $package=/"*) ;; *) echo "$package" ;; esac; done
}
certain() { nix-instantiate --eval -E 'builtins.isAttrs (import <nixpkgs> {})'; }
install() { nix-env -f '<nixpkgs>' --install --attr "$@"; }
)sh";

constexpr PackageManager kAptManager = {.functions = kApt, .prepare = prepare_apt};
constexpr PackageManager kYumManager = {.functions = kRpm, .more = kYum};
constexpr PackageManager kZypperManager = {.functions = kRpm, .more = kZypper};
constexpr PackageManager kPacmanManager = {.functions = kPacman, .prepare = prepare_pacman};
constexpr PackageManager kXbpsManager = {.functions = kXbps};
constexpr PackageManager kApkManager = {.functions = kApk};
constexpr PackageManager kEmergeManager = {.functions = kEmerge};
constexpr PackageManager kSlackpkgManager = {.functions = kSlackpkg, .passes_over_unknown = true};
constexpr PackageManager kCondaManager = {.functions = kConda, .prepare = prepare_conda};
constexpr PackageManager kNixManagerByName = {.functions = kNix, .more = kNixByName};
constexpr PackageManager kNixManagerByAttribute = {.functions = kNix, .more = kNixByAttribute};

struct System {
  std::string_view name;  // the name, or its beginning
  const PackageManager& manager;
};

// Sorted.
constexpr System kSystems[] = {
    {"alpine", kApkManager},         {"arch", kPacmanManager},   {"centos", kYumManager},
    {"conda", kCondaManager},        {"debian", kAptManager},    {"fedora", kYumManager},
    {"gentoo", kEmergeManager},      {"linuxmint", kAptManager}, {"nix", kNixManagerByName},
    {"opensuse", kZypperManager},    {"raspbian", kAptManager},  {"redhat", kYumManager},
    {"slackware", kSlackpkgManager}, {"ubuntu", kAptManager},    {"void", kXbpsManager},
};

const System* find_system(const std::string& name) {
  auto found = std::find_if(std::begin(kSystems), std::end(kSystems),
                            [&](const System& system) { return name.starts_with(system.name); });
  return found == std::end(kSystems) ? nullptr : found;
}

}  // namespace

std::string PackageManager::definitions() const {
  return fmt::format("{}{}{}", kDefaults, functions, more);
}

std::vector<std::string> known_systems() {
  std::vector<std::string> names;
  for (const System& system : kSystems) names.emplace_back(system.name);
  return names;
}

void check_system(const std::string& system) {
  if (find_system(system) == nullptr)
    throw bad_input("", fmt::format("system \"{}\": its package manager is not known; known systems are {}",
                                    printable(system), join(known_systems(), ", ")));
}

const PackageManager& package_manager(const SystemSetup& setup) {
  check_system(setup.system);
  const PackageManager& usual = find_system(setup.system)->manager;
  return &usual == &kNixManagerByName && setup.habits.nix_attributes ? kNixManagerByAttribute : usual;
}

}  // namespace stagemake
