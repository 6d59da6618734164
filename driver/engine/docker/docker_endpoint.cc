#include "engine/docker/docker_endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/process/callers_environment.h"
#include "base/text/digest.h"
#include "base/text/json_text.h"
#include "base/text/json_values.h"
#include "base/text/text.h"
#include "engine/container_engine.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::string_view kUsualSocket = "/var/run/docker.sock";
constexpr std::size_t kLongestConfig = 4u << 20;  // bytes
constexpr std::size_t kLongestSocketPath = 107;   // bytes: sockaddr_un

EngineError fault(std::string_view what) {
  return EngineError("docker: " + printable(what));
}

fs::path configuration_folder() {
  if (std::string folder = callers_variable("DOCKER_CONFIG"); !folder.empty()) return folder;
  std::string home = callers_variable("HOME");
  return home.empty() ? fs::path() : fs::path(home) / ".docker";
}

std::optional<json> json_of(const fs::path& file) {
  std::optional<std::string> text = read_file(file, kLongestConfig);
  if (!text) return std::nullopt;
  std::string why;
  std::optional<json> value = json_in(*text, kLongestConfig, &why);
  if (!value) throw fault(fmt::format("{}: {}", file.string(), why));
  return value;
}

fs::path if_exists(const fs::path& file) {
  boost::system::error_code failed;
  return fs::exists(file, failed) ? file : fs::path();
}

DockerEndpoint at_socket(const fs::path& path) {
  if (path.size() > kLongestSocketPath)
    throw fault(fmt::format("{}: too long for the path of a socket: at most {}", path.string(),
                            size_text(kLongestSocketPath)));
  return {.host = "unix://" + path.string(), .socket = path, .url = "http://docker"};
}

// "ssh://user@host:22/run/docker.sock"
DockerEndpoint by_ssh(std::string_view host) {
  std::string_view rest = host.substr(host.find("//") + 2);
  std::string_view authority = rest.substr(0, rest.find('/'));
  std::string_view path = rest.substr(authority.size());
  std::vector<std::string> dialer = {"ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30"};
  std::string_view place =
      authority.substr(authority.find('@') == std::string_view::npos ? 0 : authority.find('@') + 1);
  std::size_t colon = place.rfind(':');
  if (colon != std::string_view::npos && place.find(']', colon) == std::string_view::npos) {
    std::string_view port = place.substr(colon + 1);
    dialer.insert(dialer.end(), {"-p", std::string(port)});
    authority.remove_suffix(port.size() + 1);
  }
  if (authority.empty()) throw fault(fmt::format("{}: names no host", host));
  dialer.insert(dialer.end(), {"--", std::string(authority), "docker"});
  if (path.size() > 1) dialer.insert(dialer.end(), {"--host", shell_quoted("unix://" + std::string(path))});
  dialer.insert(dialer.end(), {"system", "dial-stdio"});
  return {.host = std::string(host), .url = "http://127.0.0.1", .dialer = std::move(dialer)};
}

DockerEndpoint by_tcp(std::string_view host, bool tls) {
  std::size_t scheme = host.find("//");
  std::string_view rest = scheme == std::string_view::npos ? host : host.substr(scheme + 2);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  std::string_view place = rest.substr(0, rest.find('/'));
  if (place.empty() || place.front() == ':') throw fault(fmt::format("{}: names no host", host));
  std::size_t colon = place.rfind(':');
  bool has_port = colon != std::string_view::npos && place.find(']', colon) == std::string_view::npos;
  std::string port = has_port ? "" : tls ? ":2376" : ":2375";
  return {.host = std::string(host),
          .url = fmt::format("{}://{}{}{}", tls ? "https" : "http", place, port, rest.substr(place.size()))};
}

