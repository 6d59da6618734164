// A machine for the recipes that prepare a system: a folder whose programs are all package managers there
// are, played by one script, and nothing else but what coreutils and grep have. Recipes run there for real,
// in each shell that images have as /bin/sh.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/files.h"

namespace stagemake {

using Words = std::vector<std::string>;

// The shells to be had here.
std::vector<Words> shells();

class PackageMachine {
 public:
  explicit PackageMachine(Words shell = {"/bin/sh"});

  // What the package managers know, a name a line: "installed", "known" (could be had), "broken" (cannot be
  // installed all the same), "lost" (is not there after a good end); "words" are what they say when they use
  // the network, and the file "offline" is there where there is none.
  void set(const char* file, const Words& content);
  void remove(const char* program);
  fs::path path() const { return folder_.path(); }

  // Runs `script` with -e; its exit status. Fails the test where a package manager is called as nobody would.
  int run(const std::string& script, std::map<std::string, std::string> environment = {});

  // The lines of one of the files above, of "log" (all calls) or "network" (those that would need one).
  Words content(const char* file) const;
  std::string log() const;
  std::string last_line() const;  // of the output

  std::string output;

 private:
  fs::path bin(const char* program) const { return folder_.path() / "bin" / program; }

  Words shell_;
  TemporaryFolder folder_;
};

}  // namespace stagemake
