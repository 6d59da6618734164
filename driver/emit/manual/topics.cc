#include "emit/manual/topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "base/text/text.h"
#include "base/text/wrap.h"
#include "emit/manual/manual_texts.h"
#include "emit/manual/roff.h"

namespace stagemake {
namespace {

using Kind = MarkdownBlock::Kind;
using Span = MarkdownSpan::Kind;

constexpr std::size_t kBody = 4;  // where text begins
constexpr std::size_t kDeeper =
    4;  // code, and the text of a table's row, begin this much further to the right
constexpr std::size_t kPageCode = 67;  // columns for code in a manual page on a terminal of 80 columns

struct PageName {
  std::string page;
  int section;
};
PageName page_of(const std::string& program, const std::string& topic) {
  if (topic.find('.') != std::string::npos) return {topic, 5};
  return {program + "-" + topic, 7};
}

// The topic that a link leads to: "events" for "events.md" and "events.md#packages"; nothing for other links.
std::optional<std::string> linked_topic(const MarkdownSpan& span) {
  std::string target = span.target.substr(0, span.target.find('#'));
  if (span.kind != Span::Link || !target.ends_with(".md") || target.find('/') != std::string::npos) return {};
  return target.substr(0, target.size() - 3);
}

// "Running: watching a run" of the topic "running" -> "watching a run". A sentence's first letter becomes
// small, that of a name does not.
std::string description(const std::string& name, std::string title) {
  std::string begin = in_capitals(title.substr(0, name.size()));
  if (begin == in_capitals(name) && title.substr(name.size()).starts_with(": "))
    return title.substr(name.size() + 2);
  if (title.size() > 1 && std::islower(static_cast<unsigned char>(title[1])))
    title[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(title[0])));
  return title;
}

// ---- manual page ----

std::string page_text(const MarkdownText& text, const std::string& program) {
  MarkdownText result;
  for (const MarkdownSpan& span : text) {
    std::optional<std::string> topic = linked_topic(span);
    if (!topic) {
      result.push_back(span);
      continue;
    }
    PageName page = page_of(program, *topic);
    bool says_it = span.text == *topic;
    if (!says_it) result.push_back({Span::Text, span.text + " ("});
    result.push_back({Span::Bold, page.page});
    result.push_back({Span::Text, fmt::format("({}){}", page.section, says_it ? "" : ")")});
  }
  return roff(result);
}

// In capitals, but code stays as it is.
std::string page_heading(const MarkdownText& text) {
  MarkdownText result = text;
  for (MarkdownSpan& span : result) {
    if (span.kind != Span::Code) span.text = in_capitals(span.text);
    span.kind = Span::Text;
  }
  return roff(result);
}

std::string page_code(const std::vector<std::string>& code) {
  std::string page = ".RS 4\n.nf\n";
  for (const std::string& line : narrow_code(code, kPageCode))
    page += (line.empty() ? "\\&" : roff(line)) + "\n";
  return page + ".fi\n.RE\n";
}

// Each row is a tagged paragraph. With more than two columns, the others are preceded by their heads.
std::string page_table(const MarkdownBlock& table, const std::string& program) {
  std::string page;
  for (std::size_t r = 1; r < table.rows.size(); ++r) {
    const std::vector<MarkdownText>& row = table.rows[r];
    std::size_t tag = 0;
    while (tag + 1 < row.size() && row[tag].empty()) ++tag;
    page += ".TP\n" + page_text(row[tag], program) + "\n";
    bool is_first = true;
    for (std::size_t c = tag + 1; c < row.size(); ++c) {
      if (row[c].empty()) continue;
      if (!std::exchange(is_first, false)) page += ".br\n";
      if (row.size() > 2) page += roff(plain(table.rows[0][c])) + ": ";
      page += page_text(row[c], program) + "\n";
    }
    if (is_first) page += "\\&\n";
  }
  return page;
}

// The pages that a topic links to, in order, each once.
std::vector<std::string> see_also(const ManualTopic& topic, const std::string& program) {
  std::vector<std::string> pages = {"\\fB" + roff(program) + "\\fR(1)"};
  auto add = [&](const MarkdownText& text) {
    for (const MarkdownSpan& span : text)
      if (std::optional<std::string> name = linked_topic(span)) {
        PageName page = page_of(program, *name);
        std::string words = fmt::format("\\fB{}\\fR({})", roff(page.page), page.section);
        if (std::find(pages.begin(), pages.end(), words) == pages.end()) pages.push_back(words);
      }
  };
  for (const MarkdownBlock& block : topic.blocks) {
    add(block.text);
    for (const std::vector<MarkdownText>& row : block.rows) std::for_each(row.begin(), row.end(), add);
  }
  return pages;
}

// ---- text ----

// Code keeps its backticks, so that it is seen where it begins and ends.
std::string shown_text(const MarkdownText& text, const std::string& program) {
  std::string result;
  for (const MarkdownSpan& span : text) {
    std::optional<std::string> topic = linked_topic(span);
    result += span.kind == Span::Code ? "`" + span.text + "`" : span.text;
    if (topic) result += fmt::format(" (`{} help {}`)", program, *topic);
  }
  return result;
}

std::string paragraph(const std::string& begin, const std::string& text) {
  std::vector<std::string> all;
  for (std::string_view word : words(text)) all.emplace_back(word);
  return wrapped(begin, all);
}

std::string shown_table(const MarkdownBlock& table, const std::string& program) {
  const std::string deeper(kBody + kDeeper, ' ');
  std::string result;
  for (std::size_t r = 1; r < table.rows.size(); ++r) {
    const std::vector<MarkdownText>& row = table.rows[r];
    std::size_t tag = 0;
    while (tag + 1 < row.size() && row[tag].empty()) ++tag;
    result += paragraph(std::string(kBody, ' '), plain(row[tag]));
    for (std::size_t c = tag + 1; c < row.size(); ++c) {
      if (row[c].empty()) continue;
      std::string head = row.size() > 2 ? plain(table.rows[0][c]) + ": " : "";
      result += paragraph(deeper, head + shown_text(row[c], program));
    }
  }
  return result;
}

// ---- code ----

// The position of the comment of a line of shell or TOML text; npos if it has none.
std::size_t comment_of(std::string_view line) {
  if (trimmed(line).starts_with("# ")) return line.find('#');
  std::size_t at = line.find(" # ");
  return at == std::string_view::npos ? at : at + 1;
}

// The last blank of a line at which it can be cut, so that `width` columns hold what is before; npos if there
// is none.
std::size_t cut_of(std::string_view line, std::size_t width) {
  std::size_t cut = std::string_view::npos;
  for (std::size_t at = line.find_first_not_of(' '); at < line.size(); ++at)
    if (line[at] == ' ' && line[at - 1] != ' ' &&
        (cut == std::string_view::npos || columns(line.substr(0, at)) <= width))
      cut = at;
  return cut;
}

std::string blanks(std::size_t count) {
  return std::string(count, ' ');
}

// A line without comment. What continues an output line goes further to the right if it fits there.
void add_code(std::vector<std::string>& lines, std::string line, std::size_t width) {
  bool is_command = line.starts_with("$ ");
  std::size_t deeper = (is_command ? 0 : line.find_first_not_of(' ')) + kDeeper;
  while (columns(line) > width) {
    std::size_t cut = cut_of(line, is_command ? width - 2 : width);
    if (cut == std::string::npos) break;
    lines.push_back(line.substr(0, cut) + (is_command ? " \\" : ""));
    std::string rest(trimmed(std::string_view(line).substr(cut)));
    std::size_t word = columns(rest.substr(0, rest.find(' ')));
    line = blanks(deeper + word <= width ? deeper : width - std::min(width, word)) + rest;
  }
  lines.push_back(line);
}

// The comment of a line, wrapped, with its mark on each line.
void add_comment(std::vector<std::string>& lines, std::string_view comment, std::size_t indent,
                 std::size_t width) {
  std::vector<std::string> all;
  for (std::string_view word : words(comment)) all.emplace_back(word);
  std::string text = wrapped(blanks(indent + 2), all, width);
  for (std::string_view line : stagemake::lines(std::string_view(text)))
    lines.push_back(blanks(indent) + "# " + std::string(trimmed(line)));
}

}  // namespace

