#include "engine/container_engine.h"

namespace stagemake {

void ContainerEngine::save_image(const std::string& image, int, const std::stop_token&) {
  throw EngineError(name() + " cannot send the image " + image + " to another engine");
}

void ContainerEngine::load_image(int) {
  throw EngineError(name() + " cannot receive an image from another engine");
}

}  // namespace stagemake
