#include "engine/image_cache.h"

#include <nlohmann/json.hpp>

#include "base/process/callers_environment.h"
#include "base/text/json_text.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::size_t kLargest = 64u << 20;  // bytes; several thousand images. A larger file is started anew

std::optional<ImageInfo> parsed(std::string_view text) {
  std::optional<json> known = json_in(text, kLargest);
  if (!known) return std::nullopt;
  const json& value = *known;
  try {
    ImageInfo image;
    image.labels = value.at("labels").get<Labels>();
    image.created = value.at("created").get<std::int64_t>();
    image.size = value.at("size").get<std::uint64_t>();
    image.layer_ids = value.at("layer_ids").get<std::vector<std::string>>();
    image.volumes = value.at("volumes").get<std::vector<std::string>>();
    image.layers = static_cast<unsigned>(image.layer_ids.size());
    return image;
  } catch (const json::exception&) {
    return std::nullopt;  // truncated by a full disk, for example, or from an earlier version
  }
}

}  // namespace

fs::path ImageCache::place(const std::string& engine) {
  fs::path cache = user_cache_folder();
  keep_cache_private();
  return cache.empty() ? cache : cache / (engine + "-images");
}

void ImageCache::read() {
  is_read_ = true;
  if (file_.empty()) return;
  try {
    std::optional<std::string> text = read_file(file_, kLargest);
    if (!text) return;
    for (std::string_view line : lines(*text))  // a line that was cut must not hide an earlier one
      if (std::size_t blank = line.find(' '); blank != std::string_view::npos && line.ends_with('}'))
        unread_[std::string(line.substr(0, blank))] = line.substr(blank + 1);
  } catch (const Error&) {
    boost::system::error_code ignored;
    fs::remove(file_, ignored);
  }
}

std::optional<ImageInfo> ImageCache::find(const std::string& id) {
  if (!is_read_) read();
  if (auto found = images_.find(id); found != images_.end()) return found->second;
  auto unread = unread_.find(id);
  if (unread == unread_.end()) return std::nullopt;
  std::optional<ImageInfo> image = parsed(unread->second);
  unread_.erase(unread);
  if (!image) return std::nullopt;
  image->id = id;
  return images_[id] = *std::move(image);
}

void ImageCache::remember(const ImageInfo& image) {
  ImageInfo& kept = images_[image.id] = image;
  kept.names.clear();
  kept.digest.clear();
  if (file_.empty()) return;
  json described = {{"labels", kept.labels},
                    {"created", kept.created},
                    {"size", kept.size},
                    {"layer_ids", kept.layer_ids},
                    {"volumes", kept.volumes}};
  try {
    append_line(file_, kept.id + " " + described.dump(-1, ' ', true));
  } catch (const std::exception&) {
    file_.clear();  // labels that are not UTF-8, or a read-only folder: only this process remembers them
  }
}

}  // namespace stagemake
