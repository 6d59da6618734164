#!/bin/bash
# The cost of the driver per stage: `stagemake build --fresh` builds a chain of stages that do nothing, compared with a
# script of the bare engine commands that such a chain needs.
#
# Usage: overhead.sh docker|buildah. Needs STAGEMAKE_BINARY and STAGEMAKE_TEST_ROOTFS; see tests/e2e/lib.sh, whose engines
# it uses. For each stage, the bare commands create a container, copy a tar file in, run the recipe, commit with a label
# and a name, and remove, in one call each. They keep no log, find nothing again, and lose everything if killed.
# STAGES=N sets the number of stages (default 6).
set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
source "$bench/../tests/e2e/lib.sh" "${1:-}"
source "$bench/timing.sh"
rounds=${ROUNDS:-5}
count=${STAGES:-6}

# The smallest tree: the packages that the environment's name refers to, and a file for each stage.
tree=$work/tree
mkdir -p "$tree"/build/pkgs/{_prereq,_bootstrap} "$work/tars"
cd "$tree"
echo optional | tee build/pkgs/{_prereq,_bootstrap}/type > /dev/null
for i in $(seq "$count"); do
  echo "$i" > "file-$i"
  tar -cf "$work/tars/$i.tar" "file-$i"
  printf '[[stage]]\nname = "stage-%s"\nrecipe = "true"\nadds = ["file-%s"]\n' "$i" "$i" >> ci-docker.toml
done

bare_docker() {
  local i parent=$base
  for i in $(seq "$count"); do
    "$STAGEMAKE_TEST_DOCKER" create --name "bare-$i" --network host --interactive "$parent" /bin/sh &&
      "$STAGEMAKE_TEST_DOCKER" cp - "bare-$i:/" < "$work/tars/$i.tar" &&
      echo true | "$STAGEMAKE_TEST_DOCKER" start --attach --interactive "bare-$i" &&
      "$STAGEMAKE_TEST_DOCKER" commit --change "LABEL stage=$i" "bare-$i" "bare:$i" &&
      "$STAGEMAKE_TEST_DOCKER" rm "bare-$i" || return
    parent=bare:$i
  done
}

bare_buildah() {
  local i parent=localhost/$base
  for i in $(seq "$count"); do
    buildah from --quiet --pull-never --name "bare-$i" "$parent" &&
      buildah add --quiet "bare-$i" "$work/tars/$i.tar" / &&
      echo true | buildah run --isolation chroot --network host --terminal=false "bare-$i" -- /bin/sh &&
      buildah config --label "stage=$i" "bare-$i" &&
      buildah commit --quiet --disable-compression "bare-$i" "localhost/bare:$i" &&
      buildah rm "bare-$i" || return
    parent=localhost/bare:$i
  done
}

driven() { "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --fresh --count-calls; }
nothing() { "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --count-calls; }

# The median of one contender in the last measurement, in milliseconds.
milliseconds() { awk -v m="$(median < "$work/times.$1")" 'BEGIN { print 1000 * m }'; }

print_load
driven > "$work/out" 2>&1 || { cat "$work/out"; fail "the build"; }
calls=$(tail -n 1 "$work/out")
contender "bare $engine commands" "bare_$engine"
contender "stagemake build --fresh" driven
contender "stagemake build, nothing to do" nothing
measure "$rounds"
echo "  $calls"
aim=50
[ "$engine" = docker ] || aim=120
awk -v aim=$aim -v bare="$(milliseconds 0)" -v driven="$(milliseconds 1)" -v once="$(milliseconds 2)" -v n="$count" 'BEGIN {
  printf "  per stage: bare %.0f ms, stagemake %.0f ms (without what a run costs once), overhead %.0f ms; aim: under %d ms\n",
    bare / n, (driven - once) / n, (driven - once - bare) / n, aim
}'
