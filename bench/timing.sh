# Shared by the bench scripts: times of commands, measured in rounds. To be sourced; $work is a folder for its files.
#
# Every round runs each command once, so that a busy moment of the machine affects all of them alike; hyperfine measures
# one command after the other and has no such mode.

contenders=()
commands=()
notes=()

# contender LABEL COMMAND…: adds a command, which must exit with status 0.
contender() {
  contenders+=("$1")
  commands+=("$(printf '%q ' "${@:2}")")
  notes+=("")
}

# note TEXT: text to print after the last contender's figures.
note() { notes[-1]=$1; }

# seconds_of COMMAND…: sets $seconds to the time that it takes.
seconds_of() {
  local began=$EPOCHREALTIME
  "$@" > "$work/timed" 2>&1 || {
    echo "FAILED: \`$*\` ended with $?:"
    tail -n 20 "$work/timed"
    exit 1
  }
  local ended=$EPOCHREALTIME
  seconds=$(awk -v a="$began" -v b="$ended" 'BEGIN { printf "%.6f", b - a }')
}

# median: of the numbers on standard input, one per line.
median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

# measure ROUNDS: runs all contenders and prints the best, the median, and the ratio of each median to the first one's.
measure() {
  local round i first
  rm -f "$work"/times.*
  for round in $(seq 0 "$1"); do  # round 0 warms up
    for i in "${!contenders[@]}"; do
      eval "seconds_of ${commands[i]}"
      [ "$round" = 0 ] || echo "$seconds" >> "$work/times.$i"
    done
  done
  printf '  %-52s %11s %11s %8s\n' "median of $1" best median ratio
  first=$(median < "$work/times.0")
  for i in "${!contenders[@]}"; do
    awk -v label="${contenders[i]}" -v best="$(sort -n "$work/times.$i" | head -n 1)" -v note="${notes[i]}" \
      -v median="$(median < "$work/times.$i")" -v first="$first" \
      'BEGIN { printf "  %-52s %8.1f ms %8.1f ms %8.2f  %s\n", label, 1000 * best, 1000 * median, median / first, note }'
  done
  contenders=() commands=() notes=()
}

print_load() { echo "load $(cat /proc/loadavg), $(nproc) processors"; }
