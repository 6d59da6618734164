#!/usr/bin/env bash
# The fragment as a guest: where it is included, what may be absent, and that other targets are not affected.
source "$(dirname "$0")/lib.sh"
target=ci-docker-debian-bookworm-minimal

promise "ordinary targets, the default goal and the match-anything rule are undisturbed"
check_ordinary() {
  run
  expect_said 'making all'
  run build
  expect_said 'making build'
  run gmp
  expect_said 'handed on: gmp'
  run -n build
  expect_said 'echo "making build"'
  expect_status 0
}
check_ordinary
run $target
expect_not_said 'handed on'

promise "so it is when the include stands first"
{
  echo 'include $(wildcard ci-docker.mk)'
  grep -v '^include' "$tree/Makefile"
} > "$work/first"
cp "$tree/Makefile" "$work/last"
cp "$work/first" "$tree/Makefile"
check_ordinary
run $target
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
expect_not_said 'handed on'

promise "and when it is included twice, with another .RECIPEPREFIX, in one shell, silent, and with every variable exported"
{
  printf '.RECIPEPREFIX = >\n.ONESHELL:\nSHELL = /bin/bash\n.SHELLFLAGS = -euc\nexport\n.SECONDEXPANSION:\n'
  cat "$work/last"
  grep '^include' "$work/last"
} | sed 's/^all: ; /all: ; true; /' > "$tree/Makefile"
run $target
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
expect_status 0
expect_not_said 'warning'
run ci-docker-help
expect_said 'make ci-docker-ENV '
expect_status 0
cp "$work/last" "$tree/Makefile"

promise "reading it runs no program"
run build
[ ! -e "$notes/asked" ] && [ -z "$(calls)" ] || broken "stagemake was called"
if command -v strace > /dev/null; then
  (cd "$tree" && strace -f -qq -e trace=execve -o "$work/trace" make -n build) > "$work/out" 2>&1
  # Only make itself; if strace may not trace, there is no line
  [ "$(grep -c execve "$work/trace")" -le 1 ] || broken "$(cat "$work/trace")"
fi

for flags in "-k TARGETS=p" --no-print-directory "-j2 -w"; do
  run $flags build
  [ ! -e "$notes/asked" ] || broken "with $flags, stagemake was called: $(cat "$notes/asked")"
done

promise "but where a shell asks for the rules, as for TAB, each name is a target"
offered=$'ci-docker-all-minimal\nci-docker-all-standard\nci-docker-debian-bookworm\nci-docker-debian-bookworm-minimal'
offered+=$'\nci-docker-fedora-39\nci-docker-fedora-39-standard'
for flags in "-npq __BASH_MAKE_COMPLETION__=1 .DEFAULT" "-nsp --no-print-directory --always-make" "-p build" "-q __BASH_MAKE_COMPLETION__=1 -p"; do
  run $flags
  rules=$(sed -n 's/^\(ci-docker-[^:%]*\): \.ci-docker\.always$/\1/p' "$work/stdout" | sort)
  [ "$rules" = "$offered" ] || broken "with $flags: $rules"
  [ "$(calls)" = '' ] || broken "something was built: $(calls)"
done
promise "and what they do is the same"
run -p $target ci-docker-all-minimal-configured
expect_calls $'[build][--stop-at-failure][debian-bookworm-minimal]\n[build][--stop-at-failure][all-minimal][--to][configured]'
promise "a tree that cannot be read offers nothing, and says nothing"
mkdir "$work/aside"
mv "$notes"/envs* "$work/aside/"
run -npq __BASH_MAKE_COMPLETION__=1 .DEFAULT
expect_not_said 'no distribution'
expect_not_said '***'
mv "$work/aside"/* "$notes/"

promise "without the file, as in a container, nothing is missed, and nothing tries to make it"
mv "$tree/ci-docker.mk" "$work/"
check_ordinary
expect_not_said 'ci-docker.mk'
mv "$work/ci-docker.mk" "$tree/"

promise "without stagemake, ordinary targets work, and the others say what is missing and how to get it"
rm "$work/bin/stagemake"
check_ordinary
for goal in $target $target-configured ci-docker-list ci-docker-plan-debian-bookworm-minimal ci-docker-shell-debian-bookworm-minimal; do
  run $goal STAGEMAKE=stagemake-that-is-not-there
  expect_status 2
  expect_said 'ci-docker: there is no stagemake-that-is-not-there in PATH'
  expect_said 'tools/quickstart'
  expect_said "make $goal STAGEMAKE=/path/to/stagemake"
  expect_not_said 'not found'
  expect_not_said 'No such file'
done
run ci-docker-help
expect_status 0
run -npq __BASH_MAKE_COMPLETION__=1 .DEFAULT STAGEMAKE=stagemake-that-is-not-there
expect_said 'ci-docker-list:'
expect_not_said 'not found'
promise "-k goes on with ordinary targets after that"
run -k $target build STAGEMAKE=stagemake-that-is-not-there
expect_said 'making build'

promise "STAGEMAKE may name the program, blanks and all"
mkdir "$work/a folder"
printf '#!/bin/sh\ncase $1 in stages) echo configured ;; *) echo "it is $*" ;; esac\n' > "$work/a folder/stagemake"
chmod +x "$work/a folder/stagemake"
run $target-configured STAGEMAKE="$work/a folder/stagemake"
expect_said 'it is build --stop-at-failure debian-bookworm-minimal --to configured'

promise "make before 4.0 is told so, but only for these targets"
for version in 3.81 3.82; do
  run MAKE_VERSION=$version $target
  expect_status 2
  expect_said "need GNU make 4.0 or later, and this is $version"
  run MAKE_VERSION=$version build
  expect_said 'making build'
done
run MAKE_VERSION=4.0 ci-docker-help
expect_status 0
