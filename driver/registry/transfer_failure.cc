#include "registry/transfer_failure.h"

#include <charconv>
#include <optional>

namespace stagemake {
namespace {

// The text that docker and the libraries of buildah and podman print before a status.
constexpr std::string_view kBeforeStatus[] = {
    "StatusCode: ",        "HTTP status: ",           "error parsing HTTP ", "status code from registry ",
    "unexpected status: ", "unexpected status code ", "status code: ",
};

// Error codes of the distribution specification, as engines print them, and the engines' own messages.
constexpr std::string_view kPermanent[] = {
    "denied",
    "unauthorized",
    "authentication required",
    "no basic auth",
    "orbidden",
    "name invalid",
    "name unknown",
    "tag invalid",
    "manifest invalid",
    "manifest unknown",
    "manifest unverified",
    "digest invalid",
    "size invalid",
    "unsupported",
    "invalid reference",
    "invalid repository name",
    "does not exist locally",
    "did not resolve to an alias",
    "image not known",
    "x509: ",
    "server gave HTTP response to HTTPS client",
};

std::optional<long> status_in(std::string_view why) {
  for (std::string_view before : kBeforeStatus) {
    std::size_t at = why.find(before);
    if (at == std::string_view::npos) continue;
    long status = 0;
    const char* begin = why.data() + at + before.size();
    auto [end, failed] = std::from_chars(begin, why.data() + why.size(), status);
    if (failed == std::errc() && end == begin + 3 && status >= 400) return status;
  }
  return std::nullopt;
}

// A repository's name may contain any of these words.
std::string without(std::string_view text, std::string_view name) {
  std::string result;
  for (std::size_t at = name.empty() ? text.npos : text.find(name); at != text.npos; at = text.find(name)) {
    result += text.substr(0, at);
    text.remove_prefix(at + name.size());
  }
  return result.append(text);
}

}  // namespace

bool is_transient_status(long status) {
  if (status == 408 || status == 429) return true;
  return status >= 500 && status <= 599 && status != 501 && status != 505;
}

bool is_transient_failure(std::string_view why, std::string_view image) {
  std::string_view repository = image.substr(0, image.find('@'));
  std::size_t colon = repository.rfind(':');
  if (colon != repository.npos && repository.find('/', colon) == repository.npos)
    repository = repository.substr(0, colon);
  std::string text = without(why, repository);
  if (text.find("toomanyrequests") != std::string::npos) return true;
  if (std::optional<long> status = status_in(text)) return is_transient_status(*status);
  for (std::string_view words : kPermanent)
    if (text.find(words) != std::string::npos) return false;
  return true;
}

}  // namespace stagemake
