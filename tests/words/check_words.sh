#!/bin/bash
# Checks that no message of the driver prints "1 stages": a number before a noun goes through counted() of
# base/text/text.h. It searches string literals for a placeholder or a number followed by a plural.
#   check_words.sh FOLDER      checks its sources: status 0, or 1 with every fault as "file:line: the line"
#   check_words.sh --self-test checks that each kind of fault is found
# The nouns exclude words that are as often verbs (builds, runs).
# `never_one` lists numbers that are never 1: a limit ("more than {} names"), or "all {} …" after a check for one.
set -u

nouns='stages|packages|environments|images|layers|slots|jobs|job slots|systems|processors|processes|machines|files'
nouns+='|folders|lines|names|times|tries|attempts|failures|tests|targets|containers|groups|others|days'
nouns+='|options|entries|keys|tags|inputs|minutes|hours|seconds|registries|repositories|reasons|candidates|bytes'
nouns+='|snapshots|volumes|checkpoints|records|warnings|errors|signals|variables|placeholders|notes|commands'
never_one='(more|longer|less|fewer) than|at least two|all \{\}|of the \{\}'

check() {
  local found
  # Only in literals: the text after the first quote of a line.
  found=$(grep -rnE --include='*.cc' --include='*.h' \
      "\"([^\"]*(\{[0-9]*(:[^{}]*)?\}|[^0-9A-Za-z.\"]1)|1) ((more|other|new|job|make|system|unfinished|partial) )*($nouns)\b" \
      "$1" | grep -vE "$never_one|static_assert|^[^:]*:[0-9]*: *//" ;
    grep -rnE --include='*.cc' --include='*.h' '"[^"]*\{[0-9]*\}\. (try|attempt|time|run)\b' "$1")
  [ -z "$found" ] && return 0
  echo "$found"
  echo 'a number in front of a noun: use counted(number, "noun") of base/text/text.h'
  return 1
}

# One case: whether a fault must be found ("bad") or not ("good"), and a source line.
expect() {
  local folder status
  folder=$(mktemp -d) || exit 2
  printf '%s\n' "$2" > "$folder/x.cc"
  check "$folder" > /dev/null
  status=$?
  rm -rf "$folder"
  [ "$1" = bad ] && [ $status -eq 1 ] && return
  [ "$1" = good ] && [ $status -eq 0 ] && return
  printf 'self-test: expected to be %s: %s\n' "$1" "$2"
  failed=1
}

self_test() {
  failed=0
  expect bad 'note(fmt::format("{} stages to build", n));'
  expect bad 'note(fmt::format("{}: {} of {} packages", a, b, c));'
  expect bad 'note(fmt::format("and {} more images", n));'
  expect bad 'note(fmt::format("{0} other job slots", n));'
  expect bad 'note(fmt::format("{:>3} times", n));'
  expect bad 'note("1 stages");'
  expect bad 'note(fmt::format("pushed at the {}. try", n));'
  expect good 'note(counted(n, "stage") + " to build");'
  expect good 'note(fmt::format("more than {} names", kMost));'
  expect good 'note(fmt::format("all {} stages have their images", n));'
  expect good 'note(fmt::format("{} of {}", a, counted(b, "package")));'
  expect good 'note("11 stages"); note(fmt::format("v1.1 stages"));'
  expect good 'note(fmt::format("{} runs the containers", engine));'
  expect good '// "{} stages" is what nobody should write'
  return $failed
}

case "${1-}" in
  --self-test) self_test ;;
  '') echo 'usage: check_words.sh FOLDER | --self-test' >&2; exit 2 ;;
  *) check "$1" ;;
esac
