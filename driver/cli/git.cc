#include "cli/git.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/process/callers_environment.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

// How to run git: the command line and additional variables.
struct Guarded {
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;
};

Guarded guarded(const fs::path& tree) {
  return {{"git", "-C", tree.string(), "-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null"},
          // No transport is allowed: git must not run core.sshCommand or remote.*.uploadpack to fetch a
          // missing object.
          {{"GIT_ALLOW_PROTOCOL", "none"},
           {"GIT_NO_LAZY_FETCH", "1"},
           {"GIT_OPTIONAL_LOCKS", "0"},
           {"GIT_TERMINAL_PROMPT", "0"}}};
}

// The filters that the repository's own configuration defines, as "filter.NAME"; git would run them on the
// contents of files. `words` may name the repository first (--git-dir).
std::vector<std::string> own_filters(const fs::path& tree, const std::vector<std::string>& words,
                                     std::stop_token stop) {
  Guarded git = guarded(tree);
  for (const std::string& word : words) {
    if (!word.starts_with("--")) break;
    git.argv.push_back(word);
  }
  for (const char* word : {"config", "--null", "--show-scope", "--name-only", "--get-regexp", "^filter\\."})
    git.argv.emplace_back(word);
  Finished found = run_command({.argv = git.argv, .environment = git.environment, .stop = stop});
  std::vector<std::string> filters;
  std::vector<std::string_view> said = split(found.output, '\0');  // SCOPE, KEY, SCOPE, KEY, …
  for (std::size_t i = 0; i + 1 < said.size(); i += 2) {
    if (said[i] != "local" && said[i] != "worktree") continue;
    std::string name(said[i + 1].substr(0, said[i + 1].rfind('.')));
    if (filters.empty() || filters.back() != name) filters.push_back(std::move(name));
  }
  return filters;
}

}  // namespace

bool has_git_program() {
  return !find_program("git").empty();
}

Finished run_git(const fs::path& tree, const std::vector<std::string>& words,
                 const std::map<std::string, std::string>& environment, std::stop_token stop) {
  Guarded git = guarded(tree);
  // As variables, because a filter's name may contain a `=`. The caller may have set some already. (git 2.31
  // and later.)
  std::string said = callers_variable("GIT_CONFIG_COUNT");
  std::size_t count = 0;
  std::from_chars(said.data(), said.data() + said.size(), count);
  for (const std::string& filter : own_filters(tree, words, stop))
    for (const auto& [key, value] :
         {std::pair(".clean", ""), {".smudge", ""}, {".process", ""}, {".required", "false"}}) {
      git.environment[fmt::format("GIT_CONFIG_KEY_{}", count)] = filter + key;
      git.environment[fmt::format("GIT_CONFIG_VALUE_{}", count)] = value;
      ++count;
    }
  if (count > 0) git.environment["GIT_CONFIG_COUNT"] = std::to_string(count);
  git.argv.insert(git.argv.end(), words.begin(), words.end());
  git.environment.insert(environment.begin(), environment.end());
  return run_command({.argv = std::move(git.argv), .environment = std::move(git.environment), .stop = stop});
}

}  // namespace stagemake
