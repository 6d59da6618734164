#!/bin/bash
# The whole process: `stagemake packages build` on a tree, compared with make and ninja on the same graph, in the same run.
#
# Usage: peers.sh [TREE…], by default the trees of ../shared/corpus. Needs STAGEMAKE_BINARY (the command) and PLAN_BENCH
# (the program of plan_bench.cc, which writes the graph for both). stagemake reads thousands of small files to compute the
# graph; make and ninja read the finished graph. They are left out if they are not installed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
: "${STAGEMAKE_BINARY:?}" "${PLAN_BENCH:?}"
rounds=${ROUNDS:-20}
work=$(mktemp -d "${TMPDIR:-/tmp}/stagemake-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
source "$here/timing.sh"

# same_packages COMMAND…: the command must touch exactly the packages that stagemake lists.
same_packages() {
  "$@" | sed -n 's/^.*touch //p' | sort > "$work/touched"
  cmp -s "$work/touched" "$work/packages" || {
    echo "FAILED: \`$*\` does not build the packages that stagemake lists"
    diff "$work/touched" "$work/packages" | head
    exit 1
  }
}

bench() {
  local graph=$work/graph
  rm -rf "$graph"
  mkdir "$graph"
  "$PLAN_BENCH" --graph "$graph" "$1"
  "$STAGEMAKE_BINARY" packages build --tree "$1" | sort > "$work/packages"
  printf '%s: %s packages to build\n' "$(basename "$1")" "$(wc -l < "$work/packages")"
  contender "stagemake packages build" "$STAGEMAKE_BINARY" packages build --tree "$1"
  note "aim: under 30 ms"
  if command -v make > /dev/null; then
    same_packages make -n -C "$graph" --no-print-directory
    contender "make -n, nothing built yet" make -n -C "$graph"
  fi
  if command -v ninja > /dev/null; then
    same_packages ninja -v -n -C "$graph"
    contender "ninja -n, nothing built yet" ninja -n -C "$graph"
    cp -r "$graph" "$graph-built"
    ninja -C "$graph-built" > /dev/null
    contender "ninja, nothing to do" ninja -C "$graph-built"
    command -v make > /dev/null && contender "make -n, nothing to do" make -n -C "$graph-built"
  fi
  measure "$rounds"
  rm -rf "$graph-built"
}

print_load
if [ $# = 0 ]; then
  for tree in "$here"/../../shared/corpus/*/; do
    [ -d "$tree/build/pkgs" ] && set -- "$@" "${tree%/}"
  done
  [ $# != 0 ] || set -- "$here/../tests/minidist"
fi
for tree in "$@"; do bench "$tree"; done
