// JSON text that others wrote or may have changed: labels, answers of engines and registries, files. The only
// place in the driver where such text becomes values (tests/words/check_json.sh sees to that).
//
// A value's depth is paid for with stack wherever it is copied or written, so a few megabytes of `[` would
// end the process. Size and depth are checked in one look at the text, before anything is made of it.
//
// Thread rule: a pure function.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace stagemake {

// Lists and objects within each other. Nothing that we write or read has more than 10.
inline constexpr std::size_t kDeepestJson = 64;

// What `text` says. Nothing where it is longer than `most` bytes, nested deeper than kDeepestJson, or no
// JSON; then `why`, where it is given, becomes the reason: "is no JSON", "is longer than 4.2 MB". The reason
// repeats nothing of the text, which may hold secrets.
std::optional<nlohmann::json> json_in(std::string_view text, std::size_t most, std::string* why = nullptr);

}  // namespace stagemake
