// What registries have, asked over their HTTP API (distribution spec v2) without pulling anything: images
// with their labels, many at once.
//
// Has never heard of packages or stages: a label is a label. What a registry does wrong is a value (a
// problem, a reason), never an exception; all that it says is bounded in size, checked, and made fit for a
// terminal where it enters a message. Logins: registry_credentials.h. TLS and plain HTTP: http_hosts.h.
//
// Thread rule: one thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/registry_reader.h"

namespace stagemake {

struct RegistryProblem {
  std::string repository;  // as asked
  std::string what;
  bool is_missing = false;  // the registry does not know the repository

  std::string text() const { return repository + ": " + what; }
};

struct RegistrySurvey {
  std::vector<RegistryImage> images;      // by name
  std::vector<RegistryProblem> problems;  // in the order of the repositories
};

struct RegistryAnswer {
  std::vector<std::string> images;  // "host/repository:tag"; without a tag where only the repository is known
  std::string problem;              // why there are none; empty where the registry answered
};

struct RegistryOptions {
  std::vector<std::string> plain_http = {};   // hosts that need no TLS beside loopback (plain_http.h)
  std::vector<std::string> token_hosts = {};  // that get logins beside registries' own (registry_access.h)
  std::chrono::milliseconds connect_patience{3000};
  std::chrono::milliseconds patience{10000};        // per request, with all its tries
  std::chrono::milliseconds whole_patience{20000};  // for a whole call
  unsigned tries = 3;  // per request; after Retry-After, where there is time for it, or a growing pause
  std::size_t most_images = 5000;  // that one survey looks at
  RegistryLimits limits = {};      // of a whole call
  fs::path cache = {};             // folder for configs by digest; empty: none is kept
  std::stop_token stop = {};       // ends a call early, as whole_patience does
};

class Registry {
 public:
  explicit Registry(RegistryOptions options);
  ~Registry();

  // All images under all tags of these repositories ("host:port/name", without a tag). A repository that is
  // missing, private, slow or broken is a problem, and so is an image in it; what came in time is there.
  // What is no image (a chart, a signature) is left out.
  RegistrySurvey survey(const std::vector<std::string>& repositories);
  // One image ("host/name:tag", "host/name@sha256:…", "debian:12" of docker.io); nothing, with the reason in
  // `why`, where it is not to be had.
  std::optional<RegistryImage> find(const std::string& image, std::string& why);
  // The tags of an image's repository; where the registry does not know that repository, those beside it,
  // under the same folder. An image whose name has no registry is not asked for.
  RegistryAnswer names_beside(const std::string& image);

 private:
  class Call;

  RegistryOptions options_;
  HttpHosts hosts_;
  RegistryCredentials credentials_;
  RegistryCache cache_;
  std::unique_ptr<HttpClient> client_;  // for its connections
};

}  // namespace stagemake
