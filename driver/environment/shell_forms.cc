#include "environment/shell_forms.h"

#include <regex.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "base/files/beneath.h"
#include "base/text/text.h"
#include "environment/package_list.h"

namespace stagemake {
namespace {

// A POSIX pattern as in sed. Patterns that may take very long or match very much are not accepted.
class Pattern {
 public:
  static std::unique_ptr<Pattern> compile(const std::string& text, bool extended) {
    constexpr std::size_t kLongest = 200;
    if (text.empty() || text.size() > kLongest || text.find('\0') != std::string::npos) return nullptr;
    if (text.find_first_of("{*+\n") != std::string::npos) return nullptr;
    for (std::size_t i = 0; i + 1 < text.size(); ++i)
      if (text[i] == '\\' && text[i + 1] != '.' && text[i + 1] != '-' && text[i + 1] != '/') return nullptr;
    auto pattern = std::unique_ptr<Pattern>(new Pattern);
    pattern->compiled_ = ::regcomp(&pattern->regex_, text.c_str(), extended ? REG_EXTENDED : 0) == 0;
    return pattern->compiled_ ? std::move(pattern) : nullptr;
  }
  ~Pattern() {
    if (compiled_) ::regfree(&regex_);
  }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  std::string replace(const std::string& text, const std::string& with, bool all) const {
    std::string result;
    const char* at = text.c_str();
    ::regmatch_t match{};
    for (bool first = true; *at != 0 && ::regexec(&regex_, at, 1, &match, first ? 0 : REG_NOTBOL) == 0;
         first = false) {
      if (match.rm_eo == match.rm_so) break;  // empty match: sed's rules for it are not worth imitating
      result.append(at, static_cast<std::size_t>(match.rm_so)).append(with);
      at += match.rm_eo;
      if (!all) break;
    }
    return result + at;
  }

 private:
  Pattern() = default;
  ::regex_t regex_{};
  bool compiled_ = false;
};

// `s/A/B/[g]`, several separated by `;`.
std::optional<std::string> sed(const std::string& script, bool extended, std::string text) {
  for (std::string_view command : split(script, ';')) {
    command = trimmed(command);
    if (command.empty()) continue;
    if (command.size() < 2 || command[0] != 's') return std::nullopt;
    std::vector<std::string_view> parts = split(command, command[1]);
    if (parts.size() != 4 || (!parts[3].empty() && parts[3] != "g")) return std::nullopt;
    if (parts[1].ends_with('\\') || parts[2].find_first_of("\\&") != std::string_view::npos)
      return std::nullopt;
    auto pattern = Pattern::compile(std::string(parts[1]), extended);
    if (!pattern) return std::nullopt;
    text = pattern->replace(text, std::string(parts[2]), parts[3] == "g");
  }
  return text;
}

// Parses `sed …` as an argument list.
std::optional<std::string> sed_command(std::string_view command, const std::string& input) {
  auto arguments = shell_words(command);
  if (!arguments || arguments->empty() || arguments->front() != "sed") return std::nullopt;
  bool extended = arguments->size() == 3 && ((*arguments)[1] == "-E" || (*arguments)[1] == "-r");
  if (arguments->size() != 2 && !extended) return std::nullopt;
  return sed(arguments->back(), extended, input);
}

// The position of the `)` that ends the command starting at `begin`, after `$(`.
std::size_t end_of_command(std::string_view text, std::size_t begin) {
  unsigned depth = 1;
  char quote = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
    } else if (text[i] == '\'' || text[i] == '"') {
      quote = text[i];
    } else if (text[i] == '(') {
      ++depth;
    } else if (text[i] == ')' && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

// A command's output as the words that an unquoted command substitution gives.
std::string one_line(std::string_view output) {
  std::string line;
  for (std::string_view word : words(output)) line += (line.empty() ? "" : " ") + std::string(word);
  return line;
}

class Expansion {
 public:
  explicit Expansion(const ShellFacts& facts) : facts_(facts) {}

  std::optional<std::string> expand(std::string_view text) const {
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] == '`') return std::nullopt;
      if (text[i] != '$') {
        result += text[i++];
        continue;
      }
      std::optional<std::string> value;
      std::size_t end = i;
      if (text.substr(i).starts_with("$(")) {
        end = end_of_command(text, i + 2);
        if (end == std::string_view::npos) return std::nullopt;
        value = command(trimmed(text.substr(i + 2, end - i - 2)));
        ++end;
      } else {
        value = build_tag(text.substr(i), end);
      }
      if (!value) return std::nullopt;
      result += *value;
      i = end;
    }
    return result;
  }

 private:
  // `$BUILD_TAG` or `${BUILD_TAG}` at the beginning of `text`; moves `end` after it.
  std::optional<std::string> build_tag(std::string_view text, std::size_t& end) const {
    for (std::string_view form : {"$BUILD_TAG", "${BUILD_TAG}"}) {
      if (!text.starts_with(form)) continue;
      char next = text.size() > form.size() ? text[form.size()] : ' ';
      bool longer = form.back() != '}' && (next == '_' || (next >= '0' && next <= '9') ||
                                           (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z'));
      if (longer) return std::nullopt;
      end += form.size();
      return facts_.revision();
    }
    return std::nullopt;
  }

  std::optional<std::string> command(std::string_view text) const {
    if (std::size_t bar = pipe(text); bar != std::string_view::npos) {
      auto input = shell_words(text.substr(0, bar));
      if (!input || input->empty() || input->front() != "echo") return std::nullopt;
      input->erase(input->begin());
      if (!input->empty() && input->front().starts_with('-')) return std::nullopt;
      return sed_command(trimmed(text.substr(bar + 1)), join(*input, " "));
    }
    auto arguments = shell_words(text);
    if (!arguments || arguments->empty()) return std::nullopt;
    const std::string& name = arguments->front();
    if (name == "head") return head(*arguments);
    if (name == "git" && *arguments == std::vector<std::string>{"git", "describe", "--dirty", "--always"})
      return facts_.revision();
    if (name.substr(name.rfind('/') + 1) == "sage-package" && arguments->size() > 1 &&
        (*arguments)[1] == "list")
      return join(
          list_packages(facts_.packages, package_list_query({arguments->begin() + 2, arguments->end()})),
          " ");
    return std::nullopt;
  }

  static std::size_t pipe(std::string_view text) {
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (quote != 0) {
        if (text[i] == quote) quote = 0;
      } else if (text[i] == '\'' || text[i] == '"') {
        quote = text[i];
      } else if (text[i] == '|') {
        return i;
      }
    }
    return std::string_view::npos;
  }

  // head -n 1 FILE. A missing file gives an empty string, as in a shell.
  std::optional<std::string> head(const std::vector<std::string>& arguments) const {
    bool known = (arguments.size() == 4 && arguments[1] == "-n" && arguments[2] == "1") ||
                 (arguments.size() == 3 && (arguments[1] == "-n1" || arguments[1] == "-1"));
    if (!known || arguments.back().starts_with('-')) return std::nullopt;
    std::optional<std::string> content = read_inside(facts_.packages.tree(), arguments.back());
    if (!content) return "";
    return one_line(content->substr(0, content->find('\n')));
  }

  const ShellFacts& facts_;
};

}  // namespace

bool has_shell_text(std::string_view text) {
  return text.find_first_of("$`") != std::string_view::npos;
}

std::optional<std::string> expand_shell_forms(std::string_view text, const ShellFacts& facts) {
  return Expansion(facts).expand(text);
}

}  // namespace stagemake
