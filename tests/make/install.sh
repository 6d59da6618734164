#!/usr/bin/env bash
# Checks where `cmake --install` and the Debian package put files, and that the installed program works.
# Usage: install.sh STAGEMAKE, which lies in its build folder
set -u
build=$(realpath "$(dirname "$1")/..")
failed=0
fail() { echo "$*"; failed=1; }
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT

cmake --install "$build" --prefix "$work/usr" > "$work/out" 2>&1 || { cat "$work/out"; exit 1; }
for file in bin/stagemake share/stagemake/ci-docker.mk share/man/man1/stagemake.1 share/man/man1/stagemake-build.1 \
  share/man/man5/ci-docker.toml.5 share/man/man7/stagemake-events.7 share/man/man7/stagemake-ci.7 \
  share/doc/stagemake/security.md \
  share/bash-completion/completions/stagemake share/zsh/site-functions/_stagemake share/fish/vendor_completions.d/stagemake.fish; do
  [ -s "$work/usr/$file" ] || fail "not installed: $file"
done
"$work/usr/bin/stagemake" --version > "$work/out" 2>&1 || fail "the installed program does not run: $(cat "$work/out")"
# Each command and each topic has its manual page, and all pages contain only man(7) macros.
"$work/usr/bin/stagemake" help > "$work/help"
for command in $(sed -n '/^Topics:/q; s/^  \([a-z][a-z-]*\) .*/\1/p' "$work/help"); do
  [ -s "$work/usr/share/man/man1/stagemake-$command.1" ] || fail "no page of $command"
done
topics=0
for topic in $(sed -n '/^Topics:/,/^$/s/^  \([a-z][a-z.-]*\) .*/\1/p' "$work/help"); do
  topics=$((topics + 1))
  [ -s "$work/usr/share/man/man7/stagemake-$topic.7" ] || [ -s "$work/usr/share/man/man5/$topic.5" ] || fail "no page of $topic"
done
[ "$topics" = "$(ls "$work/usr/share/doc/stagemake" | grep -c '\.md$')" ] || fail "$topics topics in \`stagemake help\`"
if command -v mandoc > /dev/null; then
  # A date would be the build's, and no two builds would be equal.
  mandoc -T lint -W warning "$work"/usr/share/man/man*/* 2>&1 | grep -v 'missing date' > "$work/out" && fail "$(head -n 20 "$work/out")"
  # References lead to pages.
  grep -ho '\\fB[a-z.\\-]*\\fR([157])' "$work"/usr/share/man/man*/* | sort -u | sed 's/\\fB\|\\fR\|\\//g' |
    while IFS='()' read -r page section rest; do
      [ -s "$work/usr/share/man/man$section/$page.$section" ] || echo "a reference to $page($section)$rest, which does not exist"
    done > "$work/out"
  [ ! -s "$work/out" ] || fail "$(cat "$work/out")"
fi

if ! command -v dpkg-shlibdeps > /dev/null || [ "$(id -u)" != 0 ] || [ ! -f "${STAGEMAKE_TEST_ROOTFS:-}" ]; then
  echo "no package was made: that takes dpkg-shlibdeps, root and STAGEMAKE_TEST_ROOTFS"
  exit $failed
fi
(cd "$work" && cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work/deb") > "$work/out" 2>&1 || { cat "$work/out"; exit 1; }
package=$(echo "$work"/deb/*.deb)
dpkg-deb --field "$package" Depends > "$work/out"
for library in libc6 libfmt libctemplate libtbb libcurl libisal libboost-filesystem; do
  grep -q "$library" "$work/out" || fail "it does not depend on $library: $(cat "$work/out")"
done
root=$work/root
mkdir "$root"
tar -xf "$STAGEMAKE_TEST_ROOTFS" -C "$root" --exclude='./dev/*'
cp "$package" "$root/tmp/stagemake.deb"
cp /etc/resolv.conf "$root/etc/" 2> /dev/null
[ -d /etc/apt/apt.conf.d ] && cp -r /etc/apt/. "$root/etc/apt/"
{
  mount --bind /dev "$root/dev"
  trap 'umount "$root/dev" 2> /dev/null; rm -rf --one-file-system "$work"' EXIT
  chroot "$root" apt-get update --quiet
  DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install --yes --quiet --no-install-recommends /tmp/stagemake.deb
} > "$work/out" 2>&1 || { tail -n 20 "$work/out"; exit 1; }
chroot "$root" stagemake doctor > "$work/out" 2>&1
status=$?
grep -q docker "$work/out" || fail "doctor says nothing of docker: $(cat "$work/out")"
[ $status = 0 ] || [ $status = 3 ] || fail "doctor ends with $status: $(cat "$work/out")"
exit $failed