DockerEndpoint at(std::string_view host, bool tls) {
  std::string_view text = trimmed(host);
  if (text.starts_with("unix://")) {
    std::string_view path = text.substr(7);
    return at_socket(fs::path(std::string(path.empty() ? kUsualSocket : path)));
  }
  if (text.starts_with("ssh://")) return by_ssh(text);
  std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || text.starts_with("tcp://") || text.starts_with("http://"))
    return by_tcp(text, tls);
  if (text.starts_with("https://")) return by_tcp(text, true);
  throw fault(fmt::format("{}: only unix://, tcp:// and ssh:// can be reached from here", text));
}

void add_certificates(DockerEndpoint& endpoint, const fs::path& folder) {
  if (folder.empty()) return;
  endpoint.authority = if_exists(folder / "ca.pem");
  endpoint.certificate = if_exists(folder / "cert.pem");
  endpoint.key = if_exists(folder / "key.pem");
}

DockerEndpoint of_context(const std::string& name) {
  fs::path contexts = configuration_folder() / "contexts";
  std::string id = sha256_hex(name);
  std::optional<json> meta = json_of(contexts / "meta" / id / "meta.json");
  if (!meta)
    throw fault(
        fmt::format("there is no context {} (docker context ls lists them; DOCKER_CONTEXT or docker's "
                    "config.json names it)",
                    name));
  json place = member(member(*meta, "Endpoints"), "docker");
  std::string host = text_at(place, "Host");
  if (host.empty()) throw fault(fmt::format("the context {} has no host for docker", name));
  fs::path keys = contexts / "tls" / id / "docker";
  json skips = member(place, "SkipTLSVerify");
  bool is_unchecked = skips.is_boolean() && skips.get<bool>();
  DockerEndpoint endpoint = at(host, is_unchecked || !if_exists(keys).empty());
  endpoint.verifies = !is_unchecked;
  add_certificates(endpoint, keys);
  return endpoint;
}

DockerEndpoint guessed(const fs::path& socket) {
  DockerEndpoint endpoint = at_socket(socket);
  endpoint.is_guess = true;
  return endpoint;
}

DockerEndpoint usual() {
  if (!if_exists(std::string(kUsualSocket)).empty()) return at_socket(std::string(kUsualSocket));
  if (std::string folder = callers_variable("XDG_RUNTIME_DIR"); !folder.empty())
    if (fs::path socket = if_exists(fs::path(folder) / "docker.sock"); !socket.empty())
      return guessed(socket);
  if (std::string home = callers_variable("HOME"); !home.empty())
    for (const char* place : {".docker/desktop/docker.sock", ".docker/run/docker.sock"})
      if (fs::path socket = if_exists(fs::path(home) / place); !socket.empty()) return guessed(socket);
  return at_socket(std::string(kUsualSocket));
}

}  // namespace

DockerEndpoint docker_endpoint(std::string_view host) {
  bool checks = !callers_variable("DOCKER_TLS_VERIFY").empty();
  bool tls = checks || !callers_variable("DOCKER_TLS").empty();
  DockerEndpoint endpoint = at(host, tls);
  if (!endpoint.url.starts_with("https:")) return endpoint;
  std::string folder = callers_variable("DOCKER_CERT_PATH");
  add_certificates(endpoint, folder.empty() ? configuration_folder() : fs::path(folder));
  endpoint.verifies = checks || !tls;
  return endpoint;
}

DockerEndpoint docker_endpoint() {
  if (std::string host = callers_variable("DOCKER_HOST"); !host.empty()) return docker_endpoint(host);
  std::string context = callers_variable("DOCKER_CONTEXT");
  if (context.empty())
    if (std::optional<json> config = json_of(configuration_folder() / "config.json"))
      context = text_at(*config, "currentContext");
  return context.empty() || context == "default" ? usual() : of_context(context);
}

DockerEndpoint docker_endpoint_at(const std::string& place) {
  if (names_context(place)) return of_context(place);
  return place == "default" ? docker_endpoint() : docker_endpoint(place);
}

bool names_context(std::string_view place) {
  return !place.empty() && place != "default" && place.find("://") == std::string_view::npos;
}

}  // namespace stagemake
