#include "base/text/json_values.h"

#include <time.h>

#include <nlohmann/json.hpp>

namespace stagemake {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 50;  // of an image; sums fit in 64 bits

}  // namespace

nlohmann::json member(const nlohmann::json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key] : nlohmann::json();
}

nlohmann::json elements(nlohmann::json list) {
  return list.is_array() ? std::move(list) : nlohmann::json::array();
}

std::vector<std::string> texts_in(const nlohmann::json& list) {
  std::vector<std::string> texts;
  for (const nlohmann::json& element : elements(list))
    if (element.is_string()) texts.push_back(element.get<std::string>());
  return texts;
}

std::string text_at(const nlohmann::json& object, const char* key) {
  nlohmann::json value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::uint64_t size_at(const nlohmann::json& object, const char* key) {
  nlohmann::json value = member(object, key);
  bool can_be = value.is_number_unsigned() && value.get<std::uint64_t>() <= kMostBytes;
  return can_be ? value.get<std::uint64_t>() : 0;
}

Labels labels_in(const nlohmann::json& object) {
  Labels labels;
  if (object.is_object())
    for (const auto& [key, value] : object.items())
      if (value.is_string()) labels[key] = value.get<std::string>();
  return labels;
}

std::int64_t epoch_seconds(const std::string& time) {
  struct tm parts {};
  const char* rest = ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return 0;
  while (*rest == '.' || (*rest >= '0' && *rest <= '9')) ++rest;
  struct tm offset {};
  bool has_offset = (*rest == '+' || *rest == '-') && ::strptime(rest + 1, "%H:%M", &offset) != nullptr;
  std::int64_t ahead = has_offset ? (offset.tm_hour * 60 + offset.tm_min) * 60 : 0;
  return ::timegm(&parts) - (*rest == '-' ? -ahead : ahead);
}

}  // namespace stagemake
