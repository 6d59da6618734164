#!/usr/bin/env bash
# What a user sees of a run: a terminal of two sizes and one that changes, a pipe, CI, `status`, `logs`, `shell`, and
# the run's reports.
source "$(dirname "$0")/lib.sh"
command -v tmux > /dev/null || skip "there is no tmux"

step() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; }
terminal() { tmux -S "$work/tmux" "$@"; }
screen() { terminal capture-pane -p -t run > "$work/screen"; }
# until_seen PATTERN [TRIES]: waits until the terminal shows it.
until_seen() {
  for _ in $(seq "${2:-1000}"); do
    screen
    grep -qE -- "$1" "$work/screen" && return
    sleep 0.2
  done
  cat "$work/screen"
  fail "the terminal never shows: $1"
}
# one_block: the block is on the screen exactly once, whatever was drawn before.
one_block() {
  screen
  [ "$(grep -cE '^\[#*\.*\] +[0-9]+ %$' "$work/screen")" = 1 ] || { cat "$work/screen"; fail "not one block after $1"; }
  [ "$(grep -cE '^[0-9]+ of [0-9]+ stages' "$work/screen")" = 1 ] || { cat "$work/screen"; fail "not one block after $1"; }
}

sed -i 's/^    docker-fedora-39.*/&\n    docker-debian-bookworm-minimal-{gcc_spkg,optional}/' tox.ini
# A package that takes a while in every environment, and one that fails in every environment.
cat >> build/pkgs/zlib/spkg-install.in << 'END'

i=0
while [ $i -lt 40 ] && [ ! -e /go ]; do sleep 0.5; i=$((i + 1)); done
END
cat >> build/pkgs/readline/spkg-install.in << 'END'

echo "readline.c:7:3: error: 'termcap' undeclared"
exit 3
END
trap 'code=$?; set +e; terminal kill-server 2> /dev/null; (exit "$code"); clean_up' EXIT

step "80 by 24"
terminal -f /dev/null new-session -d -s run -x 80 -y 24 "env TERM=screen CI= bash --norc"
terminal send-keys -t run "cd '$PWD'; stty -a | grep -ow -e '-*icanon' > '$work/stty-before'; '$STAGEMAKE_BINARY' build 'debian-*-minimal*' --base-image $base --slots 2 -j 2 --events '$work/events'; echo status \$?" Enter
until_seen '^[0-9]+ of [0-9]+ stages, .* packages .* [0-9]+ s'
until_seen '^debian-.* zlib '
one_block "the beginning"
grep -q '? for keys' "$work/screen" || fail "it does not say that there are keys"
[ "$(awk '{ if (length > most) most = length } END { print most }' "$work/screen")" -le 80 ] || fail "wider than the terminal"

step "meanwhile, from another terminal"
stagemake status
grep -qE '^MiniDist.*: process [0-9]+ on ' "$work/out" || fail "it does not say who builds"
grep -qE '^debian-.* zlib ' "$work/out" || fail "it does not say what is being built"
"$STAGEMAKE_BINARY" status --json | python3 -c 'import json, sys; s = json.load(sys.stdin)["runs"][0]; assert s["alive"] and any("zlib" in r["packages"] for r in s["running"]), s'
read -r running stage < <("$STAGEMAKE_BINARY" status --json | python3 -c '
import json, sys
print(*next((r["environment"], r["stage"]) for r in json.load(sys.stdin)["runs"][0]["running"] if "zlib" in r["packages"]))')
"$STAGEMAKE_BINARY" logs "$running" > "$work/log" 2> /dev/null
grep -q . "$work/log" || fail "no log of what runs"
inside=$("$STAGEMAKE_BINARY" shell "$running" -n)
case $engine in
  docker) into=" exec --interactive stagemake-$running-" ;;
  buildah) into=" stagemake-$running-" ;;
esac
case $inside in *"$into"*) ;; *) fail "no shell in what runs: $inside" ;; esac
"$STAGEMAKE_BINARY" logs "$running" "$stage" zlib > "$work/log" || fail "no log of a package in a container that runs"
grep -q . "$work/log" || fail "the log of the package is empty"

