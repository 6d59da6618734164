#include "tree/tree_text.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

#include "base/text/text.h"

namespace stagemake {

TreeText::TreeText(std::string_view text) : folder_(fs::temp_directory_path()) {
  for (std::string_view line : lines(text))
    if (!trimmed(line).empty()) add_line(line);
}

void TreeText::add_line(std::string_view line) {
  std::size_t equals = line.find(" = ");
  std::string_view name = line.substr(0, equals);
  if (equals != std::string_view::npos && name.find('/') != std::string_view::npos) {
    std::string path =
        name.starts_with('/') ? std::string(name.substr(1)) : fmt::format("build/pkgs/{}", name);
    file(path, fmt::format("{}\n", line.substr(equals + 3)));
    return;
  }
  std::size_t colon = line.find(": ");
  std::vector<std::string_view> facts = words(line.substr(0, colon));
  if (facts.size() != 3)
    throw std::invalid_argument("a package is stated as NAME TYPE VERSION[: DEPENDENCIES]");
  std::string folder = fmt::format("build/pkgs/{}/", facts[0]);
  file(folder + "type", fmt::format("{}\n", facts[1]));
  if (facts[2] != "none") {
    file(folder + "package-version.txt", fmt::format("{}\n", facts[2]));
    file(folder + "checksums.ini", "tarball=VERSION.tar.gz\n");
  }
  if (colon != std::string_view::npos)
    file(folder + "dependencies", fmt::format("{}\n", line.substr(colon + 2)));
}

TreeText& TreeText::file(std::string_view path, std::string_view content) {
  // Not write_file: it waits for the disk, and a test writes thousands of files that nobody needs afterwards.
  fs::path place = folder_.path() / std::string(path);
  fs::create_directories(place.parent_path());
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(place.c_str(), "wb"), std::fclose);
  if (!stream || std::fwrite(content.data(), 1, content.size(), stream.get()) != content.size())
    throw std::runtime_error("cannot write " + place.string());
  return *this;
}

TreeText& TreeText::link(std::string_view path, std::string_view target) {
  fs::path place = folder_.path() / std::string(path);
  fs::create_directories(place.parent_path());
  fs::remove(place);
  fs::create_symlink(std::string(target), place);
  return *this;
}

TreeText& TreeText::remove(std::string_view path) {
  fs::remove_all(folder_.path() / std::string(path));
  return *this;
}

TreeText& TreeText::make_folder(std::string_view path) {
  fs::create_directories(folder_.path() / std::string(path));
  return *this;
}

std::vector<std::string> faults_of(const fs::path& tree, const GraphOptions& options) {
  Faults faults;
  PackageIndex packages = PackageIndex::read(tree, {}, &faults);
  MakeVariables variables = MakeVariables::read(tree, packages.features(), &faults);
  DependencyGraph graph(packages, variables, options, &faults);
  try {
    faults.throw_if_any();
  } catch (const Error& error) {
    std::vector<std::string> result;
    for (const Fault& fault : error.faults()) result.push_back(fault.text());
    return result;
  }
  return {};
}

}  // namespace stagemake
