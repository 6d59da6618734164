// The dependencies that a 2026 package's src/pyproject.toml.m4 adds.
//
// The file is a template and not valid TOML, so it is read line by line like the distribution's own tool does
// (build/sage_bootstrap/package.py, _init_pyproject): one name per line, in the list that was opened last.
// configure writes that tool's answer, so its quirks (only the first name of a line counts) are kept on
// purpose.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

// The lists that matter to make, and all others. `Test` is the optional dependency list of that name.
enum class PyprojectList { Other, Requires, BuildRequires, HostRequires, Dependencies, Test };

struct PyprojectName {
  PyprojectList list;  // never Other
  std::string name;    // a package, or a package URL ("pkg:generic/gmp", "pkg:pypi/numpy")
  unsigned line;       // from 1
};

// The names in the order of the file. Empty if the text has no such lists.
std::vector<PyprojectName> pyproject_names(std::string_view text);

// A package URL in the form used for comparison: lower case, `-` for `_`.
std::string normalized_purl(std::string_view purl);

}  // namespace stagemake
