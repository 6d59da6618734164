// What configure decided about packages, read from the makefile it wrote.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace stagemake {

// Where that makefile lies, below the tree's root.
inline constexpr std::string_view kConfiguredMakefile = "build/make/Makefile";

struct ConfiguredPackages {
  std::set<std::string> dummies;    // DUMMY_PACKAGES: the system's own copies are used, make skips them
  std::set<std::string> installed;  // OPTIONAL_INSTALLED_PACKAGES: standard ones, and those that were enabled
  // Optional ones that are there as well because configure found them installed: a clean build would not have
  // them, and make builds them as long as configure does not run again without them.
  std::set<std::string> found = {};

  bool operator==(const ConfiguredPackages&) const = default;
};

// Nothing where the text has no DUMMY_PACKAGES, or configure has not filled them in. Names that are no
// package names are left out: the text comes out of an image.
std::optional<ConfiguredPackages> read_configured_makefile(std::string_view text);

// As one line of text, for labels and files; and back. Nothing where the line is none.
std::string configured_text(const ConfiguredPackages& configured);
std::optional<ConfiguredPackages> parse_configured(std::string_view text);

}  // namespace stagemake
