#!/usr/bin/env bash
# Flags of make, several targets, signals, other folders.
source "$(dirname "$0")/lib.sh"
target=ci-docker-debian-bookworm-minimal

promise "-n calls stagemake, for a dry run; -t and -q do no more"
for flags in -n --dry-run -nj2 "-n -j2 TARGETS=x" -t -q; do
  run $flags $target
  expect_calls '[build][--dry-run][--stop-at-failure][debian-bookworm-minimal]'
done
run -n ci-docker-clean-debian-bookworm-minimal ci-docker-shell-debian-bookworm-minimal-configured
expect_calls $'[clean][--dry-run][debian-bookworm-minimal]\n[shell][--dry-run][debian-bookworm-minimal][configured]'

promise "-k goes on, -s is quiet, together and with arguments around them"
run -k $target
expect_calls '[build][--keep-going][debian-bookworm-minimal]'
run -s $target
expect_calls '[build][--quiet][--stop-at-failure][debian-bookworm-minimal]'
expect_not_said 'stagemake build'
run -ks -j2 NUMPROC=3 $target
expect_calls '[build][--quiet][--keep-going][debian-bookworm-minimal]'
run -nks $target
expect_calls '[build][--dry-run][--quiet][--keep-going][debian-bookworm-minimal]'

promise "letters of long flags, of values and of job counts are no flags"
for flags in --no-print-directory "-j2 --no-print-directory" "TARGETS=-nks" "-I/nks -j2" "--output-sync=target -j2" "-w"; do
  run $flags $target
  expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
done
MAKEFLAGS=--no-print-directory run $target
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
MAKEFLAGS=k run $target
expect_calls '[build][--keep-going][debian-bookworm-minimal]'

promise "without -k a second target is not begun after a failure, with -k it is"
echo 1 > "$notes/status"
run ci-docker-a-minimal ci-docker-b-minimal
expect_calls '[build][--stop-at-failure][a-minimal]'
run -k ci-docker-a-minimal ci-docker-b-minimal
expect_calls $'[build][--keep-going][a-minimal]\n[build][--keep-going][b-minimal]'
expect_status 2
rm "$notes/status"

promise "-j2 runs two environments at once"
cat > "$notes/behaviour" <<'TEXT'
touch "$notes/here-${*: -1}"
for _ in {1..50}; do [ "$(ls "$notes" | grep -c '^here-')" = 2 ] && exit 0; sleep 0.1; done
exit 9
TEXT
run -j2 ci-docker-a-minimal ci-docker-b-minimal
expect_status 0
rm "$notes"/here-* "$notes/behaviour"

promise "a signal to make reaches stagemake itself, and make waits for it"
cat > "$notes/behaviour" <<'TEXT'
trap 'sleep 0.3; echo "saved" > "$notes/saved"; exit 143' TERM
touch "$notes/started"
for _ in {1..100}; do sleep 0.1; done
TEXT
(cd "$tree" && exec make $target) > "$work/out" 2>&1 &
make_pid=$!
for _ in {1..50}; do [ -f "$notes/started" ] && break; sleep 0.1; done
kill -TERM "$make_pid"
wait "$make_pid"
status=$?
[ -f "$notes/saved" ] || broken "stagemake was not told, or not waited for"
[ "$status" != 0 ] || broken "make ended with 0"
rm -f "$notes/behaviour" "$notes/started" "$notes/saved"

promise "a file named like a target changes nothing"
touch "$tree/$target"
run $target
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
rm "$tree/$target"

promise "make -C works from another folder; make -f says where the tree is"
rm -f "$notes/calls"
(cd / && make -C "$tree" $target) > "$work/out" 2>&1
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
sed 's,wildcard ,wildcard '"$tree/," "$tree/Makefile" > "$tree/absolute.mk"
rm -f "$notes/calls" "$notes/asked"
(cd / && make -f "$tree/absolute.mk" $target) > "$work/out" 2>&1
expect_calls "[build][--stop-at-failure][--tree][$tree/][debian-bookworm-minimal]"
[ "$(cat "$notes/asked")" = "stages --tree $tree/" ] || broken "the stages of another tree were asked for"

promise "a recursive make and a dependency of another target work as well"
printf 'nightly: ci-docker-a-minimal\n\t@echo done\nagain: ; $(MAKE) -k ci-docker-b-minimal\n' >> "$tree/Makefile"
run nightly
expect_calls '[build][--stop-at-failure][a-minimal]'
expect_said 'done'
run -s again
expect_calls '[build][--quiet][--keep-going][b-minimal]'
