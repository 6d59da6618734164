// ci-docker.toml.
#include "tree/stage_table.h"

#include "base/text/image_name.h"
#include "base/text/text.h"
#include "fuzz.h"
#include "fuzz_tree.h"
#include "tree/stage_table_toml.h"

namespace stagemake {
namespace {

void tell_stage(std::string& answer, const StageTable& table, std::size_t position) {
  const StageSpec& stage = table.stages[position];
  require(fits_in_image_name(stage.name), "a stage's name fits into an image's", stage.name);
  require(stage.parent.empty() || table.find(stage.parent).value_or(position) < position,
          "a stage's parent stands before it", stage.name);
  require(table.chain(position).back() == position, "a stage is the last of its chain", stage.name);
  for (const auto* paths : {&stage.adds, &stage.adds_always, &stage.tarballs, &stage.unkeyed})
    for (const std::string& path : *paths) {
      require(!path.empty() && !path.starts_with('/'), "what is added lies in the tree", path);
      for (std::string_view part : split(path, '/'))
        require(!part.empty() && part != "." && part != "..", "what is added lies in the tree", path);
    }
  for (const std::string& text : {stage.name, stage.parent, stage.recipe}) tell(answer, text);
  for (const auto* list : {&stage.adds, &stage.adds_always, &stage.tarballs, &stage.unkeyed, &stage.uses,
                           &stage.passes, &stage.make_targets})
    tell(answer, *list);
}

}  // namespace

std::string answer_to(std::string_view input) {
  static FuzzTree tree("gmp");
  tree.write("ci-docker.toml", input);
  fs::path file = tree.path() / "ci-docker.toml";
  std::string answer;
  tell_errors(answer, {std::string_view(file.native())}, [&] {
    StageTable table = read_stage_table(file, TreeFeatures::of_sage98());
    for (const std::string& text : {table.distribution, table.root, table.image_prefix,
                                    table.environment_prefix, table.default_stage, table.uninstall})
      tell(answer, text);
    tell(answer, table.environments);
    tell(answer, table.stamp_folders);
    require(table.root.starts_with('/') && table.root.size() > 1, "the root is a folder", table.root);
    require(table.find(table.default_stage).has_value(), "the default stage is one", table.default_stage);
    for (std::size_t i = 0; i < table.stages.size(); ++i) tell_stage(answer, table, i);
  });
  return answer;
}

void add_seeds(const fs::path& tree, const SeedSink& seed) {
  seed(seed_file(tree / "ci-docker.toml"));
  seed(
      "name = \"MyDist\"\nroot = \"/mydist\"\nimage_prefix = \"mydist\"\nenvironments = "
      "[\"debian-bookworm-minimal\"]\n"
      "default_stage = \"built\"\nstamp_folders = [\"local/var\"]\nuninstall = 'make "
      "\"$PACKAGE-uninstall\"'\n"
      "environment_prefix = \"docker-\"\n[[stage]]\nname = \"system\"\nrecipe = \"%{system_packages}\"\n"
      "[[stage]]\nname = \"built\"\nadds = [\"src\", \"./a/../b\"]\nadds_always = [\"generated\"]\n"
      "tarballs = [\"upstream\"]\n"
      "unkeyed = [\"build/README\"]\nuses = [\"TARGETS\"]\npasses = [\"MAKE\"]\nmake_targets = "
      "[\"$TARGETS\"]\n"
      "recipe = \"\"\"make\n$TARGETS\"\"\"\n[[stage]]\nname = \"tested\"\nparent = \"built\"\n"
      "errors_ignored = true\nrecipe = \"make check\"\n");
  seed("\"a\\u001bb\" = 1\n[[stage]]\nname = \"\\u001b\"\nparent = \"\\u001b\"\n");
  seed(repeated("", "a", " = 1\n"));
  seed(repeated("[[stage]]\nname = \"", "a", "\"\nadds = ['/']\n"));
  seed(repeated("name = ", "[", ""));
  seed(repeated("a = ", "{a=", "1"));
  seed(repeated("", "[[stage]]\nname='a'\nrecipe='b'\n", ""));
}

}  // namespace stagemake
