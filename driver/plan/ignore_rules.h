// What .dockerignore keeps out of a build, by Docker's rules: patterns are relative to the tree's root, `**`
// spans folders, `!` takes back, the last pattern that matches wins, and what lies below an excluded folder
// is excluded unless taken back itself. (https://docs.docker.com/build/concepts/context/#dockerignore-files;
// the same file as .gitignore means other things to git.)
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

  // What a folder hands down to what it contains: which patterns matched it or a folder above it.
  struct Inherited {
    std::vector<std::uint8_t> matched;
  };
  Inherited at_root() const { return {std::vector<std::uint8_t>(patterns_.size(), 0)}; }

  // Whether `path` (relative, with `/`) is excluded; `own` gets what it hands down. For walking a tree from
  // the top.
  bool excluded(std::string_view path, const Inherited& parent, Inherited& own) const;
  // The same for one path by itself.
  bool excluded(std::string_view path) const;

  // Whether a `!` pattern might take back something below an excluded folder, so that it must be walked.
  bool may_take_back_below(std::string_view folder) const;

 private:
  struct Pattern {
    std::vector<std::string> parts;  // between the `/`s
    bool takes_back = false;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace stagemake
