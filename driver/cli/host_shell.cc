#include "cli/host_shell.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/process/callers_environment.h"
#include "base/process/standard_streams.h"
#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "cli/pull_request.h"

namespace stagemake {

std::optional<std::string> host_shell_refusal(std::optional<bool> said, const CallerVariables& caller) {
  if (said) return *said ? std::nullopt : std::optional<std::string>("--host-shell is no");
  std::string event = pull_request_event(caller);
  if (event.empty()) return std::nullopt;
  return fmt::format("this job runs for a pull request ({})", shown(event));
}

std::string evaluated_by_host_shell(const fs::path& tree, const std::string& text,
                                    const std::map<std::string, std::string>& variables) {
  say(fmt::format("stagemake: a shell of this machine evaluates `{}`", shown(text)));
  std::string path = callers_variable("PATH");
  std::vector<std::string> argv{"env", "-i"};
  for (const auto& [name, value] : variables) argv.push_back(name + "=" + value);
  argv.push_back(
      fmt::format("PATH={}:{}", (tree / "build/bin").string(), path.empty() ? "/usr/bin:/bin" : path));
  for (const std::string& word :
       {std::string("bash"), std::string("-c"), "cd -- \"$1\" && printf %s \"" + text + "\"",
        std::string("bash"), tree.string()})
    argv.push_back(word);
  Finished finished = run_command({.argv = std::move(argv)});
  if (!finished.ok())
    throw bad_input(
        "", fmt::format("bash cannot expand `{}`: {}", printable(text), printable(trimmed(finished.errors))));
  return finished.output;
}

}  // namespace stagemake
