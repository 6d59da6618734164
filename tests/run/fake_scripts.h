// For tests that simulate containers: parses the scripts that build containers write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/fake/fake_engine.h"

namespace stagemake {

// The word after `begin`, up to one of `ends`; unquoted. Empty if there is none.
std::string between(const std::string& text, std::string_view begin, std::string_view ends);

std::vector<std::string> word_list(const std::string& text);

// Does to the files below "/sage" what the script of run/container/file_times.h does, at the time `now`, and
// returns that script's output; nothing if it is another script.
std::optional<std::string> brought_times(FakeContainer& container, const std::string& script,
                                         std::int64_t now);

}  // namespace stagemake
