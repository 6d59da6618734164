# Shared by the end-to-end scripts: an engine of their own, a copy of minidist, and assertions.
#
# Usage: source lib.sh ENGINE, with ENGINE docker or buildah. Needs STAGEMAKE_BINARY (the command) and
# STAGEMAKE_TEST_ROOTFS (a tar file of a small Debian with make, gcc and libc6-dev). If the engine cannot work here, the
# script says why and exits with 77, which ctest shows as a skip; STAGEMAKE_DOCKER_MUST_WORK=1 and
# STAGEMAKE_BUILDAH_MUST_WORK=1 make that a failure. The scripts themselves call docker as $STAGEMAKE_TEST_DOCKER (default:
# /usr/bin/docker); STAGEMAKE_DOCKER would make the command call it, too.
set -euo pipefail

engine=${1:?usage: $0 docker|buildah}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/stagemake-e2e.XXXXXX")
base=stagemake-test-base:1
environment=debian-bookworm-minimal
dockerd_pid=
dockerd_pids=
registry_pid=
dockerd_options=${dockerd_options:-}  # more of them

skip() {
  must=STAGEMAKE_${engine^^}_MUST_WORK
  if [ "${!must:-0}" = 1 ]; then
    echo "FAILED: $1 ($must=1 forbids skipping)"
    exit 1
  fi
  echo "SKIPPED: $1"
  exit 77
}

clean_up() {
  status=$?
  set +e
  for daemon in $registry_pid $dockerd_pids; do
    kill "$daemon"
    wait "$daemon"
  done
  if [ "$status" != 0 ] && [ "$status" != 77 ]; then
    echo "--- the last commands' logs:"
    tail -n 20 "${STAGEMAKE_STATE:-$work/state}"/*/logs/*/*.log
    [ "$engine" != docker ] || tail -n 5 "$work"/dockerd*.log
  fi
  # Overlay mounts of a killed engine would make the removal fail.
  awk -v work="$work" 'index($2, work) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT

# quick_disk FOLDER: a separate file system for an engine's storage, if possible. It goes away as a whole at the end (on
# a busy disk, removing its files one by one takes half as long as a script), and the engine's syncs do not wait for the disk.
quick_disk() {
  mkdir -p "$1"
  if [ "$(id -u)" != 0 ] || mountpoint -q "$1"; then return 0; fi
  truncate -s 40G "$1.img"
  { PATH=$PATH:/usr/sbin mkfs.ext4 -q -m 0 -O ^has_journal "$1.img" &&
    mount -o loop,nobarrier,noinit_itable "$1.img" "$1"; } > "$work/probe" 2>&1 || rm -f "$1.img"
}

# start_docker [NAME]: starts a dockerd with its own folders, and sets DOCKER_HOST to it.
start_docker() {
  docker=$work/docker${1:-}
  export DOCKER_HOST=unix://$docker.sock STAGEMAKE_TEST_DOCKER=${STAGEMAKE_TEST_DOCKER:-/usr/bin/docker}
  command -v dockerd > /dev/null || [ -x /usr/sbin/dockerd ] || skip "there is no dockerd"
  [ "$(id -u)" = 0 ] || skip "dockerd needs root"
  quick_disk "$docker"
  PATH=$PATH:/usr/sbin dockerd --data-root "$docker" --exec-root "$docker-exec" -H "$DOCKER_HOST" \
    --pidfile "$docker.pid" --iptables=false --bridge=none $dockerd_options > "$work/dockerd${1:-}.log" 2>&1 &
  dockerd_pid=$!
  for _ in $(seq 500); do
    "$STAGEMAKE_TEST_DOCKER" info > /dev/null 2>&1 && dockerd_pids="$dockerd_pids $dockerd_pid" && return
    kill -0 "$dockerd_pid" 2> /dev/null || break
    sleep 0.2
  done
  skip "dockerd does not start here: $(tail -n 1 "$work/dockerd${1:-}.log")"
}

start_buildah() {
  command -v buildah > /dev/null || skip "there is no buildah"
  quick_disk "$work/storage"
  printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "${STAGEMAKE_TEST_STORAGE_DRIVER:-overlay}" \
    "$work/storage/graph" "$work/storage/run" > "$work/storage.conf"
  export CONTAINERS_STORAGE_CONF=$work/storage.conf XDG_CACHE_HOME=$work/cache
  buildah images > "$work/probe" 2>&1 || skip "buildah does not work here: $(tail -n 1 "$work/probe")"
}

# small_disk NAME SIZE FOLDER: mounts a file system of that size (as for truncate), in the file NAME, on FOLDER.
small_disk() {
  [ "$(id -u)" = 0 ] || skip "mounting needs root"
  truncate -s "$2" "$work/$1"
  PATH=$PATH:/usr/sbin mkfs.ext4 -q -m 0 "$work/$1"
  mkdir -p "$3"
  mount -o loop,nobarrier "$work/$1" "$3" 2> "$work/probe" || skip "no file system can be mounted here: $(tail -n 1 "$work/probe")"
}

import_base() {
  case $engine in
    docker) "$STAGEMAKE_TEST_DOCKER" import "$STAGEMAKE_TEST_ROOTFS" "$base" > /dev/null ;;
    buildah)
      container=$(buildah from scratch)
      if [ "$(id -u)" = 0 ]; then # several times faster than `add`
        tar -xpf "$STAGEMAKE_TEST_ROOTFS" --numeric-owner -C "$(buildah mount "$container")"
        buildah umount "$container" > /dev/null
      else
        buildah add -q "$container" "$STAGEMAKE_TEST_ROOTFS" / > /dev/null
      fi
      buildah commit -q --disable-compression --rm "$container" "localhost/$base" > /dev/null
      ;;
  esac
}

