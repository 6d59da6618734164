#!/usr/bin/env bash
# Recipes that prepare a system, run by the real package managers: apt, dnf, zypper, pacman and nix, each with a
# repository made here. No network and no engine: each run sees this machine's files below a layer in memory (an overlay),
# and changes only that layer.
#
# Needs STAGEMAKE_BINARY and root. If a manager is not installed, the script says so and exits with 77, which ctest
# shows as a skip; STAGEMAKE_PACKAGE_MANAGERS_MUST_WORK=1 makes that a failure. An argument names the only manager to test.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
only=${1:-}

skip() {
  if [ "${STAGEMAKE_PACKAGE_MANAGERS_MUST_WORK:-0}" = 1 ]; then
    echo "FAILED: $1 (STAGEMAKE_PACKAGE_MANAGERS_MUST_WORK=1 forbids skipping)"
    exit 1
  fi
  echo "SKIPPED: $1"
  exit 77
}
fail() {
  echo "FAILED: $*"
  [ ! -e "$work/out" ] || tail -n 40 "$work/out" | sed 's/^/    /'
  exit 1
}

[ "$(id -u)" = 0 ] || skip "mounting needs root"
for program in apt-get dpkg-deb dpkg-scanpackages dnf zypper pacman repo-add bsdtar rpmbuild createrepo_c nix-env python3; do
  command -v "$program" > /dev/null || skip "there is no $program"
done
# All mounts disappear with this namespace.
if [ -z "${STAGEMAKE_TEST_NAMESPACE:-}" ]; then
  unshare -m --propagation private true 2> /dev/null || skip "no mount namespace can be had"
  status=0
  work=$(mktemp -d "${TMPDIR:-/tmp}/stagemake-e2e.XXXXXX")
  STAGEMAKE_TEST_NAMESPACE=$work unshare -m --propagation private "$0" "$@" || status=$?
  rmdir "$work"
  exit "$status"
fi
work=$STAGEMAKE_TEST_NAMESPACE
holder=
trap '[ -z "$holder" ] || kill "$holder"' EXIT
mount -t tmpfs -o size=1G none "$work" || skip "no file system can be mounted"
cd "$work"

# --- Repositories: good; provider, which provides "virtual"; left and right, which conflict; needy, which needs a package
# that does not exist; broken, whose script fails; big, of 24 MB.
mkdir -p repo/rpm repo/deb repo/arch tmp
head -c 24000000 /dev/urandom > tmp/big

rpm_package() { # NAME HEADER_LINES…
  printf '%%package -n %s\nSummary: x\nAutoReq: 0\n' "$1"
  printf '%s\n' "${@:2}" "%description -n $1" x "%files -n $1"
}
{
  printf '%s\n' 'Name: good' 'Version: 1' 'Release: 1' 'Summary: x' 'License: x' 'BuildArch: noarch' '%description' x '%files'
  rpm_package provider 'Provides: virtual = 1' 'Provides: pkgconfig(virtual) = 1.2'
  rpm_package left 'Conflicts: right'
  rpm_package right
  rpm_package needy 'Requires: nowhere'
  rpm_package shell 'Provides: /bin/sh'
  rpm_package broken 'Requires: shell'
  printf '%%post -n broken\necho the script says no; exit 1\n'
  rpm_package leaning 'Requires: broken'
  rpm_package dead
  printf '%%pre -n dead\necho the script says no; exit 1\n'
  rpm_package big
  printf '/opt/big\n%%install\nmkdir -p %%{buildroot}/opt; cp %s %%{buildroot}/opt/big\n' "$work/tmp/big"
} > tmp/all.spec
rpmbuild -bb --quiet --define "_topdir $work/tmp/rpm" --define "_rpmdir $work/repo/rpm" \
  --define '_binary_payload w1.gzdio' tmp/all.spec > tmp/log 2>&1 || fail "rpmbuild: $(tail -n 3 tmp/log)"