std::vector<std::string> narrow_code(const std::vector<std::string>& lines, std::size_t width) {
  // If one comment does not fit beside its line, all go above.
  bool above = std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return columns(line) > width && comment_of(line) != std::string::npos;
  });
  std::vector<std::string> result;
  for (const std::string& line : lines) {
    std::size_t at = above ? comment_of(line) : std::string::npos;
    if (at == std::string::npos) {
      add_code(result, line, width);
      continue;
    }
    std::size_t indent = line.find_first_not_of(' ');
    add_comment(result, std::string_view(line).substr(at + 1), indent, width);
    std::string_view code = trimmed(std::string_view(line).substr(0, at));
    if (!code.empty()) add_code(result, blanks(indent) + std::string(code), width);
  }
  return result;
}

ManualTopic manual_topic(const std::string& program, const std::string& name, std::string_view markdown) {
  PageName page = page_of(program, name);
  ManualTopic topic{.name = name, .page = page.page, .section = page.section};
  topic.blocks = parse_markdown(markdown, name + ".md");
  topic.what = description(name, plain(topic.blocks[0].text));
  return topic;
}

std::vector<ManualTopic> manual_topics(const std::string& program) {
  std::vector<ManualTopic> topics;
  for (const ManualText& text : manual_texts())
    topics.push_back(
        manual_topic(program, std::string(text.name.substr(0, text.name.rfind('.'))), text.markdown));
  std::sort(topics.begin(), topics.end(),
            [](const ManualTopic& a, const ManualTopic& b) { return a.name < b.name; });
  return topics;
}

