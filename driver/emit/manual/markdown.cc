#include "emit/manual/markdown.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using Kind = MarkdownBlock::Kind;

// "1. " at the beginning of a line; the length of the number with its dot, 0 if there is none.
std::size_t number_length(std::string_view line) {
  std::size_t digits = line.find_first_not_of("0123456789");
  return digits != 0 && digits != std::string_view::npos && line.substr(digits).starts_with(". ") ? digits + 1
                                                                                                  : 0;
}

class MarkdownParser {
 public:
  MarkdownParser(std::string_view text, const std::string& name) : lines_(lines(text)), name_(name) {}

  std::vector<MarkdownBlock> parse() {
    for (; at_ < lines_.size(); ++at_) {
      std::string_view line = lines_[at_];
      if (trimmed(line).empty()) continue;
      if (line.starts_with("    "))
        code();
      else if (line.starts_with('|'))
        table();
      else if (line.starts_with('#'))
        heading(line);
      else if (line.starts_with("- "))
        item(line.substr(2), "");
      else if (std::size_t length = number_length(line); length > 0)
        item(line.substr(length + 1), std::string(line.substr(0, length)));
      else
        paragraph();
    }
    if (blocks_.empty() || blocks_[0].kind != Kind::Title) {
      at_ = 0;
      refuse("the page does not begin with a title");
    }
    return std::move(blocks_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw bad_input(fmt::format("{}:{}", name_, at_ + 1), what);
  }

  bool is_next(std::string_view begin) const {
    return at_ + 1 < lines_.size() && lines_[at_ + 1].starts_with(begin);
  }

  // Whether the next line continues a paragraph.
  bool continues() const {
    if (at_ + 1 >= lines_.size()) return false;
    std::string_view next = lines_[at_ + 1];
    return !trimmed(next).empty() && !next.starts_with('#') && !next.starts_with('|') &&
           !next.starts_with("- ") && number_length(next) == 0;
  }

  void heading(std::string_view line) {
    std::size_t level = line.find_first_not_of('#');
    if (level == std::string_view::npos || level > 3 || line[level] != ' ' ||
        (level == 1 && !blocks_.empty()))
      refuse("a heading is `#` (the first line), `##` or `###`, and a blank");
    Kind kind = level == 1 ? Kind::Title : level == 2 ? Kind::Heading : Kind::Subheading;
    blocks_.push_back({.kind = kind, .text = spans(line.substr(level + 1))});
  }

  void paragraph() {
    std::string text(lines_[at_]);
    if (text.starts_with(' ')) refuse("an indented line that is neither code nor part of a list");
    if (text.starts_with("```") || text.starts_with('>') || text.starts_with("* ") || text.starts_with("+ "))
      refuse("the manual does not use this");
    while (continues()) text += " " + std::string(trimmed(lines_[++at_]));
    blocks_.push_back({.kind = Kind::Paragraph, .text = spans(text)});
  }

  void item(std::string_view line, std::string number) {
    std::string text(line);
    while (is_next(" ") && continues()) {
      std::string_view next = trimmed(lines_[++at_]);
      if (next.starts_with("- ") || number_length(next) > 0) refuse("a list inside a list");
      text += " " + std::string(next);
    }
    blocks_.push_back({.kind = Kind::Item, .text = spans(text), .number = std::move(number)});
  }

  void code() {
    MarkdownBlock block{.kind = Kind::Code};
    std::size_t end = at_;
    for (std::size_t i = at_; i < lines_.size(); ++i) {
      if (lines_[i].starts_with("    "))
        end = i;
      else if (!trimmed(lines_[i]).empty())
        break;
    }
    for (; at_ <= end; ++at_)
      block.lines.emplace_back(lines_[at_].starts_with("    ") ? lines_[at_].substr(4) : "");
    at_ = end;
    blocks_.push_back(std::move(block));
  }

  void table() {
    MarkdownBlock block{.kind = Kind::Table};
    for (std::size_t row = 0;; ++row, ++at_) {
      std::vector<MarkdownText> cells = cells_of(lines_[at_]);
      bool is_rule = lines_[at_].find_first_not_of("|-: ") == std::string_view::npos;
      if (is_rule != (row == 1)) refuse("a table has a head and, below it, `|---|`");
      if (row > 0 && cells.size() != block.rows[0].size()) refuse("a row has as many cells as the head");
      if (!is_rule) block.rows.push_back(std::move(cells));
      if (!is_next("|")) break;
    }
    if (block.rows.size() < 2) refuse("a table has rows");
    blocks_.push_back(std::move(block));
  }

  std::vector<MarkdownText> cells_of(std::string_view line) const {
    line = trimmed(line);
    if (line.size() < 2 || !line.ends_with('|')) refuse("a row ends with `|`");
    std::vector<MarkdownText> cells;
    std::string cell;
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|')
        cell += line[++i];
      else if (line[i] == '|')
        cells.push_back(spans(trimmed(std::exchange(cell, {}))));
      else
        cell += line[i];
    }
    return cells;
  }

  MarkdownText spans(std::string_view text) const {
    return parse_markdown_text(text, fmt::format("{}:{}", name_, at_ + 1));
  }

  const std::vector<std::string_view> lines_;
  const std::string& name_;
  std::size_t at_ = 0;
  std::vector<MarkdownBlock> blocks_;
};

}  // namespace

std::vector<MarkdownBlock> parse_markdown(std::string_view text, const std::string& name) {
  return MarkdownParser(text, name).parse();
}

MarkdownText parse_markdown_text(std::string_view text, const std::string& name) {
  using Span = MarkdownSpan::Kind;
  MarkdownText result;
  std::string before;  // text without marks
  auto add = [&](Span kind, std::string_view part, std::string_view target = {}) {
    if (!before.empty()) result.push_back({Span::Text, std::exchange(before, {})});
    if (!part.empty()) result.push_back({kind, std::string(part), std::string(target)});
  };
  // The position of the end mark of a span that begins at `begin`.
  auto end_of = [&](std::size_t begin, std::string_view mark) {
    std::size_t end = text.find(mark, begin);
    if (end == std::string_view::npos || end == begin)
      throw bad_input(name, fmt::format("`{}` without an end", text.substr(begin - mark.size(), 20)));
    return end;
  };
  for (std::size_t at = 0; at < text.size();) {
    std::string_view rest = text.substr(at);
    if (rest.starts_with('`')) {
      std::size_t end = end_of(at + 1, "`");
      add(Span::Code, text.substr(at + 1, end - at - 1));
      at = end + 1;
    } else if (rest.starts_with("**")) {
      std::size_t end = end_of(at + 2, "**");
      add(Span::Bold, text.substr(at + 2, end - at - 2));
      at = end + 2;
    } else if (rest.starts_with('*')) {
      std::size_t end = end_of(at + 1, "*");
      add(Span::Italic, text.substr(at + 1, end - at - 1));
      at = end + 1;
    } else if (rest.starts_with("![") || rest.starts_with('<')) {
      throw bad_input(name, "pictures and HTML have no place in a manual page");
    } else if (std::size_t middle = rest.find("](");
               rest.starts_with('[') && middle != std::string_view::npos) {
      std::size_t end = end_of(at + middle + 2, ")");
      add(Span::Link, rest.substr(1, middle - 1), text.substr(at + middle + 2, end - at - middle - 2));
      at = end + 1;
    } else {
      before += text[at++];
    }
  }
  add(Span::Text, {});
  return result;
}

std::string plain(const MarkdownText& text) {
  std::string result;
  for (const MarkdownSpan& span : text) result += span.text;
  return result;
}

}  // namespace stagemake
