// The source files of a tree, each with the git blob id of its content.
//
// In a git checkout, the index has the id of every file whose size and times are unchanged since git recorded
// them; only the other files are read and hashed. For these, and outside a checkout, a cache file keeps ids
// with the stat data for which they were computed. So a warm key costs a stat per file, not a read. An id is
// the same from both sources: a checkout and its export have the same keys.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/files/files.h"

namespace stagemake {

struct SourceFile {
  enum class Kind : char { Plain = 'f', Executable = 'x', Symlink = 'l' };
  std::string path;  // relative to the tree, with `/`
  Kind kind = Kind::Plain;
  std::string id;  // git blob id of the content, or of a symlink's target

  auto operator<=>(const SourceFile&) const = default;
};

class SourceTree {
 public:
  // `cache` is the file that remembers ids (created if needed; losing it costs only time). `now`: seconds
  // since the epoch; files too young at that time are not trusted.
  SourceTree(fs::path tree, fs::path cache, std::int64_t now);
  ~SourceTree();
  SourceTree(const SourceTree&) = delete;
  SourceTree& operator=(const SourceTree&) = delete;

  const fs::path& root() const { return root_; }

  // Treats these files and folders, relative to the tree, as if they did not exist. To be called first.
  void leave_out(std::set<std::string> paths);

  // The files at and below `path`, sorted by path; empty if there are none. Files that .dockerignore excludes
  // are left out, and so are files that a .gitignore below the root ignores and git does not track, because a
  // clone has none of them. `ignored_too` includes all of these. Folders are not entries: like in git, an
  // empty folder does not exist. Sockets, devices and FIFOs are skipped with a warning. Nothing outside the
  // tree is read: links are entries and are not followed; links on the way to `path` are followed if they
  // stay in the tree. Throws Error (BadInput) listing all files that cannot be read, lead out of the tree, or
  // are hard links to a file of a user who owns neither the tree nor this process. May be called from several
  // threads; the result stays valid.
  const std::vector<SourceFile>& below(const std::string& path, bool ignored_too = false);

  // The files below a folder of source tarballs whose name and checksum (SHA-256, or SHA-1 if there is no
  // other) are in a checksums.ini below build/pkgs, ignored or not, sorted by path. Links and other files are
  // skipped silently, because people keep the tarballs of other releases there. Hashed once per object.
  // Throws like below().
  const std::vector<SourceFile>& stated_tarballs(const std::string& folder);

  // Whether a file is left out for one of these reasons; the file need not exist.
  bool is_ignored(const std::string& path) const;

  // The digest of the files that below() returns, without those whose paths are, or lie below, one of
  // `left_out`. Computed once per object. May be called from several threads; throws like below().
  std::string digest_below(const std::string& path, bool ignored_too,
                           const std::vector<std::string>& left_out);

  // A digest of the paths, kinds and ids of files.
  static std::string digest(const std::vector<SourceFile>& files);

  // Files left out so far that a user may miss, as "path: why", sorted.
  std::vector<std::string> warnings() const;

  // Writes the cache if it changed. A failure is not an error.
  void save_cache() const;

 private:
  bool slice_of_known(const std::string& path, bool ignored_too, std::vector<SourceFile>& into) const;

  struct State;
  fs::path root_;
  std::unique_ptr<State> state_;
  std::map<std::pair<std::string, bool>, std::vector<SourceFile>> known_;
  std::mutex tarballs_mutex_;
  std::map<std::string, std::vector<SourceFile>> tarballs_;  // by folder
  std::mutex digests_mutex_;
  std::map<std::tuple<std::string, bool, std::vector<std::string>>, std::string> digests_;
};

}  // namespace stagemake
