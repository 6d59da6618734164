#include "base/text/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

namespace stagemake {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

// The length of the UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  if (first < 0x80) return 1;
  std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

// The code point of a complete UTF-8 sequence.
char32_t code_point(std::string_view sequence) {
  auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first;
  char32_t code = first & (0x7fu >> sequence.size());
  for (char c : sequence.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fu);
  return code;
}

// Code points that drive a terminal, change the direction of text, start a new line in some programs, have no
// glyph and no width (most of Unicode's Default_Ignorable_Code_Point), or are noncharacters.
struct CodeRange {
  char32_t first, last;
};
constexpr CodeRange kHidden[] = {
    {0x00, 0x08},        // C0, except the tab
    {0x0a, 0x1f},        //
    {0x7f, 0x9f},        // DEL, and C1
    {0xad, 0xad},        // soft hyphen
    {0x34f, 0x34f},      // combining grapheme joiner
    {0x61c, 0x61c},      // Arabic letter mark
    {0x115f, 0x1160},    // Hangul fillers
    {0x17b4, 0x17b5},    // Khmer inherent vowels
    {0x180b, 0x180f},    // Mongolian selectors
    {0x200b, 0x200f},    // zero width space, (non-)joiner, direction marks
    {0x2028, 0x202e},    // line and paragraph separators, direction embeddings and overrides
    {0x2060, 0x206f},    // word joiner, invisible operators, isolates
    {0x3164, 0x3164},    // Hangul filler
    {0xfdd0, 0xfdef},    // noncharacters
    {0xfeff, 0xfeff},    // byte order mark
    {0xffa0, 0xffa0},    // half-width Hangul filler
    {0xfff0, 0xfffb},    // annotation marks
    {0xfffe, 0xffff},    // noncharacters
    {0x1bca0, 0x1bca3},  // shorthand format controls
    {0x1d173, 0x1d17a},  // musical format controls
    {0xe0000, 0xe0fff},  // tags, more variation selectors
};

bool is_hidden(char32_t code) {
  const CodeRange* range = std::lower_bound(std::begin(kHidden), std::end(kHidden), code,
                                            [](const CodeRange& one, char32_t c) { return one.last < c; });
  return (range != std::end(kHidden) && range->first <= code) || (code & 0xfffe) == 0xfffe;
}

bool is_plain_ascii(char c) {
  return (c >= ' ' && c < 0x7f) || c == '\t';
}

// It selects a form of the preceding character, as in many emoji; after ASCII it shows nothing.
bool is_variation_selector(char32_t code) {
  return code >= 0xfe00 && code <= 0xfe0f;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> result;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(kBlanks, at)) != std::string_view::npos) {
    std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    result.push_back(text.substr(at, end - at));
    at = end;
  }
  return result;
}

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    result.push_back(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> result;
  while (true) {
    std::size_t end = text.find(separator);
    result.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return result;
    text.remove_prefix(end + 1);
  }
}

bool lies_below(const std::vector<std::string>& folders, std::string_view path) {
  return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
  });
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string shell_quoted(std::string_view text) {
  constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  if (!text.empty() && text.find_first_not_of(kSafe) == std::string_view::npos) return std::string(text);
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string shell_quoted(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    line += shell_quoted(std::string_view(word));
  }
  return line;
}

