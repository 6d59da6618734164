#include "engine/process_table.h"

#include <charconv>
#include <optional>

#include "base/secrets.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestCommand = 200;    // bytes
constexpr std::size_t kLongestRead = 16 << 10;  // bytes of a command line that are examined

std::optional<long> number(std::string_view text) {
  long value = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

// Removes and returns the first word.
std::string_view next_word(std::string_view& line) {
  line = trimmed(line);
  std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

double unit_seconds(std::string_view unit) {
  if (unit == "h") return 3600;
  if (unit == "m") return 60;
  if (unit == "ms") return 1e-3;
  if (unit == "us" || unit == "µs") return 1e-6;
  if (unit == "ns") return 1e-9;
  return 1;
}

}  // namespace

double processor_seconds(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789.";
  double seconds = 0;
  while (!text.empty()) {
    double value = 0;
    auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return 0;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    std::string_view unit = text.substr(0, text.find_first_of(kDigits));
    seconds += value * unit_seconds(unit);
    text.remove_prefix(unit.size());
  }
  return seconds;
}

std::string command_text(std::string_view line) {
  // Removes secrets before cutting: a URL that is cut off may hide that a password is in it.
  std::string clean = without_secrets(line.substr(0, kLongestRead));
  std::string text = printable(trimmed(std::string_view(clean).substr(0, kLongestCommand)));
  if (text.size() <= kLongestCommand) return text;
  std::size_t end = kLongestCommand;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not inside a character
  return text.substr(0, end);
}

std::vector<ContainerProcess> process_table(std::string_view printed) {
  std::vector<ContainerProcess> table;
  for (std::string_view line : lines(printed)) {
    std::optional<long> process = number(next_word(line));
    std::optional<long> parent = number(next_word(line));
    if (!process || !parent) continue;
    double seconds = processor_seconds(next_word(line));
    table.push_back({*process, *parent, seconds, command_text(line)});
  }
  return table;
}

}  // namespace stagemake
