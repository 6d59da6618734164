#include "engine/plain_http.h"

#include "engine/engine_program.h"

namespace stagemake {

bool is_loopback(std::string_view registry) {
  if (registry.starts_with("[::1]")) return registry.size() == 5 || registry[5] == ':';
  std::string_view host = registry.substr(0, registry.find(':'));
  // All of 127.0.0.0/8, and no name that begins like it ("127.0.0.1.example.org").
  bool address = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return address || host == "localhost";
}

bool PlainHttp::allowed(std::string_view image) const {
  std::string registry = registry_of(image);
  return !registry.empty() && (is_loopback(registry) || hosts_.contains(registry));
}

}  // namespace stagemake
