// What a registry's documents say: names, tag lists, manifests, configs, challenges. Text in, values out;
// knows no network. All of it was written by strangers: sizes are bounded by who reads it, schemas are
// checked here, and what breaks them is an answer with a reason fit for a terminal.
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/container_engine.h"

namespace stagemake {

struct RegistryLayer {
  std::string digest;      // "sha256:…", of the layer as stored
  std::uint64_t size = 0;  // bytes, as stored
};

// "host:5000/repository:tag@sha256:…" in its parts.
struct RegistryName {
  std::string host;  // as written: "docker.io" is one
  std::string repository;
  std::string tag;     // empty where there is none
  std::string digest;  // empty where there is none

  std::string place() const { return host + "/" + repository; }
  // The host that answers for it: docker.io is a name only.
  std::string api_host() const;
};

// The parts of an image's name. A name without a registry is docker.io's, as for docker. Nothing, with the
// reason in `why`, where it is no name.
std::optional<RegistryName> registry_name(const std::string& image, std::string& why);

bool is_tag(std::string_view text);
bool is_sha256(std::string_view text);  // "sha256:" and 64 lower-case hex digits

// A descriptor of another document.
struct RegistryReference {
  std::string digest;
  std::uint64_t size = 0;
};

// A manifest: either of an image, or an index, of which only the image for this machine is taken.
struct RegistryManifest {
  std::optional<RegistryReference> chosen;  // in an index: the image's manifest
  RegistryReference config;                 // else
  std::vector<RegistryLayer> layers;
  bool is_image = true;  // not a chart, a signature, a build cache: what registries keep beside images
};

// Accept headers for a manifest, and for one that an index names.
extern const char* const kAnyManifest;
extern const char* const kImageManifest;

std::optional<RegistryManifest> read_manifest(std::string_view text, const std::string& architecture,
                                              std::string& why);

struct RegistryConfig {
  Labels labels;
  std::int64_t created = 0;  // seconds since the epoch; 0 where it does not say
  std::string architecture;  // empty where it does not say
  // What the layers hold, from the lowest on, as ImageInfo::layer_ids; empty where it does not say.
  std::vector<std::string> layer_ids = {};
};
std::optional<RegistryConfig> read_config(std::string_view text, std::string& why);

// The texts in a list below `key`: "tags" of a tag list, "repositories" of a catalog. Null is an empty list.
std::optional<std::vector<std::string>> read_list(std::string_view text, const char* key, std::string& why);

// The query ("n=100&last=x") of the next page in a Link header; empty where it names none.
std::string next_page(std::string_view link);

// The first line of what a registry says is wrong: "manifest unknown"; empty where it says nothing.
std::string registry_complaint(std::string_view text);

struct Challenge {
  std::string scheme;                             // in lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case
};
// `Bearer realm="…",service="…"` in its parts.
Challenge read_challenge(std::string_view header);

}  // namespace stagemake
