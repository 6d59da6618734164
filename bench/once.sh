#!/bin/bash
# Runs a benchmark as a test, which ctest does with tiny sizes: it passes if the benchmark succeeds and prints its figures,
# whatever they are.
#
# Usage: once.sh PATTERN COMMAND…, with PATTERN an extended regular expression that matches the last line of the figures.
set -euo pipefail

pattern=$1
shift
output=$(mktemp "${TMPDIR:-/tmp}/stagemake-bench.XXXXXX")
trap 'rm -f "$output"' EXIT
"$@" 2>&1 | tee "$output"
[ "$(grep -cE -- "$pattern" "$output")" != 0 ] || {
  echo "FAILED: no line of the output fits $pattern"
  exit 1
}
