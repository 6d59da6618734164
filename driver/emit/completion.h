// Completion scripts for interactive shells, from a description of the command line. Values that depend on a
// tree (environments, stages, packages) are requested from the program at completion time. Does not know how
// options are declared, nor which ones exist.
#pragma once

#include <string>
#include <vector>

namespace stagemake {

// The values that can be completed.
struct CompletionValue {
  enum class Kind {
    Nothing,  // no value: the option is a flag
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
  std::string word = {};                  // its name in the help
  std::vector<std::string> choices = {};  // only of letters, digits, `.`, `-` and `_`
};

struct CompletionOption {
  std::vector<std::string> names;  // "-j", "--at-once": names of one option
  std::string what;                // one line
  CompletionValue value = {};
  bool repeatable = false;
  std::string group = {};  // its heading in the help
};

struct CompletionArgument {
  CompletionValue value;
  bool repeatable = false;  // only the last one: it stands for all that follow
  bool required = false;
  std::string what = {};
};

struct CompletionCommand {
  std::string name;
  std::string what;
  std::string group = {};
  std::vector<CompletionOption> options = {};
  std::vector<CompletionArgument> arguments = {};
};

struct CommandLine {
  std::string program;                    // its name, which must be valid as part of a shell function's name
  std::vector<CompletionOption> options;  // options before a command
  std::vector<CompletionCommand> commands;
};

// For bash 4.0 or later; does not need the package bash-completion.
std::string bash_completion(const CommandLine& command_line);

// For fish 3.0 or later: source it, or save it as `PROGRAM.fish` in ~/.config/fish/completions.
std::string fish_completion(const CommandLine& command_line);

// For zsh: source it after compinit, or save it as `_PROGRAM` in a folder of fpath.
std::string zsh_completion(const CommandLine& command_line);

}  // namespace stagemake
