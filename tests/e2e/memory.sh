#!/usr/bin/env bash
# Memory: what stages hold is learned, and bounds what runs at once.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s\n' "$1"; }
# count_holders COMMAND…: runs it, and says in $most how many processes held much memory at once, as seen from outside.
count_holders() {
  (
    most=0
    trap 'echo "$most" > "$work/holders"; exit' TERM
    while :; do
      count=$(cat /proc/[0-9]*/comm 2> /dev/null | grep -cx holds-memory || true)
      [ "$count" -le "$most" ] || most=$count
      sleep 0.1
    done
  ) &
  counter=$!
  "$@"
  kill "$counter"
  wait "$counter" || true
  read -r most < "$work/holders"
  echo "at most $most at once"
}
# The peak that the journal says of the last such stage of each environment, in MB.
peaks() {
  for one in debian-bookworm-minimal debian-bookworm-minimal-optional; do
    grep "\"environment\":\"$one\",\"stage\":\"with-targets-pre\"" "$STAGEMAKE_STATE"/*/journal |
      sed -n 's/.*"memory":\([0-9]*\)[0-9]\{6\},.*/\1/p' | tail -n 1
  done
}

# A package that holds 300 MB for some seconds. A program of its own, as its name is how it is counted.
cat > build/pkgs/zlib/src/holds-memory.c << 'END'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
  char *held = malloc(300000000);
  if (!held) return 1;
  memset(held, 7, 300000000);
  sleep(4);
  return held[299999999] != 7;
}
END
cat >> build/pkgs/zlib/spkg-install.in << 'END'
cc -o holds-memory src/holds-memory.c
./holds-memory
END
both=(debian-bookworm-minimal debian-bookworm-minimal-optional)

step "nobody knows yet what they hold: both run at once, and it is learned"
count_holders stagemake build "${both[@]}" --base-image "$base" -j 2
[ "$most" = 2 ] || fail "$most ran at once"
for peak in $(peaks); do
  [ "$peak" -ge 300 ] && [ "$peak" -le 600 ] || fail "the journal says $peak MB"
done
[ "$(peaks | wc -l)" = 2 ] || fail "the journal says nothing of memory"

step "from then on, what would not fit waits, and it is said"
set_version zlib 1.2.12
count_holders stagemake build "${both[@]}" --base-image "$base" -j 2 --memory 700M
[ "$most" = 1 ] || fail "$most ran at once, where there is memory for one"
grep -q '^stages wait for memory: what runs needs about .* MB, of 700.0 MB that stages may have (--memory)' "$work/out" ||
  fail "nothing is said of memory"
[ "$(grep -c 'with-targets  *built' "$work/out")" = 2 ] || fail "not both were built"
expect_no_container

step "a report says what stages held"
stagemake report --json > "$work/report.json"
grep -q '"memory": 3[0-9]\{8\}' "$work/report.json" || fail "the report says nothing of memory"

printf '\nall well\n'
