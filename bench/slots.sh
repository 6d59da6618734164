#!/bin/bash
# Six environments on one machine: one pool of job slots for all makes, compared with one environment after the other, and
# with all at once, each with as many make jobs as the machine has processors.
#
# Usage: slots.sh docker|buildah. Needs STAGEMAKE_BINARY and STAGEMAKE_TEST_ROOTFS; see tests/e2e/lib.sh, whose engines it
# uses. The tree is minidist, in six configurations, with something to compile: five of its packages compile eight files of
# about half a second each, through $MAKE, as packages do. All three start from the base image (--fresh). For each, it
# prints seconds, the share of processor time that was used, and the most compilers that ran at once in containers.
# ENVIRONMENTS selects other environments (patterns), OPTIONS adds options of `stagemake build`, FUNCTIONS sets the number
# of functions in each compiled file (default 280).
set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
source "$bench/../tests/e2e/lib.sh" "${1:-}"
source "$bench/timing.sh"
processors=$(nproc)
read -ra environments <<< "${ENVIRONMENTS:-debian-*-minimal*}"
read -ra options <<< "${OPTIONS:-}"

sed -i 's/^    optional:  .*/&\n    nauty:            CONFIG_CONFIGURE_ARGS_3=--enable-nauty\n    pytest:           CONFIG_CONFIGURE_ARGS_3=--enable-pytest/' tox.ini
sed -i 's/^    docker-fedora-39.*/&\n    docker-debian-bookworm-minimal-{gcc_spkg,optional,nauty,pytest}\n    docker-debian-bookworm-minimal-gcc_spkg-optional/' tox.ini
for package in zlib gmp xz openblas readline; do
  cat >> build/pkgs/$package/spkg-install.in << 'END'

objects=
for number in 1 2 3 4 5 6 7 8; do
    awk -v n="$number" 'BEGIN {
        for (f = 0; f < functions_in_each; ++f)
            printf "int f%d_%d(int a, int *b) { int i, s = a; for (i = 0; i < a; ++i) s += b[i] * %d; return s; }\n", n, f, f
    }' > heavy$number.c
    objects="$objects heavy$number.o"
done
printf 'all:%s\n' "$objects" > heavy.mk
${MAKE:-make} -f heavy.mk
END
  sed -i "s/functions_in_each/${FUNCTIONS:-280}/" build/pkgs/$package/spkg-install.in
done
"$STAGEMAKE_BINARY" simulate "${environments[@]}" --base-image "$base" > "$work/out"
count=$(sed -n 's/^\([0-9]*\) environments\{0,1\}: .*/\1/p' "$work/out")
[ -n "$count" ] || fail "simulate does not say how many environments: $(cat "$work/out")"

# Processor time used so far, and total processor time, in hundredths of a second.
used() { awk '/^cpu / { all = $2 + $3 + $4 + $5 + $6 + $7 + $8; print all - $5 - $6, all }' /proc/stat; }

# one LABEL OPTION…
one() {
  label=$1
  shift
  "$bench/../tests/e2e/count_compilers.py" all "$work/compilers" &
  counter=$!
  read -r used_before all_before < <(used)
  seconds_of "$STAGEMAKE_BINARY" build "${environments[@]}" --base-image "$base" --fresh "${options[@]}" "$@"
  read -r used_after all_after < <(used)
  kill "$counter"
  wait "$counter" || true
  read -r most looks < "$work/compilers"
  awk -v label="$label" -v s="$seconds" -v first="${first:=$seconds}" -v u=$((used_after - used_before)) \
    -v a=$((all_after - all_before)) -v most="$most" \
    'BEGIN { printf "  %-46s %8.1f s %6.2f %8.0f %% %10d\n", label, s, s / first, 100 * u / a, most }'
}

print_load
printf '  %-46s %10s %6s %10s %10s\n' "$count environments" seconds ratio processors compilers
for round in $(seq "${ROUNDS:-1}"); do
  one "one pool of $processors slots, all at once" --slots "$processors" -j "$count"
  one "one after the other, make -j$processors" --slots off --numproc "$processors" -j 1
  one "all at once, make -j$processors each" --slots off --numproc "$processors" -j "$count"
done
