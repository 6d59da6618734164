// One .gitignore file, by git's rules (gitignore(5)). They differ from Docker's for the same text
// (tree/ignore_rules.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

class GitIgnore {
 public:
  GitIgnore() = default;  // matches nothing
  explicit GitIgnore(std::string_view text);

  enum class Word { Nothing, Ignored, TakenBack };
  // What the file says about a path; the last matching pattern counts. `path` is relative to the file's
  // folder, with `/`. The caller must check first whether a folder above the path is ignored, because that
  // takes precedence.
  Word of(std::string_view path, bool is_folder) const;

  bool empty() const { return patterns_.empty(); }

 private:
  struct Pattern {
    std::vector<std::string> parts;  // separated by `/`; `**` alone spans folders
    bool takes_back = false;
    bool folders_only = false;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace stagemake
