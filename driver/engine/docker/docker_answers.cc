#include "engine/docker/docker_answers.h"

#include <nlohmann/json.hpp>

#include "base/text/image_name.h"
#include "base/text/json_values.h"
#include "base/text/text.h"
#include "engine/engine_program.h"
#include "engine/proc.h"

namespace stagemake {

using nlohmann::json;

ImageInfo image_info(const json& inspected) {
  ImageInfo info;
  info.id = text_at(inspected, "Id");
  if (!info.id.starts_with("sha256:")) info.id = "sha256:" + info.id;  // podman omits it
  set_names(inspected, info);
  info.labels = labels_in(member(member(inspected, "Config"), "Labels"));
  info.created = epoch_seconds(text_at(inspected, "Created"));
  info.volumes = volumes_in(member(inspected, "Config"));
  info.size = size_at(inspected, "Size");
  info.layer_ids = texts_in(member(member(inspected, "RootFS"), "Layers"));
  info.layers = static_cast<unsigned>(info.layer_ids.size());
  return info;
}

void set_names(const json& image, ImageInfo& info) {
  info.names.clear();
  info.digest.clear();
  for (const std::string& name : texts_in(member(image, "RepoTags")))
    if (name != "<none>:<none>") info.names.push_back(plain_name(name));
  for (const std::string& text : texts_in(member(image, "RepoDigests"))) {
    if (text.starts_with("<none>@")) continue;
    std::size_t at = text.find('@');
    // Podman also assigns digests to images that it built itself.
    if (at != std::string::npos && !text.starts_with("localhost/")) info.digest = text.substr(at + 1);
  }
}

std::string docker_label_filter(const std::string& label, const std::string& value) {
  bool plain = !value.empty() && trimmed(value) == value && is_utf8(value);
  json filters = {{"label", json::array({plain ? label + "=" + value : label})}};
  return filters.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string digest_in_line(std::string_view line) {
  std::size_t at = line.find("igest: sha256:");
  if (at == std::string_view::npos) return {};
  std::string_view rest = line.substr(at + 7);
  return digest_in("@" + std::string(rest.substr(0, rest.find_first_of(" \r\n"))));
}

std::map<std::string, std::uint64_t> memory_by_id(const std::map<std::string, std::string>& ids) {
  std::map<std::string, std::uint64_t> bytes;
  if (ids.empty()) return bytes;
  for_each_process([&](pid_t process) {
    std::string groups = proc_file(process, "cgroup");
    for (const auto& [container, id] : ids)
      if (groups.find(id) != std::string::npos) bytes[container] += held_memory(proc_file(process, "status"));
  });
  return bytes;
}

}  // namespace stagemake
