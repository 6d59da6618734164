// Parses JSON text that others wrote or may have changed: labels, answers of engines and registries, files.
// No other code in the driver parses such text (tests/words/check_json.sh checks this).
//
// Copying or writing a value needs stack in proportion to its depth, so a few megabytes of `[` would crash
// the process. One pass checks size and depth before anything is parsed.
//
// Thread rule: a pure function.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace stagemake {

// Nested lists and objects. Nothing that we write or read is deeper than 10.
inline constexpr std::size_t kDeepestJson = 64;

// The value of `text`. Nothing if it is longer than `most` bytes, nested deeper than kDeepestJson, or not
// JSON; then `why`, if given, gets the reason: "is not JSON", "is longer than 4.2 MB". The reason never
// quotes the text, which may hold secrets.
std::optional<nlohmann::json> json_in(std::string_view text, std::size_t most, std::string* why = nullptr);

}  // namespace stagemake
