#include "plan/system_packages.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace stagemake {

const std::vector<std::string>& SystemPackageLists::of(const std::string& package,
                                                       const std::string& system) {
  auto known = lists_.find({system, package});
  if (known != lists_.end()) return known->second;
  std::vector<std::string> names;
  if (packages_.has_folder(package)) {
    std::string file = fmt::format("build/pkgs/{}/distros/{}.txt", package, system);
    std::string content = read_inside(packages_.tree(), file).value_or("");
    if (!is_utf8(content)) throw bad_input(file, "is not UTF-8");
    for (std::string_view line : lines(content))
      for (std::string_view word : words(line.substr(0, line.find('#')))) {
        // The quotes around `"pkgconfig(zlib)"` are for the shell, which sees these words in the
        // distribution's own tools.
        std::string name(word);
        std::erase(name, '"');
        if (!name.empty()) names.push_back(std::move(name));
      }
  }
  return lists_[{system, package}] = std::move(names);
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
