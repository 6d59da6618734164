#!/usr/bin/env bash
# Ways to end a run: a container that outlives its driver, one ctrl-C, deadlines, packages that do not fit before a deadline,
# silence, two ctrl-C, and three. Each run ends in time, and the next one continues from there: nothing is built twice.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; }
log() { echo "$work"/state/*/logs/"$environment/$1.log"; }
slow() { echo "$1" > build/pkgs/slowpoke/seconds.txt; }
expect_said() { grep -q -- "$1" "$work/out" || fail "nothing is said of \"$1\""; }

# All packages that a run built, one per line, from the logs of its stages.
forget_logs() { rm -f "$work"/state/*/logs/*/*.log; }
built_all() {
  (cat "$work"/state/*/logs/*/*.log 2> /dev/null || true) | sed -n 's/^ *\[\(.*\)-[^-]*\] successfully installed\..*/\1/p' |
    (grep -v '^sagelib$' || true) | sort
}

# Starts a build in the background, and waits until slowpoke is being built.
start_until_slowpoke() {
  forget_logs
  # A background process of a script ignores SIGINT, and stagemake would leave it ignored.
  env --default-signal=INT "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" "$@" > "$work/out" 2>&1 &
  driver=$!
  wait_until in_log with-targets-pre 'slowpoke.*installing' || fail "slowpoke is not built: $(cat "$work/out")"
}

# expect_once: nothing that the previous run built ($work/first) was built again.
expect_once() {
  built_all | comm -12 - "$work/first" > "$work/twice"
  [ ! -s "$work/twice" ] || fail "built twice: $(xargs < "$work/twice")"
}

step "how fast this machine is: the times below are multiples of what some stages take"
began=$EPOCHREALTIME
build --to configured
scale=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { scale = int((b - a) / 12) + 1; print (scale > 6 ? 6 : scale) }')
echo "scale: $scale"

step "kill -9 of the driver while its container goes on: the next run awaits it, and both learn how long packages take"
learned=$((12 * scale)) # seconds of slowpoke
slow "$learned"
start_until_slowpoke
kill -KILL "$driver"
wait "$driver" 2> /dev/null || true
built_all > "$work/first"
forget_logs
build
expect_said "an earlier run died, and its container is still building with-targets-pre: waiting for it"
expect_once
# With buildah, a container without its driver dies when it prints.
if [ "$engine" = docker ] && built_all | has -x slowpoke; then fail "slowpoke is built again, which the container had built"; fi
expect_no_container

step "ctrl-C: saved without waiting for the package"
set_version slowpoke 2.0
set_version readline 9.0
slow 1000
start_until_slowpoke
kill -INT "$driver"
ended 130
slow "$learned"
expect_said "the work so far is kept"
expect_no_container

step "a deadline: a package whose learned time does not fit is not begun, others are, and one of them is not done by then"
sleeping=build/pkgs/cliquer/spkg-install.in
cp "$sleeping" "$work/cliquer.good"
echo 'sleep 1000' >> "$sleeping"
set_version cliquer 5.0
forget_logs
# The time left when packages start, less at least 5 s for saving and a tenth for the grace period, is below $learned.
limit=$(((learned + 5) * 10 / 9 - 1))
began=$EPOCHREALTIME
expect 75 build --deadline "${limit}s"
took=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
echo "over after $took s of $limit s"
awk -v took="$took" -v limit="$limit" 'BEGIN { exit !(took <= limit) }' || fail "it took $took s"
grep 'slowpoke is not begun: the deadline is near, and it takes about [1-9][0-9]' "$(log with-targets-pre)" || fail "slowpoke is not refused"
grep -q 'cliquer.*installing' "$(log with-targets-pre)" || fail "cliquer was not begun"
expect_state with-targets-pre interrupted
expect_said "the deadline passed; the work so far is kept as .*with-targets-pre.*-failed"
tail -n 1 "$work/out" | grep 'of [0-9]* packages are done, .* remain (.*cliquer.*), about .*; the same command continues from here' ||
  fail "the last line does not say what remains"
