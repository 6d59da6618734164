// Decides which hosts may be contacted over plain HTTP: this machine's loopback, as for docker, and hosts
// that the user named. Engines and our own registry requests share this rule. Judges names only; connects to
// nothing.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

// Whether a host ("localhost", "127.0.0.1", "[::1]", each with or without ":port") is this machine, judged by
// its name alone: "127.example.org" is not.
bool is_loopback(std::string_view host);

// Thread rule: call `allow` before all other members.
class PlainHttp {
 public:
  // Each is "host:port", or "host" for all its ports.
  void allow(const std::vector<std::string>& hosts) { hosts_.insert(hosts.begin(), hosts.end()); }
  bool allows(std::string_view host) const;
  // The same for the registry in an image name; false if it names none.
  bool allows_image(std::string_view image) const;

 private:
  std::set<std::string, std::less<>> hosts_;
};

}  // namespace stagemake
