#!/bin/bash
# What `stagemake doctor` says about engines that answer but do not work: for users other than root, and with storage that
# copies everything.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] || skip "acts as other users, which only root may"
[ "$engine" = buildah ] || skip "about buildah"
command -v setpriv > /dev/null || skip "there is no setpriv"
start_buildah

# doctor_as USER COMMAND…: runs doctor as a user to whom no file gives more ids.
doctor_as() {
  local user=$1
  shift
  home=$work/home-$user
  mkdir -p "$home/run"
  cp "$STAGEMAKE_BINARY" "$home/stagemake"
  chown -R "$user" "$home"
  chmod 755 "$work"
  status=0
  setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups env -i HOME="$home" XDG_RUNTIME_DIR="$home/run" \
    TMPDIR="$home" PATH="$PATH" STAGEMAKE_DOCKER=/nonexistent/docker "$@" "$home/stagemake" doctor --json > "$work/out" || status=$?
}
says() { grep -q -- "$1" "$work/out" || { cat "$work/out"; fail "$2"; }; }

# 1. No ids: images cannot be unpacked, although buildah answers.
user=nobody  # buildah wants a name in /etc/passwd
! grep -q "^$user:" /etc/subuid /etc/subgid || skip "user $user has ids"
doctor_as $user env
[ $status = 3 ] || fail "doctor ends with $status where no engine works"
says "user $user has only 1 user id in containers (/etc/subuid" "the lack of user ids is not told"
says 'usermod --add-subuids' "the remedy is not told"

# 2. No newuidmap.
mkdir "$work/few"
for program in buildah sh cat env; do ln -s "$(command -v $program)" "$work/few/$program"; done
doctor_as $user env PATH="$work/few"
says 'there is no newuidmap in PATH' "the lack of newuidmap is not told"
says 'apt-get install uidmap' "where to get newuidmap is not told"

# 3. As root it works: doctor started a container. Above, a build would be refused before it starts; here it would not.
STAGEMAKE_DOCKER=/nonexistent/docker stagemake doctor > /dev/null || fail "buildah does not work: $(cat "$work/out")"
says '^buildah  works, ' "buildah is not said to work"
buildah containers --quiet | has . && fail "doctor leaves a container"

# 4. Storage that copies everything.
sed 's/^driver = .*/driver = "vfs"/; s/graph"/graph-vfs"/; s/run"/run-vfs"/' "$work/storage.conf" > "$work/vfs.conf"
CONTAINERS_STORAGE_CONF=$work/vfs.conf STAGEMAKE_DOCKER=/nonexistent/docker stagemake doctor > /dev/null
says 'its storage driver is vfs' "slow storage is not told"
if [ "${STAGEMAKE_TEST_STORAGE_DRIVER:-overlay}" = overlay ]; then
  STAGEMAKE_DOCKER=/nonexistent/docker stagemake doctor > /dev/null
  ! grep -q vfs "$work/out" || fail "overlay is taken for vfs"
fi
echo "passed"
