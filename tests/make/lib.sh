# Shared by the scripts here: a distribution in a temporary folder that includes the fragment, a stagemake that only
# takes notes, and assertions.
#
# Usage: source lib.sh, then describe a promise and check it. A failed check is reported, and the script continues; it
# exits with 1 if any check failed.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fragment=$here/../../makefile-fragments/ci-docker.mk
work=$(mktemp -d "${TMPDIR:-/tmp}/stagemake-make.XXXXXX")
tree=$work/tree
notes=$work/notes
failures=0

# The make that runs ctest, and its callers, must not affect ours.
unset MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKEOVERRIDES MAKELEVEL MAKEFILES ${!STAGEMAKE_@} ${!DOCKER_@}
unset TARGETS TARGETS_PRE TARGETS_OPTIONAL SYSTEM NUMPROC BASE_IMAGE EXTRA_CONFIGURE_ARGS USE_MAKEFLAGS
unset ALL_EXTRA_SAGE_PACKAGES SAGE_PACKAGE_LIST_ARGS WITH_SYSTEM_SPKG IGNORE_MISSING_SYSTEM_PACKAGES BOOTSTRAP
export LC_ALL=C

finish() {
  status=$?
  rm -rf "$work"
  if [ "$failures" != 0 ]; then
    echo "$failures checks failed"
    exit 1
  fi
  exit "$status"
}
trap finish EXIT

# A stagemake that notes its arguments, one call per line, and its environment. Files in $notes control the rest:
# `status` (exit status), `behaviour` (shell text), and its answers: `stages`, `list`, `envs`, `envs--systems`, …
mkdir -p "$work/bin" "$notes"
cat > "$work/bin/stagemake" <<'FAKE'
#!/usr/bin/env bash
notes=$(dirname "$(dirname "$0")")/notes
case $1 in
  stages | envs | list)
    echo "$*" >> "$notes/asked"
    answer=$notes/$1
    case ${2:-} in --systems | --packages | --by-system) answer+=$2 ;; esac
    [ -f "$answer" ] || { echo "stagemake: this is no distribution's tree" >&2; exit 2; }
    exec cat "$answer" ;;
esac
line=
for word in "$@"; do line+="[$word]"; done
echo "$line" >> "$notes/calls"
env -0 > "$notes/environment"
[ ! -f "$notes/behaviour" ] || source "$notes/behaviour"
exit "$(cat "$notes/status" 2> /dev/null || echo 0)"
FAKE
chmod +x "$work/bin/stagemake"
export PATH=$work/bin:$PATH
printf '%s\n' with-system-packages bootstrapped configured pre with-targets-pre with-targets targets > "$notes/stages"
printf '%s\n' debian-bookworm-minimal fedora-39-standard > "$notes/envs"
printf '%s\n' debian-bookworm fedora-39 > "$notes/envs--systems"
printf '%s\n' minimal standard > "$notes/envs--packages"
printf 'debian-bookworm:\n  ci-docker-debian-bookworm-minimal\n' > "$notes/envs--by-system"
printf '%s\n' gmp zlib numpy > "$notes/list"

# The shape of Sage's Makefile, above all its match-anything rule.
mkdir -p "$tree/build/pkgs"
cp "$fragment" "$tree/"
cat > "$tree/Makefile" <<'MAKEFILE'
default: all
all: ; @echo "making all"
build: ; @echo "making build"
%:: ; @echo "handed on: $@"
include $(wildcard ci-docker.mk)
.PHONY: build
MAKEFILE

# run ARGUMENT…: runs make in the tree; sets $status, and writes $work/out (both streams) and $work/err.
run() {
  rm -f "$notes/calls" "$notes/environment" "$notes/asked"
  (cd "$tree" && exec make "$@") > "$work/stdout" 2> "$work/err" < /dev/null
  status=$?
  cat "$work/stdout" "$work/err" > "$work/out"
}

promise() { promised=$1; }
broken() {
  failures=$((failures + 1))
  printf 'FAILED: %s\n  %s\n' "$promised" "$*"
  sed 's/^/  | /' "$work/out"
}
calls() { cat "$notes/calls" 2> /dev/null; }
expect_calls() { [ "$(calls)" = "$1" ] || broken "called with: $(calls); not: $1"; }
expect_status() { [ "$status" = "$1" ] || broken "it ended with $status, not $1"; }
expect_said() { grep -qF -- "$1" "$work/out" || broken "not said: $1"; }
expect_not_said() { ! grep -qF -- "$1" "$work/out" || broken "said: $1"; }
# value NAME: the variable as stagemake saw it; empty if it saw none.
value() { while IFS= read -r -d '' entry; do [ "${entry%%=*}" != "$1" ] || printf '%s' "${entry#*=}"; done < "$notes/environment"; }
expect_value() { [ "$(value "$1")" = "$2" ] || broken "$1 is \"$(value "$1")\", not \"$2\""; }
expect_no_variable() { ! grep -qz "^$1=" "$notes/environment" || broken "$1 is in the environment: $(value "$1")"; }
