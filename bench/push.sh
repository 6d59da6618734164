#!/bin/bash
# Pushing a large stage to a registry: `stagemake build --push-to`, compared with `docker push` of the same image.
#
# Usage: push.sh [MEGABYTES], default 1024; docker only. Needs STAGEMAKE_BINARY and STAGEMAKE_TEST_ROOTFS; see
# tests/e2e/lib.sh, whose engine it uses, and Debian's docker-registry. The stage contains random bytes, which do not
# compress. Each side has its own registry, which already has the base image, and each round a new image, because a
# registry takes no layer twice. The two sides take turns to go first.
set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
megabytes=${1:-1024}
source "$bench/../tests/e2e/lib.sh" docker
source "$bench/../tests/e2e/registries.sh"
source "$bench/timing.sh"
rounds=${ROUNDS:-3}

cat > "$work/stages.toml" <<T
default_stage = "large"
[[stage]]
name = "large"
adds = ["round"]
recipe = "head -c ${megabytes}M /dev/urandom > /large"
T
name=sage-docker-$environment-large:latest
stage() { stagemake build "$environment" --base-image "$base" --stages "$work/stages.toml" "$@"; }
by_docker() { "$STAGEMAKE_TEST_DOCKER" push -q "$docker/$name"; }
by_stagemake() { stage --push-to "$ours" --push=required; }

print_load
start_registry docker-registry
docker=$registry
start_registry our-registry
ours=$registry
for registry in "$docker" "$ours"; do
  "$STAGEMAKE_TEST_DOCKER" tag "$base" "$registry/${name%:*}:base"
  "$STAGEMAKE_TEST_DOCKER" push -q "$registry/${name%:*}:base" > /dev/null
done
touch "$work/pushed-bases"
for round in $(seq "$rounds"); do
  echo "$round" > round
  stage > "$work/out"
  "$STAGEMAKE_TEST_DOCKER" tag "$name" "$docker/$name"
  order="by_docker by_stagemake"
  [ $((round % 2)) = 1 ] || order="by_stagemake by_docker"
  for side in $order; do
    seconds_of "$side"
    echo "$seconds" >> "$work/$side"
    echo "$seconds $side" >> "$work/order"
  done
  # Removes all that the round made, with the registries' copies, but not the base image: only the newest stays on disk.
  "$STAGEMAKE_TEST_DOCKER" images --format '{{.Repository}}:{{.Tag}}' | grep -- '-large:latest$' | xargs "$STAGEMAKE_TEST_DOCKER" rmi -f > /dev/null
  find "$work"/*-registry/docker/registry/v2/blobs -newer "$work/pushed-bases" -size +"$((megabytes * 512))"k -delete
done
printf '  %-40s %10s %10s\n' "$megabytes MB of random bytes, $rounds rounds" best median
for side in by_docker by_stagemake; do
  awk -v label="$side" -v best="$(sort -n "$work/$side" | head -n 1)" -v median="$(median < "$work/$side")" \
    'BEGIN { gsub("_", " ", label); printf "  %-40s %8.1f s %8.1f s\n", "pushed " label, best, median }'
done
awk -v a="$(median < "$work/by_docker")" -v b="$(median < "$work/by_stagemake")" \
  'BEGIN { printf "ratio stagemake to docker: %.2f\n", b / a }'
