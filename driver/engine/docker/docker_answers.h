// What the answers of docker and podman, from their sockets and from their programs, have in common.
//
// Thread rule: pure functions.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/container_engine.h"

namespace stagemake {

// An image as `inspect` describes it, with its names.
ImageInfo image_info(const nlohmann::json& inspected);
// The names and the registry's digest in `RepoTags` and `RepoDigests`, in place of those in `info`.
void set_names(const nlohmann::json& image, ImageInfo& info);

// Intermediate images of a commit have no name, and a child without a layer of its own.
class HalfWayImages {
 public:
  void add_child(const std::string& parent, unsigned layers) { grown_.emplace(parent, layers); }
  bool contains(const ImageInfo& image) const {
    return image.names.empty() && grown_.contains({image.id, image.layers});
  }

 private:
  std::set<std::pair<std::string, unsigned>> grown_;  // parents, with their children's numbers of layers
};

// The value of `filters` that selects a label. Docker strips blanks from its ends: check the result with
// has_label().
std::string docker_label_filter(const std::string& label, const std::string& value);

// The digest that a pull ("Digest: sha256:…") or a push ("TAG: digest: sha256:… size: N") prints in this
// line; empty if there is none.
std::string digest_in_line(std::string_view line);

// The memory of containers whose ids are known, by their names: control groups are named after the whole id,
// and everybody may read them and each process's memory use. For containers elsewhere, nothing.
std::map<std::string, std::uint64_t> memory_by_id(const std::map<std::string, std::string>& ids);

}  // namespace stagemake
