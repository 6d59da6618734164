#!/usr/bin/env bash
# What a real fish offers, with the script from the real stagemake.
# Usage: fish_completion.sh STAGEMAKE
set -u
stagemake=$(realpath "$1")
if ! command -v fish > /dev/null; then
  echo "fish is not installed"
  [ -z "${CI:-}" ] || exit 1
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work
PATH=$(dirname "$stagemake"):$PATH
cd "$(dirname "$0")/../minidist" || exit 1
"$stagemake" completion fish > "$work/script" || exit 1
failed=0

# offers LINE WORD…: each word is offered after LINE; a word with `!` before it is not.
offers() {
  local line=$1 word offered
  shift
  offered=$(fish --no-config -c "source $work/script; complete -C '$line'" 2>&1 | cut -f 1)
  for word; do
    case $word in
      !*) ! grep -qx -- "${word#!}" <<< "$offered" && continue; echo "\"$line\" offers ${word#!}" ;;
      *) grep -qx -- "$word" <<< "$offered" && continue; printf '"%s" offers no %s, but:\n%s\n' "$line" "$word" "$offered" ;;
    esac
    failed=1
  done
}
offers 'stagemake expl' explain '!build'
offers 'stagemake ' build gc '!manual'
offers 'stagemake build --engine ' podman buildah
offers 'stagemake build --fre' --fresh
offers 'stagemake build debian-bookworm-m' debian-bookworm-minimal
offers 'stagemake build --to with-' with-targets with-targets-pre
offers "stagemake -C $PWD why nau" nauty
offers "stagemake -C $PWD expl" explain
offers 'stagemake build all-mini' all-minimal
exit $failed
