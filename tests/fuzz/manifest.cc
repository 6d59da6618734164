// The list of sources inside an image.
#include <algorithm>

#include "fuzz.h"
#include "snapshot/snapshot.h"

namespace stagemake {

std::string answer_to(std::string_view input) {
  std::string answer;
  auto files = parse_manifest(input);
  tell(answer, files ? "manifest" : "none");
  if (!files) return answer;
  require(manifest_text(*files) == input, "a manifest is written in one way", input);
  require(std::is_sorted(files->begin(), files->end(),
                         [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; }),
          "a manifest is sorted", input);
  for (const SourceFile& file : *files) {
    std::string inside = "/" + file.path + "/";
    for (const char* part : {"//", "/./", "/../"})
      require(inside.find(part) == std::string::npos, "a source lies in the tree", file.path);
    tell(answer, file.path);
  }
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  std::string id(40, 'a');
  std::vector<SourceFile> files = {{"VERSION.txt", SourceFile::Kind::Plain, id},
                                   {"bootstrap", SourceFile::Kind::Executable, std::string(40, '0')},
                                   {"build/pkgs/x", SourceFile::Kind::Symlink, id}};
  seed(manifest_text(files));
  files.clear();
  for (const fs::path& package : seed_packages(tree)) {
    if (files.size() > 20) break;
    files.push_back({"build/pkgs/" + package.filename().string(), SourceFile::Kind::Plain, id});
  }
  seed(manifest_text(files));
}

}  // namespace stagemake
