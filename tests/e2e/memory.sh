#!/usr/bin/env bash
# Memory: stagemake learns how much memory stages use, and limits how many run at once.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s\n' "$1"; }
# count_holders WANTED COMMAND…: runs it, and sets $most to the number of processes that held much memory at once, seen from
# outside. They hold it until WANTED of them have done so for 4 s, so that each is measured, however slow the machine is.
count_holders() {
  (
    most=0 since=0
    trap 'echo "$most" > "$work/holders"; exit' TERM
    while :; do
      holders=$(grep -lsx holds-memory /proc/[0-9]*/comm | cut -d / -f 3 || true)
      count=$(wc -w <<< "$holders")
      [ "$count" -le "$most" ] || most=$count
      if [ "$count" -lt "$1" ]; then since=$SECONDS; fi
      if [ $((SECONDS - since)) -gt 4 ]; then kill -USR1 $holders 2> /dev/null || true; fi
      sleep 0.1
    done
  ) &
  counter=$!
  shift
  "$@"
  kill "$counter"
  wait "$counter" || true
  read -r most < "$work/holders"
  echo "at most $most at once"
}
# The memory peak of the last such stage of each environment in the journal, in MB.
peaks() {
  for one in debian-bookworm-minimal debian-bookworm-minimal-optional; do
    grep "\"environment\":\"$one\",\"stage\":\"with-targets-pre\"" "$STAGEMAKE_STATE"/*/journal |
      sed -n 's/.*"memory":\([0-9]*\)[0-9]\{6\},.*/\1/p' | tail -n 1
  done
}

# A package that holds 300 MB until a signal, in a separate program, because processes are counted by name.
cat > build/pkgs/zlib/src/holds-memory.c << 'END'
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void end(int signal) { _exit(signal != SIGUSR1); }
int main(void) {
  char *held = malloc(300000000);
  if (!held) return 1;
  memset(held, 7, 300000000);
  signal(SIGUSR1, end);
  sleep(300);
  return 2;
}
END
cat >> build/pkgs/zlib/spkg-install.in << 'END'
cc -o holds-memory src/holds-memory.c
./holds-memory
END
both=(debian-bookworm-minimal debian-bookworm-minimal-optional)

step "nobody knows yet what they hold: both run at once, and it is learned"
count_holders 2 stagemake build "${both[@]}" --base-image "$base" -j 2
[ "$most" = 2 ] || fail "$most ran at once"
for peak in $(peaks); do
  [ "$peak" -ge 300 ] && [ "$peak" -le 600 ] || fail "the journal says $peak MB"
done
[ "$(peaks | wc -l)" = 2 ] || fail "the journal says nothing of memory"

step "from then on, what would not fit waits, and it is said"
set_version zlib 1.2.12
count_holders 1 stagemake build "${both[@]}" --base-image "$base" -j 2 --memory 700M
[ "$most" = 1 ] || fail "$most ran at once, where there is memory for one"
grep -q '^stages wait for memory: running stages need about .* MB of the 700.0 MB that stages may use (--memory)' "$work/out" ||
  fail "nothing is said of memory"
[ "$(grep -c 'with-targets  *built' "$work/out")" = 2 ] || fail "not both were built"
expect_no_container

step "a report says what stages held"
stagemake report --json > "$work/report.json"
grep -q '"memory": 3[0-9]\{8\}' "$work/report.json" || fail "the report says nothing of memory"

printf '\nall well\n'