std::optional<std::vector<std::string>> shell_words(std::string_view text) {
  std::vector<std::string> result;
  std::optional<std::string> word;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' || c == '$' || c == '`') {
      if (quote != '\'') return std::nullopt;
    }
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        *word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      if (!word) word.emplace();
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (word) result.push_back(std::move(*word));
      word.reset();
    } else if (std::string_view("*?[]|&;<>(){}~#!").find(c) != std::string_view::npos) {
      return std::nullopt;
    } else {
      if (!word) word.emplace();
      *word += c;
    }
  }
  if (quote != 0) return std::nullopt;
  if (word) result.push_back(std::move(*word));
  return result;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool after_sign = false;  // a visible character beyond ASCII
  while (!text.empty()) {
    auto plain = std::find_if(text.begin(), text.end(), [](char c) { return !is_plain_ascii(c); });
    if (auto count = static_cast<std::size_t>(plain - text.begin()); count > 0) {
      result += text.substr(0, count);
      text.remove_prefix(count);
      after_sign = false;
      continue;
    }
    std::size_t length = utf8_length(text);
    char32_t code = length == 0 ? static_cast<unsigned char>(text[0]) : code_point(text.substr(0, length));
    bool is_shown =
        length > 0 && (is_variation_selector(code) ? std::exchange(after_sign, false) : !is_hidden(code));
    if (is_shown)
      result += text.substr(0, length);
    else if (length <= 1)
      result += fmt::format("\\x{:02x}", static_cast<unsigned>(code));
    else
      result += code <= 0xffff ? fmt::format("\\u{:04x}", static_cast<unsigned>(code))
                               : fmt::format("\\U{:08x}", static_cast<unsigned>(code));
    after_sign = is_shown && length > 1 && !is_variation_selector(code);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string printable_lines(std::string_view text) {
  std::string result;
  while (true) {
    std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    result += printable(line);
    if (end == std::string_view::npos) return result;
    result += '\n';
    text.remove_prefix(end + 1);
  }
}

std::string shown(std::string_view word) {
  constexpr std::size_t kMost = 60;
  return word.size() <= kMost ? printable(word) : printable(word.substr(0, kMost)) + "…";
}

std::size_t Listing::shown(std::size_t count, std::size_t most) const {
  return is_whole ? count : std::min(count, most);
}

namespace {

std::string hint(const Listing& listing, std::size_t left_out) {
  return fmt::format("{} lists {}", listing.how, left_out == 1 ? "it" : "them");
}

}  // namespace

std::string Listing::more(std::size_t left_out) const {
  std::string text = fmt::format("and {} more", left_out);
  return how.empty() ? text : text + fmt::format(" ({})", hint(*this, left_out));
}

std::string some_of(const std::vector<std::string>& words, std::size_t most) {
  return some_of(words, Listing{}, most);
}

std::string some_of(const std::vector<std::string>& words, const Listing& listing, std::size_t most) {
  std::size_t named = listing.shown(words.size(), most);
  std::string text =
      printable(join({words.begin(), words.begin() + static_cast<std::ptrdiff_t>(named)}, ", "));
  return words.size() > named ? text + " " + listing.more(words.size() - named) : text;
}

std::string bracketed(const std::vector<std::string>& words, const Listing& listing, std::size_t most) {
  std::string text = some_of(words, {.is_whole = listing.is_whole}, most);
  std::size_t left_out = words.size() - listing.shown(words.size(), most);
  if (left_out > 0 && !listing.how.empty()) text += "; " + hint(listing, left_out);
  return "(" + text + ")";
}

std::string counted(std::size_t count, std::string_view one, std::string_view several) {
  if (count == 1) return fmt::format("1 {}", one);
  return several.empty() ? fmt::format("{} {}s", count, one) : fmt::format("{} {}", count, several);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& known,
                                 std::size_t most) {
  std::vector<std::pair<std::size_t, std::string>> near;
  std::size_t limit = std::max<std::size_t>(2, word.size() / 3);
  for (const std::string& candidate : known) {
    std::size_t gap =
        candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
    if (gap > limit) continue;
    std::size_t distance = edit_distance(word, candidate);
    if (distance <= limit) near.emplace_back(distance, candidate);
  }
  std::sort(near.begin(), near.end());
  std::vector<std::string> result;
  for (std::size_t i = 0; i < near.size() && i < most; ++i) result.push_back(near[i].second);
  return result;
}

std::string duration_text(double seconds) {
  constexpr double kMost = 1e12;
  seconds = seconds > 0 ? std::min(seconds, kMost) : 0;
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::optional<double> duration_in(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"days", 86400}, {"day", 86400}, {"d", 86400}, {"hours", 3600}, {"hour", 3600}, {"h", 3600},
      {"minutes", 60}, {"min", 60},    {"m", 60},    {"seconds", 1},  {"s", 1}};
  double sum = 0;
  std::string_view rest = trimmed(text);
  if (rest.empty()) return std::nullopt;
  while (!rest.empty()) {
    double number = 0;
    auto [end, failed] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (failed != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    rest = trimmed(rest);
    std::size_t letters = std::min(rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), rest.size());
    auto unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                             [&](const auto& one) { return one.first == rest.substr(0, letters); });
    if (unit == std::end(kUnits)) return std::nullopt;
    sum += number * unit->second;
    rest = trimmed(rest.substr(letters));
  }
  return std::min(sum, kLongestDuration);
}

std::string size_text(unsigned long long bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  constexpr std::string_view kUnits[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(kUnits)) value /= 1000, ++unit;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::optional<unsigned long long> size_said(std::string_view text) {
  text = trimmed(text);
  std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  double value = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + digits, value, std::chars_format::fixed);
  if (failed != std::errc() || end != text.data() + digits) return std::nullopt;
  std::string_view unit = trimmed(text.substr(digits));
  if (!unit.empty() && (unit.back() == 'B' || unit.back() == 'b')) unit.remove_suffix(1);
  constexpr std::string_view kLetters = "kmgtp";
  if (unit.size() > 1) return std::nullopt;
  if (!unit.empty()) {
    std::size_t power = kLetters.find(static_cast<char>(unit[0] | 0x20));
    if (power == std::string_view::npos) return std::nullopt;
    for (std::size_t i = 0; i <= power; ++i) value *= 1000;
  }
  if (!(value <= 1e18)) return std::nullopt;
  return static_cast<unsigned long long>(std::llround(value));
}

}  // namespace stagemake
