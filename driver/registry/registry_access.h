// Requests to registries' HTTP API (distribution spec v2), including TLS or plain HTTP, logins and tokens.
//
// A login is sent to the registry's own host and port. A token server elsewhere gets it if it belongs to a
// public registry that is known here (registry-1.docker.io: auth.docker.io; registry.gitlab.com: gitlab.com),
// or if `token_hosts` names it; otherwise we ask it for anonymous access.
//
// Hosts are contacted over TLS. A host that HttpHosts allows to be plain is asked without TLS first, and with
// TLS once it says that it wants TLS. Logins are looked up only when a registry asks for one. A token is kept
// per host and repository for the life of the object, and renewed when it expires.
//
// Thread rule: one thread, that of the HttpClient.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/http_client.h"
#include "registry/registry_credentials.h"

namespace stagemake {

struct RegistryQuestion {
  std::string host;        // the host that answers: "127.0.0.1:5000"
  std::string repository;  // the repository that the token is for; empty: the registry as such
  std::string path;        // after "/v2/"; or, with a leading "/", the whole path
  std::string accept = {};
  std::size_t limit = 4u << 20;  // bytes of the answer
  // For a request that writes: its method, content and content type. Such a request gets its own token.
  std::string method = {};
  std::string content = {};
  std::string content_type = {};
  // As for HttpRequest:
  std::string_view bytes = {};
  std::string content_range = {};
  std::chrono::milliseconds patience{0};
  std::chrono::milliseconds silence{0};
  bool only_once = false;
  bool only_headers = false;  // only whether it exists; the answer has no body
};

// Limits on what a registry may send, so that an endless answer costs neither memory nor other requests'
// time.
struct RegistryLimits {
  std::size_t bytes = 256u << 20;  // of all answers of a host; after that, it is not asked again
  std::size_t entries = 100'000;   // of all lists of a host
  std::size_t pages = 1000;        // of one list
};

class RegistryAccess {
 public:
  RegistryAccess(const HttpHosts& hosts, HttpClient& client, RegistryCredentials& credentials,
                 const RegistryLimits& limits, std::vector<std::string> token_hosts);
  ~RegistryAccess();

  // Queues a request; HttpClient::run() calls `done`. If a login was needed and none worked, the answer's
  // `problem` says so.
  void ask(RegistryQuestion question, HttpClient::Done done);

  // Problems with logins, each once, with the repository that was requested.
  const std::vector<std::pair<std::string, std::string>>& problems() const { return problems_; }

 private:
  struct Asked;
  struct Login;
  using AskedOnce = std::shared_ptr<Asked>;

  void send(AskedOnce asked);
  void take(AskedOnce asked, HttpAnswer&& answer);
  static std::string refusal_of(const Login& login);
  Login& login_of(const Asked& asked);
  void log_in(Login& login, const Asked& asked);
  void get_token(Login& login, const Asked& asked, const std::map<std::string, std::string>& parameters);
  void take_token(Login& login, const HttpAnswer& answer);
  void resume(Login& login);
  bool may_have_login(const std::string& registry, const std::string& realm) const;
  void complain(const RegistryQuestion& question, const std::string& what);

  const HttpHosts& hosts_;
  HttpClient& client_;
  RegistryCredentials& credentials_;
  const RegistryLimits limits_;
  const std::vector<std::string> token_hosts_;            // "host:port", or "host" for port 443
  std::map<std::string, std::size_t> taken_;              // bytes, by host
  std::set<std::string> with_tls_;                        // hosts that may be plain but want TLS
  std::map<std::string, std::unique_ptr<Login>> logins_;  // by host and repository
  std::vector<std::pair<std::string, std::string>> problems_;
  std::set<std::string> complained_;  // host and problem
};

}  // namespace stagemake
