#!/usr/bin/env bash
# What a build must not reach: services on this machine's loopback, and containers of running drivers that have another
# state folder at the same path, like jobs in containers with one daemon.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s\n' "$1"; }

step "a service on this machine's loopback is reached with --network host only"
python3 -c '
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True: listener.accept()[0].close()' > "$work/port" &
registry_pid=$!
wait_until test -s "$work/port"
mkdir "$work/table"
cat > "$work/table/ci-docker.toml" <<END
[[stage]]
name = "asks"
recipe = "if bash -c ': < /dev/tcp/127.0.0.1/$(cat "$work/port")' 2> /dev/null; then echo REACHED; else echo CLOSED; fi"
END
asks() { stagemake build "$environment" --base-image "$base" --stages "$work/table/ci-docker.toml" --start-over "$@" && cat "$STAGEMAKE_STATE"/*/logs/"$environment"/asks.log; }
asks --network none | has '^CLOSED$' || fail "without a network the loopback is reached"
asks --network host | has '^REACHED$' || fail "with this machine's network its loopback is not reached"
STAGEMAKE_NETWORK=none asks | has '^CLOSED$' || fail "the variable is not heard"
asks > "$work/said"
case $engine in
  docker)
    has '^CLOSED$' < "$work/said" || fail "without a word, this machine's loopback is open"
    has 'network `default`: the docker daemon has no container network' < "$work/said" || fail "no word of the missing bridge"
    ;;
  buildah) has 'network `default`: buildah.s isolation chroot has no network of its own' < "$work/said" || fail "no word of the isolation" ;;
esac
asks --network host
"$STAGEMAKE_BINARY" repro "$environment" asks --base-image "$base" --stages "$work/table/ci-docker.toml" > "$work/asks.sh"
has 'Network of asks in a build: host' < "$work/asks.sh" || fail "repro does not have the network of the build"
expect 2 stagemake build "$environment" --network askes=none --stages "$work/table/ci-docker.toml"
kill "$registry_pid"
registry_pid=

# elsewhere COMMAND…: runs it with another state folder at the same path.
elsewhere() { unshare --mount bash -c 'mount --bind "$0" "$1" && shift && exec "$@"' "$work/other" "$STAGEMAKE_STATE" "$@"; }
unshare --mount true 2> "$work/probe" || skip "no mount namespaces here: $(tail -n 1 "$work/probe")"
mkdir -p "$work/other"
export TARGETS_PRE="cliquer zlib all-sage-local"

step "the container of a driver that lives is left alone, whatever lock is free"
log=$(echo "$work"/state/*/logs/"$environment")/with-targets-pre.log
"$STAGEMAKE_BINARY" build "$environment" --base-image "$base" > "$work/first" 2>&1 &
driver=$!
wait_until grep -qs 'slowpoke.*installing' "$log"
held=$(containers)
[ -n "$held" ] || fail "the first driver has no container"
elsewhere "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --to bootstrapped > "$work/out" 2>&1 || fail "$(cat "$work/out")"
has "left alone: process $driver with another state folder holds it" < "$work/out" || fail "$(cat "$work/out")"
[ "$(containers)" = "$held" ] || fail "the living driver's container is gone"
kill -0 "$driver" || fail "the first driver is gone: $(cat "$work/first")"

step "once that driver is dead, it is taken over there too"
kill -9 "$driver"
wait "$driver" || true
elsewhere "$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --to bootstrapped > "$work/out" 2>&1 || fail "$(cat "$work/out")"
has 'an earlier run ended without saving its work in with-targets-pre' < "$work/out" || fail "$(cat "$work/out")"
expect_no_container

echo "all well"
