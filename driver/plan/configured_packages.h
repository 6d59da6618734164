// Decisions of configure about packages, read from the makefile that it wrote.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace stagemake {

// Path of that makefile below the tree's root.
inline constexpr std::string_view kConfiguredMakefile = "build/make/Makefile";

struct ConfiguredPackages {
  std::set<std::string> dummies;    // DUMMY_PACKAGES: provided by the system, make skips them
  std::set<std::string> installed;  // OPTIONAL_INSTALLED_PACKAGES: standard ones, and enabled optional ones
  // Optional packages that are there only because configure found them installed: a clean build would not
  // have them, and make builds them until configure runs again without them.
  std::set<std::string> found = {};

  bool operator==(const ConfiguredPackages&) const = default;
};

// nullopt if the text has no DUMMY_PACKAGES, or configure has not filled them in. Names that are not package
// names are left out, because the text comes from an image.
std::optional<ConfiguredPackages> read_configured_makefile(std::string_view text);

// Converts to one line of text, for labels and files, and back. nullopt if the line is invalid.
std::string configured_text(const ConfiguredPackages& configured);
std::optional<ConfiguredPackages> parse_configured(std::string_view text);

}  // namespace stagemake
