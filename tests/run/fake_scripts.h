// For what plays the container's part in tests: the scripts that workplaces write, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/fake_engine.h"

namespace stagemake {

// The word after `begin`, up to one of `ends`; unquoted. Empty where there is none.
std::string between(const std::string& text, std::string_view begin, std::string_view ends);

std::vector<std::string> word_list(const std::string& text);

// Does to the files below "/sage" what run/file_times.h's script does, at the time `now`, and returns what
// that prints; nothing where the script is another one.
std::optional<std::string> brought_times(FakeContainer& container, const std::string& script,
                                         std::int64_t now);

}  // namespace stagemake
