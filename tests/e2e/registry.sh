#!/usr/bin/env bash
# Images travel: pushed while the next stage runs, then found and fetched on another machine, simulated by removing all
# images but the base. Once with an open registry, once with a password and TLS; secrets must not appear anywhere.
source "$(dirname "$0")/lib.sh"
source "$here/registries.sh"

step() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; }

all_stages="with-system-packages bootstrapped configured with-base-toolchain with-targets-pre with-targets"
make_stages="with-base-toolchain with-targets-pre with-targets"
mkdir "$work/secret"  # all that may hold a secret is in here
echo "{}" > "$work/secret/config.json"  # buildah needs the one that DOCKER_CONFIG names
export STAGEMAKE_CERTS_D=$work/certs.d DOCKER_CONFIG=$work/secret PATH=$work/secret:$PATH XDG_CACHE_HOME=$work/cache
unset REGISTRY_AUTH_FILE XDG_RUNTIME_DIR

# As in lib.sh, but keeps all output.
stagemake() {
  "$STAGEMAKE_BINARY" "$@" 2>&1 | tee "$work/out" | tee -a "$work/said"
  return "${PIPESTATUS[0]}"
}
said() { grep -Eq -- "$1" "$work/out" || fail "not said: $1"; }
not_said() { ! grep -E -- "$1" "$work/out" || fail "said: $1"; }
# tags STAGE: the tags of its image in the registry.
tags() { in_registry "team/mini/sage-docker-$environment-$1"; }
expect_tags() { [ "$(tags "$1")" = "$2" ] || fail "tags of $1: $(tags "$1"), not $2"; }
all_reused() { for stage in $all_stages; do expect_state "$stage" reused; done; }
# Nothing ran, nothing was made, and exactly one image was fetched.
only_fetched() {
  all_reused
  said '^engine calls: .*pull'
  grep '^engine calls: ' "$work/out" | tr ',' '\n' | has -E ' (run|commit|copy_in)$' && fail "more than fetching"
  [ "$(grep -c ': fetching ' "$work/out")" = 1 ] || fail "not one image was fetched"
  said ": fetching $registry/team/mini/sage-docker-$environment-with-targets:"
}
# log_in PASSWORD: writes what `docker login` would write.
log_in() {
  printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$registry" "$(printf %s "$registry_user:$1" | base64 -w 0)" \
    > "$DOCKER_CONFIG/config.json"
}

# Records the command lines of all processes on this machine, many times a second; clean_up ends it. (In one process: a
# shell with `cat` takes a fifth of a processor, and samples less often.)
sample_processes() {
  exec python3 - "$work/processes" <<'P'
import os, sys, time
seen = set()
with open(sys.argv[1], "wb", buffering=0) as out:
    while True:
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{process}/cmdline", "rb") as file:
                    words = file.read()
            except OSError:  # it has ended meanwhile
                continue
            if (process, words) not in seen:
                seen.add((process, words))
                out.write(words.replace(b"\0", b"\n"))
        time.sleep(0.02)
P
}
sample_processes &
sampler=$!
registry_pid=$sampler

proxy_password=pr0xy-s3cret
EXTRA_DOCKER_BUILD_ARGS="--build-arg http_proxy=http://me:$proxy_password@127.0.0.1:9"
export EXTRA_DOCKER_BUILD_ARGS

step "an open registry: pushed while the next stage runs; upper case and a slash in a tag are mended"
start_registry open
there=$registry/Team/Mini
build --push-to "$there" --tag v1 --to configured
[ -s "$work/cache/stagemake/docker-layers" ] || [ "$engine" != docker ] || fail "the layers were not sent by our own push"
build --push-to "$there" --tag v1 --extra-tag feature/x
said 'the tag feature/x is written feature-x'
for stage in $make_stages; do expect_tags "$stage" "feature-x v1"; done
pushed=$(grep -n 'pushed .*/team/mini/.*-with-base-toolchain:v1$' "$work/out" | cut -d : -f 1)
ended=$(grep -n ' with-targets: built' "$work/out" | cut -d : -f 1)
[ "${pushed:-9999}" -lt "$ended" ] || fail "the toolchain was not pushed before all was built"
expect_no_container

