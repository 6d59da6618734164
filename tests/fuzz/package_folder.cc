// The files of one package, and what follows from them: the package, its rule, the order of a build. An input
// has, for each file, a letter and the content, or the target of a link.
#include <algorithm>
#include <map>

#include "base/text/text.h"
#include "environment/package_list.h"
#include "fuzz.h"
#include "fuzz_tree.h"
#include "plan/dependency_graph.h"

namespace stagemake {
namespace {

struct Slot {
  char content, link;  // the letters; `content` is 0 if only a link makes sense
  const char* file;    // below the package's folder
};
constexpr Slot kSlots[] = {
    {'t', 'T', "type"},
    {'v', 'V', "package-version.txt"},
    {'c', 'C', "checksums.ini"},
    {'r', 'R', "requirements.txt"},
    {'q', 'Q', "version_requirements.txt"},
    {'i', 'I', "install-requires.txt"},
    {'d', 'D', "dependencies"},
    {'o', 'O', "dependencies_order_only"},
    {'p', 'P', "dependencies_optional"},
    {'k', 'K', "dependencies_check"},
    {'b', 'B', "dependencies_build"},
    {'e', 'E', "trees.txt"},
    {'u', 'U', "purl.txt"},
    {'s', 'S', "spkg-install"},
    {'y', 'Y', "src/pyproject.toml.m4"},
    {0, 'W', "src"},
    {0, 'F', ""},  // the folder itself
};
constexpr const char* kPackage = "build/pkgs/fuzzed/";
constexpr const char* kMakefile = "build/make/Makefile.in";  // letters m and M

// Files first: nothing may be written after a link was made.
void write_package(FuzzTree& tree, std::string_view input) {
  tree.remove("build/pkgs/fuzzed");
  tree.remove("build/make");
  std::map<char, std::string_view> said;
  for (std::string_view piece : pieces(input))
    if (!piece.empty()) said[piece.front()] = piece.substr(1);
  if (!said.contains('T')) said.try_emplace('t', "standard\n");
  for (const Slot& slot : kSlots)
    if (auto found = said.find(slot.content); found != said.end() && slot.content != 0)
      tree.write(std::string(kPackage) + slot.file, found->second);
  if (said.contains('m')) tree.write(kMakefile, said['m']);
  for (const Slot& slot : kSlots)
    if (auto found = said.find(slot.link); found != said.end())
      tree.link(std::string(kPackage) + slot.file, found->second);
  if (said.contains('M')) tree.link(kMakefile, said['M']);
}

void tell_package(std::string& answer, const Package& package) {
  for (std::string_view text : {std::string_view(package.name), name(package.type), name(package.source),
                                std::string_view(package.version), std::string_view(package.distribution),
                                std::string_view(package.purl)})
    tell(answer, text);
  tell(answer, package.trees);
  for (const auto& line : package.lines) tell(answer, line.value_or("(none)"));
  for (const PyprojectName& name : package.pyproject) tell(answer, name.name);
  require(package.version.find_first_of("/ \n\t'\"$`") == std::string::npos && !package.version.empty(),
          "a version can stand in a file's name and in a shell's text", package.version);
  for (const auto& line : package.lines)
    require(!line || line->find('\n') == std::string::npos, "a line of dependencies is one line", *line);
}

void tell_tree(std::string& answer, const FuzzTree& tree, const TreeFeatures& features) {
  Faults faults;
  PackageIndex packages = PackageIndex::read(tree.path(), features, &faults);
  MakeVariables variables = MakeVariables::read(tree.path(), features, &faults);
  if (auto id = packages.find("fuzzed")) {
    tell_package(answer, packages[*id]);
    for (const char* file : {"type", "src", "src/pyproject.toml.m4", "../gmp/type", "/etc/passwd", "."})
      tell(answer, packages.has_file(*id, file) ? "there" : "absent");
    // A link to a folder outside would show these.
    for (const char* file : {"src/secret.txt", "src/outside/type", "src/src/pyproject.toml.m4"})
      require(!packages.has_file(*id, file), "nothing outside the tree is a file of a package", file);
  }
  GraphOptions options;
  options.checks.all = true;
  DependencyGraph graph(packages, variables, options, &faults);
  tell_faults(answer, faults.list(), {"build/pkgs", "build/make/Makefile.in"});
  if (!faults.empty()) return;
  for (PackageId id : graph.build_order({"user"})) tell(answer, packages[id].name);
  tell(answer,
       list_packages(packages, {{":standard:"}, {"dependencies|src"}, {"requirements.txt"}, {"gmp"}}));
}

}  // namespace

std::string answer_to(std::string_view input) {
  static FuzzTree tree("gmp zlib python3 pip user");
  tree.write("build/pkgs/user/dependencies", "fuzzed gmp | pip\n");
  write_package(tree, input);
  std::string answer;
  tell_tree(answer, tree, TreeFeatures::of_sage98());
  tell_tree(answer, tree, TreeFeatures::of_passagemath2026());
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  for (const fs::path& package : seed_packages(tree)) {
    std::vector<std::string> parts;
    for (const Slot& slot : kSlots) {
      if (slot.content == 0 || slot.content == 'm') continue;
      std::string text = seed_file(package / slot.file);
      if (!text.empty()) parts.push_back(slot.content + text.substr(0, 2000));
    }
    if (!parts.empty()) seed(joined_pieces(parts));
  }
  for (const std::string& target : link_targets())
    for (const Slot& slot : kSlots) seed(joined_pieces({"tstandard\n", "dgmp | pip\n", slot.link + target}));
  seed(joined_pieces({"dgmp | zlib $(PYTHON)\n", "mPYTHON = python3\nbase: gmp\n"}));
}

}  // namespace stagemake
