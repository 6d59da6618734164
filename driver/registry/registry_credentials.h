// Credentials for registries: the user names, passwords and tokens that `docker login`, `podman login` and
// `buildah login` stored in a file or with a credential helper.
//
// The first file that knows the registry counts: $REGISTRY_AUTH_FILE alone if it is set, else
// $DOCKER_CONFIG/config.json (~/.docker/config.json), then $XDG_RUNTIME_DIR/containers/auth.json. In each,
// `credHelpers` comes before `credsStore` before `auths`, as for docker. They are read on first use. A
// helper, `docker-credential-NAME get`, gets the registry on its standard input and has kHelperPatience to
// answer.
//
// Credentials never appear in a message, argument vector or file.
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

#include "base/files/files.h"

namespace stagemake {

struct RegistryCredential {
  std::string user;
  std::string password;
  std::string identity_token;  // for a token server, instead of user and password

  // The value of an Authorization header.
  std::string basic() const;
};

class RegistryCredentials {
 public:
  static constexpr std::chrono::milliseconds kHelperPatience{5000};

  // A stop request ends a running helper.
  explicit RegistryCredentials(std::stop_token stop = {});
  ~RegistryCredentials();

  // The most specific entry for a host ("docker.io", "127.0.0.1:5000") and a repository on it ("" for none).
  // Nothing if there is no login. A broken file, entry or helper counts as missing, and its reason is added
  // to `problems`.
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
  std::vector<std::string> problems_;                               // from reading the files
  std::map<std::string, std::optional<RegistryCredential>> heard_;  // from helpers, by helper and registry
};

// Decodes base64 (RFC 4648); nothing if `text` is not base64.
std::optional<std::string> from_base64(std::string_view text);
std::string to_base64(std::string_view bytes);

}  // namespace stagemake