step "again: nothing is sent twice"
build --push-to "$there" --tag v1
not_said 'with-targets:v1 (is not|could not be) pushed'

step "another machine: only what was asked for is fetched, nothing runs"
remove_images
explain --from "$there" --tag v1
said "with-targets +reuse +$registry/team/mini/"
build --from "$there" --tag v1 --count-calls
only_fetched

step "a version on the other machine: continues from the registry's image; the first one picks it up"
remove_images
set_version openblas 0.3.99
build --from "$there" --push-to "$there" --tag v1
said "running, continuing from $registry/team/mini/sage-docker-$environment-with-targets:"
expect_built "openblas " with-targets-pre
expect_built "numpy " with-targets
said 'pushed .*-with-targets:v1'
remove_images
build --from "$there" --tag v1 --count-calls
only_fetched

step "a package fails: what was done is pushed as well, and gone on in elsewhere"
cp build/pkgs/readline/spkg-install.in "$work/readline.good"
echo 'exit 9' > build/pkgs/readline/spkg-install.in
set_version readline 9.0
set_version cliquer 9.0
expect 1 build --push-to "$there" --tag v1
expect_tags with-targets-pre "feature-x v1 v1-failed"
# The fetched image of with-targets contains with-system-packages; the registry has a better image of that stage.
said 'with-system-packages:v1 is not pushed: the registry already has an image of that stage alone'
remove_images
cp "$work/readline.good" build/pkgs/readline/spkg-install.in
build --from "$there" --tag v1
built_in $make_stages | has -w cliquer && fail "cliquer was built again"
built_in $make_stages | has -w readline || fail "readline was not built"

step "a registry that is not there, a repository that is not: notes, and no failure"
set_version conway_polynomials 0.6
explain --from 127.0.0.1:9/nowhere --from "$registry/nowhere"
said '^note: 127.0.0.1:9/nowhere'
said "^note: $registry/nowhere/: .*404"
[ "$(grep -c '^note: ' "$work/out")" = 2 ] || fail "more than a note for each"
build --push-to "$there" --from "$registry/nowhere" --tag v2
[ "$(tags with-targets)" = "feature-x v1 v2" ] || fail "tags: $(tags with-targets)"

step "signed: whoever trusts the key has clean images, and nobody else; one layer more is another image"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/build.key" 2> /dev/null
chmod 600 "$work/build.key"
openssl pkey -in "$work/build.key" -pubout -out "$work/build.pub"
toolchain="--tag s1 --to with-base-toolchain"
build --push-to "$there" $toolchain --fresh
said 'pushed .*-with-base-toolchain:s1'
# What is there without a signature, after an error say, gets one.
build --push-to "$there" $toolchain --sign-with "$work/build.key"
said 'pushed .*-with-base-toolchain:s1'
build --push-to "$there" $toolchain --sign-with "$work/build.key"
not_said 'pushed .*-with-base-toolchain:s1'
not_said 'could not be signed'
# Finds and checks the signature without stagemake, as anybody can.
python3 - "http://$registry/v2/team/mini/sage-docker-$environment-with-base-toolchain" s1 "$work" <<'P'
import base64, json, sys, urllib.request
image, tag, folder = sys.argv[1:]
def ask(path):
    kinds = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
    return urllib.request.urlopen(urllib.request.Request(f"{image}/{path}", headers={"Accept": kinds}))
