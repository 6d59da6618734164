// A revision of the tree's repository as files, without a touch to the work tree or git's index.
#pragma once

#include <string>

#include "base/files.h"

namespace stagemake {

// "A", "A B", "A..B" or "A...B" as a person says them: before and after; an empty `after` is the folder as it
// is. Throws Error (BadInput) where the words are something else, or `A...B` have nothing in common.
struct RevisionRange {
  std::string before, after;
};
RevisionRange revision_range(const fs::path& tree, const std::vector<std::string>& words);

class Revision {
 public:
  // Writes the files of `name` (all that git takes for a commit) into a new folder in `parent`, as a checkout
  // would; of a tree in a folder of its repository only those. Throws Error (BadInput) where the tree is in
  // no repository, where that has no such revision, or not all of its files.
  Revision(const fs::path& tree, const std::string& name, const fs::path& parent);

  const fs::path& path() const { return files_; }
  const std::string& name() const { return name_; }      // as it was said
  const std::string& commit() const { return commit_; }  // its id

 private:
  TemporaryFolder folder_;
  fs::path files_;
  std::string name_, commit_;
};

}  // namespace stagemake
