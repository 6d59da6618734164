// What a 2026 package's src/pyproject.toml.m4 adds to its dependencies.
//
// The file is a template and no TOML yet, so it is read line by line as the distribution's own tool does
// (build/sage_bootstrap/package.py, _init_pyproject): one name a line, in whichever list was opened last.
// That tool's answer is what configure writes, so its quirks (only the first name of a line counts) are kept
// on purpose.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

// The lists that matter to make, and all others. `Test` is the optional dependency of that name.
enum class PyprojectList { Other, Requires, BuildRequires, HostRequires, Dependencies, Test };

struct PyprojectName {
  PyprojectList list;  // never Other
  std::string name;    // a package, or a package URL ("pkg:generic/gmp", "pkg:pypi/numpy")
  unsigned line;       // from 1
};

// The names in the order of the file. Text without such lists has none.
std::vector<PyprojectName> pyproject_names(std::string_view text);

// A package URL as it is compared: lower case, `-` for `_`.
std::string normalized_purl(std::string_view purl);

}  // namespace stagemake
