#!/usr/bin/env bash
# The tour of README.md: its commands are run in order on minidist, and must print what README.md shows; documented.py
# says how this is compared. Then what the text around them promises.
source "$(dirname "$0")/lib.sh"
[ "$engine" = docker ] || skip "README.md shows docker"
documented() { python3 "$here/documented.py" "$here/../../README.md" "$@"; }

# A checkout with a tag. minidist's tox.ini names an image that no test machine has.
unset DOCKER_TAG
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
git init --quiet
git add --all
git commit --quiet --message sources
git tag --annotate --message v1.0 v1.0
stagemake() {
  case $1 in
    build | explain) "$STAGEMAKE_BINARY" "$@" --base-image "$base" ;;
    *) "$STAGEMAKE_BINARY" "$@" ;;
  esac
}

# step NUMBER COMMAND
step() {
  echo "$ $2"
  eval "$2" > "$work/out" 2>&1 || fail "it ended with $?: $(cat "$work/out")"
  documented compare "$1" < "$work/out" || fail "README.md shows something else"
  # Between `build` and what follows it in the text:
  case $2 in *\ build\ *) nothing_to_do ;; esac
}

nothing_to_do() {
  stagemake build "$environment" > "$work/out" 2>&1 || fail "the second build ended with $?: $(cat "$work/out")"
  grep -q ' built ' "$work/out" && fail "the second build did something: $(cat "$work/out")"
  return 0
}

cd "$work"
documented commands > "$work/session"
[ "$(wc -l < "$work/session")" -ge 4 ] || fail "README.md shows only: $(cat "$work/session")"
source "$work/session"

echo "=== the build does what was explained"
stagemake build "$environment" > "$work/out" 2>&1 || fail "it ended with $?: $(cat "$work/out")"
expect_built "numpy openblas " with-targets-pre with-targets

echo "=== a change below src runs only with-targets"
echo "/* more */" >> src/sage/all.c
stagemake build "$environment" > "$work/out" 2>&1 || fail "it ended with $?: $(cat "$work/out")"
ran=$(sed -n "s/^$environment  *\([a-z-]*\)  *built .*/\1/p" "$work/out" | xargs)
[ "$ran" = with-targets ] || fail "built: $ran"

echo "=== a package breaks"
git checkout --quiet .
cp build/pkgs/readline/spkg-install.in "$work/good"
cat > build/pkgs/readline/spkg-install.in <<'END'
echo 'int main(void) { return rl_readline_version; }' > readline.c
cc -o readline readline.c || sdh_die "Error building readline"
END
expect 1 stagemake build "$environment" > "$work/out" 2>&1
documented compare 'the work so far is kept as' < "$work/out" || fail "README.md shows something else"
cp "$work/good" build/pkgs/readline/spkg-install.in
stagemake build "$environment" > "$work/out" 2>&1 || fail "after the fix: $(cat "$work/out")"

echo "=== the commands for looking at results"
for command in status report "snapshots $environment" "why openblas" "diff HEAD" "graph $environment" envs stages "logs $environment"; do
  # shellcheck disable=SC2086
  stagemake $command > "$work/out" 2>&1 || fail "$command ended with $?: $(cat "$work/out")"
  [ -s "$work/out" ] || fail "$command prints nothing"
done
echo "all well, in $SECONDS s"
