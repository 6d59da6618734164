// A small tree on disk, for code that reads files itself. Beside it lie files that nothing may read.
//
//   FOLDER/tree/                a distribution's tree
//   FOLDER/secret, secret.txt   one word, the secret
//   FOLDER/outside/             what a package's folder and a tree hold, with the secret in every file
//
// The folder is made where temporary files go (TMPDIR; run.sh names one in memory) and goes with the object.
#pragma once

#include <string>
#include <string_view>

#include "base/files.h"

namespace stagemake {

class FuzzTree {
 public:
  // With these packages, parted by blanks: of type standard, version 1.0, without dependencies.
  explicit FuzzTree(std::string_view packages);

  fs::path path() const { return folder_.path() / "tree"; }

  // Writes a file of the tree. No link on the way there may lead elsewhere: it would be written through.
  void write(const std::string& path, std::string_view content);
  // Makes a link in place of whatever is there. In `target`, a leading `%` stands for the folder of all this.
  void link(const std::string& path, std::string_view target);
  void remove(const std::string& path);

  // Another word in each process, so that no input can hold it. It would pass as a version and as a name.
  static const std::string& secret();

 private:
  TemporaryFolder folder_;
};

// Targets of links that lead out of build/pkgs/NAME and of the tree, and some that do not.
std::vector<std::string> link_targets();

}  // namespace stagemake
