// Reads the tar stream in which docker exports an image (`docker save`), in both layouts: `ID/layer.tar` up
// to docker 24, `blobs/sha256/DIGEST` (OCI) from 25 on.
//
// The stream is not believed: a layer counts if its content has the content id that the image names, a config
// if its digest is the image's id.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/tarball.h"

namespace stagemake {

struct ExportWish {
  std::string image_id;                // "sha256:…", the digest of the config
  std::vector<std::string> layer_ids;  // of the whole image, lowest first
  std::set<std::string> wanted;        // those of them that are needed
  std::uint64_t most_bytes = 0;        // of all entries together
};

// Gets one layer. If the object is destroyed before accept(), the layer does not count.
class LayerTaker {
 public:
  virtual ~LayerTaker() = default;
  virtual void add(std::string_view piece) = 0;
  // Its content id ("sha256:…"), computed from what was added. Called once, after all pieces.
  virtual std::string layer_id() = 0;
  // The layer is wanted and right. Called last, at most once.
  virtual void accept() = 0;
};

// Reads until all wanted layers have come, each passed to a taker of its own, and returns the config. A layer
// of the older layout whose content id is known only at its end is passed on, too, even if it is not wanted.
// Throws EngineError if something wanted is missing, damaged, or not in the stream, or the stream exceeds
// `most_bytes`; and whatever the takers throw.
std::string read_export(TarReader& tar, const ExportWish& wish,
                        const std::function<std::unique_ptr<LayerTaker>()>& begin_layer);

// The content id of the layer that the older layout has in the folder `name`, by the folder's file `json`:
// docker names it by a digest that includes the chain of content ids. Empty if it cannot be told.
std::string layer_of_folder(std::string_view name, std::string_view json,
                            const std::vector<std::string>& layer_ids);

}  // namespace stagemake
