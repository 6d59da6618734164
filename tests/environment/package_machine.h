// A machine for the recipes that prepare a system: a folder whose programs are all package managers,
// simulated by one script, and otherwise only the programs of coreutils and grep. Recipes really run there,
// in each shell that images use as /bin/sh.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/files/files.h"

namespace stagemake {

using Words = std::vector<std::string>;

// The shells that exist on this machine.
std::vector<Words> shells();

class PackageMachine {
 public:
  explicit PackageMachine(Words shell = {"/bin/sh"});

  // What the package managers know, one name per line: "installed", "known" (available), "broken" (available,
  // but the installation fails), "lost" (missing after a successful installation). "words" is what they print
  // when they use the network; the file "offline" exists if there is no network.
  void set(const char* file, const Words& content);
  void remove(const char* program);
  fs::path path() const { return folder_.path(); }

  // Runs `script` with -e and returns its exit status. Fails the test if the script calls a package manager
  // in an unknown way.
  int run(const std::string& script, std::map<std::string, std::string> environment = {});

  // The lines of one of the files above, of "log" (all calls) or "network" (calls that need the network).
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
