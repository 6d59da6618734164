#include "report/html_text.h"

#include <fmt/format.h>

#include "base/markup.h"
#include "base/text.h"
#include "report/run_figures.h"

namespace stagemake {
namespace {

constexpr std::size_t kLineBytes = 240;  // of a log's line that is shown

}  // namespace

std::string escaped(std::string_view text, std::size_t most) {
  if (text.size() > most) return escaped(beginning(text, most)) + "…";
  return as_markup_text(text);
}

std::string code(std::string_view text, std::size_t most) {
  return "<code>" + escaped(text, most) + "</code>";
}

std::string duration_html(double seconds) {
  return "<span class=\"t\">" + duration_text(sane_seconds(seconds)) + "</span>";
}

std::string time_html(double time) {
  std::string text = utc_time(time);
  if (text.empty()) return {};
  return fmt::format("<time datetime=\"{}Z\">{} {} UTC</time>", text, text.substr(0, text.size() - 9),
                     text.substr(text.size() - 8, 5));
}

std::string_view css_class(StageState state) {
  return state == StageState::NotWanted ? "none" : word(state);
}

std::string command_html(std::string_view command) {
  if (command.empty()) return {};
  return "<pre class=\"command\" tabindex=\"0\">" + escaped(command, 2000) + "</pre>\n";
}

std::string Space::excerpt(const LogFinding& finding) {
  std::string_view message = std::string_view(finding.message).substr(0, kLineBytes);
  std::string text;
  bool said = false;
  for (std::size_t i = 0; i < finding.excerpt.size() && i < kExcerptLines; ++i) {
    const std::string& line = finding.excerpt[i];
    bool says = !said && !message.empty() &&
                std::string_view(line).substr(0, 4 * kLineBytes).find(message) != std::string::npos;
    said = said || says;
    text += says ? "<b>" + escaped(line, kLineBytes) + "</b>\n" : escaped(line, kLineBytes) + "\n";
  }
  text = if_fits(std::move(text));
  return text.empty() ? "" : "<pre tabindex=\"0\">" + text + "</pre>\n";
}

std::string Space::if_fits(std::string text) {
  if (text.size() > left_) return {};
  left_ -= text.size();
  return text;
}

}  // namespace stagemake
