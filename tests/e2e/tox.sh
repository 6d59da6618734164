#!/usr/bin/env bash
# Debian's tox runs stagemake: arguments and variables that users pass, the contents of {envdir}, two environments at
# once, a registry between one build and the next, incremental environments.
source "$(dirname "$0")/lib.sh"
source "$here/registries.sh"
[ "$engine" = docker ] || skip "tox.ini passes docker's variables, and no other engine's"
command -v tox > /dev/null || skip "there is no tox"
command -v docker-registry > /dev/null || skip "there is no docker-registry"

step() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; }

mkdir "$work/bin"
ln -s "$STAGEMAKE_BINARY" "$work/bin/stagemake"
export PATH=$work/bin:$PATH TOX_PARALLEL_NO_SPINNER=1
export EXTRA_DOCKER_BUILD_ARGS="--build-arg BASE_IMAGE=$base --build-arg NUMPROC=2 --build-arg USE_MAKEFLAGS=\"-k V=0\""
small=docker-debian-bookworm-minimal
# A folder with a space in its name, as users may have.
folders="$work/work folder"
envdir=$folders/$small

# call [OPTION…]: calls tox as a user would.
call() {
  tox --workdir "$folders" "$@" 2>&1 | tee "$work/out"
  return "${PIPESTATUS[0]}"
}

# image STAGE [SYSTEM]: the name of an image.
image() { echo "sage-docker-debian-${2:-bookworm}-minimal-$1"; }
exists() { "$STAGEMAKE_TEST_DOCKER" image inspect "$1" > /dev/null 2>&1 || fail "there is no image $1"; }
# expect_lines FILE LINE…: the only lines of the file since `forget` was called.
expect_lines() {
  file=$1
  shift
  [ "$(cat "$file")" = "$(printf '%s\n' "$@")" ] || fail "$file holds: $(cat "$file")"
}
forget() { rm -f "$envdir"/Dockertags*; }
made() { sed -n 's/^ *\[\(.*\)-[^-]*\] successfully installed\..*/\1/p' "$envdir"/sage/logs/stagemake-*.log | grep -v '^sagelib$' | sort | xargs; }

# Each is a separate make in build/make, and minidist fails if two of these run at once.
targets="cliquer zlib xz"
step "make targets as arguments, an option and a variable among them; a proxy"
EXTRA_DOCKER_BUILD_ARGS="$EXTRA_DOCKER_BUILD_ARGS --build-arg http_proxy=http://127.0.0.1:9" \
  call -e "$small" -- -p V=0 $targets
exists "$(image with-targets):latest"
expect_lines "$envdir/Dockertags" "$(image with-targets):latest"
[ "$(tail -n 1 "$envdir/Dockerfile")" = '#:end:' ] || fail "Dockerfile does not end with #:end:"
grep -q '^http_proxy = http://127.0.0.1:9' "$envdir"/sage/logs/stagemake-with-targets-pre.log || fail "make does not know the proxy"
ls "$envdir"/sage/logs/pkgs/cliquer-* > /dev/null
ls "$envdir"/sage/local/var/lib/sage/installed/cliquer-* > /dev/null
if ls "$envdir"/sage/local/var/lib/sage/installed/openblas-* 2> /dev/null; then fail "more than $targets was built"; fi
expect_no_container

step "again: nothing to do"
id=$("$STAGEMAKE_TEST_DOCKER" image inspect --format '{{.Id}}' "$(image with-targets):latest")
call -e "$small" -- -p V=0 $targets
grep -q ' built ' "$work/out" && fail "something was built again"
[ "$id" = "$("$STAGEMAKE_TEST_DOCKER" image inspect --format '{{.Id}}' "$(image with-targets):latest")" ] || fail "another image"
[ "$(wc -l < "$envdir/Dockertags")" = 2 ] || fail "Dockertags holds: $(cat "$envdir/Dockertags")"

