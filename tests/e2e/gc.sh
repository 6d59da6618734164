#!/usr/bin/env bash
# Making room: superseded images go, needed ones stay, and stagemake remembers what it removed.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s\n' "$1"; }
images() { "$STAGEMAKE_BINARY" snapshots --json | grep '"image":' | sort; }
count() { images | grep -c . || true; }
expect_count() { [ "$(count)" = "$1" ] || fail "there are $(count) images, not $1: $("$STAGEMAKE_BINARY" snapshots)"; }
evictions() { cat "$work"/state/*/journal 2> /dev/null | grep -c '"kind":"eviction"' || true; }

to=with-base-toolchain # the fourth stage, and the first that makes packages

step "three clean builds of other sources: the second one's images lose their names to the third"
build --to $to --tag one
echo '# one more comment' >> configure.ac
build --to $to --tag two --fresh
echo '# and another' >> configure.ac
build --to $to --tag two --fresh
expect_count 12

step "a dry run says what it would do, and touches nothing"
images > "$work/before"
stagemake gc --dry-run
[ "$(grep -c '^would remove .*superseded' "$work/out")" = 4 ] || fail "not the four superseded images"
grep -q "^would keep .*-$to:two: the newest complete image of" "$work/out" || fail "nothing is said of what stays"
images | cmp - "$work/before" || fail "the dry run changed something"
[ "$(evictions)" = 0 ] || fail "the dry run is in the journal"

step "an environment that another driver works on is skipped"
lock=$(echo "$work"/state/*/locks/"$environment")
(flock 9 && exec sleep 60) 9>> "$lock" &
holder=$!
while flock -n "$lock" true; do sleep 0.1; done
stagemake gc --max-size 1k || true
kill "$holder"
wait "$holder" || true
grep -q "^skipped $environment: " "$work/out" || fail "nothing is said of the lock"
images | cmp - "$work/before" || fail "something was removed"

step "what is superseded goes, and nothing else"
stagemake gc
expect_count 8
[ "$(evictions)" = 4 ] || fail "$(evictions) evictions in the journal, not 4"
stagemake gc
grep -q '^nothing to remove' "$work/out" || fail "there is more to remove"

step "a limit that cannot be met: the newest images and what is left of a failed run stay"
find build/pkgs -name spkg-install.in | while read -r recipe; do echo 'exit 9' >> "$recipe"; done
expect 1 build --to $to --tag two
failed=$(sed -n 's/.*the work so far is kept as \([^ ]*\).*/\1/p' "$work/out" | tail -n 1)
[ -n "$failed" ] || fail "no image of the failed run is named"
expect 1 stagemake gc --max-size 1k
grep -q 'max-size 1.0 kB cannot be met' "$work/out" || fail "nothing is said of the limit"
"$STAGEMAKE_BINARY" snapshots | has "^$failed\$" || fail "$failed is gone"
"$STAGEMAKE_BINARY" snapshots | has ":one\$" && fail "older images are left"
[ "$(evictions)" -ge 8 ] || fail "$(evictions) evictions in the journal"
grep -q '"why":"gc (--max-size 1.0 kB): ' "$work"/state/*/journal || fail "the journal does not say why"

step "free space is known here, and answers for programs are JSON"
stagemake gc --min-free 1k --json
grep -q '"evicted": \[\]' "$work/out" || fail "something was removed"
expect 1 stagemake gc --min-free 900P
grep -q 'min-free 900.0 PB cannot be met' "$work/out" || fail "nothing is said of the limit"
expect 2 stagemake gc --max-size much

step "an environment of a mistyped name is said; one that has no images is not a mistake"
for command in snapshots "gc --dry-run" clean "clean --containers"; do
  # shellcheck disable=SC2086
  expect 2 stagemake $command debian-bookwrm-minimal
  grep -q 'bookwrm' "$work/out" || fail "$command: the name is not repeated"
  # shellcheck disable=SC2086
  stagemake $command debian-bookworm-maximal
done

step "the next build finds what it needs"
find build/pkgs -name spkg-install.in | while read -r recipe; do sed -i '$d' "$recipe"; done
build --to $to --tag two
for stage in with-system-packages bootstrapped configured $to; do expect_state "$stage" reused; done
expect_no_container
echo "all well"
