#!/usr/bin/env bash
# A registry that drops, delays, truncates, refuses, fails and lies, simulated by a proxy in front of a real one. Whatever
# it does, a build succeeds with the same image as a build without a registry, and reports what was wrong.
# A table of small stages keeps the test short.
dockerd_options="--max-download-attempts 2"  # after the first it waits 5 s, after the fourth 20 s
# The stages need a shell and no compiler, which keeps transfers small.
before_engine() {
  tar --delete --wildcards ./usr/lib/gcc ./usr/include ./usr/share ./var/lib ./var/cache './usr/lib/*.a' \
    < "$STAGEMAKE_TEST_ROOTFS" > "$work/small.tar"
  STAGEMAKE_TEST_ROOTFS=$work/small.tar
}
source "$(dirname "$0")/lib.sh"
source "$here/registries.sh"
export XDG_CACHE_HOME=$work/cache

cat > "$work/stages.toml" <<'T'
default_stage = "second"
stamp_folders = ["installed"]
uninstall = 'rm -f "installed/$PACKAGE"-*'

[[stage]]
name = "system"
recipe = "echo base > /etc/stagemake-system"

[[stage]]
name = "first"
adds = ["build"]
make_targets = ["cliquer"]
recipe = '''
mkdir -p installed
for package in cliquer zlib; do
  version=$(cat build/pkgs/$package/package-version.txt)
  [ -e installed/$package-$version ] && continue
  rm -f installed/$package-*
  echo "made $package $version" | tee installed/$package-$version
done'''

[[stage]]
name = "second"
adds = ["src"]
recipe = "date > second"
T
table=(--stages "$work/stages.toml" --tag t)
image=sage-docker-$environment-second:t
runs=0 faults=0 wrong=0 fetched=0

# The installation records that the image must have according to the tree; and those that it has.
wanted_stamps() { for package in cliquer zlib; do echo "$package-$(cat "build/pkgs/$package/package-version.txt")"; done; }
stamps() { in_image "$1" sh -c 'cat /etc/stagemake-system; cd /sage && ls installed && [ -s second ]'; }
check_image() {
  if [ "$(stamps "$1")" = "$(echo base && wanted_stamps)" ]; then return; fi
  wrong=$((wrong + 1))
  echo "WRONG IMAGE: $(stamps "$1" | xargs), not base $(wanted_stamps | xargs)"
}
# said_once: each message about the registry appears once.
said_once() {
  local twice
  twice=$(grep "^$proxy/" "$work/out" | sort | uniq -d || true)
  [ -z "$twice" ] || fail "said more than once: $twice"
}
# disturbed FAULT OPTION…: a build on a machine without images, after an edit.
disturbed() {
  local began=$SECONDS
  remove_images
  runs=$((runs + 1))
  set_version cliquer "9.$runs"
  # Forgets measured durations too: these stages build faster than any image is fetched.
  rm -rf "$XDG_CACHE_HOME/stagemake" "$control.log" "$work"/state/*/journal
  echo "$1" > "$control"
  build "${table[@]}" --from "$proxy/team" "${@:2}" > /dev/null || fail "$1: status $?: $(cat "$work/out")"
  echo > "$control"
  done_to=$(wc -l < "$control.log" 2> /dev/null || echo 0)
  [ "$done_to" -gt 0 ] || fail "$1: nothing was disturbed"
  said_once
  [ "${1%% *}" != delay ] || ! grep 'could not be fetched' "$work/out" || fail "what is slow comes all the same"
  fetched=$((fetched + $(grep -c ': fetching ' "$work/out" || true)))
  printf '  %-12s %3s requests, %2s s: %s\n' "$1" "$done_to" $((SECONDS - began)) \
    "$(grep -m 1 "^$proxy/\|is not used\|could not be pushed" "$work/out" | cut -c 1-150)"
}

start_registry real
build "${table[@]}" --push-to "$registry/team" --push=required
check_image "$registry/team/$image"
proxy=127.0.0.1:$(free_port)
control=$work/control
echo > "$control"
python3 "$here/faulty_proxy.py" "${proxy#*:}" "$registry" "$control" &
registry_pid="$registry_pid $!"
for _ in $(seq 500); do
  (exec 3<> "/dev/tcp/127.0.0.1/${proxy#*:}") 2> /dev/null && break
  sleep 0.1
done

echo "now and then, in a build that fetches and pushes"
for fault in drop delay truncate 401 404 429 500 manifest blob; do
  faults=$((faults + 1))
  disturbed "$fault 3" --push-to "$proxy/team"
  check_image "$proxy/team/$image"
done

echo "always, in a build that fetches"
for fault in drop delay truncate 401 404 429 500 manifest blob; do
  disturbed "$fault"
  check_image "$image"
  [ "$fault" = delay ] || grep -q "^$proxy/" "$work/out" || fail "$fault: nothing is said of it"
done

echo "always, in a push: refused, and required"
expect 0 build "${table[@]}" --push-to "$proxy/team" > /dev/null
echo 401 > "$control"
set_version cliquer 10.0
expect 0 build "${table[@]}" --push-to "$proxy/team" > /dev/null
grep -q 'could not be pushed' "$work/out" || fail "nothing is said of what could not be pushed"
expect 1 build "${table[@]}" --push-to "$proxy/team" --push=required > /dev/null
echo > "$control"

echo "what was pushed is right, too; and a clean build has the same"
expect 0 build "${table[@]}" --push-to "$proxy/team" --push=required > /dev/null
remove_images
rm -f "$work"/state/*/journal
build "${table[@]}" --from "$proxy/team" > /dev/null
expect_state second reused
check_image "$image"
remove_images
build "${table[@]}" --fresh > /dev/null
check_image "$image"
expect_no_container
echo "$faults faults, $runs runs, $fetched fetches, $wrong wrong images, in $SECONDS s"
[ "$wrong" = 0 ] || fail "$wrong wrong images"
