#!/bin/bash
# A build with nothing to do: `stagemake build`, compared with a cached `docker build` of the same chain of stages.
#
# Usage: noop.sh docker|buildah [TREE], with TREE a checkout of Sage or passagemath. Needs STAGEMAKE_BINARY and
# STAGEMAKE_TEST_ROOTFS; see tests/e2e/lib.sh, whose engines it uses. It measures minidist with its real recipes, then TREE
# with recipes that do nothing: they do not change the cost of a cached build, and compiling Sage takes hours. Both sides
# add the same files in the same stages. A copy of TREE is used: without BuildKit, docker fails on a Dockerfile outside
# a tree whose .dockerignore is a symlink, as Sage's is.
#
# A distribution needs an image per stage, and Sage calls `docker build` once for each; a single call for the whole chain,
# which names only the last image, is also shown. With RECIPES=empty, minidist's recipes do nothing either.
set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
given=${2:+$(cd "$2" && pwd)}
source "$bench/../tests/e2e/lib.sh" "${1:-}"
source "$bench/timing.sh"
rounds=${ROUNDS:-10}

stages=(with-system-packages bootstrapped configured with-base-toolchain with-targets-pre with-targets)
declare -A recipes
real_recipes() {
  recipes=(
    [with-system-packages]="true"  # the base image has what minidist needs
    [bootstrapped]="./bootstrap"
    [configured]="mkdir -p logs/pkgs && ./configure --enable-build-as-root"
    [with-base-toolchain]="make -k V=0 base-toolchain"
    [with-targets-pre]="make SAGE_SPKG='sage-spkg -y -o' -k V=0 all-sage-local"
    [with-targets]="make SAGE_SPKG='sage-spkg -y -o' -k V=0 build"
  )
}
empty_recipes() {
  for stage in "${stages[@]}"; do recipes[$stage]=true; done
}

# Files that the stages add, for any release; files that a tree lacks are left out.
bootstrap_files="Makefile VERSION.txt COPYING.txt condarc.yml README.md bootstrap bootstrap-conda configure.ac sage
  .homebrew-build-env tox.ini Pipfile.m4 .gitignore pyproject.toml meson.build meson.options config/config.rpath
  src/doc/bootstrap src/bin src/Pipfile.m4 src/pyproject.toml.m4 src/requirements.txt.m4 src/setup.cfg.m4 src/VERSION.txt
  src/meson.build m4 pkgs build .upstream.d tools .github/workflows"
added_by() {
  case $1 in
    bootstrapped) for path in $bootstrap_files; do [ ! -e "$tree/$path" ] || echo "$path"; done ;;
    with-targets) echo src ;;
  esac
}

write_dockerfile() {
  parent=$1
  for stage in "${stages[@]}"; do
    printf 'FROM %s AS %s\nWORKDIR /sage\n' "$parent" "$stage"
    for path in $(added_by "$stage"); do printf 'ADD %s /sage/%s\n' "$path" "$path"; done
    printf 'RUN %s\n' "${recipes[$stage]}"
    parent=$stage
  done
}

write_stages() {
  for stage in "${stages[@]}"; do
    printf '[[stage]]\nname = "%s"\nrecipe = "%s"\nadds = [' "$stage" "${recipes[$stage]}"
    for path in $(added_by "$stage"); do printf '"%s", ' "$path"; done
    printf ']\n\n'
  done
}

# docker_build BUILDKIT STAGE: 1 is BuildKit, 0 the older builder.
docker_build() {
  DOCKER_BUILDKIT=$1 "$STAGEMAKE_TEST_DOCKER" build --network host --quiet --tag "peer-$1-$2" --target "$2" \
    --file "$tree/Dockerfile" "$tree"
}
# Since docker 23, BuildKit needs a plug-in, which a machine may lack.
has_buildkit() {
  docker_build 1 "${stages[0]}" > "$work/probe" 2>&1 && return
  grep -q buildx "$work/probe" || { cat "$work/probe"; fail "docker build with BuildKit"; }
  echo "  without BuildKit: docker lacks its plug-in buildx (package docker-buildx)"
  return 1
}
buildah_build() {
  buildah build --isolation chroot --layers --quiet --pull-never --ignorefile "$tree/.dockerignore" --tag "peer-$1" \
    --target "$1" --file "$work/Dockerfile" "$tree"
}
for_each_stage() {
  local stage
  for stage in "${stages[@]}"; do "$@" "$stage" || return; done
}

bench_noop() {
  local last=${stages[-1]}
  local build=("$STAGEMAKE_BINARY" build "$environment" --base-image "$base" "$@" --tree "$tree")
  echo "$(basename "$tree"), ${#stages[@]} stages"
  write_dockerfile "$base" > "$tree/Dockerfile"
  write_dockerfile "localhost/$base" > "$work/Dockerfile"
  "${build[@]}" > "$work/out" 2>&1 || { cat "$work/out"; fail "the first build"; }
  "${build[@]}" --count-calls > "$work/out" 2>&1
  [ "$(grep -c ' reused ' "$work/out")" -ge "${#stages[@]}" ] || { cat "$work/out"; fail "the second build builds"; }
  contender "stagemake build" "${build[@]}"
  note "$(tail -n 1 "$work/out")"
  if [ -n "$dockerd_pid" ]; then
    if has_buildkit; then
      contender "docker build, BuildKit, once per stage" for_each_stage docker_build 1
      note "aim: ratio 10"
      contender "docker build, BuildKit, one call" docker_build 1 "$last"
      note "aim: ratio 10"
    fi
    contender "docker build, without BuildKit, one call" docker_build 0 "$last"
  fi
  if [ "$engine" = buildah ]; then
    contender "buildah build --layers, once per stage" for_each_stage buildah_build
    contender "buildah build --layers, one call" buildah_build "$last"
  fi
  measure "$rounds"
}

print_load
if [ "$engine" = buildah ] && { command -v dockerd > /dev/null || [ -x /usr/sbin/dockerd ]; } && [ "$(id -u)" = 0 ]; then
  start_docker
  engine=docker import_base
fi
git init -q
git add --all
git -c user.name=bench -c user.email=bench@localhost commit -q -m "As a checkout"
if [ "${RECIPES:-real}" = real ]; then
  real_recipes
  bench_noop
else
  empty_recipes
  write_stages > "$work/stages.toml"
  bench_noop --stages "$work/stages.toml"
fi
if [ -n "$given" ]; then
  tree=$work/given/$(basename "$given")
  mkdir "$work/given"
  cp -a --reflink=auto "$given" "$tree"
  git -C "$tree" status > /dev/null 2>&1 || true  # its index knows the copied files now
  empty_recipes
  write_stages > "$work/stages.toml"
  bench_noop --stages "$work/stages.toml"
fi
