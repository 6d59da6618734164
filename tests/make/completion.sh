#!/usr/bin/env bash
# What TAB offers in a real bash and a real zsh, with scripts from the real stagemake: for stagemake itself, and for make,
# whose own completions ask the fragment. The completed `stagemake` is a stand-in that takes notes.
# Usage: completion.sh STAGEMAKE bash|zsh
source "$(dirname "$0")/lib.sh"
[ -x "${1:-}" ] || { echo "usage: $0 STAGEMAKE bash|zsh"; exit 2; }
stagemake=$1
shell=$2
bash_completion=/usr/share/bash-completion/bash_completion
for needed in "$(command -v "$shell")" "$(command -v script)" $bash_completion; do
  [ -e "$needed" ] && continue
  echo "$shell, script (bsdutils) or bash-completion is not installed"
  [ -z "${CI:-}" ] || exit 1
  exit 77
done
cp "$notes/stages" "$work/stages"
mkdir -p "$work/home/a folder" "$work/other/build/pkgs"
touch "$work/home/a file.toml"
export HOME=$work/home
: > "$work/out"

promise "the script can be had"
"$stagemake" completion "$shell" > "$work/script" 2> "$work/out" || broken "it ended with $?"
"$shell" -n "$work/script" > "$work/out" 2>&1 || broken "it is no text of $shell"
"$stagemake" completion tcsh > "$work/out" 2>&1
status=$?
expect_status 2
expect_said 'tcsh'

# ---- At a terminal: keys go in, and the arguments of stagemake and make show what the command lines were.

case $shell in
  bash) start="bash --noprofile --rcfile $work/rc -i"; rc=$work/rc
        printf 'source %q\nsource %q\n' $bash_completion "$work/script" > "$rc" ;;
  zsh) start="env ZDOTDIR=$work zsh -d -i"; rc=$work/.zshrc
       printf 'autoload -Uz compinit; compinit -u -d %q; source %q\n' "$work/dump" "$work/script" > "$rc" ;;
esac
cp "$rc" "$work/plain.rc"

# keys TEXT: types it into a new shell. The program `stagemake` then notes its arguments.
keys() {
  rm -f "$notes/calls" "$notes/typed"
  {
    for _ in {1..100}; do [ -e "$notes/reading" ] && break; sleep 0.1; done
    printf '%s' "$1"
    printf '\ntouch %q\n' "$notes/typed"
    for _ in {1..100}; do [ -e "$notes/typed" ] && break; sleep 0.1; done
    printf 'exit\n'
  } | (cd "$tree" && TERM=dumb script -qec "$start" /dev/null) > "$work/out" 2>&1
  rm -f "$notes/reading"
  [ -e "$notes/typed" ] || broken "the shell did not come to an end"
}
printf 'touch %q\n' "$notes/reading" >> "$rc"

promise "commands, options, choices"
keys $'stagemake expl\t--engine pod\t--fre\tx\n'
expect_calls '[explain][--engine][podman][--fresh][x]'
keys $'stagemake build --engine=bui\t--color=nev\t--stop\tx\n'
expect_calls '[build][--engine=buildah][--color=never][--stop-at-failure][x]'

promise "environments, systems, groups, stages, packages"
keys $'stagemake build fedora-39-s\tdocker-debian-bookworm-\tall-st\t--to conf\t\n'
expect_calls '[build][fedora-39-standard][docker-debian-bookworm-minimal][all-standard][--to][configured]'
keys $'stagemake shell deb\tboot\tconf\t\n'
expect_calls '[shell][debian-bookworm-minimal][bootstrapped][conf]'
keys $'stagemake packages num\tzl\t\n'
expect_calls '[packages][numpy][zlib]'

promise "the tree that was named is the one that is asked"
rm -f "$notes/asked"
keys $'stagemake build --tree ../other/ --stages=s.toml --to conf\t\n'
expect_calls '[build][--tree][../other/][--stages=s.toml][--to][configured]'
[ "$(sort -u "$notes/asked")" = 'stages --tree ../other/ --stages s.toml' ] || broken "asked: $(cat "$notes/asked")"
rm -f "$notes/asked"
keys $'stagemake -C ../other/ build --stages=s.toml --to conf\t\n'
expect_calls '[-C][../other/][build][--stages=s.toml][--to][configured]'
grep -q -- '^stages .*\.\./other/' "$notes/asked" || broken "asked: $(cat "$notes/asked")"

promise "files and folders, blanks and ~ in their names"
keys $'stagemake plan --tree ~/a\t --stages ~/a\\ fi\tx\n'
slash=$([ "$shell" = zsh ] || echo /)  # zsh takes it away when a blank follows
expect_calls "[plan][--tree][$HOME/a folder$slash][--stages][$HOME/a file.toml][x]"

promise "a tree that is none, a word that fits nothing, text: nothing is offered, nothing is said"
rm "$notes/stages"
keys $'stagemake build --to conf\t --targets a\t --nonsense\t x\n'
expect_calls '[build][--to][conf][--targets][a][--nonsense][x]'
expect_not_said "no distribution"
cp "$work/stages" "$notes/stages"

