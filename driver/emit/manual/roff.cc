#include "emit/manual/roff.h"

#include <fmt/format.h>

#include <cctype>

namespace stagemake {
namespace {

// The code point at a position of valid UTF-8; moves the position to its last byte.
unsigned code_point(std::string_view text, std::size_t& at) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t more = byte(at) >= 0xF0 ? 3 : byte(at) >= 0xE0 ? 2 : 1;
  unsigned point = byte(at) & (0x3Fu >> more);
  for (; more > 0 && at + 1 < text.size(); --more) point = point << 6 | (byte(++at) & 0x3Fu);
  return point;
}

}  // namespace

std::string roff(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    bool starts_line = result.empty() || result.back() == '\n';
    if (starts_line && c == '.') result += "\\&";
    switch (c) {
      case '-':
        result += "\\-";
        break;
      case '\\':
        result += "\\e";
        break;
      case '\'':
        result += "\\(aq";
        break;
      case '`':
        result += "\\(ga";
        break;
      case '^':
        result += "\\(ha";
        break;
      case '~':
        result += "\\(ti";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x80)
          result += c;
        else
          result += fmt::format("\\[u{:04X}]", code_point(text, at));
    }
  }
  return result;
}

std::string roff(const MarkdownText& text) {
  std::string result;
  for (const MarkdownSpan& span : text) {
    using Kind = MarkdownSpan::Kind;
    std::string part = roff(span.text);
    if (span.kind == Kind::Code || span.kind == Kind::Bold)
      part = "\\fB" + part + "\\fR";
    else if (span.kind == Kind::Italic)
      part = "\\fI" + part + "\\fR";
    else if (!result.empty() && part.starts_with("\\&"))
      part.erase(0, 2);  // not at the beginning of a line
    result += part;
  }
  return result;
}

std::string in_capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string roff_head(const std::string& page, int section, const std::string& program,
                      const std::string& version, const std::string& what) {
  return fmt::format(".TH {} {} \"\" \"{} {}\"\n.nh\n.ad l\n.SH NAME\n{} \\- {}\n", roff(in_capitals(page)),
                     section, roff(program), roff(version), roff(page), roff(what));
}

}  // namespace stagemake
