// The part of Markdown in which the manual is written, as values. Knows nothing of output formats.
//
// A page has one title (`# …`), headings (`##`, `###`), paragraphs, lists of one level (`- …`, `1. …`,
// further lines indented), code indented by four blanks, and tables with a head. Text has `code`, **bold**,
// *italic* and [links](target), not inside each other. In a table, `\|` is a bar.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

struct MarkdownSpan {
  enum class Kind { Text, Code, Bold, Italic, Link };
  Kind kind = Kind::Text;
  std::string text;
  std::string target = {};  // of a link
};
using MarkdownText = std::vector<MarkdownSpan>;

struct MarkdownBlock {
  enum class Kind { Title, Heading, Subheading, Paragraph, Item, Code, Table };
  Kind kind = Kind::Paragraph;
  MarkdownText text = {};                            // of all but code and tables
  std::string number = {};                           // of an item: "1."; empty: it has a bullet
  std::vector<std::string> lines = {};               // of code, without the indentation
  std::vector<std::vector<MarkdownText>> rows = {};  // of a table, all of the same length; first the head
};

// Throws Error for other constructs of Markdown, as "NAME:LINE: what".
std::vector<MarkdownBlock> parse_markdown(std::string_view text, const std::string& name);
// The same for text without blocks: of a table's cell, or from elsewhere.
MarkdownText parse_markdown_text(std::string_view text, const std::string& name);

// The text without its marks.
std::string plain(const MarkdownText& text);

}  // namespace stagemake