digest = ask("manifests/" + tag).headers["Docker-Content-Digest"]
layer = json.load(ask("manifests/" + digest.replace(":", "-") + ".sig"))["layers"][0]
payload = ask("blobs/" + layer["digest"]).read()
assert json.loads(payload)["critical"]["image"]["docker-manifest-digest"] == digest, payload
open(folder + "/payload", "wb").write(payload)
open(folder + "/signature", "wb").write(base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"]))
P
openssl dgst -sha256 -verify "$work/build.pub" -signature "$work/signature" "$work/payload"
remove_images
own_state=$STAGEMAKE_STATE
export STAGEMAKE_STATE=$work/elsewhere
explain --from "$there" $toolchain --clean-only
said "it comes from $registry/team/mini/.*, and there is no trusted key"
build --from "$there" $toolchain --clean-only --trust "$work/build.pub"
expect_state with-base-toolchain reused
explain $toolchain --clean-only
said 'there is no trusted key'
explain $toolchain --clean-only --trust "$work/build.pub"
said 'with-base-toolchain +reuse'
if [ "$engine" = docker ]; then
  image=$registry/team/mini/sage-docker-$environment-with-base-toolchain:s1
  "$STAGEMAKE_TEST_DOCKER" pull --quiet "$image" > /dev/null
  "$STAGEMAKE_TEST_DOCKER" run --name planting "$image" sh -c 'echo code > /sage/planted'
  "$STAGEMAKE_TEST_DOCKER" commit planting "$image" > /dev/null
  "$STAGEMAKE_TEST_DOCKER" rm planting > /dev/null
  "$STAGEMAKE_TEST_DOCKER" push "$image" > /dev/null
  remove_images
  explain --from "$there" $toolchain --clean-only --trust "$work/build.pub"
  said "it comes from $registry/team/mini/.*, and no trusted key has signed it"
fi
remove_images
export STAGEMAKE_STATE=$own_state
build --from "$there" --tag v2

step "a private registry, nobody is logged in: told, and no failure"
start_registry private private
there=$registry/team/mini
mkdir -p "$STAGEMAKE_CERTS_D/$registry"
set_version cliquer 9.0.1  # who has all that is wanted asks no registry
explain --from "$there"
said "^note: $registry/team/mini/: .*certificate"
cp "$work/private.crt" "$STAGEMAKE_CERTS_D/$registry/ca.crt"
explain --from "$there"
said "^note: $registry/team/mini/: it requires a login"

step "a wrong password: told; --push=required fails"
log_in 'wr0ng-one'
build --push-to "$there" --tag v2
said 'with-targets:v2 could not be pushed'
not_said 'tries:'
expect 1 build --push-to "$there" --tag v2 --push=required

step "the right one"
log_in "$registry_password"
build --push-to "$there" --tag v2 --push=required
expect_tags with-targets v2

step "another machine, where a credential helper knows the password"
cat > "$work/secret/docker-credential-test" <<H
#!/bin/sh
read -r registry
printf '{"ServerURL": "%s", "Username": "$registry_user", "Secret": "$registry_password"}\n' "\$registry"
H
chmod +x "$work/secret/docker-credential-test"
echo "{\"credHelpers\": {\"$registry\": \"test\"}}" > "$DOCKER_CONFIG/config.json"
remove_images
build --from "$there" --tag v2 --count-calls
only_fetched
set_version cliquer 9.1
build --push-to "$there" --tag v3 --push=required
expect_built "cliquer " $make_stages

step "no secret in what the engine keeps and says, in state, logs, output, registries, and what processes are called with"
printf '%s\n' "$registry_password" 'wr0ng-one' "$proxy_password" > "$work/secret/patterns"
for password in "$registry_password" 'wr0ng-one'; do
  printf %s "$registry_user:$password" | base64 -w 0
  echo
done >> "$work/secret/patterns"
said_of_images > "$work/images"
grep -q 'org.stagemake' "$work/images" || fail "the engine says nothing of the images"
kill -0 $sampler && [ "$(grep -ac '^--push-to$' "$work/processes")" -gt 10 ] || fail "the processes were not looked at"
# The file system of an image file is mounted beside it; the file itself is sparse, 40 GB.
grep -rlaF --exclude-dir={secret,netns} --exclude='*.img' -f "$work/secret/patterns" "$work" > "$work/secret/found" && fail "in: $(cat "$work/secret/found")"
expect_no_container
echo "all well, in $SECONDS s"
