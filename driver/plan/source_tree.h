// The source files of a tree and what each contains, by git's blob ids.
//
// In a git checkout the index knows the id of every file whose size and times are still those that it
// recorded; only the others are read and hashed. Elsewhere, and for those others, a cache file keeps ids with
// the stat data they were computed for. A warm key thus costs a stat per file, not a read. Which of the two
// sources an id came from cannot be seen: a checkout and its export have the same keys.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/files.h"

namespace stagemake {

struct SourceFile {
  enum class Kind : char { Plain = 'f', Executable = 'x', Symlink = 'l' };
  std::string path;  // relative to the tree, with `/`
  Kind kind = Kind::Plain;
  std::string id;  // git blob id of the content, of a symlink's target

  auto operator<=>(const SourceFile&) const = default;
};

class SourceTree {
 public:
  // `cache` is the file that remembers ids (made when needed; losing it costs time only). `now`: seconds
  // since the epoch, for not trusting files younger than their hash.
  SourceTree(fs::path tree, fs::path cache, std::int64_t now);
  ~SourceTree();
  SourceTree(const SourceTree&) = delete;
  SourceTree& operator=(const SourceTree&) = delete;

  const fs::path& root() const { return root_; }

  // The files at and below `path`, sorted by path; empty where there is nothing. Left out is what .dockerignore
  // excludes, and what a .gitignore below the root ignores and git does not track: a clone has none of it. With
  // `ignored_too` all of that is there. Folders are no entries: an empty folder is nothing, as in git.
  // Sockets, devices and FIFOs are left out, with a warning. Nothing outside of the tree is read: links are entries, not
  // followed; those on the way to `path` are followed where they stay in the tree. Throws Error (BadInput) with all that
  // cannot be read, leads out of the tree, or is a hard link to a file of a user who owns neither the tree nor this
  // process. May be called from several threads; what it returns stays.
  const std::vector<SourceFile>& below(const std::string& path, bool ignored_too = false);

  // The files below a folder of source tarballs that are what the tree's metadata says: of a name and with the checksum
  // (SHA-256, or SHA-1 where there is no other) that a checksums.ini below build/pkgs states, ignored or not, sorted by
  // path. Links and other files are left out without a word: people keep the tarballs of other releases there. Hashed
  // once for an object's life. Throws as below() does.
  const std::vector<SourceFile>& stated_tarballs(const std::string& folder);

  // Whether a file is left out for one of these reasons; it need not be in the tree.
  bool is_ignored(const std::string& path) const;

  // One digest over files: of their paths, kinds and ids.
  static std::string digest(const std::vector<SourceFile>& files);

  // What was left out so far and a person may miss, as "path: why", sorted.
  std::vector<std::string> warnings() const;

  // Writes the cache, where it changed. Not being able to is no error.
  void save_cache() const;

 private:
  bool slice_of_known(const std::string& path, bool ignored_too, std::vector<SourceFile>& into) const;

  struct State;
  fs::path root_;
  std::unique_ptr<State> state_;
  std::map<std::pair<std::string, bool>, std::vector<SourceFile>> known_;
  std::mutex tarballs_mutex_;
  std::map<std::string, std::vector<SourceFile>> tarballs_;  // by folder
};

}  // namespace stagemake
