#include "run/images/base_image_advice.h"

#include <fmt/format.h>

#include "base/text/text.h"

namespace stagemake {

namespace {

// "bookworm" of "debian:bookworm-slim", the suite that makes such an image; empty for other images.
std::string debian_suite(std::string_view image) {
  constexpr std::string_view kDebian = "debian:";
  if (!image.starts_with(kDebian)) return {};
  std::string suite(image.substr(kDebian.size(), image.find('-') - kDebian.size()));
  return suite == "latest" ? "stable" : suite;
}

}  // namespace

std::string base_image_advice(const std::string& engine, const std::string& image) {
  std::string suite = debian_suite(image);
  std::string name = suite.empty() ? "NAME" : printable(shell_quoted(image));
  if (suite.empty()) suite = "bookworm";
  std::string make = "mmdebstrap --variant=minbase " + printable(shell_quoted(suite)) + " base.tar";
  std::string import =
      engine == "buildah"
          ? fmt::format("c=$(buildah from scratch) && buildah add $c base.tar && buildah commit $c {}", name)
          : fmt::format("{} import base.tar {}", engine == "podman" ? "podman" : "docker", name);
  return fmt::format(
      "--base-image IMAGE uses another one. `{} pull IMAGE` fetches one; without a registry, `{} && {}` "
      "makes "
      "one of Debian",
      engine == "buildah" || engine == "podman" ? engine : "docker", make, import);
}

}  // namespace stagemake
