#!/usr/bin/env bash
# A real full disk: the engine's, and that of the state folder. No work is lost, and stagemake reports what happened.
before_engine() {
  case $engine in
    docker) storage=$work/docker ;;
    buildah) storage=$work/storage ;;
  esac
  # Room for the base image twice, as buildah makes it, and for the steps below.
  small_disk storage.img "$(($(stat -c %s "$STAGEMAKE_TEST_ROOTFS") / 500000 + 1000))M" "$storage"
  small_disk state.img 64M "$work/state"
}
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; df -h "$storage" "$work/state" | sed 's/^/    /'; }
forget_logs() { rm -f "$work"/state/*/logs/*/*.log; }
built_all() {
  (cat "$work"/state/*/logs/*/*.log 2> /dev/null || true) | sed -n 's/^ *\[\(.*\)-[^-]*\] successfully installed\..*/\1/p' |
    (grep -v '^sagelib$' || true) | sort
}
expect_once() {
  built_all | comm -12 - "$work/first" > "$work/twice"
  [ ! -s "$work/twice" ] || fail "built twice: $(xargs < "$work/twice")"
}

step "a package fills the engine's disk"
build --to with-base-toolchain
# Removing the ballast makes room again.
fallocate -l "$(($(df --output=avail -m "$storage" | tail -n 1) - 100))M" "$storage/ballast"
script=build/pkgs/cliquer/spkg-install.in
cp "$script" "$work/cliquer.good"
echo 'sleep 3; dd if=/dev/zero of=big bs=1M count=2000' >> "$script"
status=0
build || status=$?
[ "$status" = 1 ] || [ "$status" = 3 ] || fail "it ended with $status"
built_all > "$work/first"
[ -s "$work/first" ] || fail "nothing was built before the disk was full"
grep -E 'the work so far is kept as|the work so far stays in container .*, and the next run takes it over' "$work/out" ||
  fail "nothing is said of what was done"
[ "$status" != 3 ] || grep -q -i 'no space left' "$work/out" || fail "nothing is said of the full disk"

step "still no room: a clear message, and nothing is lost"
status=0
build || status=$?
[ "$status" != 0 ] || fail "it ended well on a full disk"
grep -i -E 'which an earlier run left, cannot be saved, and stays for the next: .*no space left|the work so far is kept' "$work/out" || fail "nothing is said of the full disk"
built_all >> "$work/first"
sort -u -o "$work/first" "$work/first"

step "there is room again: the next run completes, and builds nothing twice"
rm "$storage/ballast"
cp "$work/cliquer.good" "$script"
set_version cliquer 5.0 # taken back, the sources would be those of older images, which need less
forget_logs
build
expect_once
built_all | has -x cliquer || fail "cliquer is not built"
expect_no_container

step "the state folder is full before a build: a clear message"
set_version conway_polynomials 9.0
dd if=/dev/zero of="$work/state/big" bs=1M 2> /dev/null || true
status=0
build || status=$?
if [ "$status" != 0 ]; then grep -i 'no space left' "$work/out" || fail "nothing is said of the full disk"; fi
expect_no_container

step "it fills up while packages are built: they are not lost"
rm "$work/state/big"
set_version conway_polynomials 9.1
echo 4 > build/pkgs/slowpoke/seconds.txt
forget_logs
"$STAGEMAKE_BINARY" build "$environment" --base-image "$base" > "$work/out" 2>&1 &
driver=$!
wait_until in_log with-targets-pre 'slowpoke.*installing'
dd if=/dev/zero of="$work/state/big" bs=1M 2> /dev/null || true
status=0
wait "$driver" || status=$?
cat "$work/out"
echo "status $status"
# Buildah 1.28 sometimes kills what it runs (driver/README.md, known limits): even then, nothing may be lost.
if [ "$status" != 0 ]; then
  grep -i -E "no space left$([ "$engine" = docker ] || echo '|exit status 137')" "$work/out" || fail "nothing is said of the full disk"
fi
built_all > "$work/first"
rm "$work/state/big"
forget_logs
build
expect_once
if [ "$status" = 0 ] && ! grep -q 'nothing to do' "$work/out"; then fail "what was built is not kept"; fi
expect_no_container
step "the disk is full and stays so: the work can be found, copied elsewhere and given up"
echo 'sleep 3; dd if=/dev/zero of=big bs=1M count=2000' >> "$script"
set_version cliquer 6.0
status=0
build || status=$?
[ "$status" != 0 ] || fail "it ended well on a full disk"
if [ -n "$(containers)" ]; then # else the engine could commit all the same
  grep -q "stagemake clean $environment --containers" "$work/out" || fail "no way out is named"
  expect 3 build
  grep -q -e '--discard-unsaved' "$work/out" || fail "no way out is named"
  stagemake snapshots "$environment"
  grep -q 'work of with-targets-pre that is in no image' "$work/out" || fail "the container is not listed"
  stagemake gc --dry-run
  grep -q 'holds unsaved work' "$work/out" || fail "gc says nothing of the container"
  expect 3 stagemake clean "$environment" --containers --export /dev/full
  [ -c /dev/full ] || fail "the device is gone"
  [ -n "$(containers)" ] || fail "the container is gone, and nothing holds its files"
  "$STAGEMAKE_BINARY" clean "$environment" --containers --export - 2> "$work/err" | tar -tf - > "$work/files"
  has 'sage/config.status$' < "$work/files" || fail "the export has no tree"
  grep -q '^removed ' "$work/err" || fail "the removal is not said"
  expect_no_container
  stagemake snapshots "$environment" | (! grep 'in no image') || fail "it is listed still"
fi
cp "$work/cliquer.good" "$script"
set_version cliquer 6.1
build
built_all | has -x cliquer || fail "cliquer is not built"
expect_no_container
echo "all well, in $SECONDS s"
