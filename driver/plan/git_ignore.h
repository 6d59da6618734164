// One .gitignore file, by git's rules (gitignore(5)). They differ from Docker's for the same text (plan/ignore_rules.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

class GitIgnore {
 public:
  GitIgnore() = default;  // says nothing
  explicit GitIgnore(std::string_view text);

  enum class Word { Nothing, Ignored, TakenBack };
  // What the file says about a path, by the last pattern that matches. `path` is relative to the file's folder, with
  // `/`. That a folder above the path is ignored, which counts first, the caller must know.
  Word of(std::string_view path, bool is_folder) const;

  bool empty() const { return patterns_.empty(); }

 private:
  struct Pattern {
    std::vector<std::string> parts;  // between the `/`s; a `**` alone spans folders
    bool takes_back = false;
    bool folders_only = false;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace stagemake
