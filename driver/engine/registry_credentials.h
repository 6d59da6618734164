// Who a registry takes us for: the user names, passwords and tokens that `docker login`, `podman login` and
// `buildah login` left, in a file or with a credential helper.
//
// Files, the first that knows the registry: $REGISTRY_AUTH_FILE alone where that is set, else
// $DOCKER_CONFIG/config.json (~/.docker/config.json), then $XDG_RUNTIME_DIR/containers/auth.json. In each,
// `credHelpers` comes before `credsStore` before `auths`, as docker has it. They are read when somebody first
// asks. A helper, `docker-credential-NAME get`, gets the registry on its standard input and kHelperPatience.
//
// What is found here appears in no message, argument vector or file.
//
// Thread rule: one thread; a call may take as long as a helper does.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/files.h"

namespace stagemake {

struct RegistryCredential {
  std::string user;
  std::string password;
  std::string identity_token;  // for a token server, instead of the two

  // The value of an Authorization header.
  std::string basic() const;
};

class RegistryCredentials {
 public:
  static constexpr std::chrono::milliseconds kHelperPatience{5000};

  // A request to stop ends a helper that is being asked.
  explicit RegistryCredentials(std::stop_token stop = {});
  ~RegistryCredentials();

  // For a host ("docker.io", "127.0.0.1:5000") and a repository there ("" for none): the most specific entry.
  // Nothing where nobody logged in. What is broken on the way counts as not there, and adds its reason to
  // `problems`.
  std::optional<RegistryCredential> find(const std::string& host, const std::string& repository,
                                         std::vector<std::string>& problems);

 private:
  struct Config;
  void read();
  void read(const fs::path& file);
  std::optional<RegistryCredential> find_in(const Config& config, const std::string& host,
                                            const std::string& repository,
                                            std::vector<std::string>& problems);

  const std::stop_token stop_;
  bool is_read_ = false;
  std::vector<Config> configs_;
  std::vector<std::string> problems_;                               // of reading
  std::map<std::string, std::optional<RegistryCredential>> heard_;  // from helpers, by helper and registry
};

// What RFC 4648 decodes to; nothing where `text` is no base64.
std::optional<std::string> from_base64(std::string_view text);
std::string to_base64(std::string_view bytes);

}  // namespace stagemake
