// What engines have in common that call a program or a socket: they count their verbs, and leave images to a
// class of their own (such as engine/docker/docker_images.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/call_counter.h"
#include "engine/container_engine.h"
#include "engine/engine_report.h"

namespace stagemake {

template <typename Program, typename Images>
class ProgramEngine : public ContainerEngine {
 public:
  template <typename... Arguments>
  explicit ProgramEngine(Arguments&&... arguments) : program_(std::forward<Arguments>(arguments)...) {}

  std::string name() const override { return program_.name(); }
  std::string probe() override {
    counter_.count("probe");
    return usable_version(program_.examine());
  }
  std::map<std::string, unsigned> calls() const override { return counter_.all(); }

  std::optional<ImageInfo> find_image(const std::string& image) override {
    counter_.count("find_image");
    return images_.find(image);
  }
  std::vector<ImageInfo> list_images(const std::string& label, const std::string& value) override {
    counter_.count("list_images");
    return images_.list(label, value);
  }
  Transfer pull(const std::string& image, const std::stop_token& stop = {}) override {
    counter_.count("pull");
    return images_.pull(image, stop);
  }
  Transfer push(const std::string& image, const std::stop_token& stop = {}) override {
    counter_.count("push");
    return images_.push(image, stop);
  }
  void tag(const std::string& image, const std::string& new_name) override {
    counter_.count("tag");
    images_.tag(image, new_name);
  }
  bool remove_image(const std::string& name) override {
    counter_.count("remove_image");
    return images_.remove(name);
  }
  void allow_plain_http(const std::vector<std::string>& hosts) override { images_.allow_plain_http(hosts); }

 protected:
  Program program_;
  Images images_{program_};
  CallCounter counter_;
};

}  // namespace stagemake
