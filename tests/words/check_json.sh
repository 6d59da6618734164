#!/bin/bash
# Checks that the driver parses JSON text in one place only, json_in() of base/text/json_text.h, which sets bounds.
#   check_json.sh FOLDER       checks its sources: status 0, or 1 with every other place as "file:line: the line"
#   check_json.sh --self-test  checks that each way to parse is found
set -u

check() {
  local found
  found=$(grep -rnE --include='*.cc' --include='*.h' \
      'json::(parse|accept|sax_parse|from_(cbor|msgpack|ubjson|bjdata|bson))\(|"_json' "$1" |
    grep -v '^[^:]*base/text/json_text\.cc:')
  [ -z "$found" ] && return 0
  echo "$found"
  echo 'JSON that is parsed without bounds: use json_in() of base/text/json_text.h'
  return 1
}

expect() {
  local folder status
  folder=$(mktemp -d) || exit 2
  mkdir -p "$folder/base/text"
  printf '%s\n' "$3" > "$folder/$2"
  check "$folder" > /dev/null
  status=$?
  rm -rf "$folder"
  [ "$1" = bad ] && [ $status -eq 1 ] && return
  [ "$1" = good ] && [ $status -eq 0 ] && return
  printf 'self-test: expected to be %s: %s\n' "$1" "$3"
  failed=1
}

case "${1-}" in
  --self-test)
    failed=0
    expect bad x.cc 'json value = json::parse(text, nullptr, false);'
    expect bad x.h 'auto value = nlohmann::ordered_json::parse(text);'
    expect bad x.cc 'return nlohmann::json::accept(text);'
    expect bad x.cc 'json value = json::from_cbor(bytes);'
    expect bad x.cc 'json value = "{}"_json;'
    expect good base/text/json_text.cc 'nlohmann::json value = nlohmann::json::parse(text, nullptr, false);'
    expect good x.cc 'std::optional<json> value = json_in(text, kMost);'
    exit $failed ;;
  '') echo 'usage: check_json.sh FOLDER | --self-test' >&2; exit 2 ;;
  *) check "$1" ;;
esac
