// BuildahEngine's images: what they say of themselves, their names, and their way to registries and back.

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json_text.h"
#include "base/text.h"
#include "engine/buildah_engine.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestManifest = 16u << 20;  // bytes; a longer one's image has no size

// An image as `inspect` tells it, without its names.
ImageInfo image_info(const json& inspected) {
  ImageInfo info;
  json image = member(inspected, "OCIv1");
  info.labels = labels_in(member(member(image, "config"), "Labels"));
  info.created = epoch_seconds(text_at(image, "created"));
  info.volumes = volumes_in(member(image, "config"));
  info.layer_ids = texts_in(member(member(image, "rootfs"), "diff_ids"));
  info.layers = static_cast<unsigned>(info.layer_ids.size());
  json manifest = json_in(text_at(inspected, "Manifest"), kLongestManifest).value_or(nullptr);
  for (const json& layer : elements(member(manifest, "layers"))) info.size += size_at(layer, "size");
  return info;
}

}  // namespace

std::optional<ImageInfo> BuildahEngine::described(const json& listed) {
  std::string id = text_at(listed, "id");
  std::optional<ImageInfo> seen;
  {
    std::lock_guard lock(mutex_);
    seen = seen_.find(id);
  }
  ImageInfo info = seen.value_or(ImageInfo());
  if (!seen) {
    std::string bare = id.starts_with("sha256:") ? id.substr(7) : id;
    Finished finished = program_.call({"inspect", "--type", "image", bare});
    if (!finished.ok() && says_absent(finished)) return std::nullopt;
    if (!finished.ok()) throw program_.error("inspect", finished);
    info = image_info(parsed_answer("buildah", finished.output));
    info.id = id;
    std::lock_guard lock(mutex_);
    seen_.remember(info);
  }
  for (const std::string& text : texts_in(member(listed, "names"))) {
    if (std::size_t at = text.find('@'); at != std::string::npos) {
      info.digest = text.substr(at + 1);  // a registry gave it: better than any that buildah worked out
      continue;
    }
    // Buildah gives digests to images that it built itself.
    std::string registry = registry_of(text);
    if (info.digest.empty() && !registry.empty() && registry != "localhost")
      info.digest = text_at(listed, "digest");
    info.names.push_back(plain_name(text));
  }
  return info;
}

std::optional<ImageInfo> BuildahEngine::find_image(const std::string& image) {
  counter_.count("find_image");
  Finished finished = program_.call({"images", "--json", "--no-trunc", image});
  if (!finished.ok() && says_absent(finished)) return std::nullopt;
  if (!finished.ok()) throw program_.error("images", finished);
  json listed = parsed_answer("buildah", finished.output);
  if (!listed.is_array() || listed.empty()) return std::nullopt;
  return described(listed[0]);
}

std::vector<ImageInfo> BuildahEngine::list_images(const std::string& label, const std::string& value) {
  counter_.count("list_images");
  std::vector<std::string> question{"images", "--all", "--json", "--no-trunc"};
  if (!label.empty()) question.insert(question.end(), {"--filter", label_filter(label, value)});
  json listed = parsed_answer("buildah", program_.ask(std::move(question)));
  std::vector<ImageInfo> images;
  std::vector<ImageInfo> broken;
  for (const json& entry : elements(listed)) try {
      std::optional<ImageInfo> info = described(entry);
      if (info && has_label(info->labels, label, value)) images.push_back(std::move(*info));
    } catch (const EngineError& error) {
      broken.push_back({.id = text_at(entry, "id"), .problem = printable(error.what())});
    }
  if (images.empty() && !broken.empty() && !examine().usable) throw EngineError(broken[0].problem);
  images.insert(images.end(), broken.begin(), broken.end());
  return images;
}

Transfer BuildahEngine::transfer(const std::string& verb, std::vector<std::string> options,
                                 const std::string& image, const std::stop_token& stop) const {
  std::vector<std::string> arguments{verb, "--quiet"};
  if (plain_http_.allows_image(image)) arguments.push_back("--tls-verify=false");
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(image);
  Command command = program_.command(std::move(arguments));
  command.stop = stop;
  Finished finished = program_.run(command);
  if (finished.stopped) return {.ok = false, .why = "the run was ended"};
  if (!finished.ok()) return {.ok = false, .why = last_words(finished)};
  return {.ok = true};
}

// The name's own digest is all that buildah says of what it pulled. Unless told so, it asks no registry for a
// name that is here already.
Transfer BuildahEngine::pull(const std::string& image, const std::stop_token& stop) {
  counter_.count("pull");
  Transfer pulled = transfer("pull", {"--policy", "always"}, image, stop);
  if (pulled.ok) pulled.digest = digest_in(image);
  return pulled;
}

Transfer BuildahEngine::push(const std::string& image, const std::stop_token& stop) {
  counter_.count("push");
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "digest";
  Transfer pushed = transfer("push", {"--digestfile", file.string()}, image, stop);
  if (pushed.ok) pushed.digest = digest_in("@" + std::string(trimmed(read_file(file).value_or(""))));
  return pushed;
}

void BuildahEngine::tag(const std::string& image, const std::string& new_name) {
  counter_.count("tag");
  program_.ask({"tag", image, new_name});
}

bool BuildahEngine::remove_image(const std::string& name) {
  counter_.count("remove_image");
  Finished finished = program_.call({"rmi", name});
  if (finished.ok() || says_absent(finished)) return true;
  if (says_in_use(finished)) return false;
  throw program_.error("rmi", finished);
}

}  // namespace stagemake