createrepo_c -q repo/rpm

deb_package() { # NAME CONTROL_LINE SCRIPT [FILE]
  mkdir -p tmp/deb/DEBIAN
  printf '%s\n' "Package: $1" 'Version: 1' 'Architecture: all' 'Maintainer: x <x@example.org>' ${2:+"$2"} 'Description: x' > tmp/deb/DEBIAN/control
  if [ -n "$3" ]; then
    printf '#!/bin/sh\n%s\n' "$3" > tmp/deb/DEBIAN/postinst
    chmod 755 tmp/deb/DEBIAN/postinst
  fi
  [ -z "${4:-}" ] || cp "$4" tmp/deb/
  dpkg-deb -Znone --build tmp/deb "repo/deb/$1.deb" > /dev/null
  rm -r tmp/deb
}
deb_package good '' ''
deb_package provider 'Provides: virtual' ''
deb_package left 'Conflicts: right' ''
deb_package right '' ''
deb_package needy 'Depends: nowhere' ''
deb_package broken '' 'echo the script says no; exit 1'
deb_package big '' '' tmp/big
(cd repo/deb && dpkg-scanpackages . > Packages 2> /dev/null)

arch_package() { # NAME INFO_LINE SCRIPT [FILE]
  mkdir -p tmp/arch/opt
  printf '%s\n' "pkgname = $1" 'pkgver = 1-1' 'pkgdesc = x' 'url = x' 'builddate = 1' 'packager = x' 'size = 1' 'arch = any' ${2:+"$2"} > tmp/arch/.PKGINFO
  [ -z "$3" ] || printf '%s\n' "$3" > tmp/arch/.INSTALL
  if [ -n "${4:-}" ]; then cp "$4" tmp/arch/opt/; else echo > "tmp/arch/opt/$1"; fi
  (cd tmp/arch && bsdtar -czf "$work/repo/arch/$1-1-1-any.pkg.tar.gz" .PKGINFO $(cd . && ls -d .INSTALL 2> /dev/null) opt)
  rm -r tmp/arch
}
arch_package good '' ''
arch_package provider 'provides = virtual' ''
arch_package left 'conflict = right' ''
arch_package right '' ''
arch_package needy 'depend = nowhere' ''
arch_package one 'group = both' ''
arch_package two 'group = both' ''
arch_package broken '' 'post_install() { echo the script says no; false; }'
arch_package big '' '' tmp/big
# (On Debian, repo-add needs files of the package makepkg.)
(cd repo/arch && repo-add -q test.db.tar.gz ./*.pkg.tar.gz > "$work/tmp/log" 2>&1) || :
[ -s repo/arch/test.db ] || fail "repo-add made no index: $(tail -n 3 tmp/log)"

# Makes a manager use its repository, as shell text to run in the layer.
mkdir setup
cat > setup/debian << 'END'
rm -rf /etc/apt/sources.list.d
echo 'deb [trusted=yes] file:/repo/deb ./' > /etc/apt/sources.list
END
# (Debian's own rpm keeps its database in the home folder, unlike zypper.)
cat > setup/fedora << 'END'
echo '%_dbpath /var/lib/rpm' > ~/.rpmmacros
rm -rf /etc/yum.repos.d /etc/zypp/repos.d /var/lib/rpm
mkdir -p /etc/yum.repos.d /etc/zypp/repos.d /var/lib/rpm
printf '[test]\nname=test\nbaseurl=file:///repo/rpm\ngpgcheck=0\nenabled=1\n' > /etc/yum.repos.d/test.repo
cp /etc/yum.repos.d/test.repo /etc/zypp/repos.d/
rm -f /etc/zypp/systemCheck # where it is installed, zypper wants a glibc beside Debian's
END
cp setup/fedora setup/opensuse
cat > setup/arch << 'END'
rm -rf /var/lib/pacman
mkdir -p /var/lib/pacman
printf '[options]\nArchitecture = auto\nSigLevel = Never\n[test]\nServer = file:///repo/arch\n' > /etc/pacman.conf
END
# Minimal derivations. A user's nix.conf would also do; the layer hides this machine's.
mkdir -p tmp/nix/nixpkgs repo/nix
cat > tmp/nix/nixpkgs/default.nix << 'END'
{ ... }:
let
  make = name: script: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" script ];
  } // { meta = {}; };
  file = name: "/bin/mkdir -p $out/bin; echo $name > $out/bin/${name}";
  pkgs = {
    inherit pkgs;
    good = make "good-1.0" (file "good");
    perlPackages = { recurseForDerivations = true; JSON = make "perl5.36-JSON-4.10" (file "json"); };
    alias = throw "alias was removed";
    refused = make "refused-1.0" (file "refused") // { outPath = throw "refused is not free"; };
    left = make "left-1.0" (file "same");
    right = make "right-1.0" (file "same");
    broken = make "broken-1.0" "echo the script says no; exit 1";
    big = make "big-1.0" "/bin/mkdir -p $out; /bin/cat /repo/nix/big > $out/big";
    bashInteractive = make "bash-interactive-5" "/bin/mkdir -p $out/bin; /bin/ln -s /bin/bash $out/bin/bash";
    runCommand = name: attributes: script: derivation ({
      inherit name;
      system = builtins.currentSystem;
      builder = "/bin/bash";
      args = [ "-c" script ];
      stdenv = /setup/stdenv;
    } // attributes);
  };
in pkgs
END
tar -C tmp/nix -cJf repo/nix/nixpkgs.tar.xz nixpkgs
cp tmp/big repo/nix/
mkdir setup/stdenv
echo : > setup/stdenv/setup
cat > setup/nix << 'END'
rm -rf /nix /etc/nix ~/.nix-*
mkdir -p /nix /etc/nix
printf 'sandbox = false\nbuild-users-group =\nsubstituters =\n' > /etc/nix/nix.conf
END
die='rm -rf /repo/deb /repo/rpm /repo/arch /repo/nix'

# --- Runs.
cp -r "$here/../minidist" tree
sed -i 's/^    archlinux: .*SYSTEM=arch$/&\n    nix: SYSTEM=nix\n    nix: BASE_IMAGE=nixos\/nix/' tree/tox.ini
recipe() { # SYSTEM IGNORE NAME…
  printf '%s\n' "${@:3}" > "tree/build/pkgs/_prereq/distros/$1.txt"
  local environment
  case $1 in
    debian) environment=debian-bookworm ;;
    fedora) environment=fedora-39 ;;
    opensuse) environment=opensuse-15.5 ;;
    arch) environment=archlinux ;;
    nix) environment=nix ;;
  esac
  rm -f "tree/build/pkgs/_bootstrap/distros/$1.txt"
  sed -i "s/\( IGNORE_MISSING_SYSTEM_PACKAGES=\)\(yes\|no\)$/\1$2/" tree/tox.ini
  (cd tree && "$STAGEMAKE_BINARY" system-packages "$environment-minimal" --json) |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["recipe"])' |
    sed 's,https://nixos.org/channels/nixpkgs-unstable,file:///repo/nix/nixpkgs.tar.xz,'
}

# layer SIZE: a fresh layer, in box/root.
layer() {
  umount -l box 2> /dev/null || :
  mkdir -p box
  mount -t tmpfs -o "size=$1" none box
  mkdir box/upper box/work box/root
  mount -t overlay overlay -o "lowerdir=/,upperdir=box/upper,workdir=box/work" box/root || skip "no overlay can be mounted"
  mount --rbind /dev box/root/dev
  mount -t proc proc box/root/proc
  mkdir box/root/repo box/root/setup
  mount --bind setup box/root/setup
  # Copied, because a test removes it; a small layer has no room for it.
  if [ "$1" = 400m ]; then cp -r repo box/root/; else mount --bind repo box/root/repo; fi
}
# in_layer TEXT SHELL…: sets $status, and writes the output to $work/out.
in_layer() {
  status=0
  # Not chroot: children of nix escape from it.
  unshare -m --propagation private bash -c 'cd box/root && pivot_root . . && umount -l . && cd / && exec env -i PATH="$PATH" \
    HOME=/root STAGEMAKE_LOCK_SECONDS=3 "$@"' in_layer "${@:2}" -ec "$1" > out 2>&1 < /dev/null || status=$?
}

# expect WHAT SYSTEM IGNORE STATUS PATTERN NAME…: in the current layer, the recipe for these names ends with STATUS ("0" or
# "fails") and its output matches the pattern.
expect() {
  local what=$1 system=$2 ignore=$3 wanted=$4 pattern=$5
  recipe "$system" "$ignore" "${@:6}" > recipe
  in_layer "$(cat recipe; echo; echo 'echo went on')" $shell
  if [ "$wanted" = 0 ]; then
    [ "$status" = 0 ] || fail "$system, ignore=$ignore, $what: status $status"
    grep -q '^went on$' out || fail "$system, ignore=$ignore, $what: it did not go on"
  else
    [ "$status" != 0 ] || fail "$system, ignore=$ignore, $what: it succeeded"
    ! grep -q -e 'went on' -e 'missing, and ignored' out || fail "$system, ignore=$ignore, $what: it went on"
  fi
  grep -Eq -e "$pattern" out || fail "$system, ignore=$ignore, $what: it does not say $pattern"
  echo "$system, ignore=$ignore: $what"
}
fresh() { # SYSTEM [SIZE]
  layer "${2:-400m}"
  in_layer ". /setup/$1" sh
  [ "$status" = 0 ] || fail "setup of $1"
}
has_packages() { # SYSTEM NAME…: they are installed; a name after ! is not
  local query
  case $1 in
    debian) query="dpkg-query -W -f='\${db:Status-Abbrev}\${Package}\n' | sed -n 's/^ii //p'" ;;
    arch) query='pacman -Qq' ;;
    nix) query='nix-env -q | sed s/-[0-9].*//' ;;
    *) query="rpm -qa --queryformat '%{NAME}\n'" ;;
  esac
  in_layer "$query" sh
  local name
  for name in "${@:2}"; do
    case $name in
      !*) ! grep -qx -e "${name#!}" out || fail "$1: ${name#!} is installed" ;;
      *) grep -qx -e "$name" out || fail "$1: $name is not installed" ;;
    esac
  done
}

