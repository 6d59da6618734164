// Completion for interactive shells, as text: from what the command line takes to a script that a shell
// reads. What depends on a tree (environments, stages, packages) is asked of the program at the time of
// completion. Knows nothing of how the options were declared, nor which there are.
#pragma once

#include <string>
#include <vector>

namespace stagemake {

// What can stand in the place of a value.
struct CompletionValue {
  enum class Kind {
    Nothing,  // there is no value: the option is a flag
    Text,     // anything; nothing is offered
    Choice,   // one of `choices`
    File,
    Folder,
    Environment,
    EnvironmentGroup,  // an environment, a system, or `all-` and a set of packages
    Stage,
    Package,
    Selector,  // a package, or a class of them
  };
  Kind kind = Kind::Nothing;
  std::string word = {};                  // what the help calls it
  std::vector<std::string> choices = {};  // plain words: letters, digits, `.`, `-`, `_`
};

struct CompletionOption {
  std::vector<std::string> names;  // "-j", "--at-once": the same option
  std::string what;                // one line
  CompletionValue value = {};
  bool repeatable = false;
};

struct CompletionArgument {
  CompletionValue value;
  bool repeatable = false;  // the last one may be: it stands for all that follow
};

struct CompletionCommand {
  std::string name;
  std::string what;
  std::vector<CompletionOption> options = {};
  std::vector<CompletionArgument> arguments = {};
};

struct CommandLine {
  std::string program;                    // its name, a word that can be part of a shell function's name
  std::vector<CompletionOption> options;  // those that stand before a command
  std::vector<CompletionCommand> commands;
};

// For bash from 4.0 on; needs nothing of the package bash-completion.
std::string bash_completion(const CommandLine& command_line);

// For zsh: to be sourced after compinit, or saved as `_PROGRAM` in a folder of fpath.
std::string zsh_completion(const CommandLine& command_line);

}  // namespace stagemake
