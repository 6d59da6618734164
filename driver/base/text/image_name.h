// The parts of an image's name: "[registry/]repository[:tag][@digest]".
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// Podman and buildah put "localhost/" before a name without a registry; we drop it.
std::string plain_name(std::string_view name);
// The host and port of the registry in an image name; empty if it names none (as in "debian:12", "me/thing").
std::string registry_of(std::string_view name);
// "sha256:…" in "name@sha256:…"; empty if there is none.
std::string digest_in(std::string_view name);
// Whether registries accept this text between `-`s in an image name: lower-case letters and digits, separated
// by one `.`, one or two `_`, or any number of `-`.
bool fits_in_image_name(std::string_view text);

}  // namespace stagemake
