#include "cli/engine_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "base/error.h"
#include "base/text/text.h"
#include "engine/engine_finder.h"
#include "engine/engine_program.h"

namespace stagemake {
namespace {

// Nothing if the tree was never built, or the file is invalid.
std::optional<EngineKind> remembered(const StateFolder& state) {
  try {
    std::optional<std::string> word = read_file(state.engine());
    std::optional<EngineKind> kind = word ? engine_kind(trimmed(*word)) : std::nullopt;
    return kind == EngineKind::Auto ? std::nullopt : kind;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::unique_ptr<ContainerEngine> choose_engine(const Options& options, const StateFolder& state) {
  if (!options.hosts.empty())
    throw bad_input("--hosts",
                    "this command uses one engine: DOCKER_HOST or a docker context selects a host");
  std::optional<EngineKind> own = remembered(state);
  if (options.engine != EngineKind::Auto || !own) return open_engine(options.engine);
  try {
    return open_engine(*own);
  } catch (const EngineError& error) {
    std::string name(trimmed(read_file(state.engine()).value_or("")));
    throw EngineError(
        fmt::format("{}\nthis tree is built with {}, which has its images; `--engine NAME` builds it with "
                    "another engine, which does not have them",
                    error.what(), printable(name)));
  }
}

std::vector<ChosenEngine> choose_engines(const Options& options, const StateFolder& state) {
  std::vector<ChosenEngine> engines;
  if (options.hosts.empty()) {
    engines.push_back({.engine = choose_engine(options, state)});
    return engines;
  }
  for (HostSpec& host : host_list(options.hosts))
    engines.push_back({.host = host, .engine = open_docker_at(host.place)});
  std::vector<std::future<void>> answers;  // one that hangs does not keep the others from answering
  for (ChosenEngine& one : engines)
    answers.push_back(std::async(std::launch::async, [&one] {
      try {
        one.engine->probe();
        one.machine = one.engine->machine();
      } catch (const EngineError& error) {
        one.problem = shown_words(error.what());
      }
    }));
  std::string problems;
  for (std::size_t i = 0; i < engines.size(); ++i) {
    answers[i].get();
    if (!engines[i].problem.empty())
      problems += fmt::format("\n  {}: {}", engines[i].host.name, engines[i].problem);
  }
  if (std::none_of(engines.begin(), engines.end(),
                   [](const ChosenEngine& one) { return one.problem.empty(); }))
    throw EngineError("no host of --hosts works:" + problems);
  return engines;
}

std::string remember_engine(const Options& options, const StateFolder& state, const std::string& engine) {
  std::optional<EngineKind> own = remembered(state), now = engine_kind(engine);
  if (!now || own == now) return {};
  try {
    write_file(state.engine(), engine + "\n");
  } catch (const Error& error) {  // a build works without it
    return fmt::format("cannot record that this tree is built with {}: {}", engine, error.what());
  }
  if (own || options.engine != EngineKind::Auto) return {};
  return fmt::format(
      "using {}, the first engine that works here; this tree stays with it (--engine selects another)",
      engine);
}

}  // namespace stagemake
