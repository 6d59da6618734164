// A revision of the tree's repository as files, without touching the work tree or git's index.
#pragma once

#include <set>
#include <string>

#include "base/files/files.h"

namespace stagemake {

// "A", "A B", "A..B" or "A...B" from the command line: before and after; an empty `after` is the folder as it
// is. Throws Error (BadInput) for other forms, or if `A...B` have no common ancestor.
struct RevisionRange {
  std::string before, after;
};
RevisionRange revision_range(const fs::path& tree, const std::vector<std::string>& words);

// Untracked files and folders that git ignores, relative to the tree.
std::set<std::string> ignored_by_git(const fs::path& tree);

class Revision {
 public:
  // Writes the files of `name` (anything that git accepts as a commit) into a new folder in `parent`, as a
  // checkout would. If the tree is a subfolder of its repository, only its files are written. Throws Error
  // (BadInput) if the tree is in no repository, or the repository lacks that revision or some of its files.
  Revision(const fs::path& tree, const std::string& name, const fs::path& parent);

  const fs::path& path() const { return files_; }
  const std::string& name() const { return name_; }      // as given
  const std::string& commit() const { return commit_; }  // its id

 private:
  TemporaryFolder folder_;
  fs::path files_;
  std::string name_, commit_;
};

}  // namespace stagemake
