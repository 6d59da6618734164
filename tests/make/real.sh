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
expect_said 'ci-docker-debian-bookworm-minimal'

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
run ci-docker-debian STAGEMAKE="$stagemake"
expect_status 2
expect_said 'environment debian: '
echo nonsense > "$tree/build/pkgs/zlib/type"
run ci-docker-debian-bookworm-minimal STAGEMAKE="$stagemake"
expect_status 2
expect_said 'build/pkgs/zlib/type:1:'
