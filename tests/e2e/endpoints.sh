#!/bin/bash
# One daemon, reached in each way that docker's own command knows: a socket, TLS with certificates, a context, ssh.

# The daemon listens with TLS, too.
before_engine() {
  mkdir "$work/keys"
  (
    cd "$work/keys"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca-key.pem -out ca.pem
    for name in server client; do
      openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$name-key.pem" -out "$name.csr"
      echo "subjectAltName=IP:127.0.0.1" > "$name.ext"
      openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile "$name.ext" -out "$name.pem"
    done
    mv client.pem cert.pem
    mv client-key.pem key.pem
  ) > "$work/openssl.log" 2>&1 || fail "openssl: $(tail -n 3 "$work/openssl.log")"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  dockerd_options="-H tcp://127.0.0.1:$port --tlsverify --tlscacert $work/keys/ca.pem --tlscert $work/keys/server.pem
    --tlskey $work/keys/server-key.pem"
}
. "$(dirname "$0")/lib.sh"

[ "$engine" = docker ] || skip "about docker"
socket=${DOCKER_HOST#unix://}
export DOCKER_CONFIG=$work/config
mkdir "$DOCKER_CONFIG"
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_TLS DOCKER_CERT_PATH
one_error() { [ "$(grep -c . "$work/out")" = 1 ] || fail "this should be one line: $(cat "$work/out")"; }

echo "== TLS with certificates"
secure() { DOCKER_HOST=tcp://127.0.0.1:$port DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$work/keys "$@"; }
secure build --to with-base-toolchain
expect_state with-base-toolchain built
expect 3 env DOCKER_HOST=tcp://127.0.0.1:$port DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/nowhere "$STAGEMAKE_BINARY" \
  build "$environment" --base-image "$base" > "$work/out" 2>&1
grep -q "tcp://127.0.0.1:$port" "$work/out" || fail "it does not say where: $(cat "$work/out")"
one_error

echo "== the same daemon by its socket"
build --to with-base-toolchain
expect_state with-base-toolchain reused

echo "== a context"
unset DOCKER_HOST
"$STAGEMAKE_TEST_DOCKER" context create far \
  --docker "host=tcp://127.0.0.1:$port,ca=$work/keys/ca.pem,cert=$work/keys/cert.pem,key=$work/keys/key.pem" > "$work/context" 2>&1
DOCKER_CONTEXT=far build --to with-base-toolchain
expect_state with-base-toolchain reused
echo '{"currentContext": "far"}' > "$DOCKER_CONFIG/config.json"
build --to with-base-toolchain
expect_state with-base-toolchain reused
rm "$DOCKER_CONFIG/config.json"
DOCKER_CONTEXT=gone expect 3 build
grep -q 'there is no context gone' "$work/out" || fail "the missing context is not named: $(cat "$work/out")"

echo "== ssh"
mkdir "$work/bin"
# Runs the words after the host in a shell, as sshd does.
cat > "$work/bin/ssh" << EOF
#!/bin/bash
echo "\$*" >> "$work/ssh.log"
while [ "\$1" != -- ]; do shift; done
[ "\$2" = me@builder ] || { echo "Permission denied (publickey)." >&2; exit 255; }
shift 2
DOCKER_HOST=unix://$socket exec sh -c "\$*"
EOF
chmod +x "$work/bin/ssh"
ln -s "$STAGEMAKE_TEST_DOCKER" "$work/bin/docker"
export PATH=$work/bin:$PATH
DOCKER_HOST=ssh://me@builder:2222 build
expect_state with-base-toolchain reused
expect_state with-targets built
grep -q -- '-p 2222 -- me@builder docker system dial-stdio' "$work/ssh.log" || fail "ssh was called as: $(cat "$work/ssh.log")"
! pgrep -f "dial-stdio.*$work" || fail "an ssh is left"
DOCKER_HOST=ssh://you@builder expect 3 build
grep -q 'ssh://you@builder: Permission denied (publickey)' "$work/out" || fail "ssh's words are missing: $(cat "$work/out")"

echo "== a rootless daemon's usual place"
if [ -e /var/run/docker.sock ]; then
  echo "left out: this machine has a daemon of its own"
else
  mkdir "$work/runtime"
  ln -s "$socket" "$work/runtime/docker.sock"
  XDG_RUNTIME_DIR=$work/runtime build
  expect_state with-targets reused
fi

echo "== a daemon that listens, but not to this user"
if command -v setpriv > /dev/null && [ ! -e /var/run/docker.sock ]; then
  chmod 755 "$work"
  cp "$STAGEMAKE_BINARY" "$work/stagemake"
  DOCKER_HOST=unix://$socket setpriv --reuid nobody --clear-groups env HOME=/ "$work/stagemake" doctor > "$work/out" 2>&1 || true
  grep -q 'usermod -aG docker' "$work/out" || fail "the group docker is not advised: $(cat "$work/out")"
fi
DOCKER_HOST=unix://$socket expect_no_container
echo "all well"
