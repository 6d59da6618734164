// Asks registries over their HTTP API (distribution spec v2) for images and their labels, many at once,
// without pulling anything.
//
// Has never heard of packages or stages: a label is a label. A registry's faults are values (a problem, a
// reason), never exceptions. All its answers are bounded in size, checked, and made safe for a terminal if
// they enter a message. Logins: registry_credentials.h. TLS and plain HTTP: http_hosts.h.
//
// Thread rule: one thread at a time.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "registry/image_signature.h"
#include "registry/registry_reader.h"

namespace stagemake {

struct RegistryProblem {
  std::string repository;  // as requested
  std::string what;
  bool is_missing = false;  // the registry does not know the repository

  std::string text() const { return repository + ": " + what; }
};

struct RegistrySurvey {
  std::vector<RegistryImage> images;      // by name
  std::vector<RegistryProblem> problems;  // in the order of the repositories
};

struct RegistryAnswer {
  std::vector<std::string> images;  // "host/repository:tag"; without a tag if only the repository is known
  std::string problem;              // why there are none; empty if the registry answered
};

struct RegistryOptions {
  std::vector<std::string> plain_http = {};   // hosts besides loopback that need no TLS (plain_http.h)
  std::vector<std::string> token_hosts = {};  // besides registries' own, these get logins (registry_access.h)
  std::chrono::milliseconds connect_patience{3000};
  std::chrono::milliseconds patience{10000};        // per request, with all its attempts
  std::chrono::milliseconds whole_patience{20000};  // for a whole call
  unsigned tries = 3;  // attempts per request; each after Retry-After, if there is time, or a growing pause
  std::size_t most_images = 5000;  // per survey
  RegistryLimits limits = {};      // of a whole call
  fs::path cache = {};             // folder for configs by digest; empty: no cache
  std::stop_token stop = {};       // ends a call early, like whole_patience
};

class Registry {
 public:
  explicit Registry(RegistryOptions options);
  ~Registry();

  // All images under all tags of these repositories ("host:port/name", without a tag). A repository that is
  // missing, private, slow or broken is reported as a problem, and so is such an image; everything that
  // arrived in time is returned. Anything that is not an image (a chart, a signature) is left out.
  RegistrySurvey survey(const std::vector<std::string>& repositories);
  // One image ("host/name:tag", "host/name@sha256:…", "debian:12" of docker.io); nothing, with the reason in
  // `why`, if it is not available.
  std::optional<RegistryImage> find(const std::string& image, std::string& why);
  // Why registries do not offer these images now, by image; empty for one that is offered. Asks only whether
  // their manifests exist, which does not count as a pull.
  std::map<std::string, std::string> absences(const std::vector<std::string>& images);
  // The signatures of these images ("host/repository@sha256:…"), by image. The caller checks whose they are
  // and whether they are valid; each is about that very digest.
  std::map<std::string, ImageSignatures> signatures(const std::vector<std::string>& images);
  // Adds a signature to an image's existing ones. Returns the reason if that fails, else nothing. Registries
  // have no compare-and-swap: if two clients sign one image at the same moment, one signature may be lost.
  std::string add_signature(const std::string& image, const ImageSignature& signature);
  // The tags of an image's repository. If the registry does not know the repository, the repositories beside
  // it, under the same folder. For an image name without a registry, nothing is asked.
  RegistryAnswer names_beside(const std::string& image);

 private:
  class Call;

  RegistryOptions options_;
  HttpHosts hosts_;
  RegistryCredentials credentials_;
  RegistryCache cache_;
  std::unique_ptr<HttpClient> client_;  // keeps its connections
};

}  // namespace stagemake
