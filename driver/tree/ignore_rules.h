// What .dockerignore excludes from a build, by Docker's rules: patterns are relative to the tree's root, `**`
// spans folders, `!` takes back, the last matching pattern wins, and everything below an excluded folder is
// excluded unless a pattern takes it back.
// (https://docs.docker.com/build/concepts/context/#dockerignore-files; git reads the same text as .gitignore
// differently.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

class IgnoreRules {
 public:
  IgnoreRules() = default;  // excludes nothing
  explicit IgnoreRules(std::string_view dockerignore);

  // State that a folder passes to its contents: which patterns matched the folder or a folder above it.
  struct Inherited {
    std::vector<std::uint8_t> matched;
  };
  Inherited at_root() const { return {std::vector<std::uint8_t>(patterns_.size(), 0)}; }

  // Whether `path` (relative, with `/`) is excluded; `own` receives the state for its contents. For walking a
  // tree from the top.
  bool excluded(std::string_view path, const Inherited& parent, Inherited& own) const;
  // The same for a single path.
  bool excluded(std::string_view path) const;

  // Whether a `!` pattern might take back something below an excluded folder, so that the folder must be
  // walked.
  bool may_take_back_below(std::string_view folder) const;

 private:
  struct Pattern {
    std::vector<std::string> parts;  // separated by `/`
    bool takes_back = false;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace stagemake
