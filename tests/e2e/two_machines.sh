#!/usr/bin/env bash
# Two machines, simulated by two dockerds with their own folders, and one registry between them: one machine fetches what
# the other built, and checks the labels of an image before trusting them.
source "$(dirname "$0")/lib.sh"
source "$here/registries.sh"
[ "$engine" = docker ] || skip "two daemons are docker's"

step() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; }
docker() { "$STAGEMAKE_TEST_DOCKER" "$@"; }

# on MACHINE: switches to its engine, state, caches and checkout.
on() {
  export DOCKER_HOST=unix://$work/docker$1.sock STAGEMAKE_STATE=$work/state$1 XDG_CACHE_HOME=$work/cache$1
  machine=$1 tree=$work/checkout$1/minidist
  cd "$tree"
}
image() { echo "$registry/md/sage-docker-$environment-$1:$tag"; }
local_image() { echo "sage-docker-$environment-$1:$tag"; }
all_stages="with-system-packages bootstrapped configured with-base-toolchain with-targets-pre with-targets"
toolchain_stages="with-system-packages bootstrapped configured with-base-toolchain"
forget_logs() { rm -f "$STAGEMAKE_STATE"/*/logs/*/*.log; }
# Removes all images of a machine but the base image.
forget_images() {
  docker image prune --all --force --filter label=org.stagemake.schema > /dev/null
  forget_logs
}
# Runs a build, and prints how long after its start make's first package began.
timed_build() {
  forget_logs
  began=$EPOCHREALTIME
  "$STAGEMAKE_BINARY" build -v "$environment" --base-image "$base" "$@" 2>&1 |
    while IFS= read -r line; do
      case $line in *'] installing. Log file:'*) [ -e "$work/first" ] || echo "$EPOCHREALTIME" > "$work/first" ;; esac
      printf '%s\n' "$line"
    done > "$work/out"
  [ ! -e "$work/first" ] ||
    awk -v a="$began" -v b="$(cat "$work/first")" 'BEGIN { printf "make'\''s first package began %.2f s after the start\n", b - a }'
  rm -f "$work/first"
  sed -n '/^environment  /,$p' "$work/out"
}
# built_all: the packages that were built since the logs were removed.
built_all() {
  (cat "$STAGEMAKE_STATE"/*/logs/*/*.log 2> /dev/null || true) | sed -n 's/^ *\[\(.*\)-[^-]*\] successfully installed\..*/\1/p' |
    (grep -v '^sagelib$' || true) | sort | xargs
}
expect_built_all() { [ "$(built_all)" = "$1" ] || fail "built on $machine: \"$(built_all)\", not \"$1\""; }
expect_said() { grep -q -- "$1" "$work/out" || fail "nothing is said of \"$1\": $(cat "$work/out")"; }
# On the other machine: the toolchain comes from the registry, and only packages that a has not built are built.
build_upon_a() {
  timed_build --from "$registry/md"
  expect_said "fetching $(image with-base-toolchain)"
  expect_said "continuing from $(image with-base-toolchain)\|from $(image with-base-toolchain)"
  for stage in $toolchain_stages; do expect_state "$stage" reused; done
  for stage in with-targets-pre with-targets; do expect_state "$stage" built; done
  for package in $(cat "$work/toolchain"); do
    built_all | has -w "$package" && fail "$package is built again"
  done
  return 0
}

start_registry registry
tag=dev
base=$registry/base:1
start_docker b
# The dockerd that lib.sh started becomes machine a's.
ln -s docker.sock "$work/dockera.sock"
for one in a b; do
  mkdir "$work/checkout$one"
  cp -a "$here/../minidist" "$work/checkout$one/"
done
export DOCKER_TAG=$tag

on a
docker tag stagemake-test-base:1 "$base"
docker push -q "$base" > /dev/null

