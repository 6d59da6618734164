#!/usr/bin/env bash
# Which variables stagemake sees, and with which values.
source "$(dirname "$0")/lib.sh"
target=ci-docker-debian-bookworm-minimal
odd=$'it\'s a "test": $HOME `id` $(false) \\ # %s\n two  lines'

promise "values of the command line arrive as they are, but that make wants \$\$ for \$"
run $target EXTRA_CONFIGURE_ARGS="--with='a b' CFLAGS=\"-O2  -g\" \$\$HOME #x" TARGETS='build ptest' NUMPROC=3
expect_value EXTRA_CONFIGURE_ARGS "--with='a b' CFLAGS=\"-O2  -g\" \$HOME #x"
expect_value TARGETS 'build ptest'
expect_value NUMPROC 3
run $target EXTRA_CONFIGURE_ARGS="${odd//\$/\$\$}"
expect_value EXTRA_CONFIGURE_ARGS "$odd"

promise "values of the environment arrive as they are"
names=(BASE_IMAGE TARGETS_PRE TARGETS TARGETS_OPTIONAL EXTRA_CONFIGURE_ARGS NUMPROC USE_MAKEFLAGS DOCKER_TARGETS
  DOCKER_TAG EXTRA_DOCKER_TAGS DOCKER_PUSH_REPOSITORY EXTRA_DOCKER_BUILD_ARGS EXTRA_SAGE_PACKAGES EXTRA_SYSTEM_PACKAGES
  FROM_DOCKER_REPOSITORY FROM_DOCKER_TARGET FROM_DOCKER_TAG STAGEMAKE_ENGINE STAGEMAKE_STATE)
for name in "${names[@]}"; do
  export "$name=$odd"
done
run $target
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
for name in "${names[@]}"; do
  expect_value "$name" "$odd"
  unset "$name"
done

promise "what tox.ini says of an environment, the command line changes, whatever the value"
run $target BASE_IMAGE="${odd//\$/\$\$}"
expect_calls "[build][--stop-at-failure][--set][BASE_IMAGE=$odd][debian-bookworm-minimal]"
expect_value BASE_IMAGE "$odd"
run $target-configured SYSTEM=debian ALL_EXTRA_SAGE_PACKAGES=_bootstrap BASE_IMAGE= TARGETS=x IGNORE_MISSING_SYSTEM_PACKAGES=yes
expect_calls '[build][--stop-at-failure][--set][ALL_EXTRA_SAGE_PACKAGES=_bootstrap][--set][IGNORE_MISSING_SYSTEM_PACKAGES=yes][--set][SYSTEM=debian][debian-bookworm-minimal][--to][configured]'
for command in explain plan; do
  run ci-docker-$command-debian-bookworm-minimal BOOTSTRAP="./bootstrap -d" SAGE_PACKAGE_LIST_ARGS=_prereq WITH_SYSTEM_SPKG=no
  expect_calls "[$command][--set][BOOTSTRAP=./bootstrap -d][--set][SAGE_PACKAGE_LIST_ARGS=_prereq][--set][WITH_SYSTEM_SPKG=no][debian-bookworm-minimal]"
done
for command in shell clean; do
  run ci-docker-$command-debian-bookworm-minimal SYSTEM=fedora
  expect_calls "[$command][debian-bookworm-minimal]"
done
promise "so it is in a make that a recipe calls"
printf 'outer: ; $(MAKE) %s\n' $target >> "$tree/Makefile"
run outer SYSTEM=fedora
expect_calls '[build][--stop-at-failure][--set][SYSTEM=fedora][debian-bookworm-minimal]'
promise "the environment's value, also under make -e, is weaker than tox.ini"
SYSTEM=fedora run $target
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
expect_value SYSTEM fedora
SYSTEM=fedora run -e $target
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'

promise "variables of the distribution's own are not meant, exported or not"
cp "$tree/Makefile" "$work/Makefile"
printf 'export TARGETS = install\nSYSTEM := Linux\nexport FROM_DOCKER_TAG = x\nexport\n' >> "$tree/Makefile"
run $target
for name in TARGETS SYSTEM FROM_DOCKER_TAG; do expect_no_variable $name; done
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
promise "the command line is stronger than the distribution's own"
run $target TARGETS=build
expect_value TARGETS build
expect_no_variable SYSTEM
promise "make -e makes the environment stronger, too"
TARGETS=build run -e $target
expect_value TARGETS build

promise "under a plain export nothing of the fragment is in the environment"
run all
expect_said 'making all'
expect_status 0
printf 'show: ; @env\n' >> "$tree/Makefile"
run show
! grep '^ci.docker' "$work/out" || broken "a variable of the fragment is there"
cp "$work/Makefile" "$tree/Makefile"

promise "the fragment exports nothing to other targets that was not there"
printf 'show: ; @env\n' >> "$tree/Makefile"
run show
expect_not_said 'STAGEMAKE'
promise "STAGEMAKE_ENGINE and STAGEMAKE_STATE may stand in the Makefile"
printf "STAGEMAKE_ENGINE = buildah\nSTAGEMAKE_STATE = it's here\n" >> "$tree/Makefile"
run $target
expect_value STAGEMAKE_ENGINE buildah
expect_value STAGEMAKE_STATE "it's here"
cp "$work/Makefile" "$tree/Makefile"

promise "STAGEMAKE_FLAGS are shell words for build; STAGEMAKE_STAGES goes wherever stages are read"
run $target-configured STAGEMAKE_FLAGS="--color never --extra-tag 'a b'"
expect_calls '[build][--stop-at-failure][--color][never][--extra-tag][a b][debian-bookworm-minimal][--to][configured]'
run ci-docker-plan-debian-bookworm-minimal STAGEMAKE_STAGES="my stages.toml" STAGEMAKE_FLAGS=--fresh
expect_calls '[plan][--stages][my stages.toml][debian-bookworm-minimal]'
[ "$(cat "$notes/asked")" = 'stages --stages my stages.toml' ] || broken "asked for: $(cat "$notes/asked")"

promise "an odd name reaches stagemake as one word, and no shell"
run "ci-docker-it's\$\$(touch $work/pwned);x"
[ ! -e "$work/pwned" ] || broken "the shell ran a part of the name"
run "ci-docker-it's;a-\`b\`"
expect_calls "[build][--stop-at-failure][it's;a-\`b\`]"
