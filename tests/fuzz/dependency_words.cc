// Dependency lines. An input is the text of build/make/Makefile.in and lines.
#include "tree/dependency_words.h"

#include <fmt/format.h>

#include "fuzz.h"
#include "fuzz_tree.h"

namespace stagemake {
namespace {

void tell_references(std::string& answer, const std::vector<Reference>& references,
                     const PackageIndex& packages) {
  tell(answer, std::to_string(references.size()));
  for (Reference reference : references) {
    require(reference.id < packages.size(), "a reference is a package");
    answer.append(std::to_string(reference.id)).append(reference.by_stamp ? "s " : " ");
  }
}

void tell_lines(std::string& answer, const std::vector<std::string_view>& lines, const PackageIndex& packages,
                const fs::path& tree) {
  Faults faults;
  MakeVariables variables = MakeVariables::read(tree, packages.features(), &faults);
  std::vector<bool> installed(packages.size()), checked(packages.size());
  for (PackageId id = 0; id < packages.size(); ++id) {
    installed[id] = id % 2 == 0;
    checked[id] = id % 3 == 0;
  }
  DependencyWords words(packages, variables, installed, checked, faults);
  for (std::string_view line : lines) {
    References references;
    words.resolve(line, {"gmp", "dependencies"}, references);
    tell_references(answer, references.normal, packages);
    tell_references(answer, references.order_only, packages);
    tell(answer, references.forced ? "forced" : "");
  }
  for (const char* variable : {"PYTHON_TOOLCHAIN", "TOOLCHAIN", "SAGERUNTIME"})
    tell_references(answer, words.packages_of(variable), packages);
  tell_faults(answer, faults.list(), {"build/pkgs/gmp/dependencies", "build/make/Makefile.in"});
}

}  // namespace

std::string answer_to(std::string_view input) {
  static FuzzTree tree(
      "gmp mpfr mpc zlib python3 pip gcc openblas sagelib ipython pexpect patch pkgconf xz numpy cython "
      "setuptools "
      "setuptools_scm wheel sage_conf readline ncurses");
  static const PackageIndex kOld = PackageIndex::read(tree.path(), TreeFeatures::of_sage98());
  static const PackageIndex kRecent = PackageIndex::read(tree.path(), TreeFeatures::of_passagemath2026());
  std::vector<std::string_view> parts = pieces(input);
  tree.write("build/make/Makefile.in", parts.front());
  parts.erase(parts.begin());
  std::string answer;
  tell_lines(answer, parts, kOld, tree.path());
  tell_lines(answer, parts, kRecent, tree.path());
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  std::vector<std::string> all = {seed_file(tree / "build/make/Makefile.in")};
  for (const fs::path& package : seed_packages(tree)) {
    std::vector<std::string> lines = {"A = $(B) zlib\nB = gmp | $(inst_mpc)\nPYTHON = python3\nbase: $(A)\n"};
    for (std::string_view file : kDependencyFiles) {
      std::string text = seed_file(package / std::string(file));
      if (!text.empty()) lines.push_back(text.substr(0, text.find('\n')));
    }
    if (lines.size() == 1) continue;
    seed(joined_pieces(lines));
    if (all.size() < 200) all.insert(all.end(), lines.begin() + 1, lines.end());
  }
  seed(joined_pieces(all));
  seed(joined_pieces(
      {"A = $(B)\nB = $(A)\n", "$(A)", "$(and $(filter-out no,$(SAGE_CHECK_gmp)), zlib $(B)) | FORCE",
       "$(findstring xz,$(OPTIONAL_INSTALLED_PACKAGES)) $(SAGE_LOCAL)/$(SPKG_INST_RELDIR)/xz-$(vers_xz)",
       "$(optional_inst_numpy) pkg:pypi/cython $(SAGE_ROOT)/../../secret*"}));
  const std::string_view zero("\0", 1);
  std::string line("A = gmp\n");
  seed(repeated(line.append(zero), "$(and $(filter-out no,$(SAGE_CHECK_gmp)), ", "zlib"));
  seed(repeated(line, "$(", "A"));
  seed(repeated(line, "gmpp ", ""));
  seed(repeated("", "A += $(A) gmp\n", ""));
  std::string doubled;  // each variable doubles the previous one
  for (int i = 0; i < 40; ++i) doubled += fmt::format("V{}=$(V{}) $(V{})\n", i + 1, i, i);
  seed(joined_pieces({"V0=gmp\n" + doubled, "$(V40)"}));
}

}  // namespace stagemake
