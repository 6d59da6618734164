#include "engine/script_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text/text.h"
#include "engine/container_engine.h"

namespace stagemake {
namespace {

constexpr std::string_view kGreeting = "stagemake: the shell runs";

// A failing `exec` ends a shell, a failing `true` does not.
std::string redirection(int output) {
  return output == 0 ? "" : fmt::format("if true >&{0}; then exec >&{0} {0}>&-; fi 2>/dev/null; ", output);
}

}  // namespace

ScriptInput::ScriptInput(const std::string& script, int output)
    : rest_(fmt::format("{}exec 2>&1; eval {} </dev/null\n", redirection(output),
                        shell_quoted(std::string_view(script)))) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw EngineError(std::string("no pipe for a script: ") + std::strerror(errno));
  reading_ = Descriptor(ends[0]);
  writing_ = Descriptor(ends[1]);
  std::string greeting = fmt::format("echo '{}' >&2\n", kGreeting);
  (void)!::write(writing_.get(), greeting.data(), greeting.size());  // an empty pipe accepts so much at once
}

ScriptInput::~ScriptInput() {
  reading_ = Descriptor();  // ends the writer if nobody reads
  withhold();
  if (writer_.joinable()) writer_.join();
}

bool ScriptInput::hear(std::string_view piece) {
  if (greeted_) return false;
  heard_ += piece;
  greeted_ = heard_.find(kGreeting) != std::string::npos;
  // An image's shell may print anything before the greeting. Only the end of that can be the start of the
  // greeting.
  constexpr std::size_t kLength = std::string_view(kGreeting).size();
  if (greeted_ || heard_.size() < kLength) return greeted_;
  heard_.erase(0, heard_.size() - (kLength - 1));
  return false;
}

void ScriptInput::release() {
  if (!writing_.is_open()) return;
  released_ = true;
  writer_ = std::thread([pipe = std::move(writing_), this] {
    (void)write_all(pipe.get(), rest_);  // a shell may exit before it has read everything
  });
}

void ScriptInput::withhold() {
  writing_ = Descriptor();
}

std::string without_greeting(std::string_view errors) {
  std::string rest(errors);
  std::size_t at = rest.find(kGreeting);
  if (at != std::string::npos) rest.erase(at, std::min(rest.find('\n', at), rest.size() - 1) - at + 1);
  return rest;
}

}  // namespace stagemake
