#include "fuzz_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <random>
#include <stdexcept>

#include "base/text/text.h"

namespace stagemake {
namespace {

void write_plain(const fs::path& path, std::string_view content) {
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file < 0) {
    fs::create_directories(path.parent_path());
    file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  }
  bool written =
      file >= 0 && ::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  if (file >= 0) ::close(file);
  if (!written) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

FuzzTree::FuzzTree(std::string_view packages) : folder_(fs::temp_directory_path()) {
  for (std::string_view name : words(packages)) {
    write(fmt::format("build/pkgs/{}/type", name), "standard\n");
    write(fmt::format("build/pkgs/{}/package-version.txt", name), "1.0\n");
  }
  const std::string& word = secret();
  for (const char* file :
       {"secret", "secret.txt", "outside/package-version.txt", "outside/dependencies",
        "outside/dependencies_order_only", "outside/dependencies_optional", "outside/dependencies_check",
        "outside/dependencies_build", "outside/trees.txt", "outside/purl.txt", "outside/requirements.txt",
        "outside/version_requirements.txt", "outside/install-requires.txt", "outside/distros/debian.txt",
        "outside/debian.txt", "outside/VERSION.txt"})
    write_plain(folder_.path() / file, word + "\n");
  write_plain(folder_.path() / "outside/type", "standard\n");
  std::string list = fmt::format("requires = [\n\"{0}\"\n]\ndependencies = [\n\"{0}\"\n]\n", word);
  write_plain(folder_.path() / "outside/src/pyproject.toml.m4", list);
  write_plain(folder_.path() / "outside/pyproject.toml.m4", list);
  write_plain(folder_.path() / "outside/Makefile.in", fmt::format("PYTHON = {0}\nbase: {0}\n", word));
  write_plain(folder_.path() / "outside/tox.ini",
              fmt::format("[tox]\nenvlist = docker-{0}-minimal\n[testenv]\nsetenv =\n  KEY={0}\n", word));
  write_plain(folder_.path() / "outside/ci-docker.toml", fmt::format("name = \"{}\"\n", word));
  write_plain(
      folder_.path() / "outside/docker.yml",
      fmt::format("on:\n  x:\n    default: >-\n      [\"{0}\"]\n  tox_system_factors:\n    - \"{0}\"\n",
                  word));
}

void FuzzTree::write(const std::string& path, std::string_view content) {
  write_plain(folder_.path() / "tree" / path, content);
}

void FuzzTree::link(const std::string& path, std::string_view target) {
  fs::path place = folder_.path() / "tree" / path;
  fs::remove_all(place);
  fs::create_directories(place.parent_path());
  std::string text(target.substr(0, 1000));
  if (text.starts_with('%')) text.replace(0, 1, folder_.path().string());
  boost::system::error_code
      refused;  // an empty target, or a component that is too long: then no link is made
  fs::create_symlink(text, place, refused);
}

void FuzzTree::remove(const std::string& path) {
  fs::remove_all(folder_.path() / "tree" / path);
}

const std::string& FuzzTree::secret() {
  static const std::string kSecret = [] {
    std::random_device device;
    return fmt::format("zq{:08x}{:08x}", device(), device());
  }();
  return kSecret;
}

std::vector<std::string> link_targets() {
  return {"../../../../secret",
          "../../../../secret.txt",
          "../../../../outside",
          "../../../secret.txt",
          "../secret.txt",
          "../outside",
          "../../../../../secret",
          "%/secret",
          "%/outside",
          "%/tree/VERSION.txt",
          "%/tree/build/pkgs/gmp",
          "../gmp",
          "../gmp/type",
          "../../../VERSION.txt",
          "dependencies",
          "type",
          ".",
          "..",
          "../..",
          "/",
          "/dev/null",
          "/dev/zero",
          "/proc/self/environ",
          "nowhere",
          "../../../../outside/dependencies",
          "%/outside/src",
          "../../../../outside/distros"};
}

}  // namespace stagemake
