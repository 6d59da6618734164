#!/bin/bash
# Checks which folders of driver/ include which, and that its files have no include cycles. Checks that each .cc file but main.cc
# has a header of its own name, and that no class has its members in several .cc files: that would be two classes.
#   check_layers.sh DRIVER   checks that folder: status 0, or 1 with every fault as "file:line: what"
#   check_layers.sh --self-test   checks that each kind of fault is found, in temporary folders
set -u
source "$(dirname "$0")/sources.sh"

# folder: folders that its files may include, besides itself. `.` is the top (main.cc).
declare -A may_include=(
  [base]=''
  [tree]='base'
  [environment]='base tree'
  [plan]='base tree environment'
  [snapshot]='base tree environment plan'
  [schedule]='base tree environment plan snapshot'
  [registry]='base'
  [engine]='base registry'
  [report]='base tree environment plan snapshot schedule'
  [run]='base tree environment plan snapshot schedule registry engine report'
  [emit]='base tree environment plan snapshot schedule'
  [cli]='base tree environment plan snapshot schedule registry engine report run emit'
  [.]='base tree environment plan snapshot schedule registry engine report run emit cli'
)

# All includes of the form #include "…", as lines "FILE LINE INCLUDED", with paths relative to the folder.
includes_of() {
  (cd "$1" && find . -name '*.h' -o -name '*.cc' | sed 's|^\./||' | LC_ALL=C sort |
    xargs -r awk '/^[ \t]*#[ \t]*include[ \t]*"/ { split($0, part, "\""); print FILENAME, FNR, part[2] }')
}

check() {
  local driver=$1 faults=0 file line included folder target
  if [ ! -d "$driver/base" ]; then
    echo "$driver: has no folder base: this is not the driver" >&2
    return 2
  fi
  local list
  list=$(includes_of "$driver")
  while read -r file line included; do
    [ -n "$file" ] || continue
    case $file in */*) folder=${file%%/*} ;; *) folder=. ;; esac
    case $included in */*) target=${included%%/*} ;; *) target=. ;; esac
    if [ -z "${may_include[$folder]+known}" ]; then
      echo "$file:$line: the folder $folder is in no table: tests/layers/check_layers.sh says what a folder may include"
      faults=1
    elif [ ! -f "$driver/$included" ]; then
      echo "$file:$line: \"$included\" is no file of the driver: includes are written from the driver's folder on"
      faults=1
    elif [ "$target" != "$folder" ] && [[ " ${may_include[$folder]} " != *" $target "* ]]; then
      echo "$file:$line: $folder may not include $target ($included)"
      faults=1
    fi
  done <<< "$list"
  local own
  own=$(awk 'NF == 3 && $1 == $3 { print $1 ":" $2 ": includes itself" }' <<< "$list")
  if [ -n "$own" ]; then
    echo "$own"
    faults=1
  fi
  # tsort cannot order cycles. It lists the files of each cycle on standard error.
  local loops
  loops=$(echo "$list" | awk 'NF == 3 { print $1, $3 }' | LC_ALL=C tsort 2>&1 >/dev/null | sed 's/^tsort: //')
  if [ -n "$loops" ]; then
    echo 'files include each other in a circle:'
    echo "$loops" | grep -v '^-:' | sed 's/^/  /'
    faults=1
  fi
  (check_owners "$driver") || faults=1
  return $faults
}

check_owners() {
  local sources name files faults=0
  cd "$1" || return 2
  mapfile -t sources < <(find . -mindepth 2 -name '*.cc' | sed 's|^\./||' | LC_ALL=C sort)
  while read -r name; do
    echo "$name:1: has no header of its own name, ${name%.cc}.h"
    faults=1
  done < <(without_header "${sources[@]}")
  while read -r name files; do
    echo "${files%% *}:1: the members of $name are also in ${files#* }: make them two classes"
    faults=1
  done < <(spread_classes "${sources[@]}")
  return $faults
}

# One case: the expected message (empty: none), and a folder with the given files ("path:included CLASS::member()").
expect() {
  local said=$1 folder status out file part
  shift
  folder=$(mktemp -d) || exit 2
  mkdir -p "$folder/base"
  for file in "$@"; do
    mkdir -p "$folder/$(dirname "${file%%:*}")"
    for part in ${file#*:}; do
      case $part in
        *::*) printf 'std::map<int, int> %s {}\n' "$part" ;;
        *) printf '#include "%s"\n' "$part" ;;
      esac
    done > "$folder/${file%%:*}"
  done
  out=$(check "$folder")
  status=$?
  rm -rf "$folder"
  if [ -z "$said" ] && [ $status -eq 0 ] && [ -z "$out" ]; then return; fi
  if [ -n "$said" ] && [ $status -eq 1 ] && grep -qF -- "$said" <<< "$out"; then return; fi
  printf 'self-test: for %s\n  expected: %s\n  got (status %s): %s\n' "$*" "${said:-nothing}" "$status" "$out"
  failed=1
}

self_test() {
  failed=0
  expect '' 'base/a.h:' 'plan/b.h:base/a.h' 'plan/b.cc:plan/b.h base/a.h' 'main.cc:plan/b.h'
  expect '' 'base/a.h:' 'base/b.h:base/a.h' 'base/c.h:base/a.h base/b.h'
  expect 'base/a.h:1: base may not include plan (plan/b.h)' 'base/a.h:plan/b.h' 'plan/b.h:'
  expect 'plan/b.cc:2: plan may not include engine' 'base/a.h:' 'engine/e.h:' 'plan/b.cc:base/a.h engine/e.h'
  expect 'engine/e.h:1: engine may not include plan' 'plan/b.h:' 'engine/e.h:plan/b.h'
  expect 'report/r.h:1: report may not include run' 'run/x.h:' 'report/r.h:run/x.h'
  expect 'run/x.h:1: run may not include cli' 'cli/c.h:' 'run/x.h:cli/c.h'
  expect 'emit/x.h:1: emit may not include engine' 'engine/e.h:' 'emit/x.h:engine/e.h'
  expect 'new/x.h:1: the folder new is in no table' 'base/a.h:' 'new/x.h:base/a.h'
  expect 'plan/b.h:1: "c.h" is no file of the driver' 'plan/c.h:' 'plan/b.h:c.h'
  expect 'files include each other in a circle' 'base/a.h:base/b.h' 'base/b.h:base/c.h' 'base/c.h:base/a.h'
  expect 'base/b.h' 'base/a.h:base/b.h' 'base/b.h:base/a.h'
  expect 'base/a.h:1: includes itself' 'base/a.h:base/a.h'
  expect 'plan/b.cc:1: has no header of its own name, plan/b.h' 'base/b.h:' 'plan/b.cc:base/b.h'
  expect '' 'base/b.h:' 'base/b.cc:B::one() B::two() D::one()' 'base/c.h:' 'base/c.cc:C::one()'
  expect 'base/b.cc:1: the members of B are also in plan/c.cc' 'base/b.h:' 'base/b.cc:B::one()' 'plan/c.h:' \
    'plan/c.cc:B::two()'
  local out
  out=$(check /no/such/folder 2>&1)
  if [ $? -ne 2 ]; then echo "self-test: a folder that is not there was taken: $out"; failed=1; fi
  return $failed
}

case "${1-}" in
  --self-test) self_test ;;
  '') echo 'usage: check_layers.sh DRIVER | --self-test' >&2; exit 2 ;;
  *) check "$1" ;;
esac
