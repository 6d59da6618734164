#!/usr/bin/env bash
# kill -9 at random moments: of the driver, a container's first process, dockerd, and with buildah the program that runs a stage.
# After each kill, the next run completes, and no package that was finished before it is built again.
#
# STAGEMAKE_TEST_RUNS: number of kills (default 4). STAGEMAKE_TEST_SEED: repeats a series, as far as timing allows.
#
# A package is finished if make's stamp for it exists. sage-spkg moves a normal package's stamp into place before
# sage-logger prints "successfully installed"; make touches a script package's stamp after that line. So a package with a
# stamp is finished, printed or not; a normal package with that line must have a stamp; and a script package with the line
# but no stamp was in flight. sagelib is left out: make is FORCEd to build it in each run.
source "$(dirname "$0")/lib.sh"

kills=${STAGEMAKE_TEST_RUNS:-4}
seed=${STAGEMAKE_TEST_SEED:-$(($(date +%s%N) / 1000 % 32768))}
echo "seed: $seed"
RANDOM=$seed
for _ in {1..9}; do : $RANDOM; done # the first numbers of small seeds are alike
installed=/sage/local/var/lib/sage/installed
records=(local/var/lib/sage/installed local/var/lib/sage/venv-python3/var/lib/sage/installed)

# seconds BEGIN END: between two values of EPOCHREALTIME.
seconds() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b - a }'; }
sum() { awk '{ s += $1; if ($1 > m) m = $1 } END { printf "%.2f, at most %.2f", s, m }'; }

# A package and all packages that depend on it, directly or not; order-only dependencies do not count.
closure() {
  for folder in build/pkgs/*/; do
    name=$(basename "$folder")
    deps=$(head -n 1 "$folder/dependencies" 2> /dev/null | sed 's/[|#].*//; s/\$(PYTHON)/python3/; s/\$(MP_LIBRARY)/gmp/
      s/\$(BLAS)/openblas/; s/[^ ]*xz-\$(vers_xz)/xz/')
    echo "$name $deps"
  done | awk -v top="$1" '
    { deps[$1] = $0 }
    END {
      has[top] = 1
      do {
        more = 0
        for (p in deps) {
          n = split(deps[p], d, " ")
          for (i = 2; i <= n; i++) if ((d[i] in has) && !(p in has)) { has[p] = 1; more = 1 }
        }
      } while (more)
      for (p in has) print p
    }'
}

# Changes a random package's version or build script, or an input of configure: `touched` lists the packages that must be
# rebuilt for it, `edit` describes it.
edit_something() {
  pool=(openblas cliquer slowpoke conway_polynomials readline python3 mpfr gmp numpy pexpect patch cython liblzma xz zlib)
  package=${pool[RANDOM % ${#pool[@]}]}
  what=$((RANDOM % 5))
  number=$((number + 1))
  touched=$(closure "$package")
  case $what in
    0 | 1 | 2)
      edit="$package $number.0"
      set_version "$package" "$number.0"
      ;;
    3)
      edit="another script of $package"
      script=build/pkgs/$package/spkg-install
      [ -f "$script" ] || script=$script.in
      echo "# edit $number" >> "$script"
      ;;
    4)
      edit="another configure.ac"
      touched=
      echo "# edit $number" >> configure.ac
      ;;
  esac
}

# Starts a build; writes each of its lines to $work/out with its time.
start() {
  rm -f "$work"/state/*/logs/"$environment"/*.log "$work/lines"
  while [ "$(date +%s)" = "${last_second:-}" ]; do sleep 0.05; done # stamps are told from older ones by whole seconds
  began=$EPOCHREALTIME
  mkfifo "$work/lines"
  while IFS= read -r line; do printf '%s %s\n' "$EPOCHREALTIME" "$line"; done < "$work/lines" > "$work/out" &
  reader=$!
  "$STAGEMAKE_BINARY" build -v "$environment" --base-image "$base" > "$work/lines" 2>&1 &
  driver=$!
}
# Waits for the end of the build, at most as long as an orderly end may take; sets `status`.
finish() {
  wait_until exited || fail "the driver does not end: $(tail -n 3 "$work/out")"
  status=0
  wait "$driver" 2> /dev/null || status=$?
  wait "$reader" || true
  ended=$EPOCHREALTIME
  last_second=$(date +%s)
}

# From the last run's output: packages that were started, and those that were finished, as NAME-VERSION with the time.
begun() { sed -n 's/^\([0-9.]*\) *\[\(.*\)\] installing\..*/\2 \1/p' "$work/out" | sort -u; }
printed() { sed -n 's/^\([0-9.]*\) *\[\(.*\)\] successfully installed\..*/\2 \1/p' "$work/out" | grep -v '^sagelib-' | sort -u; }

ours() {
  case $engine in
    docker) "$STAGEMAKE_TEST_DOCKER" ps "$@" --quiet --no-trunc --filter label=org.stagemake.schema ;;
    buildah) buildah containers --quiet --notruncate ;;
  esac
}

