// The values of one section of report.html. All text enters the page through it: bounded, made printable, and
// then escaped by ctemplate for its place in the page.
#pragma once

#include <cstring>  // for ctemplate 2.4, whose headers use strlen without including it
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

namespace ctemplate {
class TemplateDictionary;
}

namespace stagemake {

inline constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max();

// Printable text; if longer than `most` bytes, it is truncated and ends in `…`.
std::string bounded(std::string_view text, std::size_t most);

// A number with that many digits after the point.
std::string decimal(double number, int digits);
// "12 min 03 s"; the second is empty unless the duration is more than 0.
std::string duration(double seconds);
std::string duration_if_any(double seconds);
// "2026-08-03 12:03" in UTC; empty if unknown.
std::string minute(double time);

struct HtmlValue {
  HtmlValue(const char* called, std::string_view foreign, std::size_t most = kWhole)
      : name(called), text(bounded(foreign, most)), is_shown(!foreign.empty()) {}
  HtmlValue(const char* called, std::size_t number)  // or whether something is so
      : name(called), text(std::to_string(number)), is_shown(number > 0) {}

  const char* name;
  std::string text;
  bool is_shown;
};

class HtmlPart {
 public:
  explicit HtmlPart(ctemplate::TemplateDictionary& values) : values_(&values) {}

  // {{NAME}}. Also shows {{#NAME}}…{{/NAME}} unless the text is empty or the number 0 (which hides nothing
  // that a section around this one shows under the same name).
  void set(std::initializer_list<HtmlValue> values);
  // {{#NAME}}…{{/NAME}}, once more.
  HtmlPart add(const char* name, std::initializer_list<HtmlValue> values = {});
  // {{>NAME}}, once more, as the template `file` says.
  HtmlPart include(const char* name, const char* file);

 private:
  ctemplate::TemplateDictionary* values_;
};

}  // namespace stagemake
