#!/usr/bin/env bash
# Surroundings that exist already: a base image with volumes, other people's image names, a tree whose engine is stopped, a
# bootstrap with a wrong exit status. Nothing is lost or replaced silently.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; }
id_of() {
  case $engine in
    docker) "$STAGEMAKE_TEST_DOCKER" image inspect --format '{{.Id}}' "$1" ;;
    buildah) buildah inspect --type image --format '{{.FromImageID}}' "localhost/$1" ;;
  esac
}
tag_as() {
  case $engine in
    docker) "$STAGEMAKE_TEST_DOCKER" tag "$1" "$2" ;;
    buildah) buildah tag "localhost/$1" "localhost/$2" ;;
  esac
}
# with_volume NAME PATH: the base image with a volume.
with_volume() {
  case $engine in
    docker)
      "$STAGEMAKE_TEST_DOCKER" create --name volume "$base" true > /dev/null
      "$STAGEMAKE_TEST_DOCKER" commit --change "VOLUME $2" volume "$1" > /dev/null
      "$STAGEMAKE_TEST_DOCKER" rm --volumes volume > /dev/null
      ;;
    buildah)
      buildah from --name volume --pull-never "localhost/$base" > /dev/null
      buildah config --volume "$2" volume
      buildah commit -q --disable-compression --rm volume "localhost/$1" > /dev/null
      ;;
  esac
}

step "a base image with a volume in the tree's folder is refused"
with_volume volume:1 /sage/local
expect 2 stagemake build "$environment" --base-image volume:1 --to bootstrapped
grep -q 'the base image volume:1 cannot be used: it declares the volume /sage/local' "$work/out" || fail "it does not say why"
expect_no_container
step "one with a volume elsewhere is fine"
with_volume volume:2 /data
stagemake build "$environment" --base-image volume:2 --to bootstrapped
expect_state bootstrapped built

step "a name of somebody else's image is not moved"
name=sage-docker-$environment-bootstrapped
tag_as "$base" "$name:mine"
before=$(id_of "$name:mine")
build --to bootstrapped --tag mine
grep -q "$name:mine is an image that stagemake did not make" "$work/out" || fail "it says nothing"
[ "$(id_of "$name:mine")" = "$before" ] || fail "the name was moved"
id_of "$name:mine-stagemake" > /dev/null || fail "the image has no name beside it"
build --to bootstrapped --tag mine --take-names
[ "$(id_of "$name:mine")" != "$before" ] || fail "--take-names does not move it"

step "a bootstrap that leaves no configure has failed, whatever it says"
cp bootstrap "$work/bootstrap"
printf '#!/bin/sh\necho aclocal: error >&2\nexit 0\n' > bootstrap
expect 1 build --to configured
grep -q 'exit status 0, but missing: configure' "$work/out" || fail "it does not say why"
expect_state bootstrapped failed
cp "$work/bootstrap" bootstrap
build --to configured
expect_state configured built

step "a tree stays with its engine"
unset STAGEMAKE_ENGINE
case $engine in
  docker) broken() { DOCKER_HOST=unix://$work/nobody.sock "$@"; } ;;
  buildah) broken() { STAGEMAKE_BUILDAH=/not/there/buildah "$@"; } ;;
esac
expect 3 broken stagemake build "$environment" --base-image "$base" --to configured
grep -q "this tree is built with $engine" "$work/out" || fail "it does not say why"
expect 3 broken stagemake snapshots
build --to configured
grep -q 'nothing to do' "$work/out" || fail "it is built again"
expect_no_container
echo "all well, in $SECONDS s"
