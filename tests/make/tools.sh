#!/usr/bin/env bash
# What tools/quickstart and tools/check do before they build: which packages they install on which system, and what they
# print if that fails. apt-get, dpkg-query, mmdebstrap and cmake are stand-ins that take notes.
source "$(dirname "$0")/lib.sh"
mkdir -p "$work/sources"
cp -r "$here/../../tools" "$work/sources/"
export STAGEMAKE_OS_RELEASE=$work/os-release STAGEMAKE_SERVICE_POLICY=$work/policy

stand_in() { printf '#!/usr/bin/env bash\nnotes=%q\n%s\n' "$notes" "$2" > "$work/bin/$1"; chmod +x "$work/bin/$1"; }
stand_in dpkg-query 'grep -qxF "${*: -1}" "$notes/installed" && echo "install ok installed"'
stand_in apt-get 'echo "$*" >> "$notes/apt"; [ -e "$STAGEMAKE_SERVICE_POLICY" ] && touch "$notes/held"
  case $* in *install*) echo "E: no such luck"; exit 100 ;; esac'
stand_in cmake 'echo "$*" >> "$notes/cmake"; echo "CMake Error: out of luck"; exit 1'
stand_in mmdebstrap 'echo "E: no mirror"; exit 1'
stand_in sudo '[ "$1" != -- ] || shift; exec "$@"'

# try TOOL SYSTEM VERSION PACKAGE…: runs the tool as if these packages were installed.
try() {
  rm -rf "${notes:?}"/* "$work/sources/build"
  printf 'ID=%s\nVERSION_ID="%s"\n' "$2" "$3" > "$work/os-release"
  printf '%s\n' "${@:4}" > "$notes/installed"
  "$work/sources/tools/$1" > "$work/out" 2>&1 < /dev/null
  status=$?
}
installs() { grep -q "install .* $1\( \|\$\)" "$notes/apt" || broken "does not install $1: $(cat "$notes/apt")"; }
installs_not() { ! grep -q " $1\( \|\$\)" "$notes/apt" || broken "installs $1"; }
failed() { [ "$status" != 0 ] || broken "ended with 0"; }

for tool in quickstart check; do
  promise "$tool on Debian 12 takes the newer Boost, removes nothing, starts no service, and says which step failed and why"
  try $tool debian 12
  failed
  installs libboost1.81-dev
  installs libboost-filesystem1.81-dev
  installs buildah
  installs --no-remove
  installs_not libboost-dev
  [ -e "$notes/held" ] || broken "services may be started"
  [ ! -e "$work/policy" ] || broken "the policy against services is left behind"
  expect_said 'FAILED in the step: installing'
  expect_said "build/$tool/apt.log"
  expect_said 'E: no such luck'
  cp "$notes/apt" "$work/needed"

  promise "$tool with everything installed calls no apt-get, and says what fails after"
  # shellcheck disable=SC2046
  try $tool debian 12 $(sed -n 's/.*--no-install-recommends //p' "$work/needed")
  failed
  [ ! -e "$notes/apt" ] || broken "apt-get was called: $(cat "$notes/apt")"
  expect_said 'all packages needed are installed'
  case $tool in
    quickstart) expect_said 'FAILED in the step: building stagemake'; expect_said 'CMake Error: out of luck' ;;
    check) expect_said 'FAILED in the step: making a small Debian'; expect_said 'E: no mirror' ;;
  esac
done

promise "Ubuntu 24.04 has a Boost that is new enough"
try quickstart ubuntu 24.04
installs libboost-dev
installs libboost-filesystem-dev
installs debian-archive-keyring
installs_not libboost1.81-dev

promise "Debian's default Boost is in the way: said before anything is done"
try quickstart debian 12 libboost1.74-dev
failed
expect_said 'apt-get remove libboost1.74-dev'
[ ! -e "$notes/apt" ] || broken "apt-get was called"

promise "another system is told what this is made for"
for other in "fedora 39" "debian 11" "ubuntu 22.04"; do
  # shellcheck disable=SC2086
  try quickstart $other
  failed
  expect_said "made for Debian 12 and Ubuntu 24.04; this is $other"
  [ ! -e "$notes/apt" ] && [ ! -e "$notes/cmake" ] || broken "something was done"
done

promise "quickstart takes no arguments, and says what it is"
"$work/sources/tools/quickstart" --help > "$work/out" 2>&1
status=$?
expect_status 2
expect_said 'Tries stagemake out'
