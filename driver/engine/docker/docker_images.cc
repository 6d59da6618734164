#include "engine/docker/docker_images.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text/image_name.h"
#include "base/text/json_text.h"
#include "base/text/json_values.h"
#include "base/text/line_cutter.h"
#include "base/text/text.h"
#include "engine/docker/docker_answers.h"
#include "engine/engine_program.h"
#include "registry/registry_credentials.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestLine = 1u << 20;  // bytes of a line about a transfer's progress

struct NameParts {
  std::string repository;  // with its registry
  std::string tag;         // or "sha256:…"; empty if the name has neither
};

NameParts parts_of(const std::string& name) {
  if (std::string digest = digest_in(name); !digest.empty()) return {name.substr(0, name.rfind('@')), digest};
  std::size_t colon = name.rfind(':');
  if (colon == std::string::npos || name.find('/', colon) != std::string::npos) return {name, ""};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

// The login for the registry in an image's name, as the daemon wants it; always some text.
std::string authorization(const std::string& repository, const std::stop_token& stop) {
  std::string host = registry_of(repository);
  std::string path = host.empty() ? repository : repository.substr(host.size() + 1);
  if (host.empty()) host = "docker.io";
  std::vector<std::string> problems;  // without a login, the registry's own words say what is missing
  std::optional<RegistryCredential> login = RegistryCredentials(stop).find(host, path, problems);
  json said = json::object();
  if (login && !login->identity_token.empty())
    said = {{"identitytoken", login->identity_token}, {"serveraddress", host}};
  else if (login)
    said = {{"username", login->user}, {"password", login->password}, {"serveraddress", host}};
  std::string text = to_base64(said.dump(-1, ' ', true, json::error_handler_t::replace));
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

// What a transfer tells in JSON lines.
class Progress {
 public:
  void take(std::string_view piece) {
    cutter_.take(piece, [this](std::string_view line) { hear(line); });
  }
  void end() {
    cutter_.rest([this](std::string_view line) { hear(line); });
  }
  std::string digest;
  std::string problem;

 private:
  void hear(std::string_view line) {
    std::optional<json> said = json_in(line, kLongestLine);
    if (!said) return;
    std::string failed = text_at(member(*said, "errorDetail"), "message");
    if (failed.empty()) failed = text_at(*said, "error");
    if (!failed.empty()) problem = shown_words(failed);
    if (std::string found = digest_in_line(text_at(*said, "status")); !found.empty()) digest = found;
    if (std::string found = digest_in("@" + text_at(member(*said, "aux"), "Digest")); !found.empty())
      digest = found;
  }
  LineCutter cutter_{kLongestLine};
};

Transfer transferred(const DockerApi& api, DockerRequest request, const std::string& image) {
  Progress progress;
  request.sink = [&](std::string_view piece) { progress.take(piece); };
  DockerAnswer answer = api.call(request);
  progress.end();
  if (answer.stopped) return {.ok = false, .why = "the run was stopped"};
  if (!answer.ok()) return {.ok = false, .why = answer.message()};
  if (!progress.problem.empty()) return {.ok = false, .why = progress.problem};
  return {.ok = true, .digest = progress.digest.empty() ? digest_in(image) : progress.digest};
}

}  // namespace

DockerImages::DockerImages(const DockerApi& api)
    : api_(api), own_push_(api, [this](const std::string& image) { return find(image); }) {}

std::optional<ImageInfo> DockerImages::find(const std::string& image) const {
  DockerAnswer answer = api_.call({.verb = "image inspect", .path = docker_path("/images/", image, "/json")});
  if (answer.is_absent()) return std::nullopt;
  if (!answer.ok()) throw api_.error("image inspect", answer);
  return image_info(parsed_answer("docker image inspect", answer.content));
}

// A listed image with its layers; nothing if it was removed in between.
std::optional<ImageInfo> DockerImages::described(const json& listed) {
  std::string id = text_at(listed, "Id");
  std::optional<ImageInfo> seen;
  {
    std::lock_guard lock(mutex_);
    seen = seen_.find(id);
  }
  if (!seen) {
    seen = find(id);
    if (!seen) return std::nullopt;
    std::lock_guard lock(mutex_);
    seen_.remember(*seen);
  }
  set_names(listed, *seen);
  return seen;
}

std::vector<ImageInfo> DockerImages::list(const std::string& label, const std::string& value) {
  // All: also an image whose name moved on to an image made from it.
  DockerRequest request{.verb = "images", .path = "/images/json", .query = {{"all", "1"}}};
  if (!label.empty()) request.query.emplace_back("filters", docker_label_filter(label, value));
  std::vector<ImageInfo> broken;
  std::vector<ImageInfo> images;
  HalfWayImages half_way;
  for (const json& listed : elements(api_.ask(request))) {
    try {
      if (std::optional<ImageInfo> info = described(listed)) {
        half_way.add_child(text_at(listed, "ParentId"), info->layers);
        images.push_back(*std::move(info));
      }
    } catch (const EngineError& error) {
      api_.expect_sign_of_life();
      broken.push_back({.id = text_at(listed, "Id"), .problem = printable(error.what())});
    }
  }
  std::erase_if(images, [&](const ImageInfo& info) {
    return half_way.contains(info) || !has_label(info.labels, label, value);
  });
  images.insert(images.begin(), broken.begin(), broken.end());
  return images;
}

Transfer DockerImages::pull(const std::string& image, const std::stop_token& stop) const {
  NameParts name = parts_of(image);
  return transferred(
      api_,
      {.verb = "pull",
       .method = "POST",
       .path = "/images/create",
       .query = {{"fromImage", name.repository}, {"tag", name.tag.empty() ? "latest" : name.tag}},
       .authorization = authorization(name.repository, stop),
       .stop = stop},
      image);
}

Transfer DockerImages::push(const std::string& image, const std::stop_token& stop) {
  NameParts name = parts_of(image);
  if (std::optional<Transfer> sent = own_push_.push(image, stop)) {
    // The daemon does not know about this push. A pull by digest costs one question, because it has the
    // image; then it lists the digest as after its own push. If that fails, only the digest is not listed.
    if (sent->ok) try {
        pull(name.repository + "@" + sent->digest, stop);
      } catch (const EngineError&) {
      }
    return *std::move(sent);
  }
  return transferred(api_,
                     {.verb = "push",
                      .method = "POST",
                      .path = docker_path("/images/", name.repository, "/push"),
                      .query = {{"tag", name.tag.empty() ? "latest" : name.tag}},
                      .authorization = authorization(name.repository, stop),
                      .stop = stop},
                     image);
}

void DockerImages::tag(const std::string& image, const std::string& new_name) const {
  NameParts name = parts_of(new_name);
  DockerAnswer answer = api_.call({.verb = "tag",
                                   .method = "POST",
                                   .path = docker_path("/images/", image, "/tag"),
                                   .query = {{"repo", name.repository}, {"tag", name.tag}}});
  if (!answer.ok()) throw api_.error("tag", answer);
}

bool DockerImages::remove(const std::string& name) const {
  DockerAnswer answer = api_.call({.verb = "rmi", .method = "DELETE", .path = docker_path("/images/", name)});
  if (answer.ok() || answer.is_absent()) return true;
  if (answer.is_conflict()) return false;
  throw api_.error("rmi", answer);
}

}  // namespace stagemake
