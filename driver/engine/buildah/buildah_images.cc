#include "engine/buildah/buildah_images.h"

#include <nlohmann/json.hpp>

#include "base/files/files.h"
#include "base/text/json_text.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestManifest = 16u << 20;  // bytes; an image with a longer one gets no size

// An image as `inspect` describes it, without its names.
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

std::optional<ImageInfo> BuildahImages::described(const json& listed) {
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
      info.digest = text.substr(at + 1);  // from a registry: better than one that buildah computed
      continue;
    }
    // Buildah also assigns digests to images that it built itself.
    std::string registry = registry_of(text);
    if (info.digest.empty() && !registry.empty() && registry != "localhost")
      info.digest = text_at(listed, "digest");
    info.names.push_back(plain_name(text));
  }
  return info;
}

std::optional<ImageInfo> BuildahImages::find(const std::string& image) {
  Finished finished = program_.call({"images", "--json", "--no-trunc", image});
  if (!finished.ok() && says_absent(finished)) return std::nullopt;
  if (!finished.ok()) throw program_.error("images", finished);
  json listed = parsed_answer("buildah", finished.output);
  if (!listed.is_array() || listed.empty()) return std::nullopt;
  return described(listed[0]);
}

std::vector<ImageInfo> BuildahImages::list(const std::string& label, const std::string& value) {
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
  if (images.empty() && !broken.empty() && !program_.examine().usable) throw EngineError(broken[0].problem);
  images.insert(images.end(), broken.begin(), broken.end());
  return images;
}

Transfer BuildahImages::transfer(const std::string& verb, std::vector<std::string> options,
                                 const std::string& image, const std::stop_token& stop) const {
  std::vector<std::string> arguments{verb, "--quiet"};
  if (plain_http_.allows_image(image)) arguments.push_back("--tls-verify=false");
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(image);
  Command command = program_.command(std::move(arguments));
  command.stop = stop;
  Finished finished = program_.run(command);
  if (finished.stopped) return {.ok = false, .why = "the run was stopped"};
  if (!finished.ok()) return {.ok = false, .why = last_words(finished)};
  return {.ok = true};
}

// Buildah reports no digest for a pull except the one in the name. Without `--policy always`, it asks no
// registry for a name that is already here.
Transfer BuildahImages::pull(const std::string& image, const std::stop_token& stop) const {
  Transfer pulled = transfer("pull", {"--policy", "always"}, image, stop);
  if (pulled.ok) pulled.digest = digest_in(image);
  return pulled;
}

Transfer BuildahImages::push(const std::string& image, const std::stop_token& stop) const {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "digest";
  Transfer pushed = transfer("push", {"--digestfile", file.string()}, image, stop);
  if (pushed.ok) pushed.digest = digest_in("@" + std::string(trimmed(read_file(file).value_or(""))));
  return pushed;
}

void BuildahImages::tag(const std::string& image, const std::string& new_name) const {
  program_.ask({"tag", image, new_name});
}

bool BuildahImages::remove(const std::string& name) const {
  Finished finished = program_.call({"rmi", name});
  if (finished.ok() || says_absent(finished)) return true;
  if (says_in_use(finished)) return false;
  throw program_.error("rmi", finished);
}

}  // namespace stagemake
