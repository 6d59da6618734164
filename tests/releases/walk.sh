#!/usr/bin/env bash
# Reads every release in a repository, and prints a table of releases and commands with a verdict for each.
#
#     tests/releases/walk.sh REPOSITORY [PATTERN]…        for example: walk.sh ~/sage '9.*' '10.[4-8]'
#
# REPOSITORY: a clone of SageMath or passagemath, bare or not. A release is a tag X, or a commit titled "Updated SageMath
# version to X", as the release managers' script writes it. PATTERN: a shell pattern for X; by default, all releases
# except alpha, beta, candidate and development versions. STAGEMAKE_BINARY: the program to run.
#
# A cell is `ok`, `ok/N` with N warnings, `none` (tox lists no environment either), or `FAIL STATUS`; the output of the
# commands stays in $TMPDIR/stagemake-releases.
# No engine is used. The exit status is 1 if a cell is bad. A release takes about 15 seconds.
set -uo pipefail
[ $# -gt 0 ] || { sed -n '2,14s/^# \?//p' "$0"; exit 2; }
repository=$1
shift
binary=${STAGEMAKE_BINARY:-stagemake}
out=${TMPDIR:-/tmp}/stagemake-releases
git --git-dir "$repository" rev-parse > "$out.git" 2>&1 || repository=$repository/.git
git() { command git --git-dir "$repository" "$@"; }
git rev-parse > /dev/null || exit 2
rm -f "$out.git"
export STAGEMAKE_STATE=$out/state
unset BASE_IMAGE TARGETS TARGETS_PRE TARGETS_OPTIONAL NUMPROC EXTRA_CONFIGURE_ARGS

# "VERSION COMMIT" of each release, oldest first, with the first commit of a version.
releases() {
  {
    git log --all --reverse --date-order --format='%H %s' --grep='^Updated SageMath version to ' |
      sed -n 's/^\([0-9a-f]*\) Updated SageMath version to \([0-9][0-9a-z.]*\)$/\2 \1/p'
    git for-each-ref --format='%(refname:short) %(objectname)' refs/tags | grep '^[0-9]'
  } | sort -s -V -u -k 1,1
}

wanted() {
  [ $# -gt 1 ] || { [[ $1 =~ ^[0-9.]+$ ]]; return; }
  local name=$1 pattern
  shift
  for pattern; do
    # shellcheck disable=SC2053
    [[ $name == $pattern ]] && return
  done
  return 1
}

# The newest of a system's environments with the standard packages.
environment_of() {
  grep -E "^$1-[^-]*-standard$" "$there/envs" | sort -V | tail -n 1
}

# Whether tox itself lists environments for docker, by full name.
lists_docker() {
  (cd "$tree" && tox -l 2> /dev/null) | grep -qE '^docker-[a-z0-9_.-]*-standard$'
}

# Runs a command in the tree, and prints its verdict.
try() {
  local name=$1 status=0 warnings
  shift
  (cd "$tree" && timeout 120 "$binary" "$@") > "$there/$name" 2> "$there/$name.errors" || status=$?
  warnings=$(grep -ci 'warning' "$there/$name.errors")
  if [ "$status" != 0 ]; then
    printf 'FAIL %s' "$status"
  elif [ ! -s "$there/$name" ] && [ "$name" = envs ] && command -v tox > /dev/null && ! lists_docker; then
    printf 'none'
  elif [ ! -s "$there/$name" ]; then
    printf 'FAIL empty'
  elif [ "$warnings" != 0 ]; then
    printf 'ok/%s' "$warnings"
  else
    printf 'ok'
  fi
}

systems=(debian ubuntu fedora archlinux)
status=0
printf '%-14s' release packages envs list
for system in "${systems[@]}"; do printf '%-14s' "$system"; done
echo
while read -r release commit; do
  wanted "$release" "$@" || continue
  there=$out/$release
  tree=$there/tree
  rm -rf "$there"
  mkdir -p "$tree"
  # A partial clone may lack files; all others are checked out.
  GIT_INDEX_FILE=$there/index git --work-tree "$tree" read-tree "$commit"
  (cd "$tree" && GIT_INDEX_FILE=$there/index git --work-tree "$tree" checkout-index --all) 2> "$there/missing"
  grep -q docker "$tree/tox.ini" 2> /dev/null || { rm -rf "$there"; continue; }  # older than its containers
  row=$(printf '%-14s' "$release" "$(try packages packages --json build)" "$(try envs envs)" "$(try list list :standard:)")
  for system in "${systems[@]}"; do
    environment=$(environment_of "$system")
    [ -n "$environment" ] || { row+=$(printf '%-14s' -); continue; }
    cell=
    for command in plan env system-packages dockerfile; do
      verdict=$(try "$system-$command" "$command" "$environment")
      case $verdict in
        ok | ok/*) [ -n "$cell" ] || cell=$verdict ;;
        *) cell="$verdict $command" && break ;;
      esac
    done
    row+=$(printf '%-14s' "$cell")
  done
  echo "$row"
  case $row in *FAIL*) status=1 ;; esac
  rm -rf "$tree"
done < <(releases)
exit "$status"
