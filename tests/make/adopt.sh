#!/usr/bin/env bash
# A distribution without stagemake adopts it with the lines that driver/manual/ci.md gives: in its Makefile, and in its
# tox.ini. (include.sh tests the fragment in unusual Makefiles; tests/e2e/tox.sh runs the real command from tox.)
source "$(dirname "$0")/lib.sh"
[ -x "${1:-}" ] || { echo "usage: $0 STAGEMAKE"; exit 2; }
stagemake=$1
manual=$here/../../driver/manual/ci.md
tree=$work/minidist
cp -a "$here/../minidist" "$tree"
export STAGEMAKE_STATE=$work/state
: > "$work/out"

# code HEADING: the code below a heading of the manual, without its indentation.
code() { sed -n "/^## $1\$/,/^## /s/^    //p" "$manual"; }

promise "minidist before: no make target, docker's own commands in tox.ini"
sed -i '/ci-docker.mk/d' "$tree/Makefile"
python3 - "$tree/tox.ini" <<'PYTHON'
# What the adoption replaces: variables only for stagemake go, docker's commands come.
import re, sys
text = open(sys.argv[1]).read()
text = re.sub(r'^    docker: +(?!EXTRA_)\S+\n', '', text[:text.index('setenv =')], flags=re.M) + text[text.index('setenv ='):]
text = text[:text.index('# stagemake does the rest.')] + '''allowlist_externals =
    docker:           bash
    docker:           docker
commands =
    docker:           bash -c 'for target in with-targets; do docker build --target $target {envdir}; done'
'''
open(sys.argv[1], 'w').write(text)
PYTHON
grep -q stagemake "$tree/tox.ini" && broken "stagemake is still in tox.ini"
run -n ci-docker-list
expect_not_said 'ci-docker-debian-bookworm-minimal'

promise "the patch that stagemake adopt prints does all of this"
cp -a "$tree" "$work/patched"
"$stagemake" -C "$work/patched" adopt --diff > "$work/patch" || broken "adopt ended with $?"
(cd "$work/patched" && git apply "$work/patch") > "$work/out" 2>&1 || broken "git does not apply it"
cmp -s "$work/patched/ci-docker.mk" "$fragment" || broken "the patch has another ci-docker.mk"
"$stagemake" -C "$work/patched" plan debian-bookworm-minimal > "$work/out" 2>&1 || broken "plan ended with $?"
expect_said 'from debian:bookworm'
make -C "$work/patched" -s ci-docker-list STAGEMAKE="$stagemake" > "$work/out" 2>&1 || broken "make ended with $?"
expect_said '  ci-docker-debian-bookworm-minimal'
for adopted in "$work/patched" "$here/../minidist"; do
  "$stagemake" -C "$adopted" adopt --diff > "$work/out" 2>&1 || broken "adopt ended with $?"
  expect_said 'stagemake: nothing to change'
done

promise "the line for the Makefile, and the file beside it, add the targets"
line=$(code "In a distribution's Makefile")
[ "$(wc -l <<< "$line")" = 1 ] || broken "the manual does not give one line, but: $line"
grep -q '`makefile-fragments/ci-docker.mk`' "$manual" || broken "the manual does not say which file to copy"
cp "$fragment" "$tree/"
echo "$line" >> "$tree/Makefile"
run ci-docker-list STAGEMAKE="$stagemake"
expect_status 0
expect_said '  ci-docker-debian-bookworm-minimal'
run ci-docker-plan-debian-bookworm-minimal STAGEMAKE="$stagemake"
expect_status 0
expect_said 'with-targets-pre  (after with-base-toolchain)'

promise "each target that the manual names exists"
names=$(sed -n "/^## In a distribution's Makefile\$/,/^## /p" "$manual" | grep -o '`ci-docker-[A-Za-z-]*`' | tr -d '`')
[ "$(wc -w <<< "$names")" -ge 8 ] || broken "the manual names only $names"
for name in $names; do
  name=${name/ENV/debian-bookworm-minimal}
  run "${name/STAGE/configured}"
  expect_status 0
  [ -n "$(calls)$(cat "$notes/asked" 2> /dev/null)" ] || [ "$name" = ci-docker-help ] || broken "$name called nothing"
done
run ci-docker-debian-bookworm-minimal
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal]'
run ci-docker-debian-bookworm-minimal-configured TARGETS=ptest
expect_calls '[build][--stop-at-failure][debian-bookworm-minimal][--to][configured]'
expect_value TARGETS ptest

promise "-n, -k and -s mean what the manual says"
run -n ci-docker-debian-bookworm-minimal
expect_calls '[build][--dry-run][--stop-at-failure][debian-bookworm-minimal]'
run -k ci-docker-debian-bookworm-minimal
expect_calls '[build][--keep-going][debian-bookworm-minimal]'
run -s ci-docker-debian-bookworm-minimal
expect_calls '[build][--quiet][--stop-at-failure][debian-bookworm-minimal]'

command -v tox > /dev/null || { echo "there is no tox: tox.ini was not tested"; exit; }
promise "the lines for tox.ini replace docker's"
code "From tox" > "$work/lines"
python3 - "$tree/tox.ini" "$work/lines" <<'PYTHON'
# As a person would: lines for `docker:` of these settings are replaced, and passenv gets more.
import re, sys
def settings(text):
    found = {}
    for line in text.splitlines():
        if re.match(r'[a-z_]+ *=', line):
            name, value = (part.strip() for part in line.split('=', 1))
            found[name] = [value] if value else []
        elif line.startswith(' ') and line.strip():
            found[name].append(line.strip())
    return found
new = settings(open(sys.argv[2]).read())
text = open(sys.argv[1]).read()
text = text.replace('passenv =\n', 'passenv =\n' + ''.join(f'    {line}\n' for line in new.pop('passenv')))
text = text[:text.index('allowlist_externals =')]
for name, value in new.items():
    text += f'{name} =' + (f' {value[0]}\n' if name == 'interrupt_timeout' else '\n' + ''.join(f'    {line}\n' for line in value))
open(sys.argv[1], 'w').write(text)
PYTHON
# call_tox ARGUMENT…: sets $status, and writes $work/out.
call_tox() {
  rm -f "$notes/calls" "$notes/environment" "$notes/asked"
  (cd "$tree" && exec tox --workdir "$work/tox" "$@") > "$work/out" 2>&1 < /dev/null
  status=$?
}
export GITHUB_ACTIONS=true CI=true CI_JOB_ID=5 STAGEMAKE_CHECKPOINT=30m DOCKER_TAG=t XDG_STATE_HOME=$work/xdg NOT_FOR_TOX=1 MAKEFLAGS=-k
call_tox -e docker-debian-bookworm-minimal -- -p zlib xz
expect_status 0
expect_calls '[tox][--][-p][zlib][xz]'
promise "tox passes the variables, and no others"
for name in GITHUB_ACTIONS CI CI_JOB_ID STAGEMAKE_STATE STAGEMAKE_CHECKPOINT DOCKER_TAG XDG_STATE_HOME MAKEFLAGS; do
  expect_value $name "${!name}"
done
expect_no_variable NOT_FOR_TOX
expect_value BASE_TAG bookworm
promise "tox fails if stagemake fails"
echo 1 > "$notes/status"
call_tox -e docker-debian-bookworm-minimal
[ "$status" != 0 ] || broken "tox ended well"
expect_calls '[tox][--]'
promise "the real command reads this tox.ini"
unset MAKEFLAGS
"$stagemake" -C "$tree" plan debian-bookworm-minimal > "$work/out" 2>&1 || broken "plan ended with $?"
expect_said 'from debian:bookworm'
