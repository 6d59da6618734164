#include "report/html/html_part.h"

#include <ctemplate/template_dictionary.h>
#include <fmt/format.h>

#include "base/text/text.h"
#include "report/events/run_figures.h"

namespace stagemake {

std::string bounded(std::string_view text, std::size_t most) {
  return text.size() > most ? printable(beginning(text, most)) + "…" : printable(text);
}

std::string decimal(double number, int digits) {
  return fmt::format("{:.{}f}", number, digits);
}

std::string duration(double seconds) {
  return duration_text(sane_seconds(seconds));
}

std::string duration_if_any(double seconds) {
  return seconds > 0 ? duration(seconds) : "";
}

std::string minute(double time) {
  std::string text = utc_time(time);
  if (text.empty()) return {};
  return text.substr(0, text.size() - 9) + " " + text.substr(text.size() - 8, 5);
}

void HtmlPart::set(std::initializer_list<HtmlValue> values) {
  for (const HtmlValue& value : values) {
    values_->SetValue(value.name, value.text);
    if (value.is_shown) values_->ShowSection(value.name);
  }
}

HtmlPart HtmlPart::add(const char* name, std::initializer_list<HtmlValue> values) {
  HtmlPart part(*values_->AddSectionDictionary(name));
  part.set(values);
  return part;
}

HtmlPart HtmlPart::include(const char* name, const char* file) {
  ctemplate::TemplateDictionary* values = values_->AddIncludeDictionary(name);
  values->SetFilename(file);
  return HtmlPart(*values);
}

}  // namespace stagemake
