// Lists of system packages. An input is the system's name, a list, and the target of a link to a list.
#include "environment/system_packages.h"
#include "fuzz.h"
#include "fuzz_tree.h"

namespace stagemake {

std::string answer_to(std::string_view input) {
  static FuzzTree tree("gmp mpfr mpc");
  std::vector<std::string_view> parts = pieces(input);
  parts.resize(3);
  tree.remove("build/pkgs/mpc/distros");
  tree.write("build/pkgs/gmp/distros/debian.txt", parts[1]);
  tree.link("build/pkgs/mpfr/distros/debian.txt", parts[2]);
  tree.link("build/pkgs/mpc/distros", parts[2]);
  PackageIndex packages = PackageIndex::read(tree.path());
  SystemPackageLists lists(packages);
  std::string answer;
  for (const std::string& system : {std::string("debian"), std::string(parts[0].substr(0, 100))})
    for (const char* package : {"gmp", "mpfr", "mpc", "..", "../../../outside"})
      tell_errors(answer, {}, [&] {
        for (const std::string& name : lists.of(package, system)) {
          require(!name.empty() && name.find_first_of(" \t\n\"#") == std::string::npos, "a name is a word",
                  name);
          tell(answer, name);
        }
        tell(answer, lists.is_of_systems_python(package) ? "Python's" : "");
      });
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  for (const fs::path& package : seed_packages(tree))
    for (const char* system : {"debian", "fedora", "nix", "conda"})
      seed(joined_pieces({system, seed_file(package / "distros" / (std::string(system) + ".txt"))}));
  for (const std::string& target : link_targets())
    seed(joined_pieces({"debian", "libgmp-dev # x\n", target}));
  for (const char* system : {"../../../../../secret", "../../../../secret", "/etc/debian_version", "a/b"})
    seed(joined_pieces({system, "\"pkgconfig(gmp)\"\n"}));
  seed(repeated(std::string("debian") + std::string(1, '\0'), "libgmp ", ""));
}

}  // namespace stagemake
