#!/usr/bin/env bash
# Prints figures for each folder of driver/: files, lines, .cc files without a header of the same name, and classes whose
# methods are spread over several .cc files.
# Usage: rooms.sh DRIVER
set -eu
source "$(dirname "$0")/sources.sh"
cd "${1:?usage: rooms.sh DRIVER}"
printf '%-18s %6s %6s  %s\n' folder files lines 'without own header; classes in several files'
find . -name '*.cc' -o -name '*.h' | sed 's|^\./||; s|/[^/]*$||; s|^[^/]*\.cc$|.|' | sort -u | while read -r folder; do
  mapfile -t files < <(find "$folder" -maxdepth 1 \( -name '*.cc' -o -name '*.h' \) | sort)
  mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.cc$')
  alone=$(without_header "${sources[@]}" | sed 's|.*/||' | paste -sd ' ')
  spread=$(spread_classes "${sources[@]}" | cut -d ' ' -f 1 | paste -sd ' ')
  printf '%-18s %6s %6s  %s; %s\n' "$folder" "${#files[@]}" "$(cat "${files[@]}" | wc -l)" "${alone:--}" "${spread:--}"
done
