#!/bin/bash
# A benchmark as a test, which ctest runs with sizes of next to nothing: it works as long as it ends well and prints its
# figures. What they are does not matter.
#
# Usage: once.sh PATTERN COMMAND…, with PATTERN an extended regular expression that fits the last of the figures' lines.
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
