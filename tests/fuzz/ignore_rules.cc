// .dockerignore and .gitignore. An input is the text of the file, and paths.
#include "tree/ignore_rules.h"

#include "fuzz.h"
#include "tree/git_ignore.h"

namespace stagemake {

constexpr std::size_t kLongestPath = 400;  // bytes; longer ones only take longer

std::string answer_to(std::string_view input) {
  std::string answer;
  std::vector<std::string_view> parts = pieces(input);
  IgnoreRules rules(parts.front());
  GitIgnore git_rules(parts.front());
  parts.erase(parts.begin());
  for (const char* usual : {"build", "src/sage/rings/integer.pyx", "a/b/c/d/e/f/g/h", "README.md"})
    parts.emplace_back(usual);
  for (std::string_view path : parts) {
    if (path.size() > kLongestPath) continue;
    bool excluded = rules.excluded(path);
    tell(answer, excluded ? "out" : "in");
    bool as_folder = git_rules.of(path, true) == GitIgnore::Word::Ignored;
    bool as_file = git_rules.of(path, false) == GitIgnore::Word::Ignored;
    tell(answer, as_file ? "ignored" : as_folder ? "ignored folder" : "kept");
    std::size_t end = path.rfind('/');
    if (end == std::string_view::npos) continue;
    // Code that walks a tree enters an excluded folder only if told so.
    std::string_view folder = path.substr(0, end);
    require(excluded || !rules.excluded(folder) || rules.may_take_back_below(folder),
            "what is taken back is found by walking", path);
  }
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  seed(joined_pieces({seed_file(tree / ".dockerignore"), "build/pkgs/gmp/type"}));
  seed(joined_pieces({seed_file(tree / ".gitignore"), "src/build"}));
  seed(joined_pieces({"# comment\n/upstream\n**/*.pyc\n!src/**/keep.pyc\nlocal/\n", "src/a/keep.pyc"}));
  seed(joined_pieces({"a**b/**/c\n[a-c]?[^x]*\n\\!x\n!**\n", "ab/x/c", "bz/y"}));
  seed(joined_pieces({"**/a/**/a/**/b\n*\n!/src\n../x\n/./y//z/..\n", "a/a/a/a/b"}));
  seed(repeated("", "**/a/", "b\n") + std::string("\0a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", 48));
  seed(repeated("", "a**", "b\n"));
  seed(repeated("", "*a", "b\n"));
  seed(joined_pieces(
      {"/setup.cfg\nbuild/\n*.egg-info\n!kept.egg-info\n[[:alpha:]-]*\\ \n**/x/**\n", "a/kept.egg-info"}));
}

}  // namespace stagemake
