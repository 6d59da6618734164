# Real registries for the end-to-end scripts, sourced after lib.sh: Debian's docker-registry, open or with a password and
# TLS, each on its own port, so that no other registry is disturbed. lib.sh's clean_up ends them.

registry_user=somebody
registry_password='s3cret:of-mine'

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# start_registry NAME [private]: starts one with its storage in $work/NAME, and sets $registry to its address. A private
# one requires $registry_user and $registry_password, and has a certificate that nobody trusts: $work/NAME.crt.
start_registry() {
  command -v docker-registry > /dev/null || skip "there is no docker-registry"
  registry=127.0.0.1:$(free_port)
  printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage:\n  delete: {enabled: true}\n  filesystem:\n    rootdirectory: %s\nhttp:\n  addr: %s\n' \
    "$work/$1" "$registry" > "$work/$1.yml"
  if [ "${2:-}" = private ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=stagemake test" \
      -addext "subjectAltName=IP:127.0.0.1,DNS:localhost" -keyout "$work/$1.key" -out "$work/$1.crt" 2> /dev/null
    # $registry_password hashed with bcrypt: crypt(3) with "$2b$04$…"
    echo "$registry_user"':$2b$04$abcdefghijklmnopqrstuu/K3WOo40eQ4rUOD4rYKfm4mJNBj1nh6' > "$work/$1.htpasswd"
    printf '  tls: {certificate: %s, key: %s}\nauth: {htpasswd: {realm: somewhere, path: %s}}\n' \
      "$work/$1.crt" "$work/$1.key" "$work/$1.htpasswd" >> "$work/$1.yml"
  fi
  docker-registry serve "$work/$1.yml" > "$work/$1.log" 2>&1 &
  registry_pid="$registry_pid $!"
  registry_answers() { in_registry > /dev/null 2>&1; }
  wait_until registry_answers || fail "docker-registry does not start: $(tail -n 1 "$work/$1.log")"
}

# in_registry [NAME]: the repositories of $registry, or the tags of one, on one line.
in_registry() {
  LOGIN="$registry_user:$registry_password" python3 - "$registry/v2/${1:-_catalog}${1:+/tags/list}" <<'P'
import base64, json, os, ssl, sys, urllib.request
login = base64.b64encode(os.environ["LOGIN"].encode()).decode()
trusting = ssl.create_default_context()
trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
def ask(scheme):
    request = urllib.request.Request(f"{scheme}://{sys.argv[1]}", headers={"Authorization": "Basic " + login})
    return json.load(urllib.request.urlopen(request, context=trusting if scheme == "https" else None))
try:
    answer = ask("https")
except OSError:
    answer = ask("http")
print(*sorted(answer.get("tags") or answer.get("repositories") or []))
P
}

# remove_images: removes all images but the base image, as on another machine.
remove_images() {
  case $engine in
    docker)
      # The newest first: an image that another one was made from goes with that one.
      for _ in 1 2 3; do
        "$STAGEMAKE_TEST_DOCKER" images --all --quiet --filter label=org.stagemake.schema | awk '!seen[$0]++' > "$work/unwanted"
        [ -s "$work/unwanted" ] || break
        xargs "$STAGEMAKE_TEST_DOCKER" rmi --force < "$work/unwanted" > /dev/null 2>&1 || true
      done
      ;;
    buildah)
      local kept
      kept=$(buildah images --quiet --no-trunc "localhost/$base")
      buildah images --all --quiet --no-trunc | sort -u | grep -v "^$kept$" | xargs -r buildah rmi --force > /dev/null
      ;;
  esac
  [ "$("$STAGEMAKE_BINARY" snapshots --json | grep -c '"image":')" = 0 ] || fail "images are left"
}

# said_of_images: everything that the engine says about all images.
said_of_images() {
  case $engine in
    docker) "$STAGEMAKE_TEST_DOCKER" images --all --quiet | sort -u | xargs -r "$STAGEMAKE_TEST_DOCKER" inspect ;;
    buildah) buildah images --all --quiet | sort -u | while read -r id; do buildah inspect --type image "$id"; done ;;
  esac
}

# in_image NAME COMMAND…: runs it in a local image.
in_image() {
  local name=$1
  shift
  case $engine in
    docker) "$STAGEMAKE_TEST_DOCKER" run --rm --network host "$name" "$@" ;;
    buildah)
      buildah from --name look --pull-never "$name" > /dev/null
      # On a busy machine, `buildah run` sometimes loses part of the command's output.
      PATH=$PATH:/usr/sbin chroot "$(buildah mount look)" "$@"
      buildah rm look > /dev/null
      ;;
  esac
}
