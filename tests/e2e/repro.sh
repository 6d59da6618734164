#!/usr/bin/env bash
# The scripts of `stagemake repro`, run as a user would: from the base image, from the image of the previous stage, and in
# what a failed stage left.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s\n' "$1"; }

# repro STAGE [OPTION…]: writes the script to $work/repro.sh; any POSIX shell must accept it.
repro() {
  stage=$1
  shift
  "$STAGEMAKE_BINARY" repro "$environment" "$stage" --base-image "$base" -o "$work/repro.sh" "$@"
  sh -n "$work/repro.sh" || fail "the script for $stage is none"
}
in_container() {
  case $engine in
    docker) "$STAGEMAKE_TEST_DOCKER" exec "repro-$environment-$1" sh -c "$2" ;;
    buildah) buildah run --isolation chroot "repro-$environment-$1" -- sh -c "$2" ;;
  esac
}
remove_container() {
  case $engine in
    docker) "$STAGEMAKE_TEST_DOCKER" rm -f "repro-$environment-$1" > /dev/null ;;
    buildah) buildah rm "repro-$environment-$1" > /dev/null ;;
  esac
}
run_script() { sh "$work/repro.sh" > "$work/out" 2>&1; }
PATH=$(dirname "${STAGEMAKE_TEST_DOCKER:-/usr/bin/docker}"):$PATH  # the scripts say `docker`

