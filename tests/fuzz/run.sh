#!/usr/bin/env bash
# Runs the fuzz programs for a limited time, with seeds from minidist and the corpora beside the project.
#
#     tests/fuzz/run.sh [SECONDS]                   builds them all in build/fuzz, runs each for SECONDS, two at a time
#     tests/fuzz/run.sh --target FOLDER TARGET      runs one that is built: for ctest
#
# For ctest, STAGEMAKE_FUZZ_PROGRAMS names the folder of the programs, instead of FOLDER, and STAGEMAKE_FUZZ_SECONDS sets
# how long each runs. An input that breaks something is reported and kept in the subfolder `found` of the programs' folder.
# Such an input should become a test of the faulty unit.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sources=$(cd "$here/../.." && pwd)
shared=$sources/../shared

seed_trees() {
  local tree
  printf %s "$sources/tests/minidist"
  for tree in "$shared"/corpus/*/; do
    [ ! -d "$tree" ] || printf ':%s' "${tree%/}"
  done
}

run_target() {
  local program=$1/fuzz_$2 target=$2 seconds=${STAGEMAKE_FUZZ_SECONDS:-2} memory=/dev/shm status=0 seeds started
  if [ ! -x "$program" ]; then
    echo "skipped: $program is not built; STAGEMAKE_FUZZ_SECONDS=10 tools/check builds and runs it, and so does $0"
    [ -z "${STAGEMAKE_FUZZ_SECONDS:-}" ] || exit 1
    exit 77
  fi
  [ -w "$memory" ] || memory=${TMPDIR:-/tmp}
  place=$(mktemp -d "$memory/stagemake-fuzz.XXXXXX")
  trap 'rm -rf "$place"' EXIT
  mkdir "$place/inputs" "$place/trees"
  mkdir -p "$1/found"
  started=$SECONDS
  ulimit -s 2048 # what goes deep with the input is found before it goes too deep for the usual 8 MB
  TMPDIR=$place/trees STAGEMAKE_FUZZ_TREES=$(seed_trees) \
    ASAN_OPTIONS=quarantine_size_mb=32:detect_stack_use_after_return=0 UBSAN_OPTIONS=print_stacktrace=1 \
    timeout --kill-after=5 "$((seconds * 3 + 60))" "$program" "$place/inputs" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=1024 -max_len=32768 -entropic_scale_per_exec_time=1 -print_final_stats=1 -artifact_prefix="$1/found/$target-" \
    > "$place/log" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    echo "$target: status $status; the end of what it said:"
    tail -n 60 "$place/log" | cut -c 1-600
    exit 1
  fi
  seeds=$(sed -n 's/.*INFO: *seed corpus: files: \([0-9]*\).*/\1/p' "$place/log")
  awk -v target="$target" -v seeds="${seeds:-0}" -v seconds="$((SECONDS - started))" '
    /^stat::number_of_executed_units/ { count = $2 }
    /^stat::average_exec_per_sec/ { rate = $2 }
    /^stat::peak_rss_mb/ { memory = $2 }
    END { printf "%-18s %9d executions in %3d s, %6d a second, %4d seeds, %d MB\n",
          target, count, seconds, rate, seeds, memory }' "$place/log"
}

build_and_run_all() {
  local build=$sources/build/fuzz
  if [ ! -f "$build/CMakeCache.txt" ]; then
    cmake -G Ninja -S "$sources" -B "$build" "${fuzz_options[@]}"
  fi
  cmake --build "$build" --target fuzzers
  export STAGEMAKE_FUZZ_SECONDS=$1
  (cd "$build/tests/fuzz" && printf '%s\n' fuzz_*) | sed 's/^fuzz_//' |
    xargs -P 2 -I{} "$here/run.sh" --target "$build/tests/fuzz" {}
}

# tools/check builds with these options too.
fuzz_options=(-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG='-O1 -gline-tables-only' -DSTAGEMAKE_FUZZ=ON
  -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld)

if [ "${1:-}" = --options ]; then
  printf '%s\n' "${fuzz_options[@]}"
elif [ "${1:-}" = --target ]; then
  run_target "${STAGEMAKE_FUZZ_PROGRAMS:-$2}" "$3"
else
  build_and_run_all "${1:-60}"
fi
