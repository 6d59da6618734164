#include "base/secrets.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace stagemake {
namespace {

constexpr std::string_view kLeftOut = "…";

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_secret_name(std::string_view name) {
  constexpr std::array<std::string_view, 8> kWords = {"token",  "passwd", "password", "passphrase",
                                                      "secret", "apikey", "api_key",  "api-key"};
  std::string lower(name);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  // Not "tokenizer": the word ends the name, or a separator follows.
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    std::size_t at = lower.rfind(word);
    if (at == std::string::npos) return false;
    std::size_t end = at + word.size();
    return end == lower.size() || lower[end] == '_' || lower[end] == '-' || lower.substr(end) == "s";
  });
}

// `https://user:password@host` without the user.
std::string without_user(std::string_view text) {
  std::string result;
  while (true) {
    std::size_t at = text.find("://");
    if (at == std::string_view::npos) return result += text;
    at += 3;
    result += text.substr(0, at);
    text.remove_prefix(at);
    std::string_view authority = text.substr(0, text.find_first_of("/ \t\r\n\"'"));
    std::size_t sign = authority.rfind('@');
    if (sign == std::string_view::npos || authority.substr(0, sign) == "git") continue;
    result += kLeftOut;
    text.remove_prefix(sign);
  }
}

}  // namespace

std::string without_secrets(std::string_view text) {
  std::string urls = without_user(text);
  std::string_view rest = urls;
  std::string result;
  while (true) {
    std::size_t at = rest.find('=');
    if (at == std::string_view::npos) return result += rest;
    std::size_t begin = at;
    while (begin > 0 && is_name_byte(rest[begin - 1])) --begin;
    bool is_secret = is_secret_name(rest.substr(begin, at - begin));
    result += rest.substr(0, at + 1);
    rest.remove_prefix(at + 1);
    if (!is_secret) continue;
    bool is_quoted = !rest.empty() && (rest[0] == '"' || rest[0] == '\'');
    std::size_t end = is_quoted ? rest.find(rest[0], 1) : rest.find_first_of(" \t\r\n\"'&;");
    if (is_quoted && end != std::string_view::npos) ++end;
    end = std::min(end, rest.size());
    if (end > 0) result += kLeftOut;
    rest.remove_prefix(end);
  }
}

}  // namespace stagemake
