#!/bin/bash
# What an environment's name means: stagemake compared with tox, in the same run.
#
# Usage: environments.sh [TREE]. Needs STAGEMAKE_BINARY and ENVIRONMENTS_BENCH (the program of environments_bench.cc). The
# default tree is Sage 9.8 in ../shared/corpus with its factor table as tox.ini, else tests/minidist. tox answers the same
# question with `--showconfig -e NAME` (tox 3) or `config -e NAME` (tox 4); it is left out if it is not installed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
: "${STAGEMAKE_BINARY:?}" "${ENVIRONMENTS_BENCH:?}"
rounds=${ROUNDS:-20}
work=$(mktemp -d "${TMPDIR:-/tmp}/stagemake-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
source "$here/timing.sh"

corpus=$here/../../shared/corpus/sage-9.8.rc0
if [ $# -gt 0 ]; then
  tree=$1
elif [ -d "$corpus" ]; then
  tree=$work/sage-9.8.rc0
  cp -r "$corpus" "$tree"
  cp "$corpus/tox-setenv.ini" "$tree/tox.ini"
else
  tree=$here/../tests/minidist
fi
name=$(sed -n 's/.*\(docker-debian-[a-z0-9-]*\).*/\1/p' "$tree/tox.ini" | head -n 1)
name=${name:-docker-debian-bookworm-minimal}
name=${name%-}

# cpu COMMAND…: sets $cpu to the processor time of one run and its children, in milliseconds.
cpu() {
  local times
  times=$( { TIMEFORMAT='%U %S'; time "$@" > /dev/null 2>&1; } 2>&1)
  cpu=$(awk '{ printf "%.0f", 1000 * ($1 + $2) }' <<< "$times")
}

print_load
"$ENVIRONMENTS_BENCH" "$tree"
printf '\nwhole process, %s\n' "$name"
contender "stagemake env NAME --json" "$STAGEMAKE_BINARY" env "$name" --json --tree "$tree"
cpu "$STAGEMAKE_BINARY" env "$name" --json --tree "$tree"
note "processor time $cpu ms; aim: under 20 ms"
if command -v tox > /dev/null; then
  if tox --version | grep -q '^4'; then
    ask=(tox config -c "$tree/tox.ini" --workdir "$work/.tox" -e "$name" -k set_env)
  else
    ask=(tox --showconfig -c "$tree/tox.ini" --workdir "$work/.tox" -e "$name")
  fi
  contender "tox, the same environment" "${ask[@]}"
fi
measure "$rounds"