std::string topic_page(const ManualTopic& topic, const std::string& program, const std::string& version) {
  std::string page = roff_head(topic.page, topic.section, program, version, topic.what);
  // Directly below a heading, .PP is useless, and mandoc says so.
  bool is_below_heading = false;
  for (std::size_t b = 1; b < topic.blocks.size(); ++b) {
    const MarkdownBlock& block = topic.blocks[b];
    bool is_heading = block.kind == Kind::Heading || block.kind == Kind::Subheading;
    if (b == 1 && block.kind != Kind::Heading) {
      page += ".SH DESCRIPTION\n";
      is_below_heading = true;
    }
    switch (block.kind) {
      case Kind::Title:
        break;
      case Kind::Heading:
        page += ".SH " + page_heading(block.text) + "\n";
        break;
      case Kind::Subheading:
        page += ".SS " + roff(plain(block.text)) + "\n";
        break;
      case Kind::Paragraph:
        page += (is_below_heading ? "" : ".PP\n") + page_text(block.text, program) + "\n";
        break;
      case Kind::Item:
        page += fmt::format(".IP {}\n{}\n", block.number.empty() ? "\\(bu 2" : block.number + " 4",
                            page_text(block.text, program));
        break;
      case Kind::Code:
        page += (is_below_heading ? "" : ".PP\n") + page_code(block.lines);
        break;
      case Kind::Table:
        page += page_table(block, program);
        break;
    }
    is_below_heading = is_heading;
  }
  return page + ".SH SEE ALSO\n" + join(see_also(topic, program), ",\n") + "\n";
}

std::string topic_text(const ManualTopic& topic, const std::string& program) {
  const std::string body(kBody, ' ');
  std::string text = paragraph("", shown_text(topic.blocks[0].text, program));
  const MarkdownBlock* previous = nullptr;
  for (std::size_t b = 1; b < topic.blocks.size(); ++b) {
    const MarkdownBlock& block = topic.blocks[b];
    bool is_in_list = block.kind == Kind::Item && previous != nullptr && previous->kind == Kind::Item;
    if (!is_in_list) text += "\n";
    switch (block.kind) {
      case Kind::Title:
        break;
      case Kind::Heading:
        text += paragraph("", plain(block.text));
        break;
      case Kind::Subheading:
        text += paragraph("  ", plain(block.text));
        break;
      case Kind::Paragraph:
        text += paragraph(body, shown_text(block.text, program));
        break;
      case Kind::Item:
        text += paragraph(body + (block.number.empty() ? "-" : block.number) + " ",
                          shown_text(block.text, program));
        break;
      case Kind::Code:
        for (const std::string& line : narrow_code(block.lines, kTerminalColumns - kBody - kDeeper))
          text += line.empty() ? "\n" : std::string(kBody + kDeeper, ' ') + line + "\n";
        break;
      case Kind::Table:
        text += shown_table(block, program);
        break;
    }
    previous = &block;
  }
  return text;
}

}  // namespace stagemake
