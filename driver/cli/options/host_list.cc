#include "cli/options/host_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/files/files.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestFile = 1u << 20;  // bytes
constexpr unsigned kMost = 100'000;             // slots and jobs
constexpr std::string_view kForm =
    "NAME=ssh://HOST, NAME=tcp://HOST:PORT, NAME=unix:///SOCKET or NAME=CONTEXT";

bool is_host_name(std::string_view name) {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits) && name.front() != '.' &&
         name.front() != '-' && name.front() != '_';
}

std::optional<unsigned> count_in(std::string_view text) {
  unsigned count = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc() || end != text.data() + text.size() || count == 0 || count > kMost)
    return std::nullopt;
  return count;
}

class Reader {
 public:
  void take(const std::string& where, std::string_view text) {
    while (!text.empty()) {
      std::size_t end = text.find_first_of(", \t\r");
      if (std::string_view word = text.substr(0, end); !word.empty()) take_word(where, word);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  std::vector<HostSpec> hosts;
  Faults faults;

 private:
  void take_word(const std::string& where, std::string_view word) {
    std::size_t equals = word.find('=');
    std::string_view name = word.substr(0, equals);
    std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
    if (name == "slots" || name == "jobs" || name == "memory") return take_setting(where, name, value);
    if (!is_host_name(name) || value.empty())
      return faults.add(where, fmt::format("{} is not a host: write {}", shown(word), kForm));
    bool is_known =
        std::any_of(hosts.begin(), hosts.end(), [&](const HostSpec& host) { return host.name == name; });
    if (is_known) return faults.add(where, fmt::format("the host {} occurs twice", name));
    hosts.push_back({.name = std::string(name), .place = std::string(value)});
  }

  void take_setting(const std::string& where, std::string_view name, std::string_view value) {
    if (hosts.empty())
      return faults.add(where, fmt::format("{}= comes before any host: it belongs after its own", name));
    HostSpec& host = hosts.back();
    if (name == "memory") {
      std::optional<unsigned long long> size = size_said(value);
      if (!size) return faults.add(where, fmt::format("memory={}: is a size, as 500M or 12G", shown(value)));
      host.memory = *size;
      return;
    }
    std::optional<unsigned> count = count_in(value);
    if (!count)
      return faults.add(where, fmt::format("{}={}: is a number from 1 to {}", name, shown(value), kMost));
    (name == "slots" ? host.slots : host.at_once) = *count;
  }
};

}  // namespace

std::vector<HostSpec> host_list(const std::string& text) {
  Reader reader;
  if (!text.starts_with('@')) {
    reader.take("--hosts", text);
  } else {
    std::string file = text.substr(1);
    std::optional<std::string> content = read_file(file, kLongestFile);
    if (!content) throw bad_input("--hosts", fmt::format("there is no file {}", shown(file)));
    std::size_t number = 0;
    for (std::string_view line : lines(*content))
      reader.take(fmt::format("{}:{}", printable(file), ++number), line.substr(0, line.find('#')));
  }
  reader.faults.throw_if_any();
  if (reader.hosts.empty()) throw bad_input("--hosts", fmt::format("names no host: write {}", kForm));
  return std::move(reader.hosts);
}

}  // namespace stagemake