# hold SYSTEM: takes the manager's lock as another process would, until `release`.
hold() {
  case $1 in
    debian) hold_file='/var/lib/apt/lists/lock' ;;
    fedora) hold_file='/var/cache/dnf/metadata_lock.pid /var/lib/dnf/rpmdb_lock.pid' ;;
    opensuse) hold_file='/run/zypp.pid' ;;
    arch) hold_file='/var/lib/pacman/db.lck' ;;
  esac
  chroot box/root python3 -c '
import fcntl, os, sys, time
files = []
for name in sys.argv[1:]:
    os.makedirs(os.path.dirname(name), exist_ok=True)
    files.append(open(name, "w"))
    files[-1].write(str(os.getpid()))
    files[-1].flush()
    if name.endswith("/lock"): fcntl.lockf(files[-1], fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
' $hold_file > held &
  holder=$!
  while ! grep -q held held; do sleep 0.1; done
}
release() {
  kill "$holder"
  wait "$holder" 2> /dev/null || :
  holder=
  in_layer "rm -f $hold_file" sh
}

missing='^System packages that are missing, and ignored:'
for system in debian fedora opensuse arch nix; do
  [ -z "$only" ] || [ "$only" = "$system" ] || continue
  begun=$SECONDS
  shell=sh
  small=14m known='good virtual' unknown="absent1 absent2 it's" installed='good provider'
  case $system in
    fedora | opensuse) known="$known pkgconfig(virtual)" ;;
    arch) known="$known both" installed="$installed one two" ;;
    nix)
      small=30m known=good unknown="absent1 absent2 alias it's" installed=good
      if recipe nix yes good | grep -q -e --attr; then
        known='good perlPackages.JSON' unknown="$unknown refused" installed='good perl5.36-JSON'
      fi
      ;;
  esac

  fresh $system
  expect "what the index does not know is fatal, and named" $system no fails 'does not know.* absent1 absent2$' \
    good absent1 absent2
  has_packages $system '!good'
  expect "what the index does not know is skipped, and named" $system yes 0 "$missing $unknown\$" $known $unknown
  [ "$(tail -n 2 out | head -n 1 | grep -c "$missing")" = 1 ] || fail "$system: the line is not the last"
  has_packages $system $installed
  in_layer "$die" sh
  for ignore in yes no; do
    expect "no index is asked where all is installed" $system $ignore 0 '^went on$' $known
    [ "$(wc -l < out)" = 1 ] || fail "$system: there was something to do"
  done
  for ignore in yes no; do
    expect "a dead mirror" $system $ignore fails 'cannot refresh its index' right
  done

  fresh $system
  for ignore in yes no; do
    expect "packages that conflict" $system $ignore fails 'not installed: (good )?left right$' good left right
    [ $system != nix ] || continue
    expect "a package that needs what does not exist" $system $ignore fails 'not installed:.* needy$' good needy
  done
  # (Debian's busybox has its own rpm, which it prefers.)
  case $system in fedora | opensuse) shell='bash --posix' ;; *) shell='busybox sh' ;; esac
  expect "a script that fails" $system yes fails 'broken' good broken
  expect "a script that fails, again" $system yes fails 'broken' good broken
  case $system in
    fedora | opensuse)
      expect "a script that fails in a package that others need" $system no fails broken leaning
      expect "a script that fails in a package that others need, again" $system no fails broken leaning
      expect "a script that fails before installation" $system yes fails 'not installed:.* dead$' dead
      ;;
  esac
  shell=sh

  if [ $system != nix ]; then # it waits by itself
    fresh $system
    hold $system
    expect "a lock that another process holds" $system yes fails 'waiting for it, for at most 3 s' good
    grep -q "holds the package manager's lock, for more than 3 s" out || fail "$system: the lock is not named at the end"
    release
    expect "a lock that is free again" $system yes 0 'went on' good
  fi

  # One of two repositories is dead. (Fedora's may be dead: skip_if_unavailable.)
  add_dead='' needed=cannot.refresh.its.index
  case $system in
    debian) add_dead="echo 'deb [trusted=yes] file:/gone ./' >> /etc/apt/sources.list" ;;
    fedora)
      add_dead="printf '[gone]\\nname=gone\\nbaseurl=file:///gone\\ngpgcheck=0\\nskip_if_unavailable=1\\n' > /etc/yum.repos.d/gone.repo"
      needed='may contain these packages: absent'
      ;;
    opensuse) add_dead="printf '[gone]\\nname=gone\\nbaseurl=file:///gone\\nenabled=1\\n' > /etc/zypp/repos.d/gone.repo" ;;
    arch) add_dead="printf '[gone]\\nServer = file:///gone\\n' >> /etc/pacman.conf" ;;
  esac
  if [ -n "$add_dead" ]; then
    in_layer "$add_dead" sh
    expect "a dead mirror beside a good one" $system yes fails "$needed" absent right
    [ $system != fedora ] || expect "a dead mirror that may be dead" fedora yes 0 '^went on$' right
  fi

  fresh $system $small
  expect "a disk that is full" $system yes fails 'not installed: big$' big
  echo "$system: $((SECONDS - begun)) s"
done
echo OK
