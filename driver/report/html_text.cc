#include "report/html_text.h"

#include <fmt/format.h>

#include "base/text.h"
#include "report/run_figures.h"

namespace stagemake {
namespace {

constexpr std::size_t kLineBytes = 240;  // of a log's line that is shown

// The first `most` bytes, without a character that this would cut in two.
std::string_view beginning(std::string_view text, std::size_t most) {
  std::size_t end = most;
  for (int i = 0; i < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80; ++i) --end;
  return text.substr(0, end);
}

}  // namespace

std::string escaped(std::string_view text, std::size_t most) {
  if (text.size() > most) return escaped(beginning(text, most)) + "…";
  std::string result;
  for (char c : printable(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
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
  if (text.empty() || text.size() > left_) return {};
  left_ -= text.size();
  return "<pre tabindex=\"0\">" + text + "</pre>\n";
}

}  // namespace stagemake
