// Where plain HTTP is good enough: on this machine's loopback, as docker has it, and at hosts that somebody
// named. This one rule serves engines and our own questions to registries. Knows names; connects to nothing.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

// Whether a host ("localhost", "127.0.0.1", "[::1]", each with or without ":port") is this machine, by its
// name alone: "127.example.org" is not.
bool is_loopback(std::string_view host);

// Thread rule: `allow` before anything asks.
class PlainHttp {
 public:
  // Each "host:port", or "host" for all its ports.
  void allow(const std::vector<std::string>& hosts) { hosts_.insert(hosts.begin(), hosts.end()); }
  bool allows(std::string_view host) const;
  // Of the registry in an image name; false where it names none.
  bool allows_image(std::string_view image) const;

 private:
  std::set<std::string, std::less<>> hosts_;
};

}  // namespace stagemake