step "nothing is built: from the base image on, with an untracked file, a deleted one, and names that a shell would read"
git init -q
git add -A
git -c user.name=x -c user.email=x@y commit -qm all
echo untracked > 'pkgs/it is $new; "quoted"'
rm condarc.yml
repro configured
grep -q 'starts from the base image' "$work/repro.sh" || fail "it does not say where it begins"
run_script || fail "$(cat "$work/out")"
[ "$(in_container configured 'cat "/sage/pkgs/it is \$new; \"quoted\""')" = untracked ] || fail "a new file is not there"
in_container configured 'test -f /sage/build/make/Makefile && ! test -e /sage/condarc.yml' || fail "it is not configured"
expect 1 sh -c 'sh "$1" > /dev/null 2>&1 && exit 0; exit 1' sh "$work/repro.sh" # the container is in the way
remove_container configured
git checkout -q condarc.yml
rm pkgs/it*

step "what a nested .gitignore ignores is in no key and in no image: diff HEAD of a clean tree is empty"
echo /made > pkgs/sage-conf/.gitignore
git add -A
git -c user.name=x -c user.email=x@y commit -qm ignored
"$STAGEMAKE_BINARY" plan "$environment" --json > "$work/clean"
echo made by bootstrap > pkgs/sage-conf/made
"$STAGEMAKE_BINARY" plan "$environment" --json | cmp - "$work/clean" || fail "the keys are others"
"$STAGEMAKE_BINARY" diff HEAD --env "$environment" --json > "$work/out"
grep -q '"files": {}' "$work/out" || fail "the tree differs from HEAD: $(cat "$work/out")"

step "output files: what stands there is written to, and stays what it is"
"$STAGEMAKE_BINARY" graph "$environment" > "$work/graph"
"$STAGEMAKE_BINARY" graph "$environment" -o - | cmp - "$work/graph" || fail "-o - is not standard output"
[ ! -e ./- ] || fail "there is a file named -"
ln -s "$work/linked" "$work/link"
mkfifo "$work/fifo"
"$STAGEMAKE_BINARY" graph "$environment" -o "$work/link"
[ -L "$work/link" ] && cmp "$work/linked" "$work/graph" || fail "the link is not followed"
cat "$work/fifo" > "$work/heard" &
"$STAGEMAKE_BINARY" graph "$environment" -o "$work/fifo"
wait $!
[ -p "$work/fifo" ] && cmp "$work/heard" "$work/graph" || fail "the FIFO is not written to"
if mknod "$work/null" c 1 3 2> /dev/null && echo x 2> /dev/null > "$work/null"; then # never the machine's own
  "$STAGEMAKE_BINARY" graph "$environment" -o "$work/null"
  [ -c "$work/null" ] || fail "the device is gone"
fi
{
  echo before
  "$STAGEMAKE_BINARY" graph "$environment" -o /proc/self/fd/1
  echo after
} > "$work/all"
[ "$(sed -n '1p;$p' "$work/all" | xargs)" = "before after" ] || fail "what was written before is gone"
[ "$(wc -l < "$work/all")" = $(($(wc -l < "$work/graph") + 2)) ] || fail "the output is not in its place"

step "git refuses: no image gets a tag that nobody chose"
if [ "$(id -u)" = 0 ]; then
  chown -R 1234 "$tree"
  expect 2 env -u DOCKER_TAG "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --to configured > "$work/out" 2>&1
  grep -q 'dubious ownership' "$work/out" || fail "git's words are missing: $(cat "$work/out")"
  grep -q "git config --global --add safe.directory $tree" "$work/out" || fail "the remedy is missing: $(cat "$work/out")"
  expect_no_container
  chown -R 0 "$tree"
fi
mv .git/HEAD "$work/HEAD"
echo nonsense > .git/HEAD
expect 2 env -u DOCKER_TAG "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --to configured > "$work/out" 2>&1
grep -q 'git cannot tell the revision of' "$work/out" || fail "nothing is said of git: $(cat "$work/out")"
mv "$work/HEAD" .git/HEAD


# Several targets: each is a separate make in build/make, and minidist fails if two of these run at once.
export TARGETS_PRE="cliquer all-sage-local"
step "a stage fails: by hand it fails in the same way, in what it left"
echo 'exit 7' > build/pkgs/readline/spkg-install.in
expect 1 build --to with-targets-pre > "$work/build" 2>&1
repro with-targets-pre
grep -q 'with-targets-pre:.*-failed' "$work/repro.sh" || fail "it does not begin in the image that was kept"
expect 2 run_script
grep -q 'readline' "$work/out" || fail "another failure: $(cat "$work/out")"
"$STAGEMAKE_BINARY" report --json > "$work/report.json"
command=$(python3 -c '
import json, sys
failures = json.load(open(sys.argv[1]))["failures"]
print(failures[0]["places"][0]["reproduce"])' "$work/report.json")
echo "the report says: $command"
BASE_IMAGE=$base sh -c "\"\$STAGEMAKE_BINARY\" ${command#stagemake }" > "$work/reported.sh" || fail "the report's command fails: $command"
grep -v '^#' "$work/reported.sh" > "$work/reported.text"
grep -v '^#' "$work/repro.sh" | diff - "$work/reported.text" || fail "the report's command prints another script"
if grep 'another make runs' "$work/build" "$work/out"; then fail "targets were made side by side"; fi
in_container with-targets-pre 'ls /sage/local/var/lib/sage/installed' | has '^cliquer-' || fail "cliquer was not built"
remove_container with-targets-pre

step "mended by hand, from the image of the stage before"
git checkout -q build/pkgs/readline
repro with-base-toolchain
run_script || fail "$(cat "$work/out")"
in_container with-base-toolchain 'ls /sage/local/var/lib/sage/installed' | has '^patch-' || fail "patch is not there"
remove_container with-base-toolchain

step "the stage is finished since: it begins in the image of the stage before, not in what the failed run left"
build --to with-targets-pre > "$work/build" 2>&1
repro with-targets-pre
grep -q 'with-targets-pre:.*-failed' "$work/repro.sh" && fail "it begins in the image of the run that failed"
"$STAGEMAKE_BINARY" repro "$environment" --to with-targets-pre --base-image "$base" > "$work/same.sh"
for script in repro same; do sed 's/, made .* ago//' "$work/$script.sh" > "$work/$script.text"; done
cmp "$work/repro.text" "$work/same.text" || fail "--to is not the same as the stage"

step "without a container engine: in the image that the stage before would have"
STAGEMAKE_DOCKER=/nowhere "$STAGEMAKE_BINARY" repro "$environment" with-targets --engine docker --tag v1 -o "$work/repro.sh"
grep -q 'No engine answered' "$work/repro.sh" || fail "it does not say that nothing was looked up"
grep -q 'docker create .*-with-targets-pre:v1 ' "$work/repro.sh" || fail "it does not begin in the parent's image"
expect_no_container
echo "all well"
