#!/usr/bin/env bash
# Output that cannot be written, and signals: a full disk, closed descriptors, a pipe that nobody reads, a terminal
# stopped by ctrl-S, SIGTERM while nobody reads, nohup. The build is the same each time, and its log is complete.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s (after %s s)\n' "$1" "$SECONDS"; }
lines=3000 # 300 KB: a pipe takes 64
cat >> bootstrap << END

i=0
while [ \$i -lt $lines ]; do
  echo "line \$i of output, and so on until it is long enough to fill a pipe, a terminal, and whatever else there is to fill"
  i=\$((i + 1))
done
if [ -e build/slow ]; then echo "now it waits"; sleep 1000; fi
END
log=
arguments=(build "$environment" --base-image "$base" --fresh --to bootstrapped -v)
run() { timeout -k 5 600 "$STAGEMAKE_BINARY" "${arguments[@]}" "$@"; }
# complete WHAT: the last build made its image, and its log has all lines.
complete() {
  log=$(echo "$work"/state/*/logs/"$environment/bootstrapped.log")
  [ "$(grep -c '^line [0-9]* of output' "$log")" = "$lines" ] || fail "$1: the log has not all lines"
  images=$("$STAGEMAKE_BINARY" snapshots "$environment")
  grep -q "bootstrapped" <<< "$images" || fail "$1: there is no image"
  python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' "$work"/state/*/journal* ||
    fail "$1: something else is in the journal"
  rm -f "$log"
  "$STAGEMAKE_BINARY" clean "$environment" > "$work/cleaned" 2>&1
}
# said WORDS: they are on standard error.
said() { grep -q -- "$1" "$work/err" || fail "nothing is said of \"$1\": $(cat "$work/err")"; }

step "as it should be: a reader that is slow gets all"
(run 2> "$work/err"; echo "status $?" > "$work/status") | (sleep 1; cat) > "$work/out" || true
[ "$(grep -c '^line [0-9]* of output' "$work/out")" = "$lines" ] || fail "the reader got not all"
[ ! -s "$work/err" ] || fail "something is wrong: $(cat "$work/err")"
complete "a slow reader"

step "standard output is full"
expect 1 run > /dev/full 2> "$work/err"
said "standard output: .* lines of output are lost: No space left on device"
complete "a full disk"

step "standard output is closed"
expect 1 run >&- 2> "$work/err"
said "lost: it is closed"
complete "closed output"

step "all three are closed: no file takes their numbers"
expect 1 run <&- >&- 2>&-
complete "all closed"

step "standard error is full, where the lines go with --json"
expect 1 run --json > "$work/out" 2> /dev/full
python3 -c 'import json, sys; assert json.load(sys.stdin)["environments"][0]["stages"][1]["state"] == "built"' < "$work/out"
complete "a full standard error"

step "a pipe that nobody reads"
mkfifo "$work/pipe"
exec 9<> "$work/pipe"
expect 1 run > "$work/pipe" 2> "$work/err" 9>&-
said "lost: they were not read in time"
complete "an unread pipe"

step "a terminal that ctrl-S has stopped"
expect 0 python3 - "$STAGEMAKE_BINARY" "${arguments[@]}" << 'END'
import os, pty, sys, termios, time
pid, terminal = pty.fork()
if pid == 0:
    termios.tcflow(1, termios.TCOOFF)
    os.environ.update(TERM="xterm", CI="")
    os.execv(sys.argv[1], sys.argv[1:])
deadline = time.monotonic() + 100
while time.monotonic() < deadline:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        assert os.waitstatus_to_exitcode(status) == 1, status  # lines were lost
        sys.exit(0)
    time.sleep(0.1)
os.kill(pid, 9)
sys.exit("it hangs")
END
complete "a stopped terminal"

step "other commands say that they could not print"
for command in "list" "plan $environment" "envs" "snapshots" "--help"; do
  expect 3 "$STAGEMAKE_BINARY" $command > /dev/full 2> "$work/err"
  said "standard output cannot be written"
  expect 3 "$STAGEMAKE_BINARY" $command >&- 2> "$work/err"
  said "standard output cannot be written"
done
expect 2 "$STAGEMAKE_BINARY" no-such-command 2> /dev/full

# started: runs a build in the background, as $driver, whose output nobody reads, and which waits in its container.
touch build/slow
started() {
  rm -f "$work"/state/*/logs/"$environment/bootstrapped.log"
  "$STAGEMAKE_BINARY" "${arguments[@]}" > "$work/pipe" 2>&1 9>&- &
  driver=$!
  wait_until in_log bootstrapped '^now it waits' || fail "it does not begin"
}

step "SIGTERM with nobody reading: it is saved"
started
kill -TERM "$driver"
ended 143
"$STAGEMAKE_BINARY" snapshots "$environment" | has failed || fail "nothing is kept"

step "SIGTERM while a registry is asked that does not answer"
python3 -c '
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1], "w").write(str(server.getsockname()[1]))
asked = []
while True:
    asked.append(server.accept())
    open(sys.argv[1] + ".asked", "w")' "$work/port" &
registry_pid=$!
until [ -s "$work/port" ]; do sleep 0.05; done
"$STAGEMAKE_BINARY" build "$environment" --base-image "$base" --from "127.0.0.1:$(cat "$work/port")/x" > "$work/out" 2>&1 &
driver=$!
until [ -e "$work/port.asked" ]; do sleep 0.05; done
kill -TERM "$driver"
ended 143
grep -q "the run was stopped before a stage began" "$work/out" || fail "it does not say that nothing has begun"

step "three times: it ends at once"
started
# With pauses between them: the kernel may merge signals of one kind that arrive at once.
# (A fast machine has saved everything before the third.)
for _ in 1 2 3; do
  kill -TERM "$driver" 2> /dev/null || true
  sleep 0.3
done
ended 143

step "SIGHUP under nohup, SIGINT where a script started it"
rm build/slow
sed -i 's/^i=0$/sleep 3; i=0/' bootstrap
(trap '' HUP INT; exec "$STAGEMAKE_BINARY" "${arguments[@]}" > "$work/out" 2>&1) &
driver=$!
wait_until grep -qs 'bootstrapped: running' "$work/out"
kill -HUP "$driver"
kill -INT "$driver"
ended 0
complete "nohup"
