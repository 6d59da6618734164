#include "emit/run_instruction.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kWidth = 110;
constexpr std::string_view kIgnored = "[ $? -eq 0 ] || echo \"(error ignored)\"";

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), word) != all.end();
}

// One line of a script as a shell reads it: the parts outside of quotes, and where it can be broken.
class ShellLine {
 public:
  explicit ShellLine(std::string_view text) : text_(text) { simple_ = scan() && ends_plainly(); }

  // Joining it with the next line by `;` or nothing keeps its meaning.
  bool simple() const { return simple_; }
  bool needs_semicolon() const { return needs_semicolon_; }

  // The line, with continuations if it is long, after `indent` blanks.
  std::string wrapped(std::size_t indent) const {
    std::string result, line(indent, ' ');
    std::size_t from = 0;
    for (std::size_t i = 0; i <= breaks_.size(); ++i) {
      std::size_t to = i < breaks_.size() ? breaks_[i] : text_.size();
      std::string_view word = text_.substr(from, to - from);
      if (line.size() > indent + 4 && line.size() + word.size() > kWidth - 4) {
        result += line + "\\\n";
        line = std::string(indent + 4, ' ');
      }
      line += word;
      from = to;
    }
    return result + line;
  }

 private:
  enum class Quote { None, Single, Double };

  // False if the line continues in the next one, or contains syntax that depends on lines.
  bool scan() {
    Quote quote = Quote::None;
    int substitutions = 0;  // open `$(` within double quotes
    for (std::size_t i = 0; i < text_.size(); ++i) {
      char c = text_[i];
      if (static_cast<unsigned char>(c) < ' ' && c != '\t') return false;
      if (quote == Quote::Single) {
        if (c == '\'') quote = Quote::None;
        plain_ += 'q';
      } else if (c == '\\') {
        if (++i == text_.size()) return false;
        plain_ += "qq";
      } else if (quote == Quote::Double) {
        // Inside `"$(…)"`, quotes start anew, which is not handled here.
        if (substitutions > 0 && is_one_of(text_.substr(i, 1), {"\"", "'", "#", "`"})) return false;
        if (c == '`') return false;
        if (c == '(' && text_[i - 1] == '$') ++substitutions;
        if (c == ')' && substitutions > 0) --substitutions;
        if (c == '"') quote = Quote::None;
        plain_ += 'q';
      } else {
        bool begins_word =
            plain_.empty() || is_one_of(plain_.substr(plain_.size() - 1), {" ", "\t", ";", "(", "&", "|"});
        if (c == '`' || (c == '#' && begins_word) || text_.substr(i).starts_with("<<")) return false;
        if (c == '\'') quote = Quote::Single;
        if (c == '"') quote = Quote::Double;
        if (c == ' ' && i > 0 && text_[i - 1] != ' ') breaks_.push_back(i + 1);
        plain_ += quote == Quote::None ? c : 'q';
      }
    }
    return quote == Quote::None;
  }

  // Whether the shell sees the end of a command here, or certainly sees none.
  bool ends_plainly() {
    std::vector<std::string_view> all = words(plain_);
    if (all.empty()) return false;
    auto has = [&](std::string_view word) {
      return std::any_of(all.begin(), all.end(),
                         [&](std::string_view one) { return one.substr(0, one.find(';')) == word; });
    };
    if (has("case") != has("esac") || plain_.ends_with("()")) return false;
    std::string_view last = all.back();
    std::string_view before = all.size() > 1 ? all[all.size() - 2] : std::string_view();
    bool at_command = before.empty() || before.ends_with(';') || before.ends_with(')') ||
                      before.ends_with('|') || before.ends_with('&') ||
                      is_one_of(before, {"then", "do", "else", "!", "{", "("});
    if (is_one_of(last, {"then", "do", "else", "elif", "if", "while", "until", "{", "!"})) return at_command;
    if (is_one_of(last, {"in", "for", "case"})) return false;
    needs_semicolon_ =
        !last.ends_with(';') && !last.ends_with('&') && !last.ends_with('|') && !last.ends_with('(');
    return true;
  }

  std::string_view text_;
  std::string plain_;  // as long as the text; quoted characters are `q`
  std::vector<std::size_t> breaks_;
  bool needs_semicolon_ = false;
  bool simple_ = false;
};

// The lines of `script` on one docker line; nothing if the meaning might change.
std::optional<std::string> joined(std::string_view script, bool errors_ignored) {
  std::string text = errors_ignored ? "RUN (set -e" : "RUN set -e";
  bool needs_semicolon = true;
  for (std::string_view line : lines(script)) {
    std::string_view content = trimmed(line);
    if (content.empty()) continue;
    ShellLine shell_line(content);
    if (!shell_line.simple()) return std::nullopt;
    text += needs_semicolon ? "; \\\n" : " \\\n";
    text += shell_line.wrapped(4 + line.find_first_not_of(" \t"));
    needs_semicolon = shell_line.needs_semicolon();
  }
  if (!needs_semicolon) return std::nullopt;  // the script continues after its end
  if (errors_ignored) text += fmt::format("); \\\n    {}", kIgnored);
  return text + "\n";
}

// The script as a JSON string, with one line per line of the script. Docker drops lines that begin with `#`
// even here.
std::string as_json(std::string_view script, bool errors_ignored) {
  std::string whole(script);
  if (errors_ignored) whole = fmt::format("(set -e\n{}\n)\n{}", script, kIgnored);
  std::string text = fmt::format("RUN [\"/bin/sh\", \"{}\", \"", errors_ignored ? "-c" : "-ec");
  for (std::string_view line : lines(whole)) {
    std::string quoted = nlohmann::json(line).dump();
    std::size_t first = line.find_first_not_of(" \t");
    std::size_t mark = quoted.find('#');
    if (first != std::string_view::npos && line[first] == '#') quoted.replace(mark, 1, "\\u0023");
    text += fmt::format("\\\n{}\\n", std::string_view(quoted).substr(1, quoted.size() - 2));
  }
  return text + "\\\n\"]\n";
}

}  // namespace

std::string run_instruction(std::string_view script, bool errors_ignored) {
  if (!is_utf8(script)) throw bad_input("", "a recipe that is not UTF-8 cannot be written to a Dockerfile");
  if (std::optional<std::string> text = joined(script, errors_ignored)) return *text;
  return as_json(script, errors_ignored);
}

}  // namespace stagemake
