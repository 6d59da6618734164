# shellcheck shell=bash disable=SC2034,SC2154
# Shared by tools/quickstart and tools/check. Set `tool` to the name shown in messages before sourcing it.
#
# Both tools run as root or as a user who may use sudo. Only commands that need root run as root; build output always
# belongs to the owner of the sources.
set -euo pipefail

sources=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)
step=''
log=''
export LC_ALL=C.UTF-8

say() { printf '%s: %s\n' "$tool" "$*"; }
fail() {
  printf '%s: %s\n' "$tool" "$*" >&2
  step=
  exit 1
}

# begin TEXT [LOG]: starts a step whose output goes to LOG; `done_in` ends it.
begin() {
  step=$1
  log=${2:-}
  started=$SECONDS
  say "$step …"
}
done_in() {
  say "  done in $((SECONDS - started)) s${1:+, $1}"
  step=''
  log=''
}

# At any exit, names the step that failed and shows the end of its log.
say_where_it_ended() {
  status=$?
  remove_service_policy
  if [ "$status" != 0 ] && [ -n "$step" ]; then
    {
      echo
      say "FAILED in the step: $step"
      if [ -n "$log" ] && [ -s "$log" ]; then
        say "the end of $log:"
        tail -n 20 "$log" | sed 's/^/    /'
      fi
      say "it can be run again; what is done already is not done twice"
    } >&2
  fi
  exit "$status"
}
trap say_where_it_ended EXIT

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi
}
as_owner() {
  local uid gid
  read -r uid gid < <(stat -c '%u %g' "$sources")
  if [ "$(id -u)" = 0 ] && [ "$uid" != 0 ]; then
    setpriv --reuid "$uid" --regid "$gid" --clear-groups -- env HOME=/ "$@"
  else
    "$@"
  fi
}

# Sets `system` to "debian 12", "ubuntu 24.04", …
find_system() {
  local release=${STAGEMAKE_OS_RELEASE:-/etc/os-release}  # another one for tests
  [ -r "$release" ] || fail "this is made for Debian 12 and Ubuntu 24.04, and here is no $release"
  # shellcheck disable=SC1090
  system=$(. "$release" && echo "${ID:-} ${VERSION_ID:-}")
  case $system in
    "debian 12" | "ubuntu 24.04") ;;
    "debian 13" | "ubuntu 25."* | "ubuntu 26."*)
      say "made for Debian 12 and Ubuntu 24.04; $system is newer, and should do" ;;
    *)
      fail "made for Debian 12 and Ubuntu 24.04; this is ${system:-unknown}. Elsewhere, install what CMakeLists.txt" \
        "asks for (Boost from 1.81 on) and build with cmake." ;;
  esac
  [ "$(id -u)" = 0 ] || command -v sudo > /dev/null || fail "this needs root, or sudo, to install packages and run containers"
}

# Packages needed to build stagemake. Boost's Process v2 needs 1.81, which Debian 12 has beside its default, 1.74.
build_packages() {
  echo g++ cmake ninja-build make pkg-config libfmt-dev libtbb-dev nlohmann-json3-dev libcli11-dev libssl-dev \
    libarchive-dev libgit2-dev libtomlplusplus-dev libyaml-cpp-dev libcurl4-openssl-dev libctemplate-dev libisal-dev
  case $system in
    "debian 12") echo libboost1.81-dev libboost-filesystem1.81-dev ;;
    *) echo libboost-dev libboost-filesystem-dev ;;
  esac
}
# Packages needed to make a Debian base image.
image_packages() { echo buildah mmdebstrap ca-certificates debian-archive-keyring; }

is_installed() { dpkg-query -W -f='${Status}' "$1" 2> /dev/null | grep -q 'ok installed'; }

# Daemons in packages (docker, a registry) are for tests, which start their own: this prevents them from being started.
service_policy=${STAGEMAKE_SERVICE_POLICY:-/usr/sbin/policy-rc.d}
wrote_service_policy=
write_service_policy() {
  [ ! -e "$service_policy" ] || return 0
  wrote_service_policy=yes
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$service_policy" > /dev/null
  as_root chmod +x "$service_policy"
}
remove_service_policy() {
  [ -z "$wrote_service_policy" ] || as_root rm -f "$service_policy"
  wrote_service_policy=
}

# install_missing LOG PACKAGE…: never removes anything, and runs apt-get only if something is missing.
install_missing() {
  local apt_log=$1 package missing=()
  shift
  for package in "$@"; do is_installed "$package" || missing+=("$package"); done
  if [ ${#missing[@]} = 0 ]; then
    say "all packages needed are installed"
    return
  fi
  if [[ " ${missing[*]} " == *" libboost1.81-dev "* ]] && is_installed libboost1.74-dev; then
    fail "libboost1.74-dev is installed, and Debian does not let libboost1.81-dev, which" \
      "stagemake needs, stand beside it. If nothing of yours needs the older one:" \
      $'\n\n'"    apt-get remove libboost1.74-dev" $'\n\n'"and run this again."
  fi
  begin "installing ${#missing[@]} packages" "$apt_log"
  fold -s -w 76 <<< "${missing[*]}" | sed 's/^/    /'
  write_service_policy
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)
  as_root "${apt[@]}" update > "$log" 2>&1
  as_root "${apt[@]}" install --yes --no-remove --no-install-recommends "${missing[@]}" >> "$log" 2>&1
  remove_service_policy
  done_in
}

# compile FOLDER LOG CMAKE_OPTION…: configures a new folder with these options, then builds. On a terminal, ninja shows
# its progress; otherwise the output goes to the log. `target`, if set, names the target to build.
compile() {
  local folder=$1
  shift
  log=$1
  shift
  as_owner mkdir -p "$folder"
  if [ ! -f "$folder/CMakeCache.txt" ]; then
    as_owner cmake -G Ninja -S "$sources" -B "$folder" "$@" > "$log" 2>&1
  fi
  if [ -t 1 ]; then
    log=
    as_owner cmake --build "$folder" --parallel "$jobs" ${target:+--target "$target"}
  else
    as_owner cmake --build "$folder" --parallel "$jobs" ${target:+--target "$target"} > "$log" 2>&1
  fi
}

# Takes half the compile time of the default, -O2 -g. stagemake waits for containers, not for its own code.
quick_options=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O1\ -DNDEBUG -DSTAGEMAKE_TESTS=OFF)

# make_rootfs TAR LOG: a small Debian with the packages of minidist's `_prereq`, so that nothing is downloaded inside a
# container. Files that no package of minidist uses are left out, which halves the size: tests import, compress and push
# it again and again. The file appears only once it is complete.
make_rootfs() {
  as_root mmdebstrap --quiet --format=tar --variant=minbase --include=make,gcc,libc6-dev \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --customize-hook='cd "$1/usr" && rm -rf share/perl lib/*-linux-gnu/perl lib/gcc/*/*/lto1 bin/*-lto-dump* bin/*-gold bin/*-dwp \
      lib/*-linux-gnu/lib?san.* lib/*-linux-gnu/libubsan.* lib/gcc/*/*/lib*san.* lib/*-linux-gnu/*gprofng*' \
    bookworm "$1.part" > "$2" 2>&1 &&
    as_root chmod a+r "$1.part" &&
    as_root mv "$1.part" "$1"
}
