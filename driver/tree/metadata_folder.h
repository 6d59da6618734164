// Reads the files below TREE/build/pkgs with few system calls: one listing per package, and a file is opened
// only if the listing contains it. Measured: 410 packages in 3 ms, 625 in 9 ms.
//
// This class does not interpret the files. A file that cannot be read becomes a fault, with the path relative
// to the tree, and reading continues, so that one run shows all faults.
//
// A metadata file may be a link (real trees have hundreds), but only to a place inside the tree: a file
// outside would be missing in a container, and a tree must not read it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files/beneath.h"

namespace stagemake {

// One name in a folder.
struct FolderEntry {
  enum class Kind { File, Folder, Link, Other };
  std::string name;
  Kind kind;
};

// The entry with that name, or null.
const FolderEntry* find_entry(const std::vector<FolderEntry>& listing, std::string_view name);

class MetadataFolder {
 public:
  // A tree without build/pkgs is a fault; is_open() is then false.
  MetadataFolder(const fs::path& tree, Faults& faults);

  bool is_open() const { return pkgs_.is_open(); }

  // The names in build/pkgs that are folders, or links that may lead to a folder; sorted.
  std::vector<FolderEntry> folders();

  // The contents of build/pkgs/NAME, in no order. Empty if NAME is not a folder.
  std::vector<FolderEntry> listing(const FolderEntry& folder);

  // The content of build/pkgs/PACKAGE/FILE, valid until the next call. Returns nullopt and adds a fault if
  // the file cannot be read, is not UTF-8, is too large (kMetadataLimit) or is a link that leads nowhere or
  // out of the tree.
  std::optional<std::string_view> read(std::string_view package, const FolderEntry& file);
  // The same for a file in a folder of the package; a missing file is no fault.
  std::optional<std::string_view> read_below(std::string_view package, const FolderEntry& folder,
                                             std::string_view file);

 private:
  std::optional<std::string_view> read_open(const Descriptor& file, bool regular);
  // Opens a path relative to build/pkgs, following links inside the tree. If a link leads out of the tree or
  // nowhere, the result is not open and a fault is added. With `may_be_absent`, a missing file is no fault.
  Descriptor open_link(const std::string& where, int flags, bool may_be_absent);
  std::optional<std::string_view> read_from(Descriptor file, bool regular, bool may_be_absent);
  std::optional<std::vector<FolderEntry>> entries(const std::string& path, Descriptor folder);
  void fault(std::string_view path, std::string what);

  Beneath tree_;
  Descriptor pkgs_;  // build/pkgs
  Faults& faults_;
  std::string path_;  // of the file being read, relative to build/pkgs
  std::string buffer_;
};

}  // namespace stagemake
