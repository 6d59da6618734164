// Rules for connections to hosts: URL parsing, which URLs may be requested, and which certificates are
// trusted besides the system's.
//
// Thread rule: const after construction; all calls from any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "registry/plain_http.h"

namespace stagemake {

struct UrlParts {
  std::string scheme;  // "http" or "https"
  std::string host;    // as in the URL, an IPv6 address in brackets
  std::string port;    // always set

  std::string origin() const { return scheme + "://" + host + ":" + port; }
};

// Nothing if it is not a URL, has another scheme, or contains a user name.
std::optional<UrlParts> url_parts(const std::string& url);

// `text` as a value in a URL's query.
std::string url_encoded(const std::string& text);

class HttpHosts {
 public:
  // `plain_http`: hosts that may be contacted without TLS, in the form of PlainHttp. Certificates of a
  // registry are in FOLDER/HOST:PORT/*.crt as PEM; FOLDER is docker's /etc/docker/certs.d, or
  // $STAGEMAKE_CERTS_D.
  explicit HttpHosts(const std::vector<std::string>& plain_http);

  // Why `url` must not be requested; empty if it may. `from` is the URL that led to it (a redirect, the
  // address of a token server), or empty. Another machine must not lead us to this machine, whatever the
  // scheme, nor to link-local addresses (169.254.0.0/16, fe80::/10), where clouds serve their machines'
  // private data.
  std::string refusal(const std::string& url, const std::string& from) const;
  // Whether a host ("name:5000") may be contacted without TLS.
  bool may_be_plain(const std::string& host) const { return plain_http_.allows(host); }
  // The certificates (PEM) that are trusted for this host, including the system's; empty if only the system's
  // are.
  std::string authorities(const UrlParts& url) const;

 private:
  PlainHttp plain_http_;
  std::string folder_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string> authorities_;  // by host and port
};

}  // namespace stagemake
