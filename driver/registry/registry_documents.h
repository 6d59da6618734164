// Parses a registry's documents: names, tag lists, manifests, configs, challenges. Text in, values out; no
// network. All input comes from strangers: its readers bound the size, the schema is checked here, and a
// violation gives an answer with a reason that is safe to print on a terminal.
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text/labels.h"

namespace stagemake {

struct RegistryLayer {
  std::string digest;      // "sha256:…", of the layer as stored
  std::uint64_t size = 0;  // bytes, as stored
};

// The parts of "host:5000/repository:tag@sha256:…".
struct RegistryName {
  std::string host;  // as written: may be "docker.io"
  std::string repository;
  std::string tag;     // empty if there is none
  std::string digest;  // empty if there is none

  std::string place() const { return host + "/" + repository; }
  // The host that serves the API: docker.io is only a name.
  std::string api_host() const;
};

// The parts of an image's name. A name without a registry belongs to docker.io, as for docker. Nothing, with
// the reason in `why`, if it is not a name.
std::optional<RegistryName> registry_name(const std::string& image, std::string& why);

bool is_tag(std::string_view text);
bool is_sha256(std::string_view text);  // "sha256:" and 64 lower-case hex digits

// A reference to another document.
struct RegistryReference {
  std::string digest;
  std::uint64_t size = 0;
};

// A manifest of an image, or an index, of which only the image for this machine is used.
struct RegistryManifest {
  std::optional<RegistryReference> chosen;  // for an index: the image's manifest
  RegistryReference config;                 // otherwise
  std::vector<RegistryLayer> layers;
  bool is_image = true;  // not a chart, a signature, a build cache, which registries keep beside images
};

// Accept headers for a manifest, and for one that an index names.
extern const char* const kAnyManifest;
extern const char* const kImageManifest;

std::optional<RegistryManifest> read_manifest(std::string_view text, const std::string& architecture,
                                              std::string& why);

struct RegistryConfig {
  Labels labels;
  std::int64_t created = 0;  // seconds since the epoch; 0 if it does not say
  std::string architecture;  // empty if it does not say
  // The content ids of the layers, lowest first, as ImageInfo::layer_ids; empty if it does not say.
  std::vector<std::string> layer_ids = {};
};
std::optional<RegistryConfig> read_config(std::string_view text, std::string& why);

// The texts of the list `key`: "tags" of a tag list, "repositories" of a catalog. Null is an empty list.
std::optional<std::vector<std::string>> read_list(std::string_view text, const char* key, std::string& why);

// The query ("n=100&last=x") of the next page in a Link header; empty if there is none.
std::string next_page(std::string_view link);

// The path, with its query, where a registry accepts an upload: "/v2/…", but some have their own. `location`
// is a Location header, absolute or not. Empty if it is not at `host`.
std::string upload_path(std::string_view location, std::string_view host);

// The first line of a registry's error message: "manifest unknown"; empty if there is none.
std::string registry_complaint(std::string_view text);

struct Challenge {
  std::string scheme;                             // in lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case
};
// The parts of `Bearer realm="…",service="…"`.
Challenge read_challenge(std::string_view header);

}  // namespace stagemake
