#!/usr/bin/env bash
# The life of an environment: built, built again, edited, broken, repaired, interrupted, abandoned by a killed driver.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s\n' "$1"; }

# Several targets: each is a separate make in build/make, and minidist fails if two of these run at once.
export TARGETS_PRE="cliquer zlib all-sage-local"

begun_since() { [ "$log" -nt "$work/since" ] && grep -q 'slowpoke.*installing' "$log"; }
# start_until_slowpoke [OPTION…]: starts a build in the background, and waits until it reaches the package that sleeps.
start_until_slowpoke() {
  log=$(echo "$work"/state/*/logs/"$environment")/with-targets-pre.log
  touch "$work/since"
  # A background process of a script ignores SIGINT, and stagemake would leave it ignored.
  env --default-signal=INT "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" "$@" > "$work/out" 2>&1 &
  driver=$!
  wait_until begun_since || fail "slowpoke is not built"
}

all_stages="with-system-packages bootstrapped configured with-base-toolchain with-targets-pre with-targets"
make_stages="with-base-toolchain with-targets-pre with-targets"

step "the first run builds all stages"
build --dry-run
for stage in $all_stages; do grep -Eq "$stage +build" "$work/out" || fail "the dry run does not say that $stage is built"; done
[ -z "$(containers)" ] || fail "the dry run made a container"
build
for stage in $all_stages; do expect_state "$stage" built; done
expect_no_container

step "a second run creates no container and asks the engine for look-ups only"
build --count-calls
for stage in $all_stages; do expect_state "$stage" reused; done
grep -q '^engine calls: ' "$work/out" || fail "no count of engine calls"
grep '^engine calls: ' "$work/out" | tr ',' '\n' | has -E 'create|run|commit|copy|tag|pull' && fail "more than look-ups"

step "another -j, another folder, other times, an edited README: nothing to do"
cp -a "$tree" "$work/elsewhere"
find "$work/elsewhere" -type f -exec touch -d '2020-02-02' {} +
echo "more" >> "$work/elsewhere/README.md"
(cd "$work/elsewhere" && NUMPROC=7 build)
for stage in $all_stages; do expect_state "$stage" reused; done

step "a leaf package's version: it and what depends on it normally, in their stages"
set_version openblas 0.3.99
build
expect_state with-system-packages reused
expect_built "" with-base-toolchain
expect_built "openblas " with-targets-pre
expect_built "numpy " with-targets

step "an order-only dependency's version: it alone"
set_version conway_polynomials 0.6
build
expect_built "conway_polynomials " $make_stages

step "a build script without a new version: what make misses"
echo '# another way to build it' >> build/pkgs/cliquer/spkg-install.in
explain
grep -q 'changed: build/pkgs/cliquer/spkg-install.in' "$work/out" || fail "explain does not name the edited file"
build
expect_built "cliquer " $make_stages

step "the edit taken back: the image made before it is found again, by its key"
sed -i '$d' build/pkgs/cliquer/spkg-install.in
build
for stage in $all_stages; do expect_state "$stage" reused; done

step "an image whose files are of tomorrow, as a machine makes it whose clock is ahead: what needs a new package is built again"
later='find /sage -exec sh -c "for one; do touch -h -d @\$((\$(stat -c %Y \"\$one\") + 90000)) \"\$one\"; done" sh {} +'
image=sage-docker-$environment-with-targets:latest
case $engine in
  docker)
    "$STAGEMAKE_TEST_DOCKER" run --name later --network host --entrypoint '' "$image" sh -c "$later"
    "$STAGEMAKE_TEST_DOCKER" commit later "$image" > /dev/null
    "$STAGEMAKE_TEST_DOCKER" rm later > /dev/null
    ;;
  buildah)
    buildah from --name later --pull-never "localhost/$image" > /dev/null
    buildah run --isolation chroot later -- sh -c "$later"
    buildah commit -q --disable-compression --rm later "localhost/$image" > /dev/null
    ;;
esac
set_version openblas 0.4.0
build
grep -q 'in the future, and were set to the present' "$work/out" || fail "nothing is said of the times"
expect_built "openblas " with-targets-pre
expect_built "numpy " with-targets
build
for stage in $all_stages; do expect_state "$stage" reused; done
set_version openblas 0.4.1
build
grep -q 'in the future' "$work/out" && fail "there are times of the future again"
expect_built "openblas " with-targets-pre
expect_built "numpy " with-targets

step "a shell that reads commands from a pipe: runs them, gives their status, leaves no container"
echo 'echo "in $PWD of $(cat /etc/hostname | head -c 0)shell"; ls /sage/configure; exit 7' |
  expect 7 "$STAGEMAKE_BINARY" shell "$environment" configured > "$work/out" 2> "$work/told"
grep -q '^/sage/configure$' "$work/out" || fail "ls was not run: $(cat "$work/out" "$work/told")"
expect 0 "$STAGEMAKE_BINARY" shell "$environment" configured < /dev/null > "$work/out" 2> "$work/told"
seq 20000 | sed 's/.*/echo line &/' | expect 0 "$STAGEMAKE_BINARY" shell "$environment" configured > "$work/out" 2> "$work/told"
[ "$(tail -n 1 "$work/out")" = "line 20000" ] || fail "the end of the output is lost: $(tail -n 1 "$work/out")"
expect_no_container

step "a shell whose terminal closes, one that SIGTERM ends, a look that ctrl-C ends: no container is left"
python3 "$here/closing_terminal.py" "$STAGEMAKE_BINARY" shell "$environment" configured
expect_no_container
mkfifo "$work/silence"
exec 8<> "$work/silence" # a standard input that stays open and says nothing
"$STAGEMAKE_BINARY" shell "$environment" configured < "$work/silence" > "$work/out" 2>&1 &
wait_until has_container
sleep 0.5
kill -TERM $!
wait $! && fail "a shell that was ended ended well"
exec 8>&-
expect_no_container

step "no tag that nobody chose is pushed"
expect 2 env -u DOCKER_TAG "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --push-to 127.0.0.1:9/nowhere > "$work/out" 2>&1
grep -q 'choose one with --tag TAG' "$work/out" || fail "the remedy is not named: $(cat "$work/out")"

step "an edit below src: with-targets alone"
echo '/* another comment */' >> src/sage/all.c
build
expect_state with-targets-pre reused
expect_state with-targets built

step "a package that is no more: uninstalled"
rm -r build/pkgs/slowpoke
build
"$STAGEMAKE_BINARY" snapshots --json > "$work/snapshots"
python3 - "$work/snapshots" << 'END' || fail "slowpoke is still installed, or nothing is"
import json, sys
newest = next(s for s in json.load(open(sys.argv[1]))["snapshots"] if s["complete"] and s["stage"] == "with-targets")
sys.exit("readline" not in newest["packages"] or "slowpoke" in newest["packages"])
END
cp -a "$here/../minidist/build/pkgs/slowpoke" build/pkgs/
build

step "a broken package: its stage fails, what does not need it is built, the work is kept"
cp build/pkgs/readline/spkg-install.in "$work/readline.good"
echo 'exit 9' > build/pkgs/readline/spkg-install.in
set_version readline 9.0
set_version cliquer 9.0
expect 1 build
expect_state with-targets-pre failed
expect_state with-targets skipped
expect_built "cliquer " with-targets-pre
expect_no_container
grep -q 'with-targets-pre:.*-failed' "$work/out" || fail "the kept image is not named"

step "mended: only the broken package and what hangs on it"
cp "$work/readline.good" build/pkgs/readline/spkg-install.in
build
built_in $make_stages | has -w cliquer && fail "cliquer is built again"
built_in $make_stages | has -w readline || fail "readline is not built"
built_in $make_stages | has -w python3 || fail "python3 is not built, which needs readline"

step "two environments at once, one fails, the other completes"
make_image debian:latest true
make_image debian:bullseye 'rm /usr/bin/cc /usr/bin/gcc*'
expect 1 stagemake build -j 2 debian-bullseye-minimal debian-minimal
expect_state configured failed debian-bullseye-minimal
expect_state with-targets skipped debian-bullseye-minimal
expect_state with-targets built debian-minimal
expect_no_container

step "two drivers at once: the second waits, says for whom, and finds all done"
set_version cliquer 9.1
"$STAGEMAKE_BINARY" build "$environment" --base-image "$base" > "$work/first" 2>&1 &
driver=$!
wait_until grep -qs 'bootstrapped: running' "$work/first"
build
grep -q "waiting for process $driver" "$work/out" || fail "the second does not say that it waits"
for stage in $all_stages; do expect_state "$stage" reused; done
wait "$driver" || fail "the first failed: $(cat "$work/first")"

step "no usable engine, bad usage, a faulty tree: 3, 2, 2"
expect 3 env DOCKER_HOST=unix:///nowhere STAGEMAKE_BUILDAH=/nowhere "$STAGEMAKE_BINARY" build "$environment"
expect 2 build --to nowhere
expect 2 stagemake build 'An Environment'
cp -a "$tree" "$work/faulty"
: > "$work/faulty/build/pkgs/zlib/type"
expect 2 build --tree "$work/faulty"
grep -q 'build/pkgs/zlib/type:1: ' "$work/out" || fail "the faulty file is not named"

step "ctrl-C during a stage: kept, no container left, 130"
echo 30 > build/pkgs/slowpoke/seconds.txt
start_until_slowpoke
kill -INT "$driver"
set +e
wait "$driver"
status=$?
set -e
cat "$work/out"
[ "$status" = 130 ] || fail "status $status after ctrl-C"
expect_state with-targets-pre interrupted
expect_no_container
pgrep -f 'sleep 30' > /dev/null && fail "something of the stage still runs"

step "killed: the next run takes over what the container holds"
start_until_slowpoke
kill -KILL "$driver"
wait "$driver" 2> /dev/null || true
[ -n "$(containers)" ] || fail "no container is left to take over"
echo 1 > build/pkgs/slowpoke/seconds.txt
build
grep -q 'ended without saving its work' "$work/out" || fail "nothing is said of the container that was taken over"
expect_no_container

step "a machine vanishes, driver, processes and container: what the last checkpoint held is not built again"
echo 600 > build/pkgs/slowpoke/seconds.txt
set_version cliquer 9.9
start_until_slowpoke --checkpoint 1s
for _ in $(seq 600); do
  "$STAGEMAKE_BINARY" snapshots "$environment" --json > "$work/snapshots"
  grep -q '"cliquer": "9.9"' "$work/snapshots" && grep -q 'checkpoint of' "$work/out" && break
  sleep 0.5
done
kill -KILL "$driver"
wait "$driver" 2> /dev/null || true
grep 'checkpoint of' "$work/out" || fail "no checkpoint was made: $(cat "$work/out")"
case $engine in
  docker) containers | xargs "$STAGEMAKE_TEST_DOCKER" rm --force --volumes > /dev/null ;;
  buildah)
    for one in $(buildah containers --quiet --notruncate); do
      grep -slzx "STAGEMAKE_CONTAINER=$one" /proc/[0-9]*/environ | cut -d / -f 3 | xargs -r kill -KILL 2> /dev/null || true
      buildah rm "$one" > /dev/null
    done
    ;;
esac
echo 0.1 > build/pkgs/slowpoke/seconds.txt # as never before: no older image has it
build
built_in $make_stages | has -w cliquer && fail "cliquer is built again, which the checkpoint held"
built_in $make_stages | has -w slowpoke || fail "slowpoke is not built"
expect_no_container

step "many runs' images can be cleaned away"
stagemake clean "$environment" --dry-run
stagemake clean "$environment"
[ "$("$STAGEMAKE_BINARY" snapshots "$environment" --json | grep -c '"image":')" = 0 ] || fail "images are left"
echo "all well"