built_all > "$work/first"
grep -qx python3 "$work/first" || fail "others are not built"
expect_no_container

step "the same command goes on; silence: the stage is stopped, and its processes stand in the log"
cp "$work/cliquer.good" "$sleeping"
slow 1000
forget_logs
expect 1 build --stall 4s
expect_once
expect_said "has been silent for 4.0 s: stopping it"
expect_said "it printed nothing for too long; the work so far is kept"
grep 'sleep 1000' "$(log with-targets-pre)" | grep -v sleeping || fail "the process tree does not show what slept"
built_all > "$work/first"
grep -qx cliquer "$work/first" || fail "cliquer is not built"
expect_no_container

step "ctrl-C twice, of a package that does not heed SIGTERM: it is killed before its grace of 5 s ends"
cp build/pkgs/slowpoke/spkg-install.in "$work/slowpoke.good"
# Nothing between make and it may heed the signal: when they end, make ends, and with make the container.
cp Makefile "$work/Makefile.good"
sed -i 's/build.bin.sage-logger/trap "" TERM; &/' Makefile
echo 'while :; do echo "tick $(date +%s.%N)"; sleep 0.1037; done' > build/pkgs/slowpoke/spkg-install.in
start_until_slowpoke
wait_until pgrep -fx 'sleep 0[.]1037' > "$work/ticking"
signalled=$EPOCHREALTIME
kill -INT "$driver"
sleep 0.5
kill -INT "$driver"
ended 130
sed -n 's/^ *tick //p' "$(log with-targets-pre)" | tail -n 1 |
  awk -v signalled="$signalled" '{ printf "killed after %.1f s\n", $1 - signalled; exit !($1 - signalled < 4.5) }' ||
  fail "it had all of its grace"
expect_once
expect_said "second signal: killing what runs and saving it as it is"
expect_said "the work so far is kept"
expect_no_container

step "three times: over at once, and the next run takes the container over and completes"
start_until_slowpoke
wait_until pgrep -fx 'sleep 0[.]1037' > "$work/ticking"
kill -INT "$driver"
sleep 0.1
kill -INT "$driver"
sleep 0.02
kill -INT "$driver"
ended 130
[ -n "$(containers)" ] || fail "no container is left to take over"
cp "$work/slowpoke.good" build/pkgs/slowpoke/spkg-install.in
cp "$work/Makefile.good" Makefile
slow 1
forget_logs
build
expect_said "an earlier run ended without saving its work in with-targets-pre; kept it as"
expect_once
built_all | has -x slowpoke || fail "slowpoke is not built"
expect_no_container

step "a fresh build that the deadline cuts off: the same command goes on where it ended, until it is finished"
slow $((20 * scale))
: > "$work/first"
status=
for limit in $((20 * scale)) $((40 * scale)) $((60 * scale)) $((120 * scale)); do
  forget_logs
  before=$status status=0
  "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --fresh --deadline "${limit}s" > "$work/out" 2>&1 || status=$?
  echo "--fresh --deadline ${limit}s ended with $status"
  [ -z "$before" ] || expect_said "continuing the fresh build that was begun"
  expect_once
  built_all | sort -u - "$work/first" > "$work/all"
  mv "$work/all" "$work/first"
  [ "$status" = 75 ] || break
  expect_said "; the same command continues from here"
done
[ "$before" = 75 ] || fail "the deadline has cut off nothing"
[ "$status" = 0 ] || fail "it never finishes: $(cat "$work/out")"
grep -qx slowpoke "$work/first" || fail "slowpoke is not built"
"$STAGEMAKE_BINARY" explain "$environment" --base-image "$base" --fresh | tee "$work/out"
expect_said "from the base image $base"
expect_no_container
echo "all well, in $SECONDS s"
