#include "plan/package_fingerprints.h"

#include <string_view>

namespace stagemake {

std::map<std::string, std::string> package_fingerprints(const std::vector<SourceFile>& files) {
  constexpr std::string_view kFolder = "build/pkgs/";
  std::map<std::string, std::vector<SourceFile>> by_package;
  for (const SourceFile& file : files) {
    if (!file.path.starts_with(kFolder)) continue;
    std::string_view rest = std::string_view(file.path).substr(kFolder.size());
    std::size_t end = rest.find('/');
    if (end == std::string_view::npos) continue;
    std::string_view inside = rest.substr(end + 1);
    if (inside == "SPKG.rst" || inside == "spkg-configure.m4" || inside.starts_with("distros/")) continue;
    by_package[std::string(rest.substr(0, end))].push_back(file);
  }
  std::map<std::string, std::string> fingerprints;
  for (const auto& [name, own] : by_package) fingerprints[name] = SourceTree::digest(own).substr(0, 16);
  return fingerprints;
}

}  // namespace stagemake
