// Contents of build/pkgs/NAME/distros/SYSTEM.txt: the system's own names for what a package needs from it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tree/package_index.h"

namespace stagemake {

class SystemPackageLists {
 public:
  // `packages` must outlive it.
  explicit SystemPackageLists(const PackageIndex& packages) : packages_(packages) {}

  // The words of a package's list, without comments; empty if there is no such list or folder. Read once.
  // `${PYTHON_MINOR}` and the like stay unchanged. Throws Error (BadInput) if the list leads out of the tree
  // or is not text.
  const std::vector<std::string>& of(const std::string& package, const std::string& system);

  // The same for another file; `file` is relative to the tree.
  const std::vector<std::string>& of_file(const std::string& file);

  // Whether configure looks for the package among those of the system's own Python: such a package counts
  // only if the environment uses that Python's packages (`--enable-system-site-packages`). Read once.
  bool is_of_systems_python(const std::string& package);

 private:
  const PackageIndex& packages_;
  std::map<std::string, std::vector<std::string>> files_;  // by file
  std::map<std::string, bool> python_;
};

}  // namespace stagemake
