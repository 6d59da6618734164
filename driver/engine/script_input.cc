#include "engine/script_input.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "engine/container_engine.h"

namespace stagemake {
namespace {

constexpr std::string_view kGreeting = "stagemake: the shell runs";

std::string as_input(const std::string& script) {
  return fmt::format("echo '{}' >&2; exec 2>&1; eval {} </dev/null\n", kGreeting,
                     shell_quoted(std::string_view(script)));
}

}  // namespace

ScriptInput::ScriptInput(const std::string& script) : fd_(::memfd_create("stagemake-script", MFD_CLOEXEC)) {
  std::string text = as_input(script);
  bool written = fd_ >= 0;
  for (std::size_t done = 0; written && done < text.size();) {
    ssize_t n = ::write(fd_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    written = n >= 0;
    if (written) done += static_cast<std::size_t>(n);
  }
  if (written && ::lseek(fd_, 0, SEEK_SET) == 0) return;
  std::string why = std::strerror(errno);
  if (fd_ >= 0) ::close(fd_);
  throw EngineError("no memory for a script: " + why);
}

ScriptInput::~ScriptInput() {
  ::close(fd_);
}

void ShellGreeting::add(std::string_view piece) {
  if (heard_) return;
  text_ += piece;
  heard_ = text_.find(kGreeting) != std::string::npos;
}

std::string without_greeting(std::string_view errors) {
  std::string rest(errors);
  std::size_t at = rest.find(kGreeting);
  if (at != std::string::npos) rest.erase(at, std::min(rest.find('\n', at), rest.size() - 1) - at + 1);
  return rest;
}

}  // namespace stagemake
