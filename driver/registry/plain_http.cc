#include "registry/plain_http.h"

#include <arpa/inet.h>

#include "base/text/image_name.h"

namespace stagemake {
namespace {

// Empty if anything but a port follows an IPv6 address.
std::string_view without_port(std::string_view host) {
  std::size_t end = host.starts_with('[') ? host.find(']') + 1 : host.find(':');
  bool is_sound = end >= host.size() || host[end] == ':';
  return is_sound ? host.substr(0, end) : std::string_view();
}

}  // namespace

bool is_loopback(std::string_view host) {
  std::string name(without_port(host));
  if (name == "localhost" || name == "[::1]") return true;
  in_addr address{};
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

bool PlainHttp::allows(std::string_view host) const {
  return is_loopback(host) || hosts_.contains(host) || hosts_.contains(without_port(host));
}

bool PlainHttp::allows_image(std::string_view image) const {
  std::string registry = registry_of(image);
  return !registry.empty() && allows(registry);
}

}  // namespace stagemake
