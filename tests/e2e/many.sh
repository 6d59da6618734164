#!/usr/bin/env bash
# Many environments at once: selected by patterns, with shared stages built once and one pool of job slots for all.
source "$(dirname "$0")/lib.sh"

step() { printf '\n=== %s\n' "$1"; }
# count_compilers COMMAND…: runs it, and sets $most to the number of compilers that ran at once in its containers.
count_compilers() {
  "$here/count_compilers.py" "$STAGEMAKE_STATE/slots" "$work/compilers" ${jobs_folder:+"$jobs_folder"} &
  counter=$!
  "$@"
  kill "$counter"
  wait "$counter" || true
  read -r most looks < "$work/compilers"
  echo "at most $most compilers at once, in $looks looks"
}

# Several targets: each is a separate make in build/make, and minidist fails if two of these run at once.
export TARGETS_PRE="zlib openblas all-sage-local"
# Adds two configurations to those of minidist.
sed -i 's/^    optional:  .*/&\n    nauty:            CONFIG_CONFIGURE_ARGS_3=--enable-nauty\n    pytest:           CONFIG_CONFIGURE_ARGS_3=--enable-pytest/' tox.ini
sed -i 's/^    docker-fedora-39.*/&\n    docker-debian-bookworm-minimal-{gcc_spkg,optional,nauty,pytest}\n    docker-debian-bookworm-minimal-gcc_spkg-optional/' tox.ini
slots=2
# Something to compile that takes a while, in each environment.
cat >> build/pkgs/zlib/spkg-install.in << 'END'

for number in 1 2 3 4; do
    awk -v n="$number" 'BEGIN { for (f = 0; f < 150; ++f) printf "int f%d_%d(int a, int *b) { int i, s = a; for (i = 0; i < a; ++i) s += b[i] * %d; return s; }\n", n, f, f }' > heavy$number.c
done
echo 'all: heavy1.o heavy2.o heavy3.o heavy4.o' > heavy.mk
${MAKE:-make} -f heavy.mk
END

step "patterns say which, and what fits nothing is told"
"$STAGEMAKE_BINARY" envs | grep -c 'debian-bookworm-minimal' | has -x 6 || fail "the tree offers $("$STAGEMAKE_BINARY" envs)"
expect 2 stagemake build 'arch*' --base-image "$base"
grep -q 'arch\* matches no environment of this tree' "$work/out" || fail "nothing is said of the pattern"

expect 2 stagemake build 'debian-*' --base-image "$base" --first 'arch*'
grep -q -- '--first arch\*: fits none of the environments' "$work/out" || fail "nothing is said of what should come first"

step "an estimate before anything is built"
stagemake simulate 'debian-*-minimal*' --base-image "$base" --slots $slots -j 6
grep -q '^6 environments: 10 stages shared, 26 to build, at most ' "$work/out" || fail "it expects something else"

step "six environments at once, $slots slots for all"
count_compilers stagemake build 'debian-*-minimal*' --base-image "$base" --slots $slots -j 6
[ "$(grep -c ' built ' "$work/out")" -ge 26 ] || fail "not all was built"
[ "$(grep -c '^debian.* with-system-packages  *built' "$work/out")" = 1 ] || fail "system packages were installed more than once"
[ "$most" -le $slots ] || fail "$most compilers ran at once"
[ "$most" = $slots ] || fail "the slots were never all used"
if grep -s 'jobserver' "$STAGEMAKE_STATE"/*/logs/*/*.log; then fail "make complains of the jobserver"; fi
[ -z "$(ls "$STAGEMAKE_STATE/slots")" ] || fail "pipes are left"
expect_no_container

step "the slots of a running build change on the way"
expect 1 "$STAGEMAKE_BINARY" jobs 3
set_version openblas 0.3.98
"$STAGEMAKE_BINARY" build 'debian-*-minimal*' --base-image "$base" --slots 1 -j 6 > "$work/slow" 2>&1 &
driver=$!
wait_until grep -qs ': running' "$work/slow"
stagemake jobs 3
grep -q "^process $driver.*: 3 job slots from now on" "$work/out" || fail "it does not say whose slots they are"
wait "$driver"
grep -q '^3 job slots from now on; it was 1 before' "$work/slow" || fail "the build did not hear it"

