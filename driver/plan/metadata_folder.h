// Reads the files below TREE/build/pkgs with few system calls: one listing per package, and a file is opened
// only where the listing has it. Measured: 410 packages in 3 ms, 625 in 9 ms.
//
// Knows nothing of what the files mean. What cannot be read becomes a fault, with the path relative to the
// tree, and reading goes on, so that a person sees everything in one go.
//
// A metadata file may be a link (real trees hold hundreds), but only to a place inside the tree: what lies
// outside would be missing in a container, and is none of a tree's business.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.h"
#include "base/error.h"

namespace stagemake {

// What a folder holds under one name.
struct FolderEntry {
  enum class Kind { File, Folder, Link, Other };
  std::string name;
  Kind kind;
};

// The entry of that name, or null.
const FolderEntry* find_entry(const std::vector<FolderEntry>& listing, std::string_view name);

class MetadataFolder {
 public:
  // A tree without build/pkgs is a fault; is_open() is false then.
  MetadataFolder(const fs::path& tree, Faults& faults);

  bool is_open() const { return pkgs_.is_open(); }

  // The names in build/pkgs that are folders, or links that may lead to one; sorted.
  std::vector<FolderEntry> folders();

  // What build/pkgs/NAME holds, in no order. Empty where NAME is no folder.
  std::vector<FolderEntry> listing(const FolderEntry& folder);

  // The content of build/pkgs/PACKAGE/FILE, valid until the next call; nothing, and a fault, where it cannot
  // be read, is no UTF-8, is too large (kMetadataLimit) or is a link that leads nowhere or out of the tree.
  std::optional<std::string_view> read(std::string_view package, const FolderEntry& file);
  // The same for a file in a folder of the package; without a fault where there is no such file.
  std::optional<std::string_view> read_below(std::string_view package, const FolderEntry& folder,
                                             std::string_view file);

 private:
  std::optional<std::string_view> read_open(const Descriptor& file, bool regular);
  // Opens what lies at a path relative to build/pkgs, following links inside the tree; not open, and a fault, where it
  // leads out or nowhere. Without a fault where there is nothing, if that `may_be_absent`.
  Descriptor open_link(const std::string& where, int flags, bool may_be_absent);
  std::optional<std::string_view> read_from(Descriptor file, bool regular, bool may_be_absent);
  std::optional<std::vector<FolderEntry>> entries(const std::string& path, Descriptor folder);
  void fault(std::string_view path, std::string what);

  Beneath tree_;
  Descriptor pkgs_;  // build/pkgs
  Faults& faults_;
  std::string path_;  // relative to build/pkgs, of the file that is read
  std::string buffer_;
};

}  // namespace stagemake
