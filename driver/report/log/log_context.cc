#include "report/log/log_context.h"

#include <algorithm>

namespace stagemake {
namespace {

constexpr int kException = 80;      // the last line of a traceback
constexpr int kConfigureSaid = 89;  // in config.log: less than the same line on configure's standard error
constexpr std::string_view kConfigLog = "This file contains any messages produced by compilers while";
constexpr int kMachineTrouble = 95;  // from here on, a line outweighs all its consequences (log_rules.cc)

std::size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool is_identifier_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

// `package.module.Name: message`, or only the name.
bool is_named(std::string_view line) {
  std::size_t end =
      static_cast<std::size_t>(std::find_if_not(line.begin(), line.end(), is_identifier_byte) - line.begin());
  return end > 0 && (line[0] < '0' || line[0] > '9') &&
         (end == line.size() || line.substr(end).starts_with(": ") || line.substr(end) == ":");
}

// Removes the bars of an exception group: `  | `, `  + `, `    +-+---`.
std::string_view without_bars(std::string_view line) {
  std::size_t at = indent_of(line);
  if (at == 0 || at + 2 > line.size() || (line[at] != '|' && line[at] != '+') || line[at + 1] != ' ')
    return line;
  return line.substr(at + 2);
}

// The weight of a line that ends a traceback. A consequence (a failed command) remains one, and a full disk
// outweighs everything.
LineWeight exception_weight(std::string_view line) {
  LineWeight weight = line_weight(line);
  if (weight.weight >= kMachineTrouble || (weight.weight > 0 && weight.weight <= kConsequence)) return weight;
  return {kException, true};
}

// `==== FAILURES ====` and similar titles of pytest.
std::string_view pytest_title(std::string_view line) {
  if (!line.starts_with("===") || !line.ends_with("===")) return {};
  std::size_t begin = line.find_first_not_of('=');
  if (begin == std::string_view::npos) return {};
  line = line.substr(begin, line.find_last_not_of('=') + 1 - begin);
  return line.size() > 2 && line.front() == ' ' && line.back() == ' ' ? line.substr(1, line.size() - 2)
                                                                      : std::string_view();
}

// `   18 |   return x;` and `      |   ^~~`, below a compiler's message.
bool is_quoted_by_compiler(std::string_view line) {
  std::size_t at = std::min(line.find_first_not_of(" 0123456789"), line.size());
  if (at < 2 || at == line.size() || line[at] != '|' || line[at - 1] != ' ') return false;
  return at != indent_of(line) || line.substr(at + 1).find_first_not_of(" ^~") == std::string_view::npos;
}

}  // namespace

std::string_view without_drawing(std::string_view line) {
  if (line.starts_with("E   ")) return line.substr(std::min(line.find_first_not_of(' ', 1), line.size()));
  std::string_view text = without_bars(line);
  return is_named(text) ? text : line;
}

LogContext::Weighed LogContext::weigh(std::string_view line) {
  switch (inside_) {
    case Inside::Nothing:
      if (line.starts_with(kConfigLog)) {
        inside_ = Inside::ConfigLog;
        return {.is_quoted = true};
      }
      return may_say_something(line) ? weigh_outside(line) : Weighed();
    case Inside::Traceback:
      return weigh_in_traceback(line);
    case Inside::Pytest:
      return weigh_in_pytest(line);
    case Inside::Usage:
      return weigh_in_usage(line);
    case Inside::ConfigLog:
      return weigh_in_config_log(line);
  }
  return {};
}

LogContext::Weighed LogContext::weigh_outside(std::string_view line) {
  std::string_view text = line.substr(indent_of(line));
  if (line.find("Traceback (most recent call last):") != std::string_view::npos) {
    inside_ = Inside::Traceback;
    std::string_view inner = without_bars(line);
    is_in_group_ = inner.data() != line.data();
    indent_ = indent_of(inner);
    return {.is_quoted = true};
  }
  // A SyntaxError has only this much of a traceback.
  if (text.starts_with("File \"") && line.find("\", line ") != std::string_view::npos &&
      indent_of(line) >= 2) {
    inside_ = Inside::Traceback;
    is_in_group_ = false;
    indent_ = indent_of(line) - 2;
    return {.is_quoted = true};
  }
  if (std::string_view title = pytest_title(line); title == "FAILURES" || title == "ERRORS") {
    inside_ = Inside::Pytest;
    return {.is_quoted = true};
  }
  if (text.starts_with("Usage: ") || text.starts_with("usage: ")) {
    inside_ = Inside::Usage;
    return {.is_quoted = true, .begins_usage = true};
  }
  if (is_quoted_by_compiler(line)) return {.is_quoted = true};
  if (std::string_view inner = without_bars(line); inner.data() != line.data() && is_named(inner))
    return {exception_weight(inner)};
  return {line_weight(line)};
}

LogContext::Weighed LogContext::weigh_in_traceback(std::string_view line) {
  std::string_view text = is_in_group_ ? without_bars(line) : line;
  if (!text.empty() && indent_of(text) > indent_) return {.is_quoted = true};
  inside_ = Inside::Nothing;
  std::string_view message = text.substr(indent_of(text));
  if (text.empty() || !is_named(message)) return weigh_outside(line);
  return {exception_weight(message)};
}

LogContext::Weighed LogContext::weigh_in_pytest(std::string_view line) {
  if (std::string_view title = pytest_title(line);
      !title.empty() && title != "FAILURES" && title != "ERRORS") {
    inside_ = Inside::Nothing;
    return {.is_quoted = true};
  }
  if (failed_target(line).empty() && !line.starts_with("E   ")) return {.is_quoted = true};
  if (!line.starts_with("E   ")) {  // pytest was killed in between
    inside_ = Inside::Nothing;
    return weigh_outside(line);
  }
  std::string_view message = without_drawing(line);
  return is_named(message) ? Weighed{exception_weight(message)} : Weighed();
}

// Most compiler messages there come from checks that were allowed to fail. Messages of configure itself
// follow its name and a line number: "configure:3124: error: …".
LogContext::Weighed LogContext::weigh_in_config_log(std::string_view line) {
  if (line.starts_with("configure: exit ")) inside_ = Inside::Nothing;
  if (!failed_target(line).empty()) {  // its writer was killed
    inside_ = Inside::Nothing;
    return weigh_outside(line);
  }
  std::string_view said = line.starts_with("configure:") ? line.substr(10) : std::string_view();
  said.remove_prefix(std::min(said.find_first_not_of("0123456789"), said.size()));
  if (said.starts_with(": error:")) return {{kConfigureSaid}};
  return {.is_quoted = true};
}

// Usage lines are indented or name an option; the first other line ends the usage.
LogContext::Weighed LogContext::weigh_in_usage(std::string_view line) {
  if (line.empty() || line[0] == ' ' || line[0] == '-' || line[0] == '[' || line.ends_with(":"))
    return {.is_quoted = true};
  inside_ = Inside::Nothing;
  return may_say_something(line) ? weigh_outside(line) : Weighed();
}

}  // namespace stagemake
