// src/pyproject.toml.m4 of a package.
#include "tree/pyproject.h"

#include <algorithm>

#include "fuzz.h"

namespace stagemake {

std::string answer_to(std::string_view input) {
  std::string answer;
  auto count = static_cast<std::size_t>(std::count(input.begin(), input.end(), '\n')) + 1;
  unsigned last = 0;
  for (const PyprojectName& name : pyproject_names(input)) {
    require(name.list != PyprojectList::Other, "a name is in one of the lists that count", name.name);
    require(!name.name.empty() && name.name.find('\n') == std::string::npos, "a name stands in a line",
            name.name);
    require(name.line > last && name.line <= count, "names come in the order of the lines, one a line",
            name.name);
    last = name.line;
    tell(answer, name.name);
    require(normalized_purl(normalized_purl(name.name)) == normalized_purl(name.name),
            "a normalized URL stays as it is", name.name);
  }
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  for (const fs::path& package : seed_packages(tree)) seed(seed_file(package / "src/pyproject.toml.m4"));
  seed(repeated("requires = [\n", "\"numpy\"\n", "]\n"));
}

}  // namespace stagemake