step "a builds up to with-base-toolchain, and pushes"
build --to with-base-toolchain --push-to "$registry/md"
for stage in $toolchain_stages; do
  [ "$(in_registry "md/sage-docker-$environment-$stage")" = "$tag" ] || fail "$stage is not in the registry"
done
built_all > "$work/toolchain"

step "b, without the base image: what a has built comes from the registry, the rest is built"
on b
build_upon_a
[ -z "$(docker images --quiet "$base")" ] || fail "b has fetched the base image"

step "b again, with the base image and nothing else"
forget_images
rm -r "$STAGEMAKE_STATE" "$XDG_CACHE_HOME"
docker pull -q "$base" > /dev/null
build_upon_a

step "a change on b, pushed"
set_version openblas 0.3.99
timed_build --from "$registry/md" --push-to "$registry/md"
expect_built_all "numpy openblas"
docker image inspect --format '{{index .Config.Labels "org.stagemake.key"}}' "$(image with-targets)" > "$work/key"

step "a has the change too: it picks up what b built, and builds nothing"
on a
set_version openblas 0.3.99
forget_logs
explain --from "$registry/md"
expect_said "with-targets  *reuse  $(image with-targets)"
build --from "$registry/md"
expect_said "fetching $(image with-targets)"
for stage in $all_stages; do expect_state "$stage" reused; done
expect_built_all ""
[ "$(docker image inspect --format '{{index .Config.Labels "org.stagemake.key"}}' "$(local_image with-targets)")" = "$(cat "$work/key")" ] ||
  fail "another image"

step "--clean-only: an image with an incremental ancestor will not do, and says so"
explain --from "$registry/md" --clean-only
expect_said "with-system-packages  *reuse"
expect_said "not used: it has an incremental ancestor (--clean-only)"
expect_said "with-targets  *build"

step "a change of its own: of the candidates the registry's is chosen, and only the change is built"
forget_images
set_version cliquer 2.0
explain --from "$registry/md"
expect_said "^    \* $(image with-targets)"
timed_build --from "$registry/md"
expect_built_all "cliquer"
expect_said "fetching $(image with-targets)"
expect_said "bootstrapped: running, continuing from"

step "--restore: that image and no other"
set_version cliquer 3.0
timed_build --from "$registry/md" --restore "$(image with-base-toolchain)"
expect_said "fetching $(image with-base-toolchain)"
built_all | has -w openblas || fail "openblas is not built in an image without it"
expect 2 build --from "$registry/md" --restore "$(image with-base-toolchain)-none"
expect_said "no image of stagemake's is named"

step "a vanishes in the middle of a stage, driver, container and all: b goes on from its last checkpoint"
for one in b a; do
  on $one
  cp -a build/pkgs "$work/pkgs$one"
done
for package in slowpoke openblas cliquer; do set_version "$package" 5.0; done
echo 600 > build/pkgs/slowpoke/seconds.txt
forget_logs
"$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --from "$registry/md" --push-to "$registry/md" \
  --checkpoint 1s > "$work/out" 2>&1 &
driver=$!
for _ in $(seq 600); do
  # Waits until everything that does not depend on slowpoke is built, saved and pushed. (A package that was just finishing
  # has a version in the label, but no fingerprint.)
  docker images --quiet --filter label=org.stagemake.complete=false |
    xargs -r docker inspect --format '{{index .Config.Labels "org.stagemake.packages"}}' > "$work/snapshots" || true
  grep -q '"cliquer":\["5.0","[0-9a-f]' "$work/snapshots" && grep -q '"openblas":\["5.0","[0-9a-f]' "$work/snapshots" &&
    grep 'checkpoint of\|pushed .*-failed' "$work/out" | tail -n 1 | has pushed && break
  kill -0 "$driver" 2> /dev/null || fail "it ended: $(cat "$work/out")"
  sleep 0.2
