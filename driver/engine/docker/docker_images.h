// Docker's images by its socket: descriptions, names, pull and push. The functions keep the rules of the
// verbs of ContainerEngine. Layers and volumes are asked for once per image id (engine/image_cache.h); names,
// every time.
//
// Thread rule: all calls from any thread.
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "engine/docker/docker_api.h"
#include "engine/docker/docker_push.h"
#include "engine/image_cache.h"

namespace stagemake {

class DockerImages {
 public:
  // The API must outlive it.
  explicit DockerImages(const DockerApi& api);

  void allow_plain_http(const std::vector<std::string>& hosts) { own_push_.allow_plain_http(hosts); }
  void allow_token_hosts(const std::vector<std::string>& hosts) { own_push_.allow_token_hosts(hosts); }

  std::optional<ImageInfo> find(const std::string& image) const;
  std::vector<ImageInfo> list(const std::string& label, const std::string& value);
  Transfer pull(const std::string& image, const std::stop_token& stop) const;
  Transfer push(const std::string& image, const std::stop_token& stop);
  void tag(const std::string& image, const std::string& new_name) const;
  bool remove(const std::string& name) const;

 private:
  std::optional<ImageInfo> described(const nlohmann::json& listed);

  const DockerApi& api_;
  std::mutex mutex_;  // of seen_
  ImageCache seen_{ImageCache::place("docker")};
  DockerPush own_push_;
};

}  // namespace stagemake
