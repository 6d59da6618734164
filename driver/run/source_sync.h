// How a tree inside a container becomes the tree outside: by content, so that make sees as changed what is
// changed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/source_tree.h"

namespace stagemake {

struct SourceSync {
  std::vector<SourceFile> changed;   // new or other content or kind: to be written, with a new time
  std::vector<std::string> removed;  // paths that are no more
  // A path is now of another kind (a folder where a file was, a file where a link was …): the old must go
  // before the new can come.
  bool removals_first = false;

  bool empty() const { return changed.empty() && removed.empty(); }
};

// Both sorted by path.
SourceSync compare_sources(const std::vector<SourceFile>& inside, const std::vector<SourceFile>& wanted);

// What is known of a tree while its changed files are being copied into it, one by one: each of them may be there
// or not, and gets an id that no file has. Whoever finds such a tree brings all of them again. Sorted by path.
std::vector<SourceFile> half_brought(const std::vector<SourceFile>& inside, const SourceSync& sync);

// Shell text, run in the tree's root, that removes files and the folders that they leave empty.
std::string removal_script(const std::vector<std::string>& removed);

// A tar file that puts `files` of the tree, and the source manifest, at their places in a container whose
// tree lies at `root`. First comes the manifest `meanwhile`, in the same place: a copy may be cut off. All files get `time` (seconds since the epoch). Throws Error (BadInput) where a file
// is no longer what its id says: somebody edits the tree while it is built.
void write_source_tar(const fs::path& tar, const fs::path& tree, const std::vector<SourceFile>& files,
                      const std::string& root, const std::string& meanwhile, const std::string& manifest,
                      std::int64_t time);

}  // namespace stagemake
