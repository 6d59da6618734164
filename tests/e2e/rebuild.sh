#!/usr/bin/env bash
# One stage again: built by --rebuild, looked into by `shell … -- COMMAND`, removed by `clean ENV STAGE`.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s\n' "$1"; }

build --to with-targets > "$work/first" 2>&1 || fail "$(cat "$work/first")"

step "a stage and those after it are built again, from the image of the stage before"
build --rebuild with-targets-pre
for stage in configured with-base-toolchain; do expect_state "$stage" reused; done
for stage in with-targets-pre with-targets; do expect_state "$stage" built; done
expect_no_container

step "a build without it has nothing to do"
build
for stage in with-base-toolchain with-targets-pre with-targets; do expect_state "$stage" reused; done

step "a command in a stage's image: its words and its status are its own"
expect 7 "$STAGEMAKE_BINARY" shell "$environment" with-targets -- sh -c 'echo "$0 and $# more"; exit 7' 'a b' 'c d' > "$work/out"
grep -qx 'a b and 1 more' "$work/out" || fail "it said: $(cat "$work/out")"
"$STAGEMAKE_BINARY" shell "$environment" -- test -e /sage/local > "$work/out" 2>&1 || fail "without a stage: $(cat "$work/out")"
expect_no_container

step "a stage is removed, with what is built on it and nothing else"
stagemake clean "$environment" with-targets-pre
"$STAGEMAKE_BINARY" snapshots "$environment" > "$work/out"
has with-base-toolchain < "$work/out" || fail "an earlier stage is gone: $(cat "$work/out")"
if has with-targets < "$work/out"; then fail "a later one stays: $(cat "$work/out")"; fi
expect 2 "$STAGEMAKE_BINARY" clean "$environment" with-tarets 2> "$work/out"
grep -q 'with-targets' "$work/out" || fail "no suggestion: $(cat "$work/out")"
echo "all well, in $SECONDS s"