# make_image NAME SHELL_TEXT: the base image changed by a command.
make_image() {
  case $engine in
    docker)
      "$STAGEMAKE_TEST_DOCKER" run --name made --network host "$base" sh -c "$2"
      "$STAGEMAKE_TEST_DOCKER" commit made "$1" > /dev/null
      "$STAGEMAKE_TEST_DOCKER" rm made > /dev/null
      ;;
    buildah)
      buildah from --name made --pull-never "localhost/$base" > /dev/null
      buildah run --isolation chroot made -- sh -c "$2"
      buildah commit -q --disable-compression --rm made "localhost/$1" > /dev/null
      ;;
  esac
}

# Calls stagemake as a user would; its output goes to $work/out too.
stagemake() {
  "$STAGEMAKE_BINARY" "$@" 2>&1 | tee "$work/out"
  return "${PIPESTATUS[0]}"
}

# The tree's tox.ini says debian:bookworm, which no test machine has.
build() { stagemake build "$environment" --base-image "$base" "$@"; }
explain() { stagemake explain "$environment" --base-image "$base" "$@"; }

fail() {
  echo "FAILED: $*"
  exit 1
}

# COMMAND | has [OPTION]… PATTERN: like grep -q, but reads to the end. `grep -q` exits at the first match; a program that
# writes more then dies of the closed pipe, and with pipefail the match is lost.
has() { [ "$(grep -c "$@")" != 0 ]; }

# wait_until COMMAND…: repeats it until it succeeds; fails after five minutes. A slow machine is no failure.
wait_until() {
  for _ in $(seq 3000); do
    if "$@"; then return; fi
    sleep 0.1
  done
  echo "waited five minutes for: $*"
  return 1
}
# in_log STAGE PATTERN: the newest log of a stage has a line with it.
in_log() { grep -qs "$2" "$STAGEMAKE_STATE"/*/logs/"$environment/$1.log"; }
# exited: the background process $driver has ended.
exited() { ! kill -0 "$driver" 2> /dev/null; }
# ended STATUS: $driver must exit with that status. What it must not wait for is set to take longer than wait_until.
ended() {
  local before=$EPOCHREALTIME status=0
  wait_until exited || fail "the driver does not end"
  wait "$driver" || status=$?
  awk -v a="$before" -v b="$EPOCHREALTIME" -v status="$status" 'BEGIN { printf "status %s after %.1f s\n", status, b - a }'
  [ "$status" = "$1" ] || fail "status $status, not $1"
}

# expect STATUS COMMAND…: the command must exit with that status.
expect() {
  wanted=$1
  shift
  set +e
  "$@"
  got=$?
  set -e
  [ "$got" = "$wanted" ] || fail "\`$*\` ended with $got, not $wanted"
}

# state STAGE [ENVIRONMENT]: the state of a stage in the last table.
state() { awk -v e="${2:-$environment}" -v s="$1" '$1 == e && $2 == s && NF > 2 { print $3 }' "$work/out" | tail -n 1; }
expect_state() { [ "$(state "$1" "${3:-$environment}")" = "$2" ] || fail "$1 is $(state "$1" "${3:-$environment}"), not $2"; }

# The packages that the last run of the stages built, sorted, on one line; the FORCEd sagelib is left out.
built_in() {
  for stage in "$@"; do
    sed -n 's/^ *\[\(.*\)-[^-]*\] successfully installed\..*/\1/p' "$STAGEMAKE_STATE"/*/logs/"$environment/$stage.log"
  done | grep -v '^sagelib$' | sort | tr '\n' ' '
}
expect_built() {
  wanted=$1
  shift
  [ "$(built_in "$@")" = "$wanted" ] || fail "built in $*: \"$(built_in "$@")\", not \"$wanted\""
}

containers() {
  case $engine in
    docker) "$STAGEMAKE_TEST_DOCKER" ps --all --quiet ;;
    buildah) buildah containers --quiet ;;
  esac
}
has_container() { [ -n "$(containers)" ]; }
expect_no_container() { [ -z "$(containers)" ] || fail "containers are left: $(containers)"; }

# Sets the version of a package of the copy.
set_version() { echo "$2" > "$tree/build/pkgs/$1/package-version.txt"; }

[ -x "${STAGEMAKE_BINARY:?}" ] || fail "no stagemake at $STAGEMAKE_BINARY"
[ -r "${STAGEMAKE_TEST_ROOTFS:-}" ] || skip "STAGEMAKE_TEST_ROOTFS names no file: tools/check makes one"
export STAGEMAKE_ENGINE=$engine STAGEMAKE_STATE=$work/state NUMPROC=2
unset BASE_IMAGE TARGETS TARGETS_PRE TARGETS_OPTIONAL
unset DOCKER_TARGETS DOCKER_PUSH_REPOSITORY EXTRA_DOCKER_TAGS EXTRA_DOCKER_BUILD_ARGS STAGEMAKE_NETWORK
export DOCKER_TAG=latest # the copies of minidist are no git checkouts, and nothing is pushed under a tag that nobody chose
tree=$work/minidist
cp -a "$here/../minidist" "$tree"
cd "$tree"
# A script may define steps to run before its engine starts.
if declare -F before_engine > /dev/null; then before_engine; fi
"start_$engine"
import_base
