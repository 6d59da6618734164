// Which registries may be spoken to without checking their certificate, or without TLS at all: those on this
// machine's loopback, as docker has it, and those that somebody named. Knows names; connects to nothing.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

// "127.0.0.1:5000", "localhost", "[::1]:5000": a registry as an image name has it, with or without a port.
bool is_loopback(std::string_view registry);

// Thread rule: `allow` before anything asks.
class PlainHttp {
 public:
  // Each "host" or "host:port", as image names have it.
  void allow(const std::vector<std::string>& hosts) { hosts_.insert(hosts.begin(), hosts.end()); }
  // Of the registry in an image name; false where it names none.
  bool allowed(std::string_view image) const;

 private:
  std::set<std::string> hosts_;
};

}  // namespace stagemake
