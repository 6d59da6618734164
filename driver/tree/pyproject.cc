#include "tree/pyproject.h"

#include <optional>

namespace stagemake {
namespace {

constexpr std::string_view kMacro = "SPKG_INSTALL_REQUIRES_";

constexpr struct {
  std::string_view key;
  PyprojectList list;
} kLists[] = {
    {"requires", PyprojectList::Requires},
    {"build-requires", PyprojectList::BuildRequires},
    {"host-requires", PyprojectList::HostRequires},
    {"dependencies", PyprojectList::Dependencies},
    {"test", PyprojectList::Test},
};

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view without_spaces(std::string_view text) {
  std::size_t first = text.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// The key of a line that opens a list (`key = [`), and the rest of that line.
struct Opening {
  std::string_view key;
  std::string_view rest;
};

std::optional<Opening> list_opening(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && (is_lower(line[end]) || line[end] == '-')) ++end;
  std::string_view rest = without_spaces(line.substr(end));
  if (!rest.starts_with('=')) return std::nullopt;
  rest = without_spaces(rest.substr(1));
  if (!rest.starts_with('[')) return std::nullopt;
  return Opening{line.substr(0, end), rest.substr(1)};
}

PyprojectList list_of(std::string_view key) {
  for (const auto& known : kLists)
    if (known.key == key) return known.list;
  return PyprojectList::Other;
}

// The name at the start of a line of a list; empty if it has none that counts.
std::string name_of(std::string_view line) {
  line = without_spaces(line);
  if (line.starts_with(kMacro)) {
    line.remove_prefix(kMacro.size());
    std::size_t end = 0;
    while (end < line.size() && (is_lower(line[end]) || is_digit(line[end]) || line[end] == '_')) ++end;
    return end > 0 ? std::string(line.substr(0, end)) : std::string(kMacro);
  }
  if (!line.starts_with('"')) return {};
  line.remove_prefix(1);
  if (line.starts_with("pkg:")) {
    std::size_t last = line.rfind('"');
    return last == std::string_view::npos ? std::string() : std::string(line.substr(0, last));
  }
  // A quoted distribution without a version condition: the real tool ignores those with one, too.
  std::size_t end = line.find('"');
  if (end == std::string_view::npos) return {};
  line = line.substr(0, end);
  for (char c : line)
    if (!is_lower(c) && !is_digit(c) && !(c >= 'A' && c <= 'Z') && c != '-' && c != '_' && c != '.')
      return {};
  return "pkg:pypi/" + std::string(line);
}

}  // namespace

std::vector<PyprojectName> pyproject_names(std::string_view text) {
  std::vector<PyprojectName> names;
  PyprojectList list = PyprojectList::Other;
  unsigned number = 0;
  while (!text.empty()) {
    ++number;
    std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (auto opening = list_opening(line)) {
      list = list_of(opening->key);
      line = opening->rest;
    }
    if (line.starts_with(']')) list = PyprojectList::Other;
    if (list == PyprojectList::Other) continue;
    std::string name = name_of(line);
    if (!name.empty()) names.push_back({list, std::move(name), number});
  }
  return names;
}

std::string normalized_purl(std::string_view purl) {
  std::string result(purl);
  for (char& c : result) {
    if (c == '_') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace stagemake
