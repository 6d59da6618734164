// Reads a registry's images: lists, manifests and configs, fetched with RegistryAccess and verified. Content
// whose digest differs from the one requested, or from the one that the registry states, is rejected.
//
// Thread rule: one thread, that of the HttpClient.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "registry/registry_access.h"
#include "registry/registry_cache.h"
#include "registry/registry_documents.h"

namespace stagemake {

// A registry's information about an image, without pulling it.
struct RegistryImage {
  std::string name;        // "host:5000/repository:tag" as requested
  std::string digest;      // "sha256:…" of the image's manifest; a pull by digest gets exactly this image
  std::string index = {};  // of the index that the name refers to; empty if it refers to the manifest itself
  Labels labels;           // from the config
  std::int64_t created = 0;                 // seconds since the epoch; 0 if it does not say
  std::string architecture;                 // from the config: "amd64"; empty if it does not say
  std::uint64_t size = 0;                   // bytes of all layers as stored (compressed)
  std::vector<RegistryLayer> layers;        // as in the manifest, lowest first
  std::vector<std::string> layer_ids = {};  // their content ids (RegistryConfig)
};

struct RegistryReading {
  std::optional<RegistryImage> image = {};
  std::string why = {};            // why there is none, safe to print on a terminal
  bool is_something_else = false;  // not an image: a chart, a signature, a build cache
};

// Why an answer is not the requested document: "it answered 404: manifest unknown".
std::string reason_in(const HttpAnswer& answer);

class RegistryReader {
 public:
  using Done = std::function<void(RegistryReading&&)>;
  // Accepts one entry of a list; returns false to end the list.
  using Take = std::function<bool(const std::string&)>;
  // Called at the end of a list; `answer` is the last one, `why` is empty if the list was read to its end.
  using Ended = std::function<void(const HttpAnswer& answer, const std::string& why)>;

  RegistryReader(RegistryAccess& access, RegistryCache& cache, const RegistryLimits& limits)
      : access_(access), cache_(cache), limits_(limits) {}

  // One image by its digest if the name has one, else by its tag. `shown_as` becomes its name.
  void read(const RegistryName& name, const std::string& shown_as, Done done);
  // The entries of the list `key` at `path` ("some/image/tags/list"), page by page, each once. An entry that
  // is not text, or longer than any name, is passed as an empty one. A list that exceeds the limits ends with
  // a reason.
  void list(const RegistryName& name, const std::string& path, const char* key, Take take, Ended ended);

 private:
  struct Reading;
  struct List;
  using ReadingOnce = std::shared_ptr<Reading>;
  struct Config {
    std::optional<RegistryConfig> known;
    std::vector<ReadingOnce> waiting;  // the first one's repository is asked
  };

  void ask_manifest(ReadingOnce reading, const std::string& reference, const char* accept);
  void take_manifest(ReadingOnce reading, const std::string& reference, const HttpAnswer& answer);
  void want_config(ReadingOnce reading);
  void take_config(const std::string& digest, const HttpAnswer& answer);
  void ask_page(std::shared_ptr<List> list, const std::string& query);
  void take_page(std::shared_ptr<List> list, const HttpAnswer& answer);

  RegistryAccess& access_;
  RegistryCache& cache_;
  const RegistryLimits limits_;
  std::map<std::string, std::size_t> entries_;  // in lists, by host
  std::map<std::string, Config> configs_;       // by digest
};

}  // namespace stagemake
