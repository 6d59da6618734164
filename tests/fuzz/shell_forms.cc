// Shell text in values. Each piece of an input is one value.
#include "environment/shell_forms.h"

#include "base/text/text.h"
#include "fuzz.h"
#include "fuzz_tree.h"

namespace stagemake {

std::string answer_to(std::string_view input) {
  static FuzzTree tree("gmp mpfr python3 _prereq");
  static const PackageIndex kPackages = [] {
    tree.write("VERSION.txt", "MiniDist version 1.0\n");
    tree.write("build/pkgs/python3/spkg-configure.m4", "\n");
    tree.link("link", "../secret");
    tree.link("folder", "../outside");
    tree.link("build/pkgs/gmp/link", "%/outside");
    return PackageIndex::read(tree.path());
  }();
  std::string answer;
  for (std::string_view text : pieces(input)) {
    ShellFacts facts{kPackages, [] { return std::optional<std::string>("1.0-3-gabc"); }};
    tell_errors(answer, {}, [&] {
      std::optional<std::string> value = expand_shell_forms(text, facts);
      if (!has_shell_text(text) && value)
        require(*value == text, "text that is no shell's stays as it is", text);
      tell(answer, value.value_or("(for a shell)"));
    });
  }
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  for (const char* file : {"tox.ini", "tox-setenv.ini"}) {
    std::string text = seed_file(tree / file);
    for (std::string_view line : lines(text))
      if (has_shell_text(line)) seed(line.substr(std::min(line.find('=') + 1, line.size())));
  }
  for (const char* text : {"$(head -n 1 VERSION.txt)", "$(head -n 1 ../secret)", "$(head -n 1 link)",
                           "$(head -n 1 folder/VERSION.txt)", "$(head -n1 %/secret)",
                           "$(head -1 build/../../secret)", "$(head -n 1 build/pkgs/gmp/link/dependencies)",
                           "$(echo docker-x-incremental | sed 's/-incremental//')",
                           "$(echo a b | sed -E 's/(a|b)c?/x/g;s,y,z,')",
                           "$(sage-package list --has-file=spkg-configure.m4 :standard:)",
                           "$(git describe --dirty --always)-$BUILD_TAG",
                           "$(sage-package list --has-file link/secret.txt :all:)", "${BUILD_TAG}\\$x`y`",
                           "$(build/bin/sage-package list gmp --exclude gmp)",
                           "$(sage-package list --no-file=../../../secret :all:)"})
    seed(text);
  seed(repeated("$(", "$(echo ", "a)"));
  seed(repeated("$(echo ", "a", " | sed -E 's/(a|aa)?(a|aa)?(a|aa)?b//g')"));
  seed(repeated("$(sage-package list ", "x ", ")"));
  seed(repeated("", "$(git describe --dirty --always)", ""));
}

}  // namespace stagemake
