#!/usr/bin/env bash
# Several docker hosts: three dockerds with folders of their own. One run builds on all of them; one is killed with -9 in
# the middle, one has a full disk, and one comes back.
source "$(dirname "$0")/lib.sh"
[ "$engine" = docker ] || skip "hosts are docker's"

step() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; }
on() { DOCKER_HOST=unix://$work/docker$1.sock "$STAGEMAKE_TEST_DOCKER" "${@:2}"; }
# The script's own engine is host a; DOCKER_HOST must not matter any more.
ln -s docker.sock "$work/dockera.sock"
pid_a=$dockerd_pid
start_docker b
pid_b=$dockerd_pid
start_docker c
pid_c=$dockerd_pid
for host in b c; do on a save "$base" | on "$host" load > /dev/null; done
export DOCKER_HOST=unix://$work/nowhere.sock
unset STAGEMAKE_ENGINE
hosts="a=unix://$work/dockera.sock,slots=2,jobs=1,b=unix://$work/dockerb.sock,slots=2,jobs=1,c=unix://$work/dockerc.sock,slots=2,jobs=1"
export STAGEMAKE_HOSTS=$hosts
sed -i 's/^    optional:  .*/&\n    nauty:            CONFIG_CONFIGURE_ARGS_3=--enable-nauty/' tox.ini
sed -i 's/^    docker-fedora-39.*/&\n    docker-debian-bookworm-minimal-{optional,nauty}/' tox.ini
environments="debian-bookworm-minimal debian-bookworm-minimal-optional debian-bookworm-minimal-nauty"
build_all() { stagemake build $environments --base-image "$base" "$@"; }
stages="with-system-packages bootstrapped configured with-base-toolchain with-targets-pre with-targets"
all_built() {
  for one in $environments; do
    for stage in $stages; do
      case $(state "$stage" "$one") in built | reused) ;; *) fail "$one $stage is $(state "$stage" "$one")" ;; esac
    done
  done
}
# A package of each environment has begun since the logs were removed.
packages_begun() {
  for one in $environments; do grep -qs "installing" "$STAGEMAKE_STATE"/*/logs/"$one"/with-targets-pre.log || return 1; done
}
images_on() { on "$1" images --filter label=org.stagemake.schema --format '{{.Repository}}'; }

step "an invalid list"
expect 2 stagemake build "$environment" --hosts "a=unix:///x,slots=0"
grep -q "slots=0: is a number" "$work/out" || fail "not said"

expect 2 stagemake tox "$environment"
expect 2 stagemake build "$environment" --slots 3
expect 2 stagemake snapshots

step "three environments on three hosts"
stagemake simulate $environments --base-image "$base"
grep -q "^host b: 2 job slots, 1 stage at once" "$work/out" || fail "the hosts are not simulated"
stagemake explain "$environment" --base-image "$base" > "$work/explained"
build_all
all_built
for host in a b c; do images_on "$host" | has . || fail "nothing was built on host $host"; done

step "nothing to do"
build_all
[ "$(grep -c ' reused ' "$work/out")" -ge 3 ] || fail "something was not reused"

step "a package is edited: each environment goes on where its images are"
set_version gmp 6.2.2
build_all
all_built
grep -q "from host" "$work/out" && fail "an image moved although each host was free"

step "a host is killed in the middle"
set_version mpfr 4.2.9
rm -f "$STAGEMAKE_STATE"/*/logs/*/*.log
build_all > "$work/killed" &
driver=$!
wait_until packages_begun
kill -9 "$pid_b"
dockerd_pids=${dockerd_pids/ $pid_b/}
wait "$driver" || { cat "$work/killed"; fail "the run does not end well"; }
cp "$work/killed" "$work/out"
all_built
grep -q "host b is lost" "$work/out" || fail "its loss is not reported"
grep -q "works again" "$work/out" && fail "a host that is dead works again"

step "everything is there: host b is still dead, and nothing has to be built"
expect 0 build_all
all_built
grep -q "host b is not used until it works" "$work/out" || fail "not said that b is missing"

# It takes minutes until a daemon that hangs counts as lost, so ctest leaves this out.
if [ "${STAGEMAKE_TEST_HANG:-0}" = 1 ]; then
step "a host hangs"
only_c="c=unix://$work/dockerc.sock,slots=2"
stagemake build "$environment" --base-image "$base" --hosts "$only_c"
set_version mpfr 4.3.0
rm -f "$STAGEMAKE_STATE"/*/logs/*/*.log
stagemake build "$environment" --base-image "$base" --hosts "$only_c,a=unix://$work/dockera.sock,slots=2" > "$work/hung" &
driver=$!
wait_until in_log with-targets-pre installing
kill -STOP "$pid_c"
wait_until grep -q "host c is lost" "$work/hung" || { kill -CONT "$pid_c"; fail "not noticed: $(cat "$work/hung")"; }
kill -CONT "$pid_c"
wait "$driver" || { cat "$work/hung"; fail "the run does not end well"; }
cp "$work/hung" "$work/out"
for stage in $stages; do
  case $(state "$stage") in built | reused) ;; *) fail "$stage is $(state "$stage")" ;; esac
done
fi

step "the host that was killed is started again: what it still holds is kept, and it is used"
start_docker b
export DOCKER_HOST=unix://$work/nowhere.sock
set_version mpfr 4.3.1
build_all
all_built
grep -q "an earlier run ended without saving its work\|removed the container .* of an earlier run" "$work/out" || fail "nothing is adopted"
stagemake build "$environment" --base-image "$base" --hosts "b=unix://$work/dockerb.sock"
[ -z "$(on b ps --all --quiet)" ] || fail "containers are left on host b"
echo "hosts: all well"
