#include "cli/engine_choice.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text/text.h"
#include "engine/engine_finder.h"

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
