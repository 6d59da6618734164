// Turns the tree inside a container into the tree outside, by content, so that make sees exactly the changed
// files as changed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tree/source_tree.h"

namespace stagemake {

struct SourceSync {
  std::vector<SourceFile> changed;   // new, or with other content or kind: to be written, with a new time
  std::vector<std::string> removed;  // paths that no longer exist
  // A path changed its kind (a folder replaced a file, a file replaced a link …): the old one must be removed
  // before the new one can be written.
  bool removals_first = false;

  bool empty() const { return changed.empty() && removed.empty(); }
};

// Both sorted by path.
SourceSync compare_sources(const std::vector<SourceFile>& inside, const std::vector<SourceFile>& wanted);

// What is known of a tree while its changed files are being copied into it, one by one: each of them may be
// there or not, and gets an id that no file has. The next driver that finds such a tree copies all of them
// again. Sorted by path.
std::vector<SourceFile> half_brought(const std::vector<SourceFile>& inside, const SourceSync& sync);

// Shell text, run in the tree's root, that removes files and the folders that become empty.
std::string removal_script(const std::vector<std::string>& removed);

// Writes a tar file that puts `files` of the tree, and the source manifest, at their places in a container
// whose tree lies at `root`. The manifest `meanwhile` comes first, in the same place, because the copy may be
// cut off. All files get `time` (seconds since the epoch). Throws Error (BadInput) if a file no longer
// matches its id: somebody edits the tree while it is built.
void write_source_tar(const fs::path& tar, const fs::path& tree, const std::vector<SourceFile>& files,
                      const std::string& root, const std::string& meanwhile, const std::string& manifest,
                      std::int64_t time);

}  // namespace stagemake
