#include "run/container/volumes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.h"

namespace stagemake {
namespace {

// Where package managers keep installed files and their databases. (A volume further below, such as
// /var/lib/postgresql, does not count.)
constexpr std::string_view kOfTheSystem[] = {"/usr",   "/bin",     "/sbin",         "/lib",
                                             "/lib64", "/etc",     "/opt",          "/var",
                                             "/nix",   "/var/lib", "/var/lib/dpkg", "/.stagemake"};

// Turns "//sage/./local/" into "/sage/local".
std::string plain(std::string_view path) {
  std::string joined;
  for (std::string_view part : split(path, '/'))
    if (!part.empty() && part != ".") joined += "/" + std::string(part);
  return joined.empty() ? "/" : joined;
}

bool is_at_or_below(const std::string& path, const std::string& folder) {
  return folder == "/" || path == folder || path.starts_with(folder + "/");
}

}  // namespace

std::string volumes_in_the_way(const ImageInfo& image, const std::string& root) {
  for (const std::string& volume : image.volumes) {
    std::string path = plain(volume);
    bool touches_tree = is_at_or_below(path, root) || is_at_or_below(root, path);
    bool touches_system =
        std::find(std::begin(kOfTheSystem), std::end(kOfTheSystem), path) != std::end(kOfTheSystem);
    if (!touches_tree && !touches_system) continue;
    return fmt::format(
        "it declares the volume {}, and an engine keeps what is in a volume out of every image: {} would be "
        "lost. Build from an image without that VOLUME (`FROM scratch` and `COPY --from` its files, or "
        "`docker "
        "export` and `docker import`){}",
        printable(volume), touches_tree ? "what is built in " + root : "what the system installs there",
        touches_tree ? ", or let the table of stages name another `root`" : "");
  }
  return {};
}

}  // namespace stagemake
