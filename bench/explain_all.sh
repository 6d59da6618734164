#!/bin/bash
# `explain --all` with images of all environments in a registry on this machine, compared with the same without a registry.
#
# Usage: explain_all.sh [TREE [IMAGES]], with TREE a checkout of Sage or passagemath (default: minidist), and 2000 images by
# default. Needs STAGEMAKE_BINARY, STAGEMAKE_TEST_ROOTFS, docker (see tests/e2e/lib.sh) and Debian's docker-registry. The
# images are made from those of one environment, which is built with recipes that do nothing (fill_registry.py). BEFORE, if
# set, is another stagemake to compare with.
set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
given=${1:+$(cd "$1" && pwd)}
images=${2:-2000}
source "$bench/../tests/e2e/lib.sh" docker
source "$bench/../tests/e2e/registries.sh"
source "$bench/timing.sh"
export XDG_CACHE_HOME=$work/cache

print_load
if [ -n "$given" ]; then
  tree=$work/given/$(basename "$given")
  mkdir "$work/given"
  cp -a --reflink=auto "$given" "$tree"
fi
for stage in with-system-packages bootstrapped configured with-base-toolchain with-targets-pre with-targets; do
  printf '[[stage]]\nname = "%s"\nrecipe = "true"\nadds = [%s]\n\n' "$stage" \
    "$([ "$stage" != bootstrapped ] || echo '"build"')"
done > "$work/stages.toml"
options=(--base-image "$base" --stages "$work/stages.toml" --tree "$tree")
"$STAGEMAKE_BINARY" build "$environment" "${options[@]}" > "$work/out" 2>&1 ||
  { cat "$work/out"; fail "the build"; }
"$STAGEMAKE_BINARY" explain --all "${options[@]}" --json > "$work/all"
python3 -c 'import json, sys; print(*sorted({one["name"] for one in json.load(sys.stdin)["environments"]}), sep="\n")' \
  < "$work/all" > "$work/environments"
start_registry registry
"$STAGEMAKE_TEST_DOCKER" images --quiet --filter label=org.stagemake.schema | sort -u |
  xargs "$STAGEMAKE_TEST_DOCKER" inspect | "$bench/fill_registry.py" "$registry" "$images" "$work/environments"
echo "explain --all: $(wc -l < "$work/environments") environments, $images images in the registry"
all=(explain --all "${options[@]}")
# With a program and its arguments; nothing is kept of the registry's answers.
cold() { rm -rf "$XDG_CACHE_HOME/stagemake"; "$@"; }
contender "no registry" "$STAGEMAKE_BINARY" "${all[@]}"
contender "--from, configs kept" "$STAGEMAKE_BINARY" "${all[@]}" --from "$registry/many"
note "aim: 3 s"
[ -z "${BEFORE:-}" ] || contender "--from, configs kept, before" "$BEFORE" "${all[@]}" --from "$registry/many"
contender "--from, nothing kept of the registry's" cold "$STAGEMAKE_BINARY" "${all[@]}" --from "$registry/many"
note "aim: 3 s"
measure "${ROUNDS:-5}"
