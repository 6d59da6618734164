// The images of docker and podman: descriptions, names, pull and push. The functions keep the rules of the
// verbs of ContainerEngine.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "engine/docker_cli/docker_cli_program.h"
#include "registry/plain_http.h"

namespace stagemake {

class DockerCliImages {
 public:
  // The program must outlive it.
  explicit DockerCliImages(const DockerCliProgram& program) : program_(program) {}

  void allow_plain_http(const std::vector<std::string>& hosts) { plain_http_.allow(hosts); }

  std::optional<ImageInfo> find(const std::string& image) const;
  std::vector<ImageInfo> list(const std::string& label, const std::string& value) const;
  Transfer pull(const std::string& image, const std::stop_token& stop) const {
    return transfer("pull", image, stop);
  }
  Transfer push(const std::string& image, const std::stop_token& stop) const {
    return transfer("push", image, stop);
  }
  void tag(const std::string& image, const std::string& new_name) const;
  bool remove(const std::string& name) const;

 private:
  Transfer transfer(const std::string& verb, const std::string& image, const std::stop_token& stop) const;

  const DockerCliProgram& program_;
  PlainHttp plain_http_;
};

}  // namespace stagemake
