#include "report/html/html_excerpt.h"

#include <vector>

#include "base/text/markup.h"

namespace stagemake {
namespace {

constexpr std::size_t kLineBytes = 240;  // shown of a log line
constexpr std::size_t kBoldTags = 7;

bool contains_message(std::string_view line, std::string_view message) {
  return !message.empty() &&
         line.substr(0, 4 * kLineBytes).find(message.substr(0, kLineBytes)) != std::string_view::npos;
}

}  // namespace

bool Space::take(std::size_t bytes) {
  if (bytes > left_) return false;
  left_ -= bytes;
  return true;
}

std::size_t html_size(std::string_view text) {
  return as_markup_text(text).size();
}

void show_excerpt(HtmlPart part, const LogFinding& finding, Space& space) {
  std::vector<std::string> lines;
  std::size_t bytes = 0, message = kExcerptLines;
  for (std::size_t i = 0; i < finding.excerpt.size() && i < kExcerptLines; ++i) {
    if (message == kExcerptLines && contains_message(finding.excerpt[i], finding.message))
      message = i, bytes += kBoldTags;
    lines.push_back(bounded(finding.excerpt[i], kLineBytes));
    bytes += html_size(lines.back()) + 1;
  }
  if (lines.empty() || !space.take(bytes)) return;
  HtmlPart excerpt = part.add("EXCERPT");
  for (std::size_t i = 0; i < lines.size(); ++i)
    excerpt.add("LOG_LINE", {{i == message ? "MESSAGE_LINE" : "TEXT", lines[i]}});
}

}  // namespace stagemake
