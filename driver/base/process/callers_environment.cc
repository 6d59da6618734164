#include "base/process/callers_environment.h"

#include <cstdlib>

namespace stagemake {
namespace {

fs::path user_folder(const char* variable, const char* below_home) {
  fs::path folder = callers_variable(variable);
  if (std::string home = callers_variable("HOME"); folder.empty() && !home.empty())
    folder = fs::path(home) / below_home;
  return folder.empty() ? fs::path() : folder / "stagemake";
}

}  // namespace

std::string callers_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

fs::path user_cache_folder() {
  return user_folder("XDG_CACHE_HOME", ".cache");
}

fs::path user_state_folder() {
  return user_folder("XDG_STATE_HOME", ".local/state");
}

}  // namespace stagemake
