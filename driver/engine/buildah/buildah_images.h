// Buildah's images: descriptions, names, pull and push. The functions keep the rules of the verbs of
// ContainerEngine.
#pragma once

#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/buildah/buildah_program.h"
#include "engine/container_engine.h"
#include "engine/image_cache.h"
#include "registry/plain_http.h"

namespace stagemake {

class BuildahImages {
 public:
  // The program must outlive it.
  explicit BuildahImages(const BuildahProgram& program) : program_(program) {}

  void allow_plain_http(const std::vector<std::string>& hosts) { plain_http_.allow(hosts); }

  std::optional<ImageInfo> find(const std::string& image);
  std::vector<ImageInfo> list(const std::string& label, const std::string& value);
  Transfer pull(const std::string& image, const std::stop_token& stop) const;
  Transfer push(const std::string& image, const std::stop_token& stop) const;
  void tag(const std::string& image, const std::string& new_name) const;
  bool remove(const std::string& name) const;

 private:
  std::optional<ImageInfo> described(const nlohmann::json& listed);
  Transfer transfer(const std::string& verb, std::vector<std::string> options, const std::string& image,
                    const std::stop_token& stop) const;

  const BuildahProgram& program_;
  PlainHttp plain_http_;
  std::mutex mutex_;  // of seen_
  ImageCache seen_{ImageCache::place("buildah")};
};

}  // namespace stagemake
