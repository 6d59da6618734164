#!/bin/bash
# A registry with many images: the time to read the labels of all of them, without pulling any.
#
# Usage: registry.sh [IMAGES]. Needs REGISTRY_BENCH (the program of registry_bench.cc) and Debian's docker-registry, which
# is started on a port of this machine.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source "$here/timing.sh"
command -v docker-registry > /dev/null || {
  echo "SKIPPED: there is no docker-registry (apt-get install docker-registry)"
  exit 77
}
print_load
"${REGISTRY_BENCH:?}" "${1:-1000}"
