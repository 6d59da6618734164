#include "base/text/image_name.h"

namespace stagemake {

std::string plain_name(std::string_view name) {
  constexpr std::string_view kLocal = "localhost/";
  return std::string(name.starts_with(kLocal) ? name.substr(kLocal.size()) : name);
}

std::string registry_of(std::string_view name) {
  std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return {};
  std::string_view host = name.substr(0, slash);
  bool names_one = host == "localhost" || host.find_first_of(".:") != std::string_view::npos;
  return names_one ? std::string(host) : std::string();
}

std::string digest_in(std::string_view name) {
  constexpr std::string_view kKind = "sha256:";
  constexpr std::size_t kDigits = 64;
  std::size_t at = name.rfind('@');
  std::string_view digest = at == std::string_view::npos ? std::string_view() : name.substr(at + 1);
  bool right = digest.size() == kKind.size() + kDigits && digest.starts_with(kKind) &&
               digest.find_first_not_of("0123456789abcdef", kKind.size()) == std::string_view::npos;
  return right ? std::string(digest) : std::string();
}

bool fits_in_image_name(std::string_view text) {
  constexpr std::string_view kLettersAndDigits = "abcdefghijklmnopqrstuvwxyz0123456789";
  auto is_alone = [&](std::size_t i) { return kLettersAndDigits.find(text[i]) != std::string_view::npos; };
  if (text.empty() || !is_alone(0) || !is_alone(text.size() - 1)) return false;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && !is_alone(end)) ++end;
    std::string_view between = text.substr(i, end - i);
    if (!between.empty() && between != "." && between != "_" && between != "__" &&
        between.find_first_not_of('-') != std::string_view::npos)
      return false;
    i = end + 1;
  }
  return true;
}

}  // namespace stagemake
