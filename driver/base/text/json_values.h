// Values in JSON that others wrote. Values that are missing or have another type are empty.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/text/labels.h"

namespace stagemake {

// A member of a JSON object; null if it is missing, or `object` is not an object.
nlohmann::json member(const nlohmann::json& object, const char* key);
// The elements of a JSON list; none if `list` is not a list.
nlohmann::json elements(nlohmann::json list);
// The texts of a JSON list; none if it is not a list.
std::vector<std::string> texts_in(const nlohmann::json& list);
// A member of a JSON object as text; empty if it is missing or null.
std::string text_at(const nlohmann::json& object, const char* key);
// A member of a JSON object as a number of bytes; 0 if it is missing or impossible.
std::uint64_t size_at(const nlohmann::json& object, const char* key);
// An object whose values are texts; empty if it is null.
Labels labels_in(const nlohmann::json& object);
// "2026-11-22T08:49:16.9Z", "2026-11-22T09:49:16+01:00" as seconds since the epoch; 0 if it is not a time.
std::int64_t epoch_seconds(const std::string& time);

}  // namespace stagemake
