#!/usr/bin/env bash
# Dockerfiles from stagemake, built by docker itself: with both of its builders, again, after edits, and as the base of an
# incremental environment.
source "$(dirname "$0")/lib.sh"
[ "$engine" = docker ] || skip "only docker builds Dockerfiles here"

step() { printf '\n=== %s\n' "$1"; }

# docker_build BUILDER NAME [OPTION…]: builds the Dockerfile of $work; the output goes to $work/out. The Dockerfile is
# in the tree: docker 20.10 rejects one outside of a tree whose .dockerignore is a link.
docker_build() {
  export DOCKER_BUILDKIT=$1
  name=$2
  shift 2
  cp "$work/Dockerfile" "$tree/Dockerfile"
  "$STAGEMAKE_TEST_DOCKER" build --network host --progress plain --tag "$name" "$@" --file "$tree/Dockerfile" "$tree" \
    > "$work/out" 2>&1 || { tail -n 40 "$work/out"; fail "docker build $* with DOCKER_BUILDKIT=$DOCKER_BUILDKIT"; }
  rm "$tree/Dockerfile"
}

# BuildKit is an optional part of docker.
builders() {
  echo 0
  printf 'FROM scratch\nCOPY VERSION.txt /\n' > "$tree/Dockerfile"
  if DOCKER_BUILDKIT=1 "$STAGEMAKE_TEST_DOCKER" build "$tree" > /dev/null 2>&1; then echo 1; fi
  rm "$tree/Dockerfile"
}

in_image() { "$STAGEMAKE_TEST_DOCKER" run --rm --network host "$1" sh -c "$2"; }
# The installation records in an image, on one line.
records() { in_image "$1" 'ls /sage/local/var/lib/sage/installed /sage/venv/var/lib/sage/installed 2> /dev/null' | grep -v : | sort | xargs; }
made() { grep -c 'successfully installed' "$work/out" || true; }

# How many of the Dockerfile's steps docker took from its cache.
cached() { grep -cE 'Using cache|^#[0-9]+ CACHED' "$work/out" || true; }

step "the same file whatever the number of jobs, and where it is written to"
"$STAGEMAKE_BINARY" dockerfile "$environment" --base-image "$base" > "$work/Dockerfile"
"$STAGEMAKE_BINARY" dockerfile "docker-$environment" --base-image "$base" --numproc 7 -o "$work/other"
cmp "$work/Dockerfile" "$work/other" || fail "not the same"
[ "$(tail -n 1 "$work/Dockerfile")" = '#:end:' ] || fail "it does not end with #:end:"
layers=$(grep -cE '^(RUN|COPY|WORKDIR)' "$work/Dockerfile")
[ "$layers" -le 30 ] || fail "$layers layers"

for builder in $(builders); do
  step "all stages, DOCKER_BUILDKIT=$builder"
  docker_build "$builder" "all:$builder"
  all=$(made)
  [ "$all" -gt 20 ] || fail "only $all packages were made"
  for package in patch-2.7.6 zlib-1.2.13.p0 sagelib-1.0; do
    grep -qw "$package" <<< "$(records "all:$builder")" || fail "$package is not installed"
  done
  [ -n "$(in_image "all:$builder" 'cat /sage/README.md')" ] || fail "README.md is not there"
  [ -z "$(in_image "all:$builder" 'echo "${MAKE-}${NUMPROC-}"')" ] || fail "the number of jobs is in the image"

  step "again: all from docker's cache"
  id=$("$STAGEMAKE_TEST_DOCKER" image inspect --format '{{.Id}}' "all:$builder")
  docker_build "$builder" "all:$builder"
  [ "$(made)" = 0 ] || fail "something was made again"
  [ "$(cached)" -ge "$layers" ] || fail "only $(cached) of $layers steps are cached"
  if [ "$builder" = 0 ]; then
    [ "$id" = "$("$STAGEMAKE_TEST_DOCKER" image inspect --format '{{.Id}}' "all:$builder")" ] || fail "another image"
  fi

  step "an edited README makes nothing up to with-targets again"
  cp README.md "$work/README.good"
  echo more >> README.md
  docker_build "$builder" "edited:$builder" --target with-targets
  [ "$(made)" = 0 ] || fail "an edited README made packages"
  [ "$(in_image "edited:$builder" 'tail -n 1 /sage/README.md')" = more ] || fail "the edit is not there"
  cp "$work/README.good" README.md

  step "other targets, and stages by name"
  docker_build "$builder" "some:$builder" --target with-targets-pre --build-arg TARGETS_PRE="cliquer zlib readline"
  for package in cliquer zlib readline; do
    grep -qw "$package" <<< "$(records "some:$builder")" || fail "$package is not installed"
  done
  grep -qw openblas <<< "$(records "some:$builder")" && fail "more than TARGETS_PRE was made"

  step "incremental: what changed, and what stands on it"
  cp "$work/Dockerfile" "$work/Dockerfile.good"
  "$STAGEMAKE_BINARY" dockerfile "$environment-incremental" --base-image "all:$builder" > "$work/Dockerfile"
  set_version openblas 0.3.99
  touch "$tree/new-file" "$tree/build/pkgs/new-file"
  docker_build "$builder" "more:$builder" --target with-targets
  grep -q 'Incremental build in MiniDist' "$work/out" || fail "it does not say that it is incremental"
  grep -qw openblas-0.3.99 <<< "$(records "more:$builder")" || fail "the new openblas is not there"
  [ "$(made)" -lt $((all / 2)) ] || fail "$(made) packages were made for one that changed"
  in_image "more:$builder" 'test -e /sage/build/pkgs/new-file && ! test -e /sage/new-file' || fail "not the new sources"

  step "incremental: what is no more goes away"
  rm "$tree/new-file" "$tree/build/pkgs/new-file"
  sed -i 's/^ARG BASE_IMAGE=.*/ARG BASE_IMAGE=more:'"$builder"'/' "$work/Dockerfile"
  docker_build "$builder" "less:$builder" --target configured
  in_image "less:$builder" '! test -e /sage/build/pkgs/new-file && test -d /sage/local' || fail "an old source is left"
  mv "$work/Dockerfile.good" "$work/Dockerfile"
  set_version openblas 0.3.21
done

step "a stage that fails makes docker build fail, but for the one whose errors are ignored"
export DOCKER_BUILDKIT=0
cp "$work/Dockerfile" "$tree/Dockerfile"
expect 1 "$STAGEMAKE_TEST_DOCKER" build --network host --target bootstrapped --build-arg BOOTSTRAP='false' "$tree" > /dev/null 2>&1
"$STAGEMAKE_TEST_DOCKER" build --network host --build-arg TARGETS_OPTIONAL=no-such-target "$tree" > "$work/out" 2>&1 ||
  fail "with-targets-optional: $(tail -n 5 "$work/out")"
grep -q '(error ignored)' "$work/out" || fail "the error is not told"
echo "all well"
