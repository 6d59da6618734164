// Which hosts may be spoken to how: what a URL names, what may lead where, whose certificates are believed
// beside the system's.
//
// Thread rule: const after construction; all calls from any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/plain_http.h"

namespace stagemake {

struct UrlParts {
  std::string scheme;  // "http" or "https"
  std::string host;    // as in the URL, an IPv6 address in its brackets
  std::string port;    // always there

  std::string origin() const { return scheme + "://" + host + ":" + port; }
};

// Nothing where it is no URL, has another scheme, or a user name in it.
std::optional<UrlParts> url_parts(const std::string& url);

// `text` as a value in a URL's query.
std::string url_encoded(const std::string& text);

class HttpHosts {
 public:
  // `plain_http`: hosts that may be spoken to without TLS, as PlainHttp takes them. Certificates of a
  // registry lie in FOLDER/HOST:PORT/*.crt as PEM, with docker's own folder /etc/docker/certs.d;
  // $STAGEMAKE_CERTS_D names another.
  explicit HttpHosts(const std::vector<std::string>& plain_http);

  // Why `url` must not be asked; empty where it may. `from` is the URL that led to it (a redirect, the place
  // of a token server), or empty: somebody elsewhere cannot lead us to this machine, whatever the scheme, nor
  // to addresses of the link (169.254.0.0/16, fe80::/10), where clouds keep what their machines may know.
  std::string refusal(const std::string& url, const std::string& from) const;
  // Whether a host ("name:5000") may be spoken to without TLS.
  bool may_be_plain(const std::string& host) const { return plain_http_.allows(host); }
  // The certificates (PEM) that are believed of this host, the system's among them; empty where there are
  // none but the system's.
  std::string authorities(const UrlParts& url) const;

 private:
  PlainHttp plain_http_;
  std::string folder_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string> authorities_;  // by host and port
};

}  // namespace stagemake
