// A small tree on disk, for code that reads files itself. Next to it are files that nothing may read.
//
//   FOLDER/tree/                a distribution's tree
//   FOLDER/secret, secret.txt   one word, the secret
//   FOLDER/outside/             contents of a package's folder and of a tree, with the secret in every file
//
// The folder is made in the folder for temporary files (TMPDIR; run.sh sets one in memory) and removed with
// the object.
#pragma once

#include <string>
#include <string_view>

#include "base/files/files.h"

namespace stagemake {

class FuzzTree {
 public:
  // With these packages, separated by blanks: of type standard, version 1.0, without dependencies.
  explicit FuzzTree(std::string_view packages);

  fs::path path() const { return folder_.path() / "tree"; }

  // Writes a file of the tree. No link on that path may lead elsewhere: the file would be written through it.
  void write(const std::string& path, std::string_view content);
  // Replaces whatever is there by a link. In `target`, a leading `%` means the folder of this object.
  void link(const std::string& path, std::string_view target);
  void remove(const std::string& path);

  // A different word in each process, so that no input can contain it. It is a valid version and a valid
  // name.
  static const std::string& secret();

 private:
  TemporaryFolder folder_;
};

// Link targets: some lead out of build/pkgs/NAME and of the tree, some do not.
std::vector<std::string> link_targets();

}  // namespace stagemake
