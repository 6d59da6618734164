#include "registry/http_hosts.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "base/files/files.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kMostCertificates = 16u << 20;  // bytes

std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::unique_ptr<char, decltype(&curl_free)> owned(text, curl_free);
  return text;
}

// The certificates that libcurl trusts by default. (It also keeps using its certificate folder.)
std::string system_authorities() {
  const curl_version_info_data* version = curl_version_info(CURLVERSION_NOW);
  const char* file = version->age >= CURLVERSION_SEVENTH ? version->cainfo : nullptr;
  return file == nullptr ? std::string() : read_file(file, kMostCertificates).value_or("");
}

std::string certificates_in(const fs::path& folder) {
  std::string all;
  boost::system::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
    if (at->path().extension() == ".crt") all += read_file(at->path()).value_or("") + "\n";
  return all;
}

// Addresses that mean a different machine on each machine.
bool is_near(const std::string& host) {
  if (is_loopback(host) || host == "localhost." || host.ends_with(".localhost")) return true;
  if (in_addr address{}; ::inet_pton(AF_INET, host.c_str(), &address) == 1) {
    std::uint32_t bits = ntohl(address.s_addr);
    return bits >> 24 == 0 || bits >> 16 == 0xa9fe;
  }
  if (!host.starts_with('[')) return false;
  in6_addr address{};
  if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) != 1)
    return true;  // it has a zone
  bool is_inside_ipv4 = IN6_IS_ADDR_V4MAPPED(&address) || IN6_IS_ADDR_V4COMPAT(&address);
  return is_inside_ipv4 || IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_UNSPECIFIED(&address) ||
         IN6_IS_ADDR_LINKLOCAL(&address);
}

}  // namespace

std::optional<UrlParts> url_parts(const std::string& url) {
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK)
    return std::nullopt;
  UrlParts parts{part(parsed.get(), CURLUPART_SCHEME), part(parsed.get(), CURLUPART_HOST),
                 part(parsed.get(), CURLUPART_PORT)};
  bool is_web = parts.scheme == "http" || parts.scheme == "https";
  if (!is_web || parts.host.empty()) return std::nullopt;
  return parts;
}

std::string url_encoded(const std::string& text) {
  std::unique_ptr<char, decltype(&curl_free)> encoded(
      curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size())), curl_free);
  return encoded ? encoded.get() : "";
}

HttpHosts::HttpHosts(const std::vector<std::string>& plain_http) {
  plain_http_.allow(plain_http);
  const char* folder = std::getenv("STAGEMAKE_CERTS_D");
  folder_ = folder != nullptr && *folder != '\0' ? folder : "/etc/docker/certs.d";
}

std::string HttpHosts::refusal(const std::string& url, const std::string& from) const {
  std::optional<UrlParts> parts = url_parts(url);
  if (!parts) return "it refers to an invalid web address: " + shown(url);
  std::string host = parts->host + ":" + parts->port;
  std::optional<UrlParts> before = from.empty() ? parts : url_parts(from);
  bool is_from_here =
      before && (before->host == parts->host || (is_loopback(before->host) && is_loopback(parts->host)));
  if (is_near(parts->host) && !is_from_here)
    return fmt::format("it refers to {}, an address local to this machine", shown(host));
  if (parts->scheme == "https" || may_be_plain(host)) return {};
  return fmt::format("it refers to {} without TLS, which is not allowed", shown(host));
}

std::string HttpHosts::authorities(const UrlParts& url) const {
  std::lock_guard lock(mutex_);
  auto [known, fresh] = authorities_.try_emplace(url.host + ":" + url.port);
  if (!fresh) return known->second;
  try {
    std::string extra = certificates_in(fs::path(folder_) / (url.host + ":" + url.port));
    if (url.port == "443") extra += certificates_in(fs::path(folder_) / url.host);
    if (!extra.empty()) known->second = system_authorities() + "\n" + extra;
  } catch (const Error&) {
    // An unreadable certificate is not trusted: the connection then reports that the certificate is unknown.
  }
  return known->second;
}

}  // namespace stagemake
