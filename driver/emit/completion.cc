#include "emit/completion.h"

#include <fmt/format.h>

#include <string_view>

#include "base/text/text.h"

namespace stagemake {
namespace {

using Kind = CompletionValue::Kind;

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// ---- bash ----

// readline splits words at its own break characters, including `=` and `:`, and replaces only the part after
// the last one. So words are first joined again, and finally the part that readline keeps is cut off. With
// `set -u`, bash before 4.4 treats an empty array as unset: hence ${a[@]+…}.
constexpr std::string_view kBash = R"script(
# _PROGRAM_ask COMMAND ARGUMENT…: what PROGRAM answers about the tree that the command line speaks of, one word a
# line.
_PROGRAM_ask() {
  local i chosen=()
  for ((i = 0; i < ${#tree_options[@]}; i += 2)); do
    [[ $1 == list && ${tree_options[i]} == --stages ]] || chosen+=("${tree_options[@]:i:2}")
  done
  "${program/#\~\//$HOME/}" "$@" ${chosen[@]+"${chosen[@]}"} 2> /dev/null < /dev/null
}

# _PROGRAM_kind WORD: sets `kind` to what the value of the option WORD is; to nothing for a flag.
_PROGRAM_kind() {
  local entry
  kind=
  for entry in "${options[@]}"; do
    [[ $entry != "$1="* ]] || kind=${entry#*=}
  done
}

# _PROGRAM_tree_option OPTION VALUE: remembers the value, as the shell would expand it.
_PROGRAM_tree_option() {
  case $1 in
    -C | --tree | --stages)
      local value=${2/#\~\//$HOME/}
      value=${value//[\\\"\']/}
      tree_options+=("$1" "$value") ;;
  esac
}

# Sets `words` to the words before the cursor and the one in front of it, as the shell would cut them.
_PROGRAM_words() {
  local i gap rest=${COMP_LINE:0:COMP_POINT}
  rest=${rest#*"${COMP_WORDS[0]}"}
  words=("${COMP_WORDS[0]}")
  for ((i = 1; i <= COMP_CWORD; i++)); do
    gap=${rest%%[! $'\t']*}
    rest=${rest#"$gap"}
    if ((i == COMP_CWORD)); then
      words+=("$rest")
    else
      rest=${rest#"${COMP_WORDS[i]}"}
      words+=("${COMP_WORDS[i]}")
    fi
    if [[ -z $gap ]]; then
      words[${#words[@]} - 2]+=${words[${#words[@]} - 1]}
      unset "words[${#words[@]} - 1]"
    fi
  done
}

# _PROGRAM_candidates KIND WORD: what can stand in the place of WORD, one a line.
_PROGRAM_candidates() {
  local name newline=$'\n'
  case $1 in
    %commands) printf '%s\n' "${commands[@]}" ;;
    %environments | %groups)
      {
        _PROGRAM_ask envs
        if [[ $1 == %groups ]]; then
          _PROGRAM_ask envs --systems
          _PROGRAM_ask envs --packages | while IFS= read -r name; do printf 'all-%s\n' "$name"; done
        fi
      } | while IFS= read -r name; do
        [[ $2 != docker-* ]] || name=docker-$name
        printf '%s\n' "$name"
      done ;;
    %stages) _PROGRAM_ask stages ;;
    %packages) _PROGRAM_ask list ;;
    %selectors)
      printf '%s\n' :all: :standard: :optional: :experimental:
      _PROGRAM_ask list ;;
    *) printf '%s\n' "${1//|/$newline}" ;;
  esac
}

_PROGRAM() {
  local program=$1 words=() tree_options=() commands=() options=() arguments=()
  local i word command='' option='' kind='' before='' only_arguments='' position=0
  COMPREPLY=()
  _PROGRAM_words
  _PROGRAM_table ''
  local last=$((${#words[@]} - 1))
  for ((i = 1; i < last; i++)); do
    word=${words[i]}
    if [[ -n $option ]]; then
      _PROGRAM_tree_option "$option" "$word"
      option=
    elif [[ -z $only_arguments && $word == -- ]]; then
      only_arguments=yes
    elif [[ -z $only_arguments && $word == --*=* ]]; then
      _PROGRAM_tree_option "${word%%=*}" "${word#*=}"
    elif [[ -z $only_arguments && $word == -?* ]]; then
      _PROGRAM_kind "$word"
      [[ -z $kind ]] || option=$word
    elif [[ -z $command ]]; then
      command=$word
      _PROGRAM_table "$command" || return 0
    else
      position=$((position + 1))
    fi
  done

  word=${words[last]}
  if [[ -n $option ]]; then
    _PROGRAM_kind "$option"
  elif [[ -z $only_arguments && $word == --*=* ]]; then
    before=${word%%=*}=
    _PROGRAM_kind "${word%%=*}"
    word=${word#*=}
  elif [[ -z $only_arguments && $word == -* ]]; then
    kind=$(printf '%s|' "${options[@]%%=*}")
  elif ((position < ${#arguments[@]})); then
    kind=${arguments[position]%+}
  elif ((${#arguments[@]})) && [[ ${arguments[${#arguments[@]} - 1]} == *+ ]]; then
    kind=${arguments[${#arguments[@]} - 1]%+}
  fi

  case $kind in
    '' | %text) return 0 ;;
    # What readline does of itself knows quotes, blanks and `~`.
    %files) compopt -o default 2> /dev/null; return 0 ;;
    %folders) compopt -o dirnames 2> /dev/null; return 0 ;;
  esac
  local breaks='' standing=''
  [[ ${COMP_WORDBREAKS-} != *=* ]] || breaks+='='
  [[ ${COMP_WORDBREAKS-} != *:* ]] || breaks+=':'
  if [[ -n $breaks && $before$word == *[$breaks]* ]]; then
    standing=$before$word
    standing=${standing%"${standing##*[$breaks]}"}
  fi
  local candidate candidates
  candidates=$(_PROGRAM_candidates "$kind" "$word")
  while IFS= read -r candidate; do
    [[ -z $candidate || $candidate != "$word"* ]] && continue
    candidate=$before$candidate
    COMPREPLY+=("${candidate#"$standing"}")
  done <<< "$candidates"
}
complete -F _PROGRAM PROGRAM
)script";

std::string bash_kind(const CompletionValue& value) {
  switch (value.kind) {
    case Kind::Nothing:
      return "";
    case Kind::Text:
      return "%text";
    case Kind::Choice:
      return join(value.choices, "|");
    case Kind::File:
      return "%files";
    case Kind::Folder:
      return "%folders";
    case Kind::Environment:
      return "%environments";
    case Kind::EnvironmentGroup:
      return "%groups";
    case Kind::Stage:
      return "%stages";
    case Kind::Package:
      return "%packages";
    case Kind::Selector:
      return "%selectors";
  }
  return "";
}

std::string bash_options(const std::vector<CompletionOption>& options) {
  std::vector<std::string> entries;
  for (const CompletionOption& option : options)
    for (const std::string& name : option.names)
      entries.push_back(option.value.kind == Kind::Nothing ? name : name + "=" + bash_kind(option.value));
  return shell_quoted(entries);
}

std::string bash_case(const CompletionCommand& command) {
  std::vector<std::string> arguments;
  for (const CompletionArgument& argument : command.arguments)
    arguments.push_back(bash_kind(argument.value) + (argument.repeatable ? "+" : ""));
  return fmt::format("    {}) options=({}) arguments=({}) ;;\n", shell_quoted(command.name),
                     bash_options(command.options), shell_quoted(arguments));
}

// ---- zsh ----

constexpr std::string_view kZsh = R"script(
# What PROGRAM answers about the tree that the command line speaks of, one word a line.
_PROGRAM_ask() {
  local -a chosen
  local -i i
  local word value
  [[ -z $tree_before ]] || chosen+=(--tree "${${(Q)tree_before}/#\~\//$HOME/}")
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case $word in
      (-C|--tree|--stages) value=${(Q)words[i + 1]} ;;
      (--(tree|stages)=*) value=${(Q)word#*=} word=${word%%=*} ;;
      (*) continue ;;
    esac
    [[ $1 == list && $word == --stages ]] || chosen+=($word "${value/#\~\//$HOME/}")
  done
  "${${(Q)program}/#\~\//$HOME/}" "$@" $chosen 2> /dev/null < /dev/null
}

_PROGRAM_offer_environments() {
  [[ $PREFIX != docker-* ]] || names=(docker-$^names)
  local expl
  _wanted environments expl environment compadd -a - names
}
_PROGRAM_environments() {
  local -a names=(${(f)"$(_PROGRAM_ask envs)"})
  _PROGRAM_offer_environments
}
_PROGRAM_groups() {
  local -a factors=(${(f)"$(_PROGRAM_ask envs --packages)"})
  local -a names=(${(f)"$(_PROGRAM_ask envs; _PROGRAM_ask envs --systems)"} all-$^factors)
  _PROGRAM_offer_environments
}
_PROGRAM_stages() {
  local expl
  local -a names=(${(f)"$(_PROGRAM_ask stages)"})
  _wanted stages expl stage compadd -V stages -a - names
}
_PROGRAM_packages() {
  local expl
  local -a names=(${(f)"$(_PROGRAM_ask list)"})
  _wanted packages expl package compadd -a - names
}
_PROGRAM_selectors() {
  local expl
  local -a names=(:all: :standard: :optional: :experimental: ${(f)"$(_PROGRAM_ask list)"})
  _wanted packages expl 'package or class' compadd -a - names
}
)script";

// When zsh loads the file from a folder of fpath, the whole file is the function's first call; when sourced,
// it only declares.
constexpr std::string_view kZshEnd = R"script(
if [[ $funcstack[1] == _PROGRAM ]]; then
  _PROGRAM "$@"
elif (( $+functions[compdef] )); then
  compdef _PROGRAM PROGRAM
else
  print -u2 'PROGRAM: its completion needs `autoload -Uz compinit && compinit` before it'
fi
)script";

// The _arguments action that offers possible values; a blank means none.
std::string zsh_action(const CompletionValue& value) {
  switch (value.kind) {
    case Kind::Nothing:
    case Kind::Text:
      return " ";
    case Kind::Choice:
      return "(" + join(value.choices, " ") + ")";
    case Kind::File:
      return "_files";
    case Kind::Folder:
      return "_files -/";
    case Kind::Environment:
      return "_PROGRAM_environments";
    case Kind::EnvironmentGroup:
      return "_PROGRAM_groups";
    case Kind::Stage:
      return "_PROGRAM_stages";
    case Kind::Package:
      return "_PROGRAM_packages";
    case Kind::Selector:
      return "_PROGRAM_selectors";
  }
  return " ";
}

std::string escaped(std::string_view text, std::string_view special) {
  std::string result;
  for (char c : text) {
    if (c == '\\' || special.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

// One line per name of an option: `(-j --at-once)--at-once=[what]:word:action`.
std::string zsh_option(const CompletionOption& option) {
  bool has_value = option.value.kind != Kind::Nothing;
  std::string lines;
  for (const std::string& name : option.names) {
    bool ends_all = name == "--help" || name == "-h" || name == "--version";
    std::string spec = option.repeatable ? "*" : "(" + (ends_all ? "- *" : join(option.names, " ")) + ")";
    spec += name;
    if (has_value) spec += name.starts_with("--") ? "=" : "+";
    spec += "[" + escaped(option.what, "[]") + "]";
    if (has_value) spec += ":" + escaped(option.value.word, ":") + ":" + zsh_action(option.value);
    lines += " \\\n        " + shell_quoted(spec);
  }
  return lines;
}

std::string zsh_case(const CompletionCommand& command) {
  std::string text = fmt::format("      ({})\n        _arguments -s -S :", command.name);
  for (const CompletionOption& option : command.options) text += zsh_option(option);
  for (const CompletionArgument& argument : command.arguments)
    text += " \\\n        " +
            shell_quoted(fmt::format("{}:{}:{}", argument.repeatable ? "*" : "",
                                     escaped(argument.value.word, ":"), zsh_action(argument.value)));
  return text + " && ret=0 ;;\n";
}

// ---- fish ----

constexpr std::string_view kFish = R"script(
# What PROGRAM answers about the tree that the command line speaks of, one word a line.
function __PROGRAM_ask
    set -l tree
    set -l words (commandline -opc)
    for i in (seq 2 (count $words))
        set -l next (math $i + 1)
        switch $words[$i]
            case -C --tree --stages
                test $next -le (count $words); and set -a tree $words[$i] $words[$next]
            case '--tree=*' '--stages=*'
                set -a tree $words[$i]
        end
    end
    if test $argv[1] = list
        set -l kept
        set -l skip 0
        for word in $tree
            test $word = --stages; and set skip 2
            string match -q -- '--stages=*' $word; and set skip 1
            test $skip -gt 0; and set skip (math $skip - 1); or set -a kept $word
        end
        set tree $kept
    end
    PROGRAM $argv $tree 2>/dev/null </dev/null
end
function __PROGRAM_groups
    __PROGRAM_ask envs
    __PROGRAM_ask envs --systems
    __PROGRAM_ask envs --packages | string replace -r '^' all-
end
# Whether COMMAND was given.
function __PROGRAM_in
    set -l words (commandline -opc)
    contains -- $argv[1] $words[2..-1]
end
function __PROGRAM_without_command
    for word in (commandline -opc)[2..-1]
        contains -- $word PROGRAM_COMMANDS; and return 1
    end
    return 0
end
complete -c PROGRAM -f
)script";

std::string fish_value(const CompletionValue& value) {
  switch (value.kind) {
    case Kind::Nothing:
      return "";
    case Kind::Text:
      return " -x";
    case Kind::Choice:
      return " -x -a " + shell_quoted(join(value.choices, " "));
    case Kind::File:
      return " -r -F";
    case Kind::Folder:
      return " -x -a '(__fish_complete_directories)'";
    case Kind::Environment:
      return " -x -a '(__PROGRAM_ask envs)'";
    case Kind::EnvironmentGroup:
      return " -x -a '(__PROGRAM_groups)'";
    case Kind::Stage:
      return " -x -a '(__PROGRAM_ask stages)'";
    case Kind::Package:
      return " -x -a '(__PROGRAM_ask list)'";
    case Kind::Selector:
      return " -x -a ':all: :standard: :optional: :experimental: (__PROGRAM_ask list)'";
  }
  return "";
}

// In single quotes, fish knows only `\'` and `\\`, and there is no other way to write a quote there.
std::string fish_quoted(std::string_view text) {
  return "'" + escaped(text, "'") + "'";
}

std::string fish_option(const std::string& condition, const CompletionOption& option) {
  std::string line = "complete -c PROGRAM -n " + fish_quoted(condition);
  for (const std::string& name : option.names)
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  return line + fish_value(option.value) + " -d " + fish_quoted(option.what) + "\n";
}

}  // namespace

std::string fish_completion(const CommandLine& command_line) {
  std::vector<std::string> names;
  std::string lines;
  for (const CompletionOption& option : command_line.options)
    lines += fish_option("__PROGRAM_without_command", option);
  for (const CompletionCommand& command : command_line.commands) {
    names.push_back(command.name);
    lines += fmt::format("complete -c PROGRAM -n __PROGRAM_without_command -a {} -d {}\n", command.name,
                         fish_quoted(command.what));
    std::string inside = "__PROGRAM_in " + command.name;
    for (const CompletionOption& option : command.options) lines += fish_option(inside, option);
    for (const CompletionArgument& argument : command.arguments)
      if (std::string value = fish_value(argument.value); value.starts_with(" -x -a "))
        lines += fmt::format("complete -c PROGRAM -n {}{}\n", fish_quoted(inside), value.substr(3));
  }
  std::string head = replaced(std::string(kFish), "PROGRAM_COMMANDS", join(names, " "));
  return replaced(
      "# Completion of PROGRAM for fish: `PROGRAM completion fish | source`, in config.fish for example.\n" +
          head + lines,
      "PROGRAM", command_line.program);
}

std::string bash_completion(const CommandLine& command_line) {
  std::vector<std::string> names;
  std::string cases;
  for (const CompletionCommand& command : command_line.commands) {
    names.push_back(command.name);
    cases += bash_case(command);
  }
  std::string text = fmt::format(
      "# Completion of PROGRAM for bash: `source <(PROGRAM completion bash)`, in ~/.bashrc for example.\n\n"
      "# _PROGRAM_table COMMAND: sets `options` (NAME, or NAME=KIND OF VALUE) and `arguments` to what "
      "follows "
      "it.\n"
      "_PROGRAM_table() {{\n  case $1 in\n"
      "    '') options=({}) arguments=(%commands) commands=({}) ;;\n{}"
      "    *) options=() arguments=(); return 1 ;;\n  esac\n}}\n",
      bash_options(command_line.options), shell_quoted(names), cases);
  return replaced(text + std::string(kBash), "PROGRAM", command_line.program);
}

std::string zsh_completion(const CommandLine& command_line) {
  std::string options, commands, cases;
  for (const CompletionOption& option : command_line.options) options += zsh_option(option);
  for (const CompletionCommand& command : command_line.commands) {
    commands += "\n    " + shell_quoted(command.name + ":" + escaped(command.what, ""));
    cases += zsh_case(command);
  }
  std::string text = fmt::format(
      "_PROGRAM_commands() {{\n  local -a commands=({})\n  _describe -t commands command commands\n}}\n\n"
      "_PROGRAM() {{\n"
      "  local program=$words[1] context state state_descr line curcontext=$curcontext ret=1\n"
      "  typeset -A opt_args\n"
      "  _arguments -C -A '-*' :{} \\\n        ': :_PROGRAM_commands' '*:: :->arguments' && ret=0\n"
      "  local tree_before=${{opt_args[-C]:-${{opt_args[--tree]-}}}}\n"
      "  if [[ $state == arguments ]]; then\n"
      "    curcontext=${{curcontext%:*:*}}:PROGRAM-$words[1]:\n"
      "    case $words[1] in\n{}    esac\n  fi\n  return ret\n}}\n",
      commands, options, cases);
  return replaced(
      fmt::format("#compdef PROGRAM\n# Completion of PROGRAM for zsh: `source <(PROGRAM completion zsh)` "
                  "after compinit, or this file as _PROGRAM\n# in a folder of fpath.\n{}\n{}{}",
                  kZsh, text, kZshEnd),
      "PROGRAM", command_line.program);
}

}  // namespace stagemake
