#!/usr/bin/env bash
# README.md against the program, as far as no container is needed: its commands, options, links and settings.
# (tests/e2e/readme.sh runs its tour.)
source "$(dirname "$0")/lib.sh"
[ -x "${1:-}" ] || { echo "usage: $0 STAGEMAKE"; exit 2; }
stagemake=$1
sources=$(cd "$here/../.." && pwd)
readme=$sources/README.md
tree=$work/minidist
cp -a "$sources/tests/minidist" "$tree"
export STAGEMAKE_STATE=$work/state
: > "$work/out"

promise "the table of commands has all commands, and no others"
"$stagemake" help | sed -n '/^Topics:/q; s/^  \([a-z][a-z-]*\) .*/\1/p' | sort > "$work/known"
sed -n '/^## Commands/,/^## /p' "$readme" | grep '^|' | grep -o '`[^`]*`' | tr -d '`' | sed 's/ .*//' | sort > "$work/named"
[ -s "$work/known" ] || broken "\`stagemake help\` lists no commands"
echo help | sort -m - "$work/named" > "$work/all" # which has a sentence of its own
diff "$work/known" "$work/all" > "$work/out" || broken "README.md and \`stagemake help\` differ"

promise "the table of the manual has every page, and links lead to files"
for page in "$sources"/driver/manual/*.md; do
  grep -q "^| \[.*\](driver/manual/$(basename "$page")) |" "$readme" || broken "no row for $page"
done
grep -o '](\([^)#]*\))' "$readme" | sed 's/^](//; s/)$//' > "$work/links"
[ "$(wc -l < "$work/links")" -gt 10 ] || broken "no links found"
while read -r link; do
  case $link in https://*) continue ;; esac
  [ -e "$sources/$link" ] || broken "a link to $link"
done < "$work/links"

promise "files and tools that the text names exist"
for name in $(grep -o '`\(tools\|tests\|driver\|build/pkgs\)/[a-z/.-]*`' "$readme" | tr -d '`' | grep -v '^build/driver/'); do
  [ -e "$sources/$name" ] || [ -e "$tree/$name" ] || broken "$name does not exist"
done

promise "commands of the tour are accepted, and the tree in the tour is minidist"
commands=0
while read -r line; do
  case $line in
    *stagemake\ *)
      commands=$((commands + 1))
      read -ra said <<< "$line"
      # What an engine would be asked for needs one; the plan of the same environment does not.
      "$stagemake" help "${said[1]}" > "$work/out" 2>&1 || broken "\`$line\`: no such command"
      "$stagemake" -C "$tree" plan "${said[@]:2}" > "$work/out" 2>&1 || broken "\`$line\`: the environment is unknown"
      ;;
    echo\ *)
      file=${line##*> }
      [ -f "$tree/$file" ] || broken "\`$line\`: minidist has no $file"
      ;;
  esac
done < <(sed -n 's/^    \$ //p' "$readme")
[ "$commands" -ge 2 ] || broken "no commands found in README.md"
packages=$("$stagemake" -C "$tree" list :all: 2> /dev/null | grep -c .)
named=$(sed -n 's/.*distribution of \([0-9]*\) packages.*/\1/p' "$readme")
[ "$(find "$tree/build/pkgs" -mindepth 2 -maxdepth 2 -name type | wc -l)" = "$named" ] ||
  broken "README.md says $named packages; minidist has $(find "$tree/build/pkgs" -mindepth 2 -maxdepth 2 -name type | wc -l), of which stagemake lists $packages"
"$stagemake" -C "$tree" plan debian-bookworm-minimal > "$work/plan" 2>&1
for stage in $(sed -n 's/^    debian-bookworm-minimal  \([a-z-]*\)  *built .*/\1/p' "$readme"); do
  grep -q "$stage" "$work/plan" || broken "the plan has no stage $stage"
done

promise "-C stands before or after the command, and --json is JSON"
"$stagemake" -C "$tree" stages > "$work/out" || broken "before"
"$stagemake" stages -C "$tree" | diff "$work/out" - || broken "after"
"$stagemake" plan -C "$tree" debian-bookworm-minimal --json 2> /dev/null | python3 -m json.tool > "$work/out" || broken "no JSON"