step "tox, the plain command, make's fragment, make -j3 and no pool: the same files are installed from several targets"
# installed: the files and installation records in the image; a record's content includes the time.
installed() {
  "$STAGEMAKE_TEST_DOCKER" run --rm --network host "$(image with-targets-pre):latest" sh -c \
    'cd /sage/local && find . -type f ! -path "./var/lib/sage/installed/*" -exec sha256sum {} + && ls var/lib/sage/installed' | sort
}
# compare COMMAND…: rebuilds with-targets-pre with the command.
compare() {
  "$STAGEMAKE_TEST_DOCKER" images --format '{{.Repository}}:{{.Tag}}' | grep with-targets | xargs "$STAGEMAKE_TEST_DOCKER" rmi --force > "$work/removed"
  "$@" > "$work/out" 2>&1 || fail "$* ended with $?: $(cat "$work/out")"
  installed > "$work/installed"
  diff "$work/by-tox" "$work/installed" || fail "\`$*\` installed other files"
}
installed > "$work/by-tox"
for package in $targets; do grep -q "^$package-" "$work/by-tox" || fail "$package is not installed"; done
cp "$here/../../makefile-fragments/ci-docker.mk" .
compare "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --to with-targets-pre --targets-pre "$targets"
compare "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --to with-targets-pre --targets-pre "$targets" --slots off
compare env -u EXTRA_DOCKER_BUILD_ARGS make "ci-docker-$environment-with-targets-pre" BASE_IMAGE="$base" TARGETS_PRE="$targets" USE_MAKEFLAGS="-kj4 V=0"
grep -q "$environment: -j in USE_MAKEFLAGS is ignored" "$work/out" || fail "it does not say that -j is ignored: $(cat "$work/out")"
compare make -j3 "ci-docker-$environment-with-targets-pre" BASE_IMAGE="$base" TARGETS_PRE="$targets"
grep -q 'job slots are those of the calling make' "$work/out" || fail "it has not joined make: $(cat "$work/out")"

step "two environments at once, up to configured"
forget
DOCKER_TARGETS=configured call -p 2 -e "$small,docker-debian-bullseye-minimal"
expect_lines "$envdir/Dockertags" "$(image configured):latest"
expect_lines "$folders/docker-debian-bullseye-minimal/Dockertags" "$(image configured bullseye):latest"
exists "$(image configured bullseye):latest"

step "tox changes nothing: the engine, the images, the state folder and the CI service are those of a direct run"
# Sage's tox.ini already has the EXTRA_… variables.
for word in $(sed -n '/^passenv =/,/^[a-z]/s/^    docker: *//p' tox.ini | grep -v '^EXTRA_'); do
  grep -q "^        docker:       ${word//\*/\\*}\$" "$here/../../driver/manual/ci.md" || fail "driver/manual/ci.md does not have $word in passenv"
done
forget
cp build/pkgs/readline/spkg-install.in "$work/readline.good"
echo 'exit 9' > build/pkgs/readline/spkg-install.in
# seen_by COMMAND…: collects what a run leaves for a CI service and for users.
seen_by() {
  name=$1
  shift
  mkdir -p "$work/$name/home"
  (
    unset STAGEMAKE_STATE
    export CI=true GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$work/$name/summary XDG_STATE_HOME=$work/$name/xdg HOME=$work/$name/home
    expect 1 "$@" > "$work/$name/out" 2>&1
  )
  sed -n "s/^\(::[a-z]* .*title=[^:,]*\).*/\1/p" "$work/$name/out" | sort -u > "$work/$name/annotations"
  sed 's/[0-9.]* m\?s\|[0-9]* min//g' "$work/$name/summary" | grep -c readline > "$work/$name/lines" || :
  (cd "$work/$name/xdg/stagemake" && find . -path '*/logs/*' -name '*.log' | sort) > "$work/$name/state"
  [ -z "$(ls -A "$work/$name/home")" ] || [ ! -e "$work/$name/home/.local" ] || fail "state in the wrong place"
}
seen_by by_tox tox --workdir "$folders" -e "$small"
seen_by directly "$STAGEMAKE_BINARY" build debian-bookworm-minimal --base-image "$base"
[ -s "$work/by_tox/annotations" ] || fail "no annotations: $(cat "$work/by_tox/out")"
for what in annotations lines; do
  cmp "$work/by_tox/$what" "$work/directly/$what" || fail "$what differ: $(cat "$work/by_tox/$what" "$work/directly/$what")"
done
[ -s "$work/by_tox/state" ] || fail "no state where XDG_STATE_HOME says"
cp "$work/readline.good" build/pkgs/readline/spkg-install.in

step "an unknown target, before anything is built"
expect 1 env DOCKER_TARGETS="with-targets nowhere" tox --workdir "$folders" -e "$small" > "$work/out" 2>&1
grep -q 'no stage is named nowhere' "$work/out" || fail "the wrong target is not named: $(cat "$work/out")"

start_registry registry
export DOCKER_PUSH_REPOSITORY=$registry/mini/

