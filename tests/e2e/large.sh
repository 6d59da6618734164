#!/usr/bin/env bash
# A source file of more than 2 GiB, such as the tarballs of Sage's `huge` packages: planned in little memory, copied into a
# container unchanged, and read from an image again.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; }
free=$(df --output=avail -k "$work" | tail -n 1)
[ "$free" -gt 12000000 ] || skip "there are no 12 GB free in $work"

step "plan: its memory is bounded, whatever the size of the sources"
large=build/pkgs/cliquer/large.tar
truncate -s 2200M "$large"
echo end >> "$large"
(ulimit -v 1000000 && "$STAGEMAKE_BINARY" plan "$environment" --json) > "$work/plan"
grep -q '"key"' "$work/plan" || fail "no plan: $(head -c 500 "$work/plan")"

# Gigabytes through an engine take minutes on a busy machine: run this by hand.
[ "${STAGEMAKE_TEST_LARGE:-0}" = 1 ] || { echo "all well, in $SECONDS s; STAGEMAKE_TEST_LARGE=1 builds it, too" && exit 0; }

step "build: the file in the container is the file outside"
(ulimit -v 4000000 && "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --to bootstrapped)
echo "wc -c < /sage/$large; tail -c 4 /sage/$large;" |
  "$STAGEMAKE_BINARY" shell "$environment" bootstrapped > "$work/out"
[ "$(head -n 1 "$work/out")" = "$(stat -c %s "$large")" ] || fail "another size: $(cat "$work/out")"
grep -qx end "$work/out" || fail "another end: $(cat "$work/out")"
expect_no_container

step "again: nothing to do, and nothing is read"
build --to bootstrapped
expect_state bootstrapped reused
echo "all well, in $SECONDS s"
