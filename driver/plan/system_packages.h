// What build/pkgs/NAME/distros/SYSTEM.txt lists: the system's own names for what a package needs of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/package_index.h"

namespace stagemake {

class SystemPackageLists {
 public:
  // `packages` must outlive it.
  explicit SystemPackageLists(const PackageIndex& packages) : packages_(packages) {}

  // The words of a package's list, without comments; empty where there is no such list or no such folder.
  // Read once. `${PYTHON_MINOR}` and the like stay as they are. Throws Error (BadInput) where the list leads
  // out of the tree or is no text.
  const std::vector<std::string>& of(const std::string& package, const std::string& system);

  // The same of another file of the tree: `file` is relative to it.
  const std::vector<std::string>& of_file(const std::string& file);

  // Whether configure looks for the package among those of the system's own Python: such a one counts only
  // where the environment uses that Python's packages (`--enable-system-site-packages`). Read once.
  bool is_of_systems_python(const std::string& package);

 private:
  const PackageIndex& packages_;
  std::map<std::string, std::vector<std::string>> files_;  // by file
  std::map<std::string, bool> python_;
};

}  // namespace stagemake
