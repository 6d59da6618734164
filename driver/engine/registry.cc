#include "engine/registry.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr long kConnectSeconds = 3, kSeconds = 6;
constexpr std::size_t kAnswerLimit = 4u << 20;  // bytes

struct Response {
  long status = 0;
  std::string body;
  std::string challenge;  // WWW-Authenticate
  std::string problem;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* into) {
  std::string& body = *static_cast<std::string*>(into);
  if (body.size() + size * count > kAnswerLimit) return 0;
  body.append(data, size * count);
  return size * count;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* into) {
  constexpr std::string_view kName = "www-authenticate:";
  std::string_view line(data, size * count);
  bool same = line.size() > kName.size() &&
              std::equal(kName.begin(), kName.end(), line.begin(),
                         [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); });
  if (same) *static_cast<std::string*>(into) = std::string(trimmed(line.substr(kName.size())));
  return size * count;
}

Response get(const std::string& url, const std::string& token) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  Response response;
  if (!curl) return {.problem = "libcurl does not start"};
  if (!token.empty()) headers.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + token).c_str()));
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "stagemake/" STAGEMAKE_VERSION);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &response.body);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &response.challenge);
  CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) response.problem = curl_easy_strerror(code);
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &response.status);
  return response;
}

// `Bearer realm="…",service="…",scope="…"` → its parts.
std::map<std::string, std::string> parts_of(std::string_view challenge) {
  constexpr std::string_view kBearer = "Bearer ";
  std::map<std::string, std::string> parts;
  if (!challenge.starts_with(kBearer)) return parts;
  std::string_view rest = challenge.substr(kBearer.size());
  while (!rest.empty()) {
    std::size_t equals = rest.find("=\"");
    std::size_t end = equals == std::string_view::npos ? equals : rest.find('"', equals + 2);
    if (end == std::string_view::npos) break;
    parts[std::string(trimmed(rest.substr(0, equals)))] =
        std::string(rest.substr(equals + 2, end - equals - 2));
    rest.remove_prefix(end + 1);
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
  return parts;
}

std::string url_encoded(const std::string& text) {
  std::unique_ptr<char, decltype(&curl_free)> encoded(
      curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size())), curl_free);
  return encoded ? encoded.get() : "";
}

// A token that the registry's token server gives to anyone; empty where it gives none.
std::string anonymous_token(const std::string& challenge) {
  std::map<std::string, std::string> parts = parts_of(challenge);
  if (!parts["realm"].starts_with("https://") && !parts["realm"].starts_with("http://127.0.0.1")) return {};
  std::string url =
      parts["realm"] + "?service=" + url_encoded(parts["service"]) + "&scope=" + url_encoded(parts["scope"]);
  json answer = json::parse(get(url, "").body, nullptr, false);
  for (const char* key : {"token", "access_token"})
    if (answer.is_object() && answer.contains(key) && answer[key].is_string()) return answer[key];
  return {};
}

Response get_with_token(const std::string& url) {
  Response response = get(url, "");
  if (response.status != 401 || response.challenge.empty()) return response;
  std::string token = anonymous_token(response.challenge);
  return token.empty() ? response : get(url, token);
}

std::vector<std::string> strings_in(const std::string& body, const char* key) {
  json parsed = json::parse(body, nullptr, false);
  std::vector<std::string> strings;
  if (!parsed.is_object() || !parsed.contains(key) || !parsed[key].is_array()) return strings;
  for (const json& one : parsed[key])
    if (one.is_string()) strings.push_back(one.get<std::string>());
  std::sort(strings.begin(), strings.end());
  return strings;
}

std::string problem_of(const Response& response) {
  if (!response.problem.empty()) return response.problem;
  return fmt::format("it answered {}", response.status);
}

}  // namespace

RegistryAnswer ask_registry(const std::string& image) {
  std::size_t slash = image.find('/');
  std::string host = image.substr(0, slash);
  bool named =
      slash != std::string::npos && (host.find_first_of(".:") != std::string::npos || host == "localhost");
  if (!named) return {.images = {}, .problem = "the name has no registry"};
  std::string repository = image.substr(slash + 1);
  repository.erase(std::min(repository.find_first_of("@:"), repository.size()));  // of tag and digest
  bool here = host.starts_with("127.") || host.starts_with("localhost");
  std::string api = (here ? "http://" : "https://") + host + "/v2/";

  RegistryAnswer answer;
  Response tags = get_with_token(api + repository + "/tags/list");
  if (tags.status == 200) {
    for (const std::string& tag : strings_in(tags.body, "tags"))
      answer.images.push_back(host + "/" + repository + ":" + tag);
    return answer;
  }
  Response catalog = tags.status == 404 ? get_with_token(api + "_catalog?n=1000") : Response();
  if (catalog.status != 200) {
    answer.problem = problem_of(tags);
    return answer;
  }
  std::string folder = repository.substr(0, repository.rfind('/') + 1);
  for (const std::string& one : strings_in(catalog.body, "repositories"))
    if (one.starts_with(folder)) answer.images.push_back(host + "/" + one);
  return answer;
}

}  // namespace stagemake
