// Our own push of a docker image, several times faster than the daemon's, which compresses on one thread: the
// daemon exports the image as a stream, its layers are compressed on all processors and uploaded several at
// once. Layers that the registry has are neither compressed nor sent; if it has all, nothing is exported.
// Nothing is written to disk but what is remembered about layers (registry/blob_cache.h).
//
// The daemon's own push is better in some cases, and always the way out: if it stores layers compressed
// (containerd's image store), if it is on another machine, if only a little of a large image is missing, and
// if the registry or the export is not as expected.
//
// Thread rule: all calls from any thread; allow_… before push().
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/docker/docker_api.h"
#include "registry/blob_cache.h"

namespace stagemake {

class ImageUpload;

class DockerPush {
 public:
  using FindImage = std::function<std::optional<ImageInfo>(const std::string& id)>;

  // The API must outlive it. `find`: describes an image of the daemon, with its layers.
  DockerPush(const DockerApi& api, FindImage find);

  void allow_plain_http(const std::vector<std::string>& hosts);   // as in ContainerEngine
  void allow_token_hosts(const std::vector<std::string>& hosts);  // likewise

  // Nothing if the daemon's own push should be used: it is better, or this one did not work, and the image's
  // name in the registry is as before. An interruption in the middle is a result, as is a stop.
  std::optional<Transfer> push(const std::string& image, const std::stop_token& stop);

 private:
  struct Plan;
  bool is_worth_it();
  bool engine_is_better(const Plan& plan) const;
  void learn(const Plan& plan, ImageUpload& upload);
  void look(Plan& plan, ImageUpload& upload);
  std::string export_layers(Plan& plan, ImageUpload& upload, const std::stop_token& stop);
  std::string publish(Plan& plan, ImageUpload& upload, const std::stop_token& stop);

  const DockerApi& api_;
  const FindImage find_;
  std::vector<std::string> plain_http_;
  std::vector<std::string> token_hosts_;
  BlobCache cache_;
  std::mutex mutex_;                 // guards all below
  std::optional<bool> is_worth_it_;  // with this daemon
};

}  // namespace stagemake
