// Images as a registry has them: lists, manifests and configs, fetched by RegistryAccess and verified. Bytes
// that do not have the digest they were asked by, or that the registry says they have, are not believed.
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

#include "engine/registry_access.h"
#include "engine/registry_cache.h"
#include "engine/registry_documents.h"

namespace stagemake {

// What a registry says of an image, without pulling it.
struct RegistryImage {
  std::string name;        // "host:5000/repository:tag" as asked
  std::string digest;      // "sha256:…" of the image's manifest: a pull by it takes this image and no other
  std::string index = {};  // of the index that the name leads to; empty where it leads to the manifest itself
  Labels labels;           // of the config
  std::int64_t created = 0;           // seconds since the epoch; 0 where it does not say
  std::string architecture;           // as the config says: "amd64"; empty where it does not
  std::uint64_t size = 0;             // bytes of all layers as stored (compressed)
  std::vector<RegistryLayer> layers;  // as in the manifest, the first one at the bottom
  std::vector<std::string> layer_ids = {};  // what they hold (RegistryConfig)
};

struct RegistryReading {
  std::optional<RegistryImage> image = {};
  std::string why = {};            // why there is none, fit for a terminal
  bool is_something_else = false;  // it is none: a chart, a signature, a build cache
};

// Why an answer is not what was asked for: "it answered 404: manifest unknown".
std::string reason_in(const HttpAnswer& answer);

class RegistryReader {
 public:
  using Done = std::function<void(RegistryReading&&)>;
  // Takes one entry of a list; false where no more are wanted.
  using Take = std::function<bool(const std::string&)>;
  // The end of a list; `answer` is the last one, `why` empty where the list was read to its end.
  using Ended = std::function<void(const HttpAnswer& answer, const std::string& why)>;

  RegistryReader(RegistryAccess& access, RegistryCache& cache, const RegistryLimits& limits)
      : access_(access), cache_(cache), limits_(limits) {}

  // One image by its tag or, where it has one, its digest. `shown_as` becomes its name.
  void read(const RegistryName& name, const std::string& shown_as, Done done);
  // The entries below `key` at `path` ("some/image/tags/list"), page by page, each once. What is no text, or
  // longer than any name, comes as an empty one. A list that does not end within the limits ends with a
  // reason.
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
  std::map<std::string, std::size_t> entries_;  // of lists, by host
  std::map<std::string, Config> configs_;       // by digest
};

}  // namespace stagemake