promise "stagemake may be called by its path"
keys $'../bin/stagemake doct\t\n'
expect_calls '[doctor]'

promise "the real stagemake answers for minidist"
mkdir "$work/real"
ln -s "$(realpath "$stagemake")" "$work/real/stagemake"
ln -s "$(realpath "$here/../minidist")" "$work/minidist"
export STAGEMAKE_STATE=$work/state
keys $'../real/stagemake plan --tree ../minidist debian-bookworm-min\t > ../plan\n../real/stagemake list --tree ../minidist openb\t > ../list\n'
grep -q '^environment debian-bookworm-minimal: ' "$work/plan" || broken "planned: $(head -n 2 "$work/plan")"
[ "$(cat "$work/list")" = openblas ] || broken "listed: $(cat "$work/list")"

promise "make offers environments, systems and groups"
case $shell in
  zsh) printf "zstyle ':completion:*:make:*:targets' call-command true\n" | cat - "$work/plain.rc" > "$rc"
       printf 'touch %q\n' "$notes/reading" >> "$rc" ;;
esac
keys $'make ci-docker-fed\t-sta\tNUMPROC=2\n'
expect_calls '[build][--stop-at-failure][fedora-39-standard]'
keys $'make -n ci-docker-all-mi\t\n'
expect_calls '[build][--dry-run][--stop-at-failure][all-minimal]'

if [ "$shell" = zsh ]; then
  promise "the script may be a file in a folder of fpath"
  mkdir "$work/functions"
  cp "$work/script" "$work/functions/_stagemake"
  printf 'fpath=(%q $fpath); autoload -Uz compinit; compinit -u -D; touch %q\n' "$work/functions" "$notes/reading" > "$rc"
  keys $'stagemake expl\tfedora-39-s\t--to conf\t\n'
  expect_calls '[explain][fedora-39-standard][--to][configured]'

  promise "what is missing is said"
  zsh -f -c 'source "$1"' - "$work/script" > "$work/out" 2>&1
  expect_said 'compinit'
  exit
fi

promise "bash-completion is not needed"
printf 'source %q\ntouch %q\n' "$work/script" "$notes/reading" > "$rc"
keys $'stagemake expl\tfedora-39-s\t--engine=pod\t--tree ~/a\t\n'
expect_calls "[explain][fedora-39-standard][--engine=podman][--tree][$HOME/a folder/]"

# ---- Without a terminal: everything that is offered.

# offered LINE: what bash, with nothing but the script, offers at the end of LINE; words are split as readline does.
offered() {
  bash --norc --noprofile -u -c '
    source "$1"
    COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDS=() rest=$2
    while [[ $rest =~ ^[[:blank:]]*([=:]+|[^=:[:blank:]]+) ]]; do
      COMP_WORDS+=("${BASH_REMATCH[1]}")
      rest=${rest:${#BASH_REMATCH[0]}}
    done
    [[ $2 != *" " ]] || COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMP_WORDBREAKS="${3-$COMP_WORDBREAKS}"
    _stagemake "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" ""
    echo ${COMPREPLY[@]+"${COMPREPLY[@]}"}' - "$work/script" "$@" 2>&1
}
expect_offered() { [ "$(offered "${@:2}")" = "$1" ] || broken "$2: offered $(offered "${@:2}"), not $1"; }

promise "what is offered where"
expect_offered 'plan packages' 'stagemake p'
expect_offered '--help' 'stagemake --h'
expect_offered 'bash zsh fish' 'stagemake completion '
expect_offered '' 'stagemake completion bash '
expect_offered 'deadlines' 'stagemake help dead'
expect_offered 'ci-docker.toml' 'stagemake help ci-docker'
expect_offered '--tree' 'stagemake stages --t'
expect_offered 'debian-bookworm-minimal fedora-39-standard debian-bookworm fedora-39 all-minimal all-standard' 'stagemake build '
expect_offered 'debian-bookworm-minimal fedora-39-standard' 'stagemake clean '
expect_offered 'docker-fedora-39-standard' 'stagemake clean debian-bookworm-minimal docker-f'
expect_offered 'debian-bookworm-minimal' 'stagemake build -j 4 -n --to configured --engine=docker -- debian-bookworm-m'
expect_offered "$(paste -sd ' ' "$notes/stages")" 'stagemake shell x '
expect_offered '' 'stagemake shell x y '
expect_offered '' 'stagemake nonsense '
expect_offered '' 'stagemake build --numproc '
expect_offered 'with-targets-pre with-targets' 'stagemake build --to with-t'

promise "words that readline cuts in pieces, and those that it is told to leave whole"
expect_offered 'auto always' 'stagemake build --color=a'
expect_offered 'auto always never' 'stagemake build --color='
expect_offered '--color=auto --color=always' 'stagemake build --color=a' ' '
expect_offered 'all: standard: optional: experimental:' 'stagemake list :'
expect_offered 'standard:' 'stagemake list gmp :s'
expect_offered ':standard:' 'stagemake list :s' ' ='
expect_offered 'gmp' 'stagemake list :standard: g'
