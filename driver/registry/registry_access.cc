#include "registry/registry_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/text/json_text.h"
#include "base/text/json_values.h"
#include "base/text/text.h"
#include "registry/registry_documents.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestToken = 64u << 10;  // bytes

// Registries and their token servers, if these have another name.
constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
    {"https://registry-1.docker.io:443", "https://auth.docker.io:443"},
    {"https://registry.gitlab.com:443", "https://gitlab.com:443"}};

// Whether a TLS server complains about plain HTTP, in Go's words or nginx's.
bool wants_tls(const HttpAnswer& answer) {
  if (answer.speaks_something_else) return true;
  return answer.status == 400 && answer.body.find("HTTPS") != std::string::npos;
}

// Selects the challenge to answer: a token is better than a password on every request.
Challenge challenge_of(const HttpAnswer& answer) {
  Challenge basic;
  for (const auto& [name, value] : answer.headers) {
    if (name != "www-authenticate") continue;
    Challenge challenge = read_challenge(value);
    if (challenge.scheme == "bearer") return challenge;
    if (challenge.scheme == "basic") basic = std::move(challenge);
  }
  return basic;
}

bool is_header_value(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

struct RegistryAccess::Asked {
  RegistryQuestion question;
  HttpClient::Done done;
  std::string url;
  std::string used;  // the authorization that was sent
  bool renewed = false;
  HttpAnswer refused;  // the answer with status 401
};

struct RegistryAccess::Login {
  std::string authorization;
  std::vector<AskedOnce> waiting;
  std::optional<RegistryCredential> credential;
  std::string token_url;  // of the running token request
  std::string anonymous_url;
  std::string problem;  // why there is no authorization; then it is not tried again
};

std::string RegistryAccess::refusal_of(const Login& login) {
  return login.credential ? "it refuses the login" : "it requires a login, and none is configured for it";
}

RegistryAccess::RegistryAccess(const HttpHosts& hosts, HttpClient& client, RegistryCredentials& credentials,
                               const RegistryLimits& limits, std::vector<std::string> token_hosts)
    : hosts_(hosts),
      client_(client),
      credentials_(credentials),
      limits_(limits),
      token_hosts_(std::move(token_hosts)) {}
RegistryAccess::~RegistryAccess() = default;

void RegistryAccess::ask(RegistryQuestion question, HttpClient::Done done) {
  auto asked = std::make_shared<Asked>();
  asked->question = std::move(question);
  asked->done = std::move(done);
  send(std::move(asked));
}

RegistryAccess::Login& RegistryAccess::login_of(const Asked& asked) {
  const char* kind = asked.question.method.empty() ? "" : "\nwrites";
  std::unique_ptr<Login>& login = logins_[asked.question.host + "\n" + asked.question.repository + kind];
  if (!login) login = std::make_unique<Login>();
  return *login;
}

void RegistryAccess::send(AskedOnce asked) {
  const RegistryQuestion& question = asked->question;
  if (taken_[question.host] > limits_.bytes) {
    std::string problem =
        fmt::format("it sent more than {} and is not queried again", size_text(limits_.bytes));
    return asked->done({.problem = std::move(problem)});
  }
  bool plain = hosts_.may_be_plain(question.host) && !with_tls_.contains(question.host);
  asked->url = fmt::format("{}://{}{}{}", plain ? "http" : "https", question.host,
                           question.path.starts_with('/') ? "" : "/v2/", question.path);
  asked->used = login_of(*asked).authorization;
  client_.start({.url = asked->url,
                 .accept = question.accept,
                 .authorization = asked->used,
                 .method = question.method,
                 .content = question.content,
                 .content_type = question.content_type,
                 .bytes = question.bytes,
                 .content_range = question.content_range,
                 .patience = question.patience,
                 .silence = question.silence,
                 .only_once = question.only_once,
                 .only_headers = question.only_headers,
                 .limit = question.limit},
                [this, asked](HttpAnswer&& answer) { take(asked, std::move(answer)); });
}

void RegistryAccess::take(AskedOnce asked, HttpAnswer&& answer) {
  taken_[asked->question.host] += answer.body.size();
  if (asked->url.starts_with("http://") && wants_tls(answer)) {
    with_tls_.insert(asked->question.host);
    return send(std::move(asked));
  }
  if (answer.status != 401 || !answer.problem.empty()) return asked->done(std::move(answer));
  Login& login = login_of(*asked);
  if (login.authorization != asked->used) return send(std::move(asked));  // another request got a newer one
  if (login.problem.empty() && asked->renewed) login.problem = refusal_of(login);
  asked->renewed = true;
  asked->refused = std::move(answer);
  login.waiting.push_back(asked);
  if (!login.problem.empty()) return resume(login);
  if (login.waiting.size() == 1) log_in(login, *asked);
}

// Starts to get an authorization; ends with resume().
void RegistryAccess::log_in(Login& login, const Asked& asked) {
  const RegistryQuestion& question = asked.question;
  Challenge challenge = challenge_of(asked.refused);
  std::vector<std::string> broken;
  if (!login.credential) login.credential = credentials_.find(question.host, question.repository, broken);
  for (const std::string& what : broken) complain(question, what);
  if (challenge.scheme == "bearer") return get_token(login, asked, challenge.parameters);
  if (challenge.scheme != "basic")
    login.problem = "it requires an unsupported kind of login";
  else if (!login.credential || login.credential->user.empty())
    login.problem = refusal_of(login);
  else if (std::string basic = login.credential->basic(); login.authorization == basic)
    login.problem = refusal_of(login);
  else
    login.authorization = basic;
  resume(login);
}

void RegistryAccess::get_token(Login& login, const Asked& asked,
                               const std::map<std::string, std::string>& parameters) {
  auto value = [&](const char* name) {
    auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
  };
  std::string realm = value("realm");
  if (std::string refusal = hosts_.refusal(realm, asked.url); !refusal.empty()) {
    login.problem = "its token server is not contacted: " + refusal;
    return resume(login);
  }
  if (login.credential && !may_have_login(asked.url, realm)) {
    UrlParts server = *url_parts(realm);
    std::string host = shown(server.host + (server.port == "443" ? "" : ":" + server.port));
    complain(asked.question,
             fmt::format(
                 "its token server {} is on another host and receives no login (--token-host {} allows it)",
                 host, host));
    login.credential.reset();
  }
  std::string query = "service=" + url_encoded(value("service"));
  std::string scopes = value("scope");
  for (std::string_view scope : words(scopes)) query += "&scope=" + url_encoded(std::string(scope));
  HttpRequest request{.url = realm, .from = asked.url, .limit = kLongestToken};
  login.anonymous_url = realm + (realm.find('?') == std::string::npos ? "?" : "&") + query;
  if (login.credential && !login.credential->identity_token.empty()) {
    request.form = fmt::format("grant_type=refresh_token&client_id=stagemake&refresh_token={}&{}",
                               url_encoded(login.credential->identity_token), query);
  } else {
    request.url = login.anonymous_url;
    if (login.credential) request.authorization = login.credential->basic();
  }
  client_.start(std::move(request),
                [this, &login, question = asked.question, url = asked.url](HttpAnswer&& answer) {
                  bool refused = answer.status == 400 || answer.status == 401 || answer.status == 403;
                  if (!refused || !login.credential) return take_token(login, answer);
                  // An expired login must not prevent anonymous access.
                  complain(question, "its token server refuses the login");
                  login.credential.reset();
                  client_.start({.url = login.anonymous_url, .from = url, .limit = kLongestToken},
                                [this, &login](HttpAnswer&& second) { take_token(login, second); });
                });
}

// A registry's operator chooses the address of its token server, and must not get a password that way.
bool RegistryAccess::may_have_login(const std::string& registry, const std::string& realm) const {
  std::optional<UrlParts> own = url_parts(registry);
  std::optional<UrlParts> server = url_parts(realm);
  if (!own || !server) return false;
  if (own->origin() == server->origin()) return true;
  bool is_known = std::any_of(std::begin(kPairs), std::end(kPairs), [&](const auto& pair) {
    return own->origin() == pair.first && server->origin() == pair.second;
  });
  return is_known || std::any_of(token_hosts_.begin(), token_hosts_.end(), [&](const std::string& host) {
           return host == server->host + ":" + server->port ||
                  (server->port == "443" && host == server->host);
         });
}

void RegistryAccess::take_token(Login& login, const HttpAnswer& answer) {
  nlohmann::json value = json_in(answer.body, kLongestToken).value_or(nullptr);
  std::string token = text_at(value, "token");
  if (token.empty()) token = text_at(value, "access_token");
  if (answer.problem.empty() && answer.status == 200 && is_header_value(token))
    login.authorization = "Bearer " + token;
  else if (!answer.problem.empty())
    login.problem = "its token server: " + answer.problem;
  else if (answer.status != 200)
    login.problem = fmt::format("its token server returned {}: it answered {}",
                                login.credential ? "no token" : "no token without a login", answer.status);
  else
    login.problem = "its token server's answer contains no token";
  resume(login);
}

// Repeats the requests that wait for a login; if there is none, they get that answer.
void RegistryAccess::resume(Login& login) {
  std::vector<AskedOnce> waiting = std::move(login.waiting);
  login.waiting.clear();
  for (AskedOnce& asked : waiting) {
    if (login.problem.empty()) {
      send(std::move(asked));
    } else {
      asked->refused.problem = login.problem;
      asked->done(std::move(asked->refused));
    }
  }
}

void RegistryAccess::complain(const RegistryQuestion& question, const std::string& what) {
  if (complained_.insert(question.host + "\n" + what).second)
    problems_.emplace_back(question.host + "/" + question.repository, what);
}

}  // namespace stagemake