step "keys"
terminal send-keys -t run '?'
until_seen 'stop what runs and save it'
terminal send-keys -t run l
until_seen '^log of debian-'
terminal send-keys -t run Escape
# Waits, because Escape followed by input at once would be read as another key.
for _ in $(seq 500); do
  screen
  grep -q '^log of debian-' "$work/screen" || break
  sleep 0.2
done
terminal send-keys -t run +
until_seen '3 job slots from now on; it was 2 before'
one_block "keys"

step "other sizes"
terminal resize-window -t run -x 200 -y 50
sleep 1
one_block "200 by 50"
grep -qE '^\[#*\.*\] +[0-9]+ %$' "$work/screen" && [ "$(grep -E '^\[#*\.*\]' "$work/screen" | wc -L)" -gt 150 ] || fail "it does not use the room"
terminal resize-window -t run -x 50 -y 20
sleep 1
one_block "50 by 20"
terminal resize-window -t run -x 80 -y 24
sleep 1
one_block "80 by 24 again"

step "failures come with the line that matters"
for container in $(containers); do
  case $engine in
    docker) "$STAGEMAKE_TEST_DOCKER" exec "$container" touch /go || : ;;
    buildah) touch "$(buildah mount "$container")/go" ;;
  esac
done
until_seen "readline: readline.c:7:3: error: 'termcap' undeclared"

step "q ends it, and gives the terminal back"
terminal send-keys -t run q
until_seen '^status (1|130)$' 300
terminal send-keys -t run "clear; stty -a | grep -ow -e '-*icanon' | diff - '$work/stty-before' && echo same terminal" Enter
until_seen '^same terminal$'
python3 - "$work/events" << 'END'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
kinds = {event["event"] for event in events}
assert events[0]["event"] == "run" and events[0]["schema"] == 1, events[0]
assert {"outlook", "begin", "stage", "package", "machine", "note", "end", "exit"} <= kinds, kinds
assert any(e["event"] == "note" and "got the key q: stopping what runs" in e["text"] for e in events)
assert any(e["event"] == "package" and e["package"] == "readline" and e["state"] == "failed" for e in events)
END

step "a pipe: lines alone; and CI: commands of its own"
sed -i 's/-lt 40/-lt 1/' build/pkgs/zlib/spkg-install.in
printf 'readline  *-optional  # not yet\n' > "$work/expected"
: > "$work/summary"
in_ci() { GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY="$work/summary" stagemake "$@"; }
expect 1 in_ci build 'debian-*-minimal*' --base-image "$base" \
  --slots 2 -j 2 --expected-failures "$work/expected"
if grep -q $'\x1b' "$work/out"; then fail "escape sequences in a pipe"; fi
grep -qE '^::(error|warning) .*termcap' "$work/out" || fail "no annotation"
grep -q '^::group::' "$work/out" || fail "no group"
grep -q "termcap" "$work/summary" || fail "the step's summary says nothing of it"
grep -qE "^readline .*fails on 2 systems.*termcap" "$work/out" || fail "failures are not put together"

step "reports"
stagemake report
grep -q '^0 of 3 environments succeeded' "$work/out" || fail "the report does not count"
stagemake report --html "$work/report.html" --junit "$work/junit.xml" --trace "$work/trace.json" --expected-failures "$work/expected"
"$STAGEMAKE_BINARY" report --json > "$work/report.json"
python3 - "$work" << 'END'
import json, sys, xml.etree.ElementTree
work = sys.argv[1]
suites = xml.etree.ElementTree.parse(work + "/junit.xml").getroot()
assert len(list(suites.iter("testsuite"))) == 3
assert any(case.get("name") == "readline" and case.find("failure") is not None for case in suites.iter("testcase"))
assert any(e.get("ph") == "X" and e["name"] == "readline (failed)" for e in json.load(open(work + "/trace.json"))["traceEvents"])
report = json.load(open(work + "/report.json"))
assert [g["name"] for g in report["failures"]] == ["readline"] and len(report["failures"][0]["places"]) == 3, report["failures"]
END
status=0
"$here/report_browser.py" "$work/report.html" || status=$?
case $status in
  0) ;;
  77) [ "${STAGEMAKE_BROWSER_MUST_WORK:-0}" != 1 ] || fail "no browser looked at the report" ;;
  *) fail "a browser does not like the report" ;;
esac
expect 2 stagemake report --run nothing-like-it
expect 2 stagemake logs arch-latest-minimal
expect_no_container
echo "all well"
