#!/bin/bash
# Checks which folder of driver/ includes which, and that no include cycle exists among its files.
#   check_layers.sh DRIVER   checks that folder: status 0, or 1 with every fault as "file:line: what"
#   check_layers.sh --self-test   checks that each kind of fault is found, in folders of its own
set -u

# folder: what its files may include, besides those of the folder itself. `.` is the top (main.cc).
declare -A may_include=(
  [base]=''
  [plan]='base'
  [engine]='base'
  [report]='base plan'
  [run]='base plan engine report'
  [emit]='base plan'
  [cli]='base plan engine report run emit'
  [.]='base plan engine report run emit cli'
)

# All includes of the form #include "…", as lines "FILE LINE INCLUDED", paths relative to the folder.
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
  # What tsort cannot order goes round in a circle. It names the files of each loop on standard error.
  local loops
  loops=$(echo "$list" | awk 'NF == 3 { print $1, $3 }' | LC_ALL=C tsort 2>&1 >/dev/null | sed 's/^tsort: //')
  if [ -n "$loops" ]; then
    echo 'files include each other in a circle:'
    echo "$loops" | grep -v '^-:' | sed 's/^/  /'
    faults=1
  fi
  return $faults
}

# One case: a folder with the given files ("path: included, included"), and what must be said of it; empty: nothing.
expect() {
  local said=$1 folder status out file part
  shift
  folder=$(mktemp -d) || exit 2
  mkdir -p "$folder/base"
  for file in "$@"; do
    mkdir -p "$folder/$(dirname "${file%%:*}")"
    for part in ${file#*:}; do printf '#include "%s"\n' "$part"; done > "$folder/${file%%:*}"
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