# stamps_in CONTAINER: prints a line for each stamp, with its time: NAME-VERSION SECONDS.
stamps_in() {
  case $engine in
    docker)
      for folder in "${records[@]}"; do
        ("$STAGEMAKE_TEST_DOCKER" cp "$1:/sage/$folder" - 2> /dev/null || true) | (tar -tv --full-time --utc 2> /dev/null || true)
      done | awk '$1 ~ /^-/ { sub(/.*\//, "", $6); print $6, $4, $5 }' |
        while read -r name day time; do echo "$name $(date -u -d "$day $time" +%s)"; done
      ;;
    buildah)
      root=$(buildah mount "$1")
      for folder in "${records[@]}"; do
        [ ! -d "$root/sage/$folder" ] || find "$root/sage/$folder" -type f -printf '%f %Ts\n'
      done
      buildah umount "$1" > /dev/null
      ;;
  esac | { grep -v '^\.' || true; }
}

# The stamps in the remaining containers, or else in the newest image.
stamps() {
  left=$(ours --all)
  if [ -n "$left" ]; then
    for one in $left; do stamps_in "$one"; done
    return
  fi
  newest=$("$STAGEMAKE_BINARY" snapshots --json | sed -n 's/.*"image": "\(.*\)".*/\1/p' | head -n 1)
  [ -n "$newest" ] || return 0
  case $engine in
    docker)
      one=$("$STAGEMAKE_TEST_DOCKER" create "$newest" true)
      stamps_in "$one"
      "$STAGEMAKE_TEST_DOCKER" rm "$one" > /dev/null
      ;;
    buildah)
      one=$(buildah from --pull-never "${newest#sha256:}")
      stamps_in "$one"
      buildah rm "$one" > /dev/null
      ;;
  esac
}

# The container's first process; empty if none runs.
first_process() {
  case $engine in
    docker) ours | xargs -r "$STAGEMAKE_TEST_DOCKER" inspect --format '{{.State.Pid}}' 2> /dev/null | grep -vx 0 || true ;;
    buildah)
      for one in $(ours); do
        marked=" $(grep -slzx "STAGEMAKE_CONTAINER=$one" /proc/[0-9]*/environ | tr '\0' '\n' | cut -d / -f 3 | tr '\n' ' ')"
        for process in $marked; do
          parent=$(awk '{ print $4 }' "/proc/$process/stat" 2> /dev/null) || continue
          case $marked in *" $parent "*) ;; *) echo "$process" ;; esac
        done
      done | tail -n 1
      ;;
  esac
}
client() { pgrep -P "$driver" -f 'buildah run' || true; }

# Kills the processes that `kind` names as soon as they exist; fails if the build ends before.
kill_it() {
  while kill -0 "$driver" 2> /dev/null; do
    case $kind in
      driver) victims=$driver ;;
      client) victims=$(client) ;;
      both) victims=$(client) && victims="$driver $victims" ;;
      first) victims=$(first_process) ;;
      dockerd) victims=$dockerd_pid ;;
    esac
    [ -n "$victims" ] && kill -KILL $victims 2> /dev/null && killed_at=$EPOCHREALTIME && return
    sleep 0.02
  done
  return 1
}

declare -A finished # by NAME-VERSION: built from the sources as they are
forget() {
  for one in "${!finished[@]}"; do
    for name in $1; do
      if [ "${one%%-*}" = "$name" ]; then unset "finished[$one]"; fi
    done
  done
}
# Counts packages that a run built although they were finished before it.
check_again() {
  while read -r one _; do
    if [ -n "${finished[$one]:-}" ]; then
      echo "BUILT AGAIN: $one"
      again=$((again + 1))
    fi
  done < <(printed)
}
is_script() { [ -f "build/pkgs/${1%%-*}/spkg-install" ] && [ ! -f "build/pkgs/${1%%-*}/checksums.ini" ]; }

number=0 again=0 runs=0 done_kills=0
scale=0.8 # of the time that a build is expected to take: builds that ended before the kill make it less
: > "$work/lost"
build > "$work/first"
last_second=$(date +%s)
whole=$(sed -n 's/^in \([0-9.]*\) s$/\1/p' "$work/first")
[ -n "$whole" ] || whole=30
runs=1
echo "an undisturbed build takes $whole s"

