#include "run/images/foreign_names.h"

#include "run/container/image_survey.h"

namespace stagemake {

bool is_foreign_name(ContainerEngine& engine, const std::string& name) {
  std::optional<ImageInfo> image = engine.find_image(name);
  return image && !snapshot_of(*image);
}

std::string name_beside(const std::string& name) {
  return name + "-stagemake";
}

}  // namespace stagemake
