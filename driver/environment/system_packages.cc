#include "environment/system_packages.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/text/text.h"

namespace stagemake {

const std::vector<std::string>& SystemPackageLists::of_file(const std::string& file) {
  if (auto known = files_.find(file); known != files_.end()) return known->second;
  std::vector<std::string> names;
  std::string content = read_inside(packages_.tree(), file).value_or("");
  for (std::string_view line : lines(content))
    for (std::string_view word : words(line.substr(0, line.find('#')))) {
      // The quotes around `"pkgconfig(zlib)"` are for the shell that evaluates these words in the
      // distribution's own tools.
      std::string name(word);
      std::erase(name, '"');
      if (!is_utf8(name)) throw bad_input(file, "is not UTF-8");
      if (!name.empty()) names.push_back(std::move(name));
    }
  return files_[file] = std::move(names);
}

const std::vector<std::string>& SystemPackageLists::of(const std::string& package,
                                                       const std::string& system) {
  static const std::vector<std::string> kNone;
  return packages_.has_folder(package) ? of_file(fmt::format("build/pkgs/{}/distros/{}.txt", package, system))
                                       : kNone;
}

bool SystemPackageLists::is_of_systems_python(const std::string& package) {
  auto [at, is_new] = python_.try_emplace(package, false);
  if (is_new && packages_.has_folder(package))
    at->second = read_inside(packages_.tree(), "build/pkgs/" + package + "/spkg-configure.m4")
                     .value_or("")
                     .find("SAGE_PYTHON_PACKAGE_CHECK") != std::string::npos;
  return at->second;
}

}  // namespace stagemake
