#!/usr/bin/env bash
# The fragment with the real stagemake, as far as no container is needed.
source "$(dirname "$0")/lib.sh"
[ -x "${1:-}" ] || { echo "usage: $0 STAGEMAKE"; exit 2; }
stagemake=$1
tree=$work/minidist
cp -a "$here/../minidist" "$tree"
export STAGEMAKE_STATE=$work/state

promise "minidist's Makefile has the line"
run ci-docker-list STAGEMAKE="$stagemake"
expect_not_said 'minimal'
cp "$fragment" "$tree/"
run ci-docker-list STAGEMAKE="$stagemake"
expect_status 0
expect_said '  ci-docker-debian-bookworm-minimal'
awk 'length > 80 { exit 1 }' "$work/stdout" || broken "a line is too long"

promise "a system means its three package sets, a group every system; with a stage or without"
if "$stagemake" doctor > /dev/null 2>&1; then  # what a dry run says depends on the images there are
  run -n ci-docker-debian-bookworm STAGEMAKE="$stagemake"
  expect_status 0
  for packages in minimal standard maximal; do expect_said "debian-bookworm-$packages with"; done
  expect_not_said 'fedora-39'
  run -n ci-docker-all-minimal-configured STAGEMAKE="$stagemake"
  expect_status 0
  for system in debian-bookworm fedora-39; do expect_said "$system-minimal with"; done
  expect_not_said 'bookworm-standard'
fi

promise "what a shell is offered is what can be built"
run -npq __BASH_MAKE_COMPLETION__=1 .DEFAULT STAGEMAKE="$stagemake"
for name in debian-bookworm-maximal fedora-39 all-standard; do expect_said "ci-docker-$name: .ci-docker.always"; done

promise "the command line is stronger than tox.ini, which is stronger than the environment"
run ci-docker-plan-debian-bookworm-minimal STAGEMAKE="$stagemake" BASE_IMAGE="my/base:1"
expect_said 'from my/base:1'
BASE_IMAGE="my/base:2" run ci-docker-plan-debian-bookworm-minimal STAGEMAKE="$stagemake"
expect_said 'from debian:bookworm'

promise "the stages of the names are those of the tool"
run ci-docker-plan-debian-bookworm-minimal STAGEMAKE="$stagemake"
expect_status 0
expect_said 'with-targets-pre  (after with-base-toolchain)'
run ci-docker-clean-debian-bookworm-minimal-with-targets-pre STAGEMAKE="$stagemake"
expect_said 'make ci-docker-clean-debian-bookworm-minimal'

promise "values reach the plan"
run ci-docker-plan-debian-bookworm-minimal STAGEMAKE="$stagemake" TARGETS_PRE=zlib BASE_IMAGE="my/base:1"
expect_said '  makes zlib'
expect_said 'from my/base:1'

promise "a bad tree, a bad value, an environment that is none: said by the tool, and make fails"
run ci-docker-plan-debian-bookworm-minimal STAGEMAKE="$stagemake" NUMPROC=many
expect_status 2
expect_said 'NUMPROC'
run ci-docker-debian-bokworm-minimal STAGEMAKE="$stagemake"
expect_status 2
expect_said 'no factor `bokworm` (did you mean bookworm?)'
run ci-docker-debian-bookworm-minimal-configurd STAGEMAKE="$stagemake"
expect_status 2
expect_said 'no factor `configurd`'
echo nonsense > "$tree/build/pkgs/zlib/type"
run ci-docker-debian-bookworm-minimal STAGEMAKE="$stagemake"
expect_status 2
expect_said 'build/pkgs/zlib/type:1:'
