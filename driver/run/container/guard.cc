#include "run/container/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/files/tarball.h"
#include "base/text/text.h"
#include "engine/copied_files.h"

namespace stagemake {
namespace {

constexpr std::size_t kNotesLimit = 1u << 20;  // bytes

// For every POSIX shell. The first word of MAKEFLAGS holds make's one-letter options.
constexpr std::string_view kGuard = R"(#!/bin/sh
# guard COMMAND… NAME-VERSION…   runs it, if there is time for the package; else ends with 75
# guard --may NAME               says whether there is; then it begins
# guard --took NAME SECONDS      writes down how long it took
# guard --failed NAME
folder=/.stagemake/guard
only_asked() {
  case ${MAKEFLAGS%% *} in
    *[=-]*) false ;;
    *[nqt]*) true ;;
    *) false ;;
  esac
}
tell() {
  if only_asked; then return 0; fi
  { read -r output nonce < "$folder/output" && printf '\036package %s %s %s\n' "$nonce" "$1" "$2" >> "$output"; } 2>/dev/null || :
}
begins() {
  if only_asked; then return 0; fi
  { echo "$1 begun" >> "$folder/took"; } 2>/dev/null || :
  tell begun "$1"
}
may_begin() {
  if [ ! -r "$folder/until" ] || only_asked; then begins "$1"; return 0; fi
  case $1 in *[!A-Za-z0-9_.+]*) return 0 ;; esac
  read -r close end < "$folder/until"
  now=$(date +%s)
  takes=$(sed -n "s/^$1 //p" "$folder/expected")
  if [ "$now" -lt "$close" ] && [ $((now + ${takes:-0})) -le "$end" ]; then
    begins "$1"
    return 0
  fi
  tell refused "$1"
  echo "stagemake: $1 is not begun: the deadline is near${takes:+, and it takes about $takes s}"
  echo "$1" >> "$folder/refused"
  return 75
}
took() {
  if only_asked; then return 0; fi
  echo "$1 $2" >> "$folder/took"
  tell built "$1"
}
case $1 in
  --may) may_begin "$2"; exit ;;
  --took) took "$2" "$3"; exit ;;
  --failed) tell failed "$2"; exit ;;
esac
name=
program=yes
for word in "$@"; do
  if [ -n "$program" ]; then program=; continue; fi
  case $word in -*) continue ;; esac
  name=${word%%-*}
  break
done
[ -n "$name" ] || exec "$@"
may_begin "$name" || exit
began=$(date +%s)
"$@"
status=$?
if [ "$status" -eq 0 ]; then took "$name" $(($(date +%s) - began)); else tell failed "$name"; fi
exit "$status"
)";

// For bash, which reads it before every script; only one script matters.
constexpr std::string_view kBashEnv = R"(case ${0##*/}:${1-}:$# in
  sage-logger:-p:3)
    stagemake_name=${3##*/}
    stagemake_name=${stagemake_name%.log}
    stagemake_name=${stagemake_name%%-*}
    /.stagemake/guard/guard --may "$stagemake_name" || exit
    trap 'stagemake_status=$?
      if [ $stagemake_status -eq 0 ]; then /.stagemake/guard/guard --took "$stagemake_name" $SECONDS
      else /.stagemake/guard/guard --failed "$stagemake_name"; fi
      exit $stagemake_status' EXIT
    ;;
esac
[ -z "${STAGEMAKE_BASH_ENV-}" ] || . "$STAGEMAKE_BASH_ENV"
)";

std::string written(std::string_view file, std::string_view text) {
  return fmt::format("printf '%s' {} > /.stagemake/guard/{}\n", shell_quoted(text), file);
}

bool is_package_name(std::string_view word) {
  return !word.empty() && word.size() < 200 && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '+';
  });
}

}  // namespace

std::string guard_setup(const GuardLimits& limits, std::string_view nonce) {
  std::string text = "mkdir -p /.stagemake/guard\nrm -f /.stagemake/guard/*\n";
  text += written("guard", kGuard) + "chmod +x /.stagemake/guard/guard\n" + written("bash-env", kBashEnv);
  std::string expected;
  for (const auto& [name, seconds] : limits.package_seconds)
    if (seconds >= 1 && is_package_name(name))
      expected += fmt::format("{} {}\n", name, std::llround(seconds));
  text += written("expected", expected);
  if (limits.times)
    text += fmt::format(
        "STAGEMAKE_NOW=$(date +%s)\necho \"$((STAGEMAKE_NOW + {})) $((STAGEMAKE_NOW + {}))\" > "
        "/.stagemake/guard/until\n",
        std::llround(std::floor(limits.times->close)), std::llround(std::floor(limits.times->end)));
  // Not the shell's standard output itself: dash redirects its own before it runs a command with `> FILE`.
  text += fmt::format("exec 7>&1\necho \"/proc/$$/fd/7 {}\" > /.stagemake/guard/output\n", nonce);
  return text + "export STAGEMAKE_BASH_ENV=\"${BASH_ENV-}\" BASH_ENV=/.stagemake/guard/bash-env\n";
}

bool GuardNotes::is_in_flight(const std::string& package) const {
  if (is_lost) return true;
  auto began = begun.find(package);
  auto ended = built.find(package);
  return began != begun.end() && (ended == built.end() || ended->second < began->second);
}

GuardNotes read_guard_notes(ContainerEngine& engine, const std::string& container) {
  GuardNotes notes;
  std::size_t position = 0;
  for (const TarEntry& entry : copied_entries(engine, container, "/.stagemake/guard", kNotesLimit)) {
    if (entry.kind != TarEntry::Kind::File) continue;
    if (entry.name.ends_with("/took") && entry.size > kNotesLimit) notes.is_lost = true;
    for (std::string_view line : lines(entry.content)) {
      std::vector<std::string_view> parts = words(line);
      if (parts.empty() || !is_package_name(parts[0])) continue;
      if (entry.name.ends_with("/refused")) notes.refused.emplace_back(parts[0]);
      if (!entry.name.ends_with("/took") || parts.size() != 2) continue;
      std::string name(parts[0]);
      double seconds = 0;
      if (parts[1] == "begun") {
        notes.begun[name] = ++position;
      } else if (std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), seconds).ec ==
                 std::errc()) {
        notes.built[name] = ++position;
        notes.seconds[name] = std::clamp(seconds, 0.0, 30 * 86400.0);
      }
    }
  }
  std::sort(notes.refused.begin(), notes.refused.end());
  notes.refused.erase(std::unique(notes.refused.begin(), notes.refused.end()), notes.refused.end());
  return notes;
}

}  // namespace stagemake