step "once more: nothing to do"
stagemake build 'debian-*-minimal*' --base-image "$base" --slots $slots --count-calls
grep -q '^engine calls: .*create' "$work/out" && fail "containers were made"

step "one that fails holds up no other"
echo 'exit 1' > build/pkgs/nauty/spkg-install.in
echo 2.8.7 > build/pkgs/nauty/package-version.txt
expect 1 stagemake build debian-bookworm-minimal-nauty debian-bookworm-minimal-pytest --base-image "$base" --slots $slots --first '*nauty'
expect_state with-targets built debian-bookworm-minimal-pytest

step "called by make -j3: no more jobs in containers and outside than three, and make gets its slots back"
cp -a "$here/../minidist/build/pkgs/nauty/." build/pkgs/nauty/
set_version zlib 1.3.98
jobs_folder=$work/outer/jobs
mkdir -p "$jobs_folder"
cat > "$work/outer/Makefile" << 'END'
all: build $(patsubst %,job%,$(shell seq 30))
build:; +exec $(STAGEMAKE) build --tree '$(TREE)' '*-nauty' '*-pytest' --base-image $(BASE) -j 6
job%:; @touch jobs/$@ && sleep 0.5 && rm jobs/$@
END
count_compilers make -C "$work/outer" -j3 STAGEMAKE="$STAGEMAKE_BINARY" TREE="$PWD" BASE="$base" > "$work/borrowed" 2>&1
if grep -F ' *** ' "$work/borrowed"; then fail "the build under make failed"; fi
grep -q 'job slots are those of the calling make' "$work/borrowed" || fail "it has not joined make"
grep 'at most .* compilers' "$work/borrowed"
[ "$most" -le 3 ] || fail "$most jobs ran at once"
[ "$most" = 3 ] || fail "the slots were never all used"
if grep -i 'jobserver\|tokens' "$work/borrowed"; then fail "make misses slots"; fi
if grep -s 'jobserver' "$STAGEMAKE_STATE"/*/logs/*/*.log; then fail "make complains of the jobserver"; fi
jobs_folder=

step "make -j3 in vain: without a + it is told, and interrupted it has its slots all the same"
sed 's/+exec/exec/' "$work/outer/Makefile" > "$work/outer/plain.mk"
make -C "$work/outer" -f plain.mk -j3 STAGEMAKE="$STAGEMAKE_BINARY" TREE="$PWD" BASE="$base" build > "$work/plain" 2>&1
grep -q 'the recipe line must start with `+`' "$work/plain" || fail "it does not say what the recipe lacks"
set_version zlib 1.3.99
env --default-signal=INT make -C "$work/outer" -j3 STAGEMAKE="$STAGEMAKE_BINARY" TREE="$PWD" BASE="$base" build > "$work/stopped" 2>&1 &
caller=$!
wait_until grep -qs 'with-targets-pre: running' "$work/stopped"
sleep 1
pkill -INT -P "$caller" || true
wait "$caller" && fail "it was to be interrupted"
if grep -i 'tokens' "$work/stopped"; then fail "make misses slots"; fi

step "killed, with the slots that its makes had: the next run has all of them"
set_version openblas 0.3.99
last=(debian-bookworm-minimal debian-bookworm-minimal-optional)
"$STAGEMAKE_BINARY" build "${last[@]}" --base-image "$base" --slots $slots -j 6 > "$work/killed" 2>&1 &
driver=$!
wait_until grep -qs 'with-targets-pre: running' "$work/killed"
sleep 0.5
kill -9 "$driver"
wait "$driver" || true
count_compilers stagemake build "${last[@]}" --base-image "$base" --slots $slots -j 6
[ "$most" -le $slots ] || fail "$most compilers ran at once"
[ -z "$(ls "$STAGEMAKE_STATE/slots")" ] || fail "pipes are left"
expect_no_container

printf '\nall well\n'
