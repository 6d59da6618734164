# shellcheck shell=bash
# Functions for check_layers.sh and rooms.sh, about the .cc files that they get as arguments.

# Those without a header of the same name.
without_header() {
  local file
  for file in "$@"; do [ -f "${file%.cc}.h" ] || echo "$file"; done
}

# The classes whose members are defined in several of them, as "CLASS FILE…".
spread_classes() {
  grep -HoE '^([a-zA-Z][A-Za-z0-9_:<>&*, ]* )?([A-Z][A-Za-z0-9]*::)+~?[A-Za-z_]+\(' "$@" /dev/null |
    sed -E 's/^([^:]*):(.* )?([A-Za-z0-9:]+)::~?[A-Za-z_]+\($/\3 \1/' | LC_ALL=C sort -u |
    awk '{ files[$1] = files[$1] " " $2; number[$1]++ }
      END { for (name in files) if (number[name] > 1) print name files[name] }' |
    LC_ALL=C sort
}
