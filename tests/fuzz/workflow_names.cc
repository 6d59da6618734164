// A GitHub workflow, which is YAML.
#include "environment/workflow_names.h"

#include "fuzz.h"
#include "fuzz_tree.h"

namespace stagemake {

std::string answer_to(std::string_view input) {
  static FuzzTree tree("gmp");
  tree.link(".github/workflows/secret.yml", "%/outside/docker.yml");
  tree.write(".github/workflows/docker.yml", input);
  std::string answer;
  Faults faults;
  tell_errors(answer, {".github/workflows"}, [&] {
    for (const ListedName& listed : workflow_names(tree.path(), faults)) {
      require(listed.line > 0 && listed.file.starts_with(".github/workflows/"), "a name stands in a line",
              listed.name);
      tell(answer, listed.name);
    }
  });
  tell_faults(answer, faults.list(), {".github/workflows"});
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  for (const char* file : {"docker.yml", "ci.yml", "linux.yml"})
    seed(seed_file(tree / ".github/workflows" / file));
  seed(
      "on:\n  workflow_call:\n    inputs:\n      tox_system_factors:\n        default: >-\n          "
      "[\"ubuntu-jammy\",\n"
      "           \"debian-bookworm\"]\njobs:\n  a:\n    strategy:\n      matrix:\n        "
      "tox_system_factor: [x-1, \"y\"]\n"
      "    steps:\n      - run: |\n          tox -e docker-a-b,local-c -- build\n          echo ${{ x }}\n");
  seed(repeated("tox_system_factors: ", "[", ""));
  seed(repeated("tox_system_factors: [", "ab, ", "c]\n"));
  seed(repeated("a: ", "{b: ", ""));
  seed("a: &a [*a, x]\nb: &b {c: *b}\n");
  seed(
      "a: &a [x, y]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nd: &d [*c, *c]\ntox_system_factors: *d\ne: "
      "*d\n");
}

}  // namespace stagemake
