#include "report/log/log_lines.h"

#include <algorithm>

namespace stagemake {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view without_end(std::string_view text, std::string_view bytes) {
  std::size_t last = text.find_last_not_of(bytes);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// The end of the escape sequence that begins at `at`.
std::size_t escape_end(std::string_view text, std::size_t at) {
  std::size_t i = at + 1;
  if (i >= text.size()) return i;
  if (text[i] == '[') {  // up to a letter or similar
    for (++i; i < text.size(); ++i)
      if (text[i] >= '@' && text[i] <= '~') return i + 1;
    return i;
  }
  if (text[i] == ']') {  // a title or a link: up to BEL or ESC backslash
    for (++i; i < text.size(); ++i) {
      if (text[i] == '\a') return i + 1;
      if (text[i] == '\x1b') return std::min(i + 2, text.size());
    }
    return i;
  }
  // ESC ( B and similar have one more
  return std::min(i + (text[i] >= ' ' && text[i] <= '/' ? 2 : 1), text.size());
}

std::string_view without_escapes(std::string_view text, std::string& storage) {
  std::size_t at = text.find('\x1b');
  if (at == std::string_view::npos) return text;
  storage.assign(text.substr(0, at));
  while (at < text.size()) {
    at = escape_end(text, at);
    std::size_t next = std::min(text.find('\x1b', at), text.size());
    storage += text.substr(std::min(at, text.size()), next - std::min(at, text.size()));
    at = next;
  }
  return storage;
}

// The length of `[name] ` at the beginning; 0 if there is none.
std::size_t bracket_length(std::string_view text) {
  if (text.empty() || text[0] != '[') return 0;
  std::size_t close = text.find(']');
  if (close == std::string_view::npos) return 0;
  return close + 1 == text.size() || text[close + 1] == ' ' ? close + 1 : 0;
}

// Removes what newer loggers insert in between: `[spkg-install] `.
std::string_view without_script(std::string_view text) {
  if (!text.starts_with("[spkg-")) return text;
  std::size_t length = bracket_length(text);
  return length == 0 ? text : text.substr(std::min(length + 1, text.size()));
}

}  // namespace

bool is_mark(std::string_view name) {
  if (name.empty() || name.size() > kLongestMark || name.starts_with("spkg-")) return false;
  bool letter = false;
  std::size_t at = 0;
  for (; at < name.size() && (is_letter(name[at]) || is_digit(name[at]) || name[at] == '_'); ++at)
    letter = letter || is_letter(name[at]);
  if (!letter) return false;
  if (at == name.size())
    return std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (name[at] != '-' || at + 1 == name.size()) return false;
  return std::all_of(name.begin() + static_cast<std::ptrdiff_t>(at), name.end(), [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("-._+~:").find(c) != std::string_view::npos;
  });
}

bool LogReader::next(LogLine& line) {
  if (at_ >= log_.size()) return false;
  std::size_t end = std::min(log_.find('\n', at_), log_.size());
  std::string_view raw = without_end(log_.substr(at_, end - at_), "\r \t");
  line = {.number = number_++, .offset = at_};
  at_ = end + 1;

  std::string_view text = without_escapes(raw.substr(0, kLongestLine), plain_);
  std::size_t indent = std::min(text.find_first_not_of(' '), text.size());
  std::size_t length = indent == 0 || indent == 2 ? bracket_length(text.substr(indent)) : 0;
  if (length > 2 && is_mark(text.substr(indent + 1, length - 2))) {
    line.mark = text.substr(indent + 1, length - 2);
    text = text.substr(std::min(indent + length + 1, text.size()));
    bool of_tail = indent == 2 && (text.empty() || text.starts_with("  "));
    line.by_logger = indent == 2 && !of_tail;
    if (of_tail) text.remove_prefix(std::min<std::size_t>(2, text.size()));
  }
  std::size_t overdrawn = raw.rfind('\r');
  if (overdrawn != std::string_view::npos)
    text = without_escapes(raw.substr(overdrawn + 1, kLongestLine), plain_end_);
  line.text = without_end(without_script(text), " \t\r");
  return true;
}

MarkedPackage marked_package(std::string_view mark) {
  std::size_t dash = mark.find('-');
  if (dash == std::string_view::npos) return {mark, {}};
  return {mark.substr(0, dash), mark.substr(dash + 1)};
}

}  // namespace stagemake
