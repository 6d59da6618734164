// Questions to registries' HTTP API (distribution spec v2), with all that is needed to be heard: TLS or not,
// logins, tokens.
//
// A login goes to the registry's own host and port. A token server elsewhere gets it where it is the one of a
// public registry that is known here (registry-1.docker.io: auth.docker.io; registry.gitlab.com: gitlab.com),
// or where `token_hosts` names it; else it is asked for what everybody may see.
//
// A host is spoken to over TLS. One that HttpHosts lets be plain is asked without first, and with TLS from
// then on where it says that it wants that. A login is only looked for when a registry asks for one. A token
// is kept per host and repository for the life of the object, and renewed when it expires.
//
// Thread rule: one thread, that of the HttpClient.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/http_client.h"
#include "engine/registry_credentials.h"

namespace stagemake {

struct RegistryQuestion {
  std::string host;        // that answers: "127.0.0.1:5000"
  std::string repository;  // for which a token is good; empty: the registry as such
  std::string path;        // after "/v2/"
  std::string accept = {};
  std::size_t limit = 4u << 20;  // bytes of the answer
};

// How much is taken from a registry, so that one without an end costs neither memory nor the time of others.
struct RegistryLimits {
  std::size_t bytes = 256u << 20;  // of all answers of a host; then nothing more is asked of it
  std::size_t entries = 100'000;   // of all lists of a host
  std::size_t pages = 1000;        // of one list
};

class RegistryAccess {
 public:
  RegistryAccess(const HttpHosts& hosts, HttpClient& client, RegistryCredentials& credentials,
                 const RegistryLimits& limits, std::vector<std::string> token_hosts);
  ~RegistryAccess();

  // Queues a question; `done` is called out of HttpClient::run(). Where a login was needed and none was good,
  // the answer's `problem` says so.
  void ask(RegistryQuestion question, HttpClient::Done done);

  // What was broken about logins, with the repository that was asked for; each once.
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
  std::set<std::string> with_tls_;                        // hosts that could be plain and want TLS
  std::map<std::string, std::unique_ptr<Login>> logins_;  // by host and repository
  std::vector<std::pair<std::string, std::string>> problems_;
  std::set<std::string> complained_;  // host and problem
};

}  // namespace stagemake
