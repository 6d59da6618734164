// For what plays the container's part in tests: the scripts that workplaces write, taken apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/fake_engine.h"

namespace stagemake {

// The word after `begin`, up to one of `ends`; unquoted. Empty where there is none.
std::string between(const std::string& text, std::string_view begin, std::string_view ends);

std::vector<std::string> word_list(const std::string& text);

// Writes what the script writes to kRunningPath, and takes that out of the script: it has text of recipes.
std::string note_running(FakeContainer& container, std::string script);

}  // namespace stagemake