kinds=(driver client both first)
[ "$engine" != docker ] || kinds=(driver first driver first) # its driver speaks with the daemon itself
while [ "$done_kills" -lt "$kills" ]; do
  kind=${kinds[done_kills % 4]}
  [ "$engine" != docker ] || [ $((done_kills % 12)) != 4 ] || kind=dockerd
  if [ $((done_kills % 5)) = 3 ]; then
    edit="no image" touched="$(ls build/pkgs)"
    stagemake clean "$environment" > "$work/cleaned" || fail "no cleaning: $(cat "$work/cleaned")"
    expect_no_container
  else
    edit_something
  fi
  forget "$touched"
  size=$(wc -w <<< "$touched")
  start
  sleep "$(awk -v whole="$whole" -v size="$size" -v scale="$scale" -v r=$RANDOM \
    'BEGIN { part = size > 25 ? 1 : 0.25 + 0.02 * size; print scale * whole * part * r / 32768 }')"
  if kill_it; then hit=yes scale=$(awk "BEGIN { print $scale * 1.1 }"); else hit='' scale=$(awk "BEGIN { print $scale * 0.7 }"); fi
  victim=$kind
  if [ "$kind" = dockerd ] && [ -n "$hit" ]; then wait "$dockerd_pid" 2> /dev/null || true; fi
  finish
  runs=$((runs + 1))
  check_again
  if [ -z "$hit" ] || [ "$status" = 0 ]; then # (a client may have been killed that had done its work)
    [ "$status" = 0 ] || fail "a build that nobody killed ended with $status: $(tail -n 5 "$work/out")"
    while read -r one _; do finished[$one]=1; done < <(stamps)
    echo "$edit: the build ended before it could be killed"
    continue
  fi
  done_kills=$((done_kills + 1))
  if [ "$kind" = dockerd ]; then
    # A new dockerd would try to use the old containerd, which is dying.
    while kill -0 "$(cat "$work/docker-exec/containerd/containerd.pid")" 2> /dev/null; do sleep 0.1; done
    rm -f "$work/docker.pid"
    STAGEMAKE_DOCKER_MUST_WORK=1 start_docker
  fi
  stage=$(sed -n 's/^[0-9.]* [^ ]*  \([^ ]*\): running.*/\1/p' "$work/out" | tail -n 1)
  stage_began=$(sed -n 's/^\([0-9.]*\) [^ ]*  [^ ]*: running.*/\1/p' "$work/out" | tail -n 1)
  stamps > "$work/stamps"
  # Built before the kill from these sources, or earlier and not affected by the edit.
  while read -r one second; do
    case " $(echo $touched) " in
      *" ${one%%-*} "*) [ "$second" -lt "${began%.*}" ] || finished[$one]=1 ;;
      *) finished[$one]=1 ;;
    esac
  done < "$work/stamps"
  while read -r one _; do
    if is_script "$one" && ! grep -q "^$one " "$work/stamps"; then continue; fi
    finished[$one]=1
  done < <(printed)
  unset "finished[sagelib-$(cat build/pkgs/sagelib/package-version.txt 2> /dev/null)]"
  begun > "$work/begun"
  in_flight=
  while read -r one _; do
    if [ -n "${finished[$one]:-}" ] || { [[ $one = sagelib-* ]] && grep -qF "[$one] successfully" "$work/out"; }; then continue; fi
    in_flight="$in_flight $one"
  done < "$work/begun"
  kill_text=$(printf '%s at %s s in %s' "$victim" "$(seconds "$began" "$killed_at")" "${stage:-no stage}")
  before=${#finished[@]} status_then=$status again_before=$again

  start
  finish
  runs=$((runs + 1))
  [ "$status" = 0 ] || fail "after kill $done_kills ($kill_text; $edit) the next run ended with $status: $(tail -n 20 "$work/out")"
  check_again
  expect_no_container
  # To redo: the packages that were in flight; or the progress of a stage that builds no packages.
  lost=0
  for one in $in_flight; do
    lost=$(begun | awk -v one="$one" -v lost="$lost" -v out="$work/out" '
      $1 == one { from = $2 }
      END {
        while ((getline line < out) > 0)
          if (from && index(line, "[" one "] successfully installed.")) { split(line, w, " "); lost += w[1] - from }
        print lost
      }')
  done
  case $stage in
    with-system-packages | bootstrapped | configured)
      grep -q "  $stage: running" "$work/out" && lost=$(seconds "$stage_began" "$killed_at") ;;
  esac
  echo "$lost" >> "$work/lost"
  while read -r one _; do finished[$one]=1; done < <(printed)
  printf 'kill %d: %s, driver ended with %s (%s); in flight:%s; finished: %d, built again: %d; redone in %.2f s\n' "$done_kills" \
    "$kill_text" "$status_then" "$edit" "${in_flight:- nothing}" "$before" "$((again - again_before))" "$lost"
done

# Every image with a snapshot's labels must be a complete snapshot.
case $engine in
  docker)
    "$STAGEMAKE_TEST_DOCKER" images --all --quiet --no-trunc --filter label=org.stagemake.schema | sort -u |
      xargs "$STAGEMAKE_TEST_DOCKER" image inspect --format '{{.Id}} {{index .Config.Labels "org.stagemake.lineage"}}'
    ;;
  buildah)
    buildah images --all --quiet --no-trunc --filter label=org.stagemake.schema | sort -u | while read -r image; do
      echo "$image $(buildah inspect --type image --format '{{index .OCIv1.Config.Labels "org.stagemake.lineage"}}' "${image#sha256:}")"
    done
    ;;
esac > "$work/labelled"
awk '$2 !~ /^\[\{/ { print "no lineage: " $1; bad = 1 } END { exit bad }' "$work/labelled" || fail "a half-written image is left"
expect_no_container
printf '%d kills, %d runs; seconds lost: %s a kill; finished packages built again: %d\n' "$done_kills" "$runs" \
  "$(sum < "$work/lost")" "$again"
[ "$again" = 0 ] || fail "$again finished packages were built again (seed $seed)"
echo "all well, in $SECONDS s"
