#!/usr/bin/env bash
# 30 runs or more, each after an edit and on top of the previous one: images never have more layers than the engine allows,
# and still contain what the first run installed. A table of two small stages keeps the test short, and a base image with
# many layers makes it reach the limit. (docker allows more layers than buildah can mount.)
source "$(dirname "$0")/lib.sh"
mkdir "$work/layers"
echo > "$work/layers/layer"
# layered FIRST COUNT: a Dockerfile that adds COUNT layers.
layered() {
  echo "FROM $1"
  for layer in $(seq "$2"); do echo "COPY layer /layer-$layer"; done
}
case $engine in
  docker)
    runs=30
    layered "$base" 105 > "$work/layers/Dockerfile"
    "$STAGEMAKE_TEST_DOCKER" build --quiet --tag layered:1 "$work/layers"
    ;;
  buildah)
    runs=40
    layered "localhost/$base" 35 > "$work/layers/Dockerfile"
    buildah build --quiet --layers --isolation chroot --tag localhost/layered:1 "$work/layers"
    ;;
esac
base=layered:1
runs=${STAGEMAKE_TEST_RUNS:-$runs}
cat > "$work/stages.toml" <<'T'
default_stage = "made"
stamp_folders = ["local/var/lib/sage/installed"]

[[stage]]
name = "system"
recipe = "echo base > /etc/stagemake-system"

[[stage]]
name = "made"
adds = ["build", "edited"]
make_targets = ["zlib"]
recipe = "mkdir -p local/var/lib/sage/installed; [ -e first ] || cp edited first; cp edited last; date > local/var/lib/sage/installed/zlib-1.2.13.p0"
T
for run in $(seq "$runs"); do
  echo "$run" > edited
  build --stages "$work/stages.toml" > "$work/run.log" || fail "run $run: $(cat "$work/run.log")"
done
"$STAGEMAKE_BINARY" snapshots --stages "$work/stages.toml" --json > "$work/snapshots"
most=$(sed -n 's/.*"layers": \([0-9]*\).*/\1/p' "$work/snapshots" | sort -n | tail -n 1)
echo "$runs runs, at most $most layers"
[ "$most" -gt 40 ] && [ "$most" -le 120 ] || fail "$most layers"
newest=sage-docker-$environment-made:latest
case $engine in
  docker) "$STAGEMAKE_TEST_DOCKER" run --rm --network host "$newest" cat /sage/first /sage/last /etc/stagemake-system > "$work/files" ;;
  buildah)
    buildah from --name look --pull-never "localhost/$newest" > /dev/null
    buildah run --isolation chroot look -- cat /sage/first /sage/last /etc/stagemake-system > "$work/files"
    ;;
esac
[ "$(tr '\n' ' ' < "$work/files")" = "1 $runs base " ] || fail "the files of the last image: $(cat "$work/files")"
build --stages "$work/stages.toml"
expect_state made reused
