#include "engine/docker/image_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text/digest.h"
#include "base/text/text.h"
#include "engine/container_engine.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestConfig = 8u << 20;  // bytes
constexpr std::size_t kLongestJson = 1u << 20;    // bytes of a folder's description
constexpr std::size_t kMostEntries = 10'000;      // six per layer and a few more

EngineError fault(std::string_view what) {
  return EngineError(fmt::format("docker save: {}", what));
}

// Removes `prefix` from the beginning of `text`. False if it is not there.
bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

class ExportReader {
 public:
  ExportReader(TarReader& tar, const ExportWish& wish,
               const std::function<std::unique_ptr<LayerTaker>()>& begin_layer)
      : tar_(tar), wish_(wish), begin_layer_(begin_layer), missing_(wish.wanted) {}

  std::string read() {
    std::size_t entries = 0;
    while (!config_ || !missing_.empty()) {
      std::optional<TarEntry> entry = tar_.next();
      if (!entry) throw fault(missing_.empty() ? "the config is missing" : "a layer is missing");
      if (++entries > kMostEntries) throw fault("its stream has no end");
      if (entry->size > wish_.most_bytes - read_) throw fault("its stream is longer than the image");
      read_ += entry->size;
      if (entry->kind == TarEntry::Kind::File) take(*entry);
    }
    return *std::move(config_);
  }

 private:
  std::string text(const TarEntry& entry, std::size_t most) {
    if (entry.size > most) throw fault("a description is too long");
    std::string all;
    tar_.content([&](std::string_view piece) { all += piece; });
    if (all.size() != entry.size) throw fault("its stream was cut off");
    return all;
  }

  void take(const TarEntry& entry) {
    const std::string id = wish_.image_id.substr(wish_.image_id.find(':') + 1);
    std::string_view name = entry.name;
    skip(name, "./");
    if (name == id + ".json" || name == "blobs/sha256/" + id) {
      config_ = text(entry, kLongestConfig);
      if (sha256_hex(*config_) != id) throw fault("the config does not have the image's digest");
      return;
    }
    if (skip(name, "blobs/sha256/")) {
      std::string layer = "sha256:" + std::string(name);
      if (missing_.contains(layer)) take_layer(entry, layer);
      return;
    }
    std::string_view folder = name.substr(0, name.find('/'));
    if (name == std::string(folder) + "/json" && entry.size <= kLongestJson) {
      folder_ = folder;
      layer_ = layer_of_folder(folder, text(entry, kLongestJson), wish_.layer_ids);
    } else if (name == std::string(folder) + "/layer.tar") {
      std::string layer = folder_ == folder ? layer_ : "";
      if (layer.empty() || missing_.contains(layer)) take_layer(entry, layer);
    }
  }

  // `expected`: its content id, or empty if it may be any layer of the image.
  void take_layer(const TarEntry& entry, const std::string& expected) {
    std::unique_ptr<LayerTaker> taker = begin_layer_();
    std::uint64_t bytes = 0;
    tar_.content([&](std::string_view piece) {
      bytes += piece.size();
      taker->add(piece);
    });
    if (bytes != entry.size) throw fault("its stream was cut off");
    std::string layer = taker->layer_id();
    bool is_one = std::find(wish_.layer_ids.begin(), wish_.layer_ids.end(), layer) != wish_.layer_ids.end();
    if (expected.empty() ? !is_one : layer != expected)
      throw fault("the content of a layer does not have its digest");
    if (missing_.erase(layer) > 0) taker->accept();
  }

  TarReader& tar_;
  const ExportWish& wish_;
  const std::function<std::unique_ptr<LayerTaker>()>& begin_layer_;
  std::set<std::string> missing_;
  std::optional<std::string> config_;
  std::uint64_t read_ = 0;
  std::string folder_;  // the last one with a description
  std::string layer_;   // its content id, if it is known
};

}  // namespace

std::string read_export(TarReader& tar, const ExportWish& wish,
                        const std::function<std::unique_ptr<LayerTaker>()>& begin_layer) {
  return ExportReader(tar, wish, begin_layer).read();
}

// docker describes all layers but the topmost alike, and names each by the digest of the description with the
// keys sorted, `id` and `os` left out, and the chain id of the layer added.
std::string layer_of_folder(std::string_view name, std::string_view json,
                            const std::vector<std::string>& layer_ids) {
  std::string parent;
  std::string_view rest = json;
  if (!skip(rest, fmt::format("{{\"id\":\"{}\",", name))) return {};
  if (skip(rest, "\"parent\":\"")) {
    parent = fmt::format(",\"parent\":\"sha256:{}\"", rest.substr(0, rest.find('"')));
    rest.remove_prefix(std::min(rest.size(), rest.find('"')));
    if (!skip(rest, "\",")) return {};
  }
  std::size_t config = rest.find(",\"container_config\":{");
  std::size_t end = rest.find(",\"os\":");
  if (!rest.starts_with("\"created\":") || config == std::string_view::npos ||
      end == std::string_view::npos || end < config)
    return {};
  std::string_view created = rest.substr(0, config);
  std::string_view container = rest.substr(config + 1, end - config - 1);
  std::string chain;
  for (const std::string& layer : layer_ids) {
    chain = chain.empty() ? layer : "sha256:" + sha256_hex(chain + " " + layer);
    std::string described = fmt::format("{{{},{},\"layer_id\":\"{}\"{}}}", container, created, chain, parent);
    if (sha256_hex(described) == name) return layer;
  }
  return {};
}

}  // namespace stagemake
