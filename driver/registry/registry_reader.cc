#include "registry/registry_reader.h"

#include <fmt/format.h>

#include "base/process/machine.h"
#include "base/text/digest.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kLargestList = 4u << 20, kLargestManifest = 4u << 20,
                      kLargestConfig = 8u << 20;  // bytes
constexpr std::size_t kLongestEntry = 255;        // bytes of a repository's name; a tag has at most 128
constexpr std::size_t kPage = 1000;  // entries that we request; a registry may send more or fewer

void give(const RegistryReader::Done& done, std::string why) {
  done({.why = std::move(why)});
}

}  // namespace

std::string reason_in(const HttpAnswer& answer) {
  if (!answer.problem.empty()) return answer.problem;
  std::string complaint = registry_complaint(answer.body);
  return fmt::format("it answered {}{}{}", answer.status, complaint.empty() ? "" : ": ", complaint);
}

struct RegistryReader::Reading {
  RegistryName name;
  RegistryImage image;
  RegistryReference config;
  Done done;

  void finish(const RegistryConfig& known) {
    image.labels = known.labels;
    image.created = known.created;
    image.architecture = known.architecture;
    image.layer_ids = known.layer_ids;
    done({.image = std::move(image)});
  }
};

struct RegistryReader::List {
  RegistryName name;
  std::string path;
  const char* key;
  Take take;
  Ended ended;
  std::set<std::string> seen = {};
  std::size_t pages = 0;
};

void RegistryReader::read(const RegistryName& name, const std::string& shown_as, Done done) {
  auto reading = std::make_shared<Reading>();
  reading->name = name;
  reading->image.name = shown_as;
  reading->done = std::move(done);
  std::string tag = name.tag.empty() ? "latest" : name.tag;
  ask_manifest(std::move(reading), name.digest.empty() ? tag : name.digest, kAnyManifest);
}

void RegistryReader::ask_manifest(ReadingOnce reading, const std::string& reference, const char* accept) {
  const RegistryName& name = reading->name;
  RegistryQuestion question{name.api_host(), name.repository,
                            fmt::format("{}/manifests/{}", name.repository, reference), accept,
                            kLargestManifest};
  access_.ask(std::move(question),
              [this, reading, reference](HttpAnswer&& answer) { take_manifest(reading, reference, answer); });
}

void RegistryReader::take_manifest(ReadingOnce reading, const std::string& reference,
                                   const HttpAnswer& answer) {
  if (answer.status != 200 || !answer.problem.empty()) return give(reading->done, reason_in(answer));
  std::string digest = "sha256:" + sha256_hex(answer.body);
  std::string said = answer.header("docker-content-digest");
  if (is_sha256(reference) && reference != digest)
    return give(reading->done, "its manifest does not match the requested digest: " + reference);
  if (!said.empty() && said != digest)
    return give(reading->done,
                "its manifest does not match the digest that the registry reports: " + shown(said));
  std::string why;
  std::optional<RegistryManifest> manifest = read_manifest(answer.body, machine_architecture(), why);
  if (!manifest) return give(reading->done, why);
  if (manifest->chosen && manifest->chosen->size > kLargestManifest)
    return give(reading->done, "its manifest is longer than " + size_text(kLargestManifest));
  if (manifest->chosen) {
    if (!reading->image.index.empty()) return give(reading->done, "its index refers to another index");
    reading->image.index = digest;
    return ask_manifest(reading, manifest->chosen->digest, kImageManifest);
  }
  if (!manifest->is_image) return reading->done({.why = "it is not an image", .is_something_else = true});
  reading->image.digest = digest;
  for (const RegistryLayer& layer : manifest->layers) reading->image.size += layer.size;
  reading->image.layers = std::move(manifest->layers);
  reading->config = manifest->config;
  want_config(std::move(reading));
}

void RegistryReader::want_config(ReadingOnce reading) {
  const std::string digest = reading->config.digest;
  if (reading->config.size > kLargestConfig)
    return give(reading->done, "its config is longer than " + size_text(kLargestConfig));
  Config& config = configs_[digest];
  if (config.known) return reading->finish(*config.known);
  config.waiting.push_back(reading);
  if (config.waiting.size() > 1) return;
  if (std::optional<std::string> kept = cache_.find(digest))
    return take_config(digest, {.status = 200, .body = std::move(*kept)});
  RegistryQuestion question{reading->name.api_host(), reading->name.repository,
                            fmt::format("{}/blobs/{}", reading->name.repository, digest), "", kLargestConfig};
  access_.ask(std::move(question), [this, digest](HttpAnswer&& answer) {
    bool is_right = answer.status == 200 && answer.problem.empty();
    if (is_right && "sha256:" + sha256_hex(answer.body) != digest)
      answer.problem = "its config does not match the digest in its manifest: " + digest;
    else if (is_right)
      cache_.keep(digest, answer.body);
    take_config(digest, answer);
  });
}

void RegistryReader::take_config(const std::string& digest, const HttpAnswer& answer) {
  Config& config = configs_[digest];
  std::vector<ReadingOnce> waiting = std::move(config.waiting);
  config.waiting.clear();
  std::string why;
  if (answer.status == 200 && answer.problem.empty())
    config.known = read_config(answer.body, why);
  else
    why = reason_in(answer);
  std::string asked = waiting.front()->name.place();
  for (ReadingOnce& reading : waiting) {
    if (config.known)
      reading->finish(*config.known);
    else if (reading->name.place() == asked)
      give(reading->done, why);
    else
      want_config(std::move(reading));  // its own repository may have the config
  }
}

void RegistryReader::list(const RegistryName& name, const std::string& path, const char* key, Take take,
                          Ended ended) {
  auto all = std::make_shared<List>(List{name, path, key, std::move(take), std::move(ended)});
  ask_page(std::move(all), fmt::format("n={}", kPage));
}

void RegistryReader::ask_page(std::shared_ptr<List> list, const std::string& query) {
  bool is_of_repository = list->path.starts_with(list->name.repository + "/");
  RegistryQuestion question{list->name.api_host(), is_of_repository ? list->name.repository : "",
                            list->path + "?" + query, "application/json", kLargestList};
  access_.ask(std::move(question), [this, list](HttpAnswer&& answer) { take_page(list, answer); });
}

void RegistryReader::take_page(std::shared_ptr<List> list, const HttpAnswer& answer) {
  if (answer.status != 200 || !answer.problem.empty()) return list->ended(answer, reason_in(answer));
  std::string why;
  std::optional<std::vector<std::string>> entries = read_list(answer.body, list->key, why);
  if (!entries) return list->ended(answer, why);
  auto cut = [&](const std::string& limit) {
    list->ended(answer, fmt::format("its lists have more than {}; the rest is ignored", limit));
  };
  std::size_t& counted_entries = entries_[list->name.api_host()];
  bool any = false;
  for (std::string& entry : *entries) {
    if (++counted_entries > limits_.entries) return cut(counted(limits_.entries, "entry", "entries"));
    if (entry.size() > kLongestEntry) entry.clear();
    if (!list->seen.insert(entry).second) continue;
    any = true;
    if (!list->take(entry)) return list->ended(answer, "");
  }
  // A page without new entries is the last one, whatever it says: some registries do not know pages.
  std::string next = next_page(answer.header("link"));
  if (next.empty() && entries->size() == kPage)
    next = fmt::format("n={}&last={}", kPage, url_encoded(entries->back()));
  if (!any || next.empty()) return list->ended(answer, "");
  if (++list->pages >= limits_.pages) return cut(counted(limits_.pages, "page"));
  ask_page(std::move(list), next);
}

}  // namespace stagemake
