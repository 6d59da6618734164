#include "cli/times.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

namespace stagemake {
namespace {

constexpr double kEndOfCalendar = 253402300799.0;  // 9999-12-31T23:59:59Z

}  // namespace

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::optional<double> time_in(const std::string& text, double now) {
  if (text.starts_with('@')) {
    double seconds = 0;
    auto [end, failed] = std::from_chars(text.data() + 1, text.data() + text.size(), seconds);
    bool whole = failed == std::errc() && end == text.data() + text.size();
    return whole && std::isfinite(seconds) ? std::optional(std::min(seconds, kEndOfCalendar)) : std::nullopt;
  }
  struct tm parts {};
  for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"}) {
    parts = {};
    parts.tm_isdst = -1;
    const char* end = ::strptime(text.c_str(), format, &parts);
    if (end == nullptr || (*end != '\0' && std::string_view(end) != "Z")) continue;
    int day = parts.tm_mday;
    auto seconds = static_cast<double>(*end == 'Z' ? ::timegm(&parts) : ::mktime(&parts));
    // strptime accepts day 31 in any month, and mktime or timegm would turn it into the 1st of the next
    // month.
    return parts.tm_mday == day ? std::optional(seconds) : std::nullopt;
  }
  time_t today = static_cast<time_t>(now);
  ::localtime_r(&today, &parts);
  parts.tm_sec = 0;
  const char* end = ::strptime(text.c_str(), "%H:%M", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  double at = static_cast<double>(::mktime(&parts));
  if (at <= now) {
    ++parts.tm_mday;
    parts.tm_isdst = -1;
    at = static_cast<double>(::mktime(&parts));
  }
  return at;
}

}  // namespace stagemake