step "a package fails: so does tox, and what was built is kept, named and pushed"
forget
cp build/pkgs/readline/spkg-install.in "$work/readline.good"
echo 'exit 9' > build/pkgs/readline/spkg-install.in
expect 1 call -e "$small"
failed=$registry/mini/$(image with-targets):latest-failed
expect_lines "$envdir/Dockertags" "$failed"
expect_lines "$envdir/Dockertags.pushed" "$failed"
exists "$failed"
exists "$registry/mini/$(image with-targets-pre):latest-failed"
ls "$envdir"/sage/logs/pkgs/readline-* > /dev/null
cp "$work/readline.good" build/pkgs/readline/spkg-install.in
expect_no_container

step "two targets with two more tags, all pushed"
forget
echo '{"auths": {}}' > "$work/credentials.json"
DOCKER_CONFIG_FILE=$work/credentials.json DOCKER_TARGETS="with-targets-pre with-targets" EXTRA_DOCKER_TAGS="dev new" call -e "$small"
made | has -w readline || fail "readline was not built"
made | has -w cliquer && fail "cliquer was built again"
[ "$(readlink "$envdir/.docker/config.json")" = "$work/credentials.json" ] || fail "the credentials are not in place"
pre=$registry/mini/$(image with-targets-pre) all=$registry/mini/$(image with-targets)
expect_lines "$envdir/Dockertags" "$pre:latest" "$all:latest"
expect_lines "$envdir/Dockertags.pushed" "$pre:"{latest,dev,new} "$all:"{latest,dev,new}
[ "$(in_registry "mini/$(image with-targets-pre)")" = "dev latest new" ] || fail "tags: $(in_registry "mini/$(image with-targets-pre)")"
[ "$(in_registry "mini/$(image with-targets)")" = "dev latest latest-failed new" ] || fail "tags: $(in_registry "mini/$(image with-targets)")"

step "an update, target by target; a registry that is not there is told, and no failure"
forget
rm "$envdir"/sage/logs/stagemake-*
set_version conway_polynomials 0.6
DOCKER_PUSH_REPOSITORY=127.0.0.1:9/mini DOCKER_TARGETS="with-system-packages configured with-targets-pre with-targets" \
  call -e "$small"
[ "$(made)" = conway_polynomials ] || fail "built: $(made)"
[ "$(wc -l < "$envdir/Dockertags")" = 4 ] || fail "Dockertags holds: $(cat "$envdir/Dockertags")"
grep -q 'could not be pushed in 3 attempts' "$work/out" || fail "nothing is said of it"

step "incremental, from what was pushed: only what changed is built"
unset DOCKER_PUSH_REPOSITORY
"$STAGEMAKE_TEST_DOCKER" images --format '{{.Repository}}:{{.Tag}}' | grep "^sage-\|/sage-" | xargs "$STAGEMAKE_TEST_DOCKER" rmi --force > /dev/null
set_version openblas 0.3.99
FROM_DOCKER_REPOSITORY=$registry/mini/ EXTRA_DOCKER_BUILD_ARGS="--build-arg NUMPROC=2" call -e "$small-incremental"
envdir=$folders/$small-incremental
expect_lines "$envdir/Dockertags" "$(image with-targets):latest"
[ "$(made)" = "conway_polynomials numpy openblas" ] || fail "built: $(made)"
exists "$all:dev"

step "incremental, from what does not exist: told, with what there is"
expect 1 env FROM_DOCKER_REPOSITORY="$registry/mini/" FROM_DOCKER_TAG=10.9 EXTRA_DOCKER_BUILD_ARGS= \
  tox --workdir "$folders" -e "$small-incremental" > "$work/out" 2>&1
grep -q "$all:10.9" "$work/out" || fail "the image that is missing is not named: $(cat "$work/out")"
grep -q "$all:dev" "$work/out" || fail "the images that exist are not named: $(cat "$work/out")"

step "ctrl-C: kept, named, no container left"
envdir=$folders/$small
forget
echo 30 > build/pkgs/slowpoke/seconds.txt
log=$(echo "$work"/state/*/logs/debian-bookworm-minimal)/with-targets-pre.log
rm -f "$log"
env --default-signal=INT setsid tox --workdir "$folders" -e "$small" > "$work/out" 2>&1 &
tox=$!
wait_until grep -qs 'slowpoke.*installing' "$log"
kill -INT -- "-$tox"
wait "$tox" && fail "tox ended well after ctrl-C"
cat "$work/out"
expect_lines "$envdir/Dockertags" "$(image with-targets-pre):latest-failed"
exists "$(image with-targets-pre):latest-failed"
expect_no_container
echo "all well, in $SECONDS s"
