#include "run/images/base_images.h"

namespace stagemake {

const std::optional<ImageInfo>& BaseImages::find(const std::string& name) {
  auto known = known_.find(name);
  if (known == known_.end()) known = known_.emplace(name, engine_.find_image(name)).first;
  return known->second;
}

}  // namespace stagemake
