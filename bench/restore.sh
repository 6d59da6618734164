#!/bin/bash
# A restore: the time from the start of `stagemake build` until make builds its first package, in a local image and in one
# fetched from a registry; and the time to choose among many images in a registry.
#
# Usage: restore.sh docker|buildah [IMAGES], 1000 images by default (with docker only). Needs STAGEMAKE_BINARY and
# STAGEMAKE_TEST_ROOTFS; see tests/e2e/lib.sh, whose engines it uses, and Debian's docker-registry. The tree is minidist:
# the time before the first package (fetch, look into the image, update the sources, uninstall the old version, configure)
# depends on its number of packages and files, and the size of its images on the root file system.
set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
images=${2:-1000}
source "$bench/../tests/e2e/lib.sh" "${1:-}"
source "$bench/../tests/e2e/registries.sh"
source "$bench/timing.sh"
rounds=${ROUNDS:-5}
export XDG_CACHE_HOME=$work/cache

# Prints how many seconds after its start a build begins its first package.
first_package() {
  local logs began
  logs=$(echo "$work"/state/*/logs/"$environment")
  rm -f "$logs"/*.log*
  began=$EPOCHREALTIME
  "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" "$@" > "$work/out" 2>&1 &
  until grep -qs '^ *\[.*\] installing' "$logs"/*.log; do
    kill -0 $! 2> /dev/null || { cat "$work/out"; fail "no package was built"; }
    sleep 0.005
  done
  awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }'
  wait $!
}
# figures LABEL FILE
figures() {
  awk -v label="$1" -v best="$(sort -n "$2" | head -n 1)" -v median="$(median < "$2")" \
    'BEGIN { printf "  %-52s %8.2f s %8.2f s\n", label, best, median }'
}

print_load
start_registry registry
build --push-to "$registry/team" --tag v1 > /dev/null
printf '  %-52s %10s %10s\n' "from the start to the first package, $rounds rounds" best median
for round in $(seq "$rounds"); do
  set_version openblas "0.3.99.$round"
  first_package --tag v2 >> "$work/here"
  remove_images
  set_version openblas "0.3.98.$round"
  first_package --from "$registry/team" --tag v2 >> "$work/there"
done
figures "in an image on this machine" "$work/here"
figures "in one that is fetched from a registry" "$work/there"

[ "$engine" = docker ] || exit 0
"$STAGEMAKE_TEST_DOCKER" inspect "sage-docker-$environment-with-targets:v2" "sage-docker-$environment-with-targets-pre:v2" |
  "$bench/fill_registry.py" "$registry" "$images"
remove_images
many=(explain "$environment" --base-image "$base" --from "$registry/many")
seen=$("$STAGEMAKE_BINARY" "${many[@]}" --json | grep -c '"verdict"')
echo "explain with $seen candidates in the registry"
cold() { rm -rf "$XDG_CACHE_HOME/stagemake"; "$STAGEMAKE_BINARY" "$@"; }
contender "explain, no image anywhere" "$STAGEMAKE_BINARY" explain "$environment" --base-image "$base"
contender "explain --from, nothing kept of the registry's" cold "${many[@]}"
note "aim: 1 s"
contender "explain --from, configs kept" "$STAGEMAKE_BINARY" "${many[@]}"
note "aim: 1 s"
measure "$rounds"