done
pgrep -f 'sleep 600' > /dev/null || fail "slowpoke is not being built"
kill -KILL "$driver"
wait "$driver" 2> /dev/null || true
docker ps --all --quiet | xargs docker rm --force --volumes > /dev/null
cat "$work/out"
[ "$(docker images --quiet --filter label=org.stagemake.complete=false --filter label=org.stagemake.stage=with-targets-pre | wc -l)" -le 2 ] ||
  fail "checkpoints pile up"
on b
for package in slowpoke openblas cliquer; do set_version "$package" 5.0; done
forget_images
timed_build --from "$registry/md"
expect_said "fetching $(image with-targets-pre)-failed"
for package in openblas cliquer; do built_all | has -w "$package" && fail "$package is built again, which a checkpoint held"; done
built_all | has -w slowpoke || fail "slowpoke is not built"
for one in a b; do
  on $one
  rm -r build/pkgs
  mv "$work/pkgs$one" build/pkgs
done
docker pull -q "$(image with-targets)" > /dev/null

step "an image whose labels lie: left alone with the reason, and the next best is taken"
on b
container=$(docker create "$(image with-targets)" true)
docker commit "$container" lies > /dev/null
docker rm "$container" > /dev/null
docker run --name liar --network host --entrypoint '' lies sh -c 'rm /sage/local/var/lib/sage/installed/cliquer-*'
docker commit liar "$(image with-targets)" > /dev/null
docker rm liar > /dev/null
docker push -q "$(image with-targets)" > /dev/null
docker rmi --force lies > /dev/null
on a
set_version cliquer 1.22 # now it is the very image that is wanted
lie="with-targets:$tag is not used: its labels list cliquer, which has no installation record in it"
forget_images
timed_build --from "$registry/md"
expect_said "$lie"
expect_state with-targets built
built_all | has -w cliquer || fail "cliquer is not built"
set_version conway_polynomials 0.9 # now it is one to go on in
forget_images
timed_build --from "$registry/md"
expect_said "$lie"
expect_state with-targets built
build --from "$registry/md"
for stage in $all_stages; do expect_state "$stage" reused; done

step "the base image's name means another content: follow, warn, pin, and --strict"
on a
old=$(docker image inspect --format '{{.Id}}' "$base")
docker run --name moved --network host "$base" sh -c 'echo 2 > /etc/moved'
docker commit moved "$base" > /dev/null
docker rm moved > /dev/null
explain
expect_said "the base image $base has moved"
expect_said "with-system-packages  *build"
expect_said "not used: it was built on different content of the base image"
expect 2 build --strict
expect_said "would be built from its base image: no image of it can be used"
expect_said "it was built on different content of the base image"
explain --base-policy warn
expect_said "has moved"
for stage in $all_stages; do expect_said "  $stage  *reuse"; done
set_version slowpoke 2.0
timed_build --base-policy warn
expect_built_all slowpoke
timed_build --base-policy pin --fresh --to with-system-packages
expect_state with-system-packages built
expect_said "the build stays on the old one"
docker run --rm --network host "sage-docker-$environment-with-system-packages:$tag" sh -c '! test -e /etc/moved' ||
  fail "pinned, and built on the new base image"
timed_build --to with-system-packages
expect_state with-system-packages built
docker run --rm --network host "sage-docker-$environment-with-system-packages:$tag" test -e /etc/moved ||
  fail "built on the old base image"

step "a fresh build that was cut off on a goes on on b, and is finished there"
echo 15 > build/pkgs/slowpoke/seconds.txt
docker push -q "$base" > /dev/null
rm -r "$work/checkoutb/minidist"
cp -a "$work/checkouta/minidist" "$work/checkoutb/"
expect 75 build --fresh --push-to "$registry/md" --deadline 18s
expect_state with-system-packages built
on b
docker pull -q "$base" > /dev/null
forget_images
timed_build --fresh --push-to "$registry/md"
expect_said "continuing the fresh build that was begun"
expect_state with-system-packages reused
expect_state with-targets built
explain --fresh --from "$registry/md"
expect_said "from the base image $base"
echo "all well, in $SECONDS s"
