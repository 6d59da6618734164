#include "engine/docker/docker_commit.h"

#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files/descriptor.h"
#include "base/text/json_text.h"
#include "base/text/json_values.h"
#include "base/text/labels.h"
#include "base/text/text.h"
#include "engine/docker/docker_images.h"
#include "engine/engine_program.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestAnswer = 1u << 20;

std::string text_of(const json& content) {
  return content.dump(-1, ' ', false, json::error_handler_t::replace);
}

json described(const DockerApi& api, const std::string& container) {
  std::optional<json> found = api.find_container(container, "commit");
  if (!found) throw api.error("commit", "no such container: " + printable(container));
  return *std::move(found);
}

// What an image keeps of its parent although its files were imported. (Health checks and ON BUILD triggers
// are dropped.)
json kept_configuration(const json& parent) {
  json config = json::object();
  for (const char* key : {"User", "Env", "WorkingDir", "StopSignal", "ExposedPorts", "Volumes"})
    if (json value = member(parent, key); !value.is_null()) config[key] = std::move(value);
  return config;
}

// An import also loses other people's labels. Those that no command line holds stay behind, since buildah and
// podman could not use the image.
void add_foreign_labels(const Labels& present, Labels& labels) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : present) {
    std::size_t size = key.size() + value.size();
    if (size > kLongestLabel || bytes + size > kMostLabelBytes) continue;
    bytes += size;
    labels.emplace(key, value);
  }
}

// Docker merges the container's own configuration into what is empty here.
json configuration(const json& parent, const json& inspected, const CommitSpec& spec) {
  json config = spec.squash ? kept_configuration(parent) : json::object();
  config["Cmd"] = member(parent, "Cmd");
  // A container of ours has no entry point. An empty list keeps it so.
  config["Entrypoint"] = json::array();
  if (json point = member(parent, "Entrypoint"); point.is_array()) config["Entrypoint"] = std::move(point);
  if (!spec.working_folder.empty()) config["WorkingDir"] = spec.working_folder;
  Labels labels = spec.labels;
  if (spec.squash) add_foreign_labels(labels_in(member(member(inspected, "Config"), "Labels")), labels);
  config["Labels"] = labels;
  return config;
}

std::string committed(const DockerApi& api, const std::string& container, const json& configuration) {
  json answer = api.ask({.verb = "commit",
                         .method = "POST",
                         .path = "/commit",
                         .query = {{"container", container}},
                         .content = text_of(configuration)});
  std::string id = text_at(answer, "Id");
  if (!id.starts_with("sha256:")) throw api.error("commit", "the daemon names no image");
  return id;
}

void export_to(const DockerApi& api, const std::string& container, int descriptor) {
  DockerAnswer answer = api.call({.verb = "export",
                                  .path = docker_path("/containers/", container, "/export"),
                                  .sink = [&](std::string_view piece) {
                                    if (int failed = write_all(descriptor, piece); failed != 0)
                                      throw EngineError("docker export: " + write_failure(failed));
                                  }});
  if (!answer.ok()) throw api.error("export", answer);
}

// The id of the image in the lines that an import prints.
std::string imported_id(const std::string& said) {
  std::string id;
  for (std::string_view line : lines(said))
    if (std::optional<json> value = json_in(line, kLongestAnswer))
      if (std::string status = text_at(*value, "status"); status.starts_with("sha256:")) id = status;
  return id;
}

std::string import_flat(const DockerApi& api, const std::string& container) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw EngineError("cannot create a pipe: too many open files");
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  std::exception_ptr failed;
  std::thread exporter([&] {
    try {
      export_to(api, container, writing.get());
    } catch (...) {
      failed = std::current_exception();
    }
    writing = Descriptor();
  });
  DockerAnswer imported;
  std::exception_ptr import_failed;
  try {
    imported = api.call({.verb = "import",
                         .method = "POST",
                         .path = "/images/create",
                         .query = {{"fromSrc", "-"}},
                         .body = reading.get()});
  } catch (...) {
    import_failed = std::current_exception();
  }
  reading = Descriptor();  // a failed import must not leave the export waiting
  exporter.join();
  if (import_failed) std::rethrow_exception(import_failed);
  std::string image = imported_id(imported.content);
  if (failed) {
    if (!image.empty()) DockerImages(api).remove(image);  // it has only part of the files
    std::rethrow_exception(failed);
  }
  if (!imported.ok() || image.empty()) throw api.error("import", imported);
  return image;
}

void remove(const DockerApi& api, const std::string& container) {
  api.call({.verb = "rm",
            .method = "DELETE",
            .path = docker_path("/containers/", container),
            .query = {{"force", "1"}, {"v", "1"}}});
}

// The image with this configuration instead of its own.
std::string configured(const DockerApi& api, const std::string& name, const std::string& image,
                       const json& configuration) {
  remove(api, name);  // left by a driver that died here
  ContainerSpec spec{.name = name, .image = image, .network = Network::None};
  api.ask({.verb = "create",
           .method = "POST",
           .path = "/containers/create",
           .query = {{"name", name}},
           .content = container_content(spec)});
  try {
    std::string id = committed(api, name, configuration);
    remove(api, name);
    return id;
  } catch (...) {
    remove(api, name);
    throw;
  }
}

}  // namespace

std::string container_content(const ContainerSpec& spec) {
  json host = {{"LogConfig", {{"Type", "none"}}}};
  if (spec.network != Network::Default) host["NetworkMode"] = name_of(spec.network);
  for (const FileMount& mount : spec.mounts)
    host["Mounts"].push_back({{"Type", "bind"}, {"Source", mount.from.string()}, {"Target", mount.to}});
  json content = {
      {"Image", spec.image},
      {"Cmd", {"/bin/sh"}},
      // An empty entry point, not /bin/sh: a commit can set an entry point, but cannot remove one.
      {"Entrypoint", {""}},
      // The host's name must not get into images; "localhost" is in every /etc/hosts.
      {"Hostname", "localhost"},
      {"OpenStdin", true},
      {"StdinOnce", true},
      {"AttachStdin", true},
      {"AttachStdout", true},
      {"AttachStderr", true},
      {"Labels", spec.labels},
      {"HostConfig", std::move(host)}};
  return text_of(content);
}

std::string commit_container(const DockerApi& api, const std::string& container, const CommitSpec& spec) {
  if (std::string why = unfit_label(spec.labels); !why.empty()) throw api.error("commit", why);
  json inspected = described(api, container);
  json image = api.ask(
      {.verb = "image inspect", .path = docker_path("/images/", text_at(inspected, "Image"), "/json")});
  json config = configuration(member(image, "Config"), inspected, spec);
  std::string id = spec.squash ? configured(api, container + "-labels", import_flat(api, container), config)
                               : committed(api, container, config);
  DockerImages images(api);
  for (const std::string& name : spec.names) images.tag(id, name);
  return id;
}

}  // namespace stagemake
