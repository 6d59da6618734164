#include "tree/stage_table.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "tree/stage_table_toml.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> names(const StageTable& table) {
  std::vector<std::string> result;
  for (const StageSpec& stage : table.stages) result.push_back(stage.name);
  return result;
}

std::vector<std::string> parents(const StageTable& table) {
  std::vector<std::string> result;
  for (const StageSpec& stage : table.stages) result.push_back(stage.parent);
  return result;
}

const StageSpec& stage(const StageTable& table, std::string_view name) {
  return table.stages[table.find(name).value()];
}

class BuiltIn : public testing::TestWithParam<TreeFeatures> {};
INSTANTIATE_TEST_SUITE_P(Releases, BuiltIn,
                         testing::Values(TreeFeatures::of_sage98(), TreeFeatures::of_passagemath2026()));

TEST_P(BuiltIn, StagesFormTheKnownChain) {
  StageTable table = built_in_stages(GetParam());
  EXPECT_THAT(names(table),
              ElementsAre("with-system-packages", "bootstrapped", "configured", "with-base-toolchain",
                          "with-targets-pre", "with-targets", "with-targets-optional"));
  EXPECT_THAT(parents(table), ElementsAre("", "with-system-packages", "bootstrapped", "configured",
                                          "with-base-toolchain", "with-targets-pre", "with-targets"));
  EXPECT_EQ(table.default_stage, "with-targets");
  EXPECT_EQ(table.root, "/sage");
  EXPECT_EQ(table.image_prefix, "sage");
  EXPECT_THAT(table.chain(2), ElementsAre(0, 1, 2));
  EXPECT_EQ(table.find("nonsense"), std::nullopt);
  EXPECT_EQ(table.find(""), std::nullopt) << "the base image is no stage";
}

TEST_P(BuiltIn, OnlyTheOptionalStageIgnoresErrorsAndMakeStagesHaveAGuard) {
  StageTable table = built_in_stages(GetParam());
  for (const StageSpec& one : table.stages) {
    EXPECT_EQ(one.errors_ignored, one.name == "with-targets-optional") << one.name;
    EXPECT_EQ(one.recipe.find("%{guard}") != std::string::npos, one.name.starts_with("with-targets"))
        << one.name;
    EXPECT_EQ(one.recipe.find("make ") != std::string::npos, !one.make_targets.empty()) << one.name;
  }
  EXPECT_THAT(stage(table, "with-base-toolchain").make_targets, ElementsAre("base-toolchain"));
  EXPECT_THAT(stage(table, "with-targets-pre").make_targets, ElementsAre("$TARGETS_PRE"));
  EXPECT_THAT(stage(table, "with-targets").make_targets, ElementsAre("$TARGETS"));
  EXPECT_THAT(stage(table, "with-targets-optional").make_targets, ElementsAre("$TARGETS_OPTIONAL"));
}

TEST_P(BuiltIn, SectionsAreThoseThatScriptsLookFor) {
  std::vector<std::string> sections;
  for (const StageSpec& one : built_in_stages(GetParam()).stages) {
    sections.push_back(one.section);
    EXPECT_EQ(one.configures, one.name == "configured") << one.name;
  }
  EXPECT_THAT(sections, ElementsAre("packages", "bootstrapping", "configuring", "toolchain", "make", "", ""));
}

TEST_P(BuiltIn, NoJobCountIsKeyed) {
  for (const StageSpec& one : built_in_stages(GetParam()).stages)
    for (const std::string& name : one.uses) EXPECT_TRUE(name != "MAKE" && name != "NUMPROC") << one.name;
}

TEST_P(BuiltIn, SourcesComeWithTheStagesThatNeedThem) {
  StageTable table = built_in_stages(GetParam());
  for (const StageSpec& one : table.stages) {
    bool adds = one.name == "bootstrapped" || one.name == "with-targets";
    EXPECT_EQ(!one.adds.empty(), adds) << one.name;
    EXPECT_EQ(!one.tarballs.empty(), one.name == "with-base-toolchain") << one.name;
    EXPECT_THAT(one.adds_always, IsEmpty()) << one.name;
  }
  EXPECT_THAT(stage(table, "with-targets").adds, ElementsAre("src"));
  EXPECT_THAT(stage(table, "with-base-toolchain").tarballs, ElementsAre("upstream"));
}

TEST(StageTable, BootstrappedAddsWhatSage98sDockerfileWriterAdds) {
  StageTable table = built_in_stages(TreeFeatures::of_sage98());
  EXPECT_THAT(
      stage(table, "bootstrapped").adds,
      UnorderedElementsAre("Makefile", "VERSION.txt", "COPYING.txt", "condarc.yml", "README.md", "bootstrap",
                           "bootstrap-conda", "configure.ac", "sage", ".homebrew-build-env", "tox.ini",
                           "Pipfile.m4", "config/config.rpath", "src/doc/bootstrap", "src/bin",
                           "src/Pipfile.m4", "src/pyproject.toml.m4", "src/requirements.txt.m4",
                           "src/setup.cfg.m4", "src/VERSION.txt", "m4", "pkgs", "build"));
  EXPECT_EQ(table.environment_prefix, "docker-");
}

TEST(StageTable, BootstrappedAddsWhatPassagemathsDockerfileWriterAdds) {
  StageTable table = built_in_stages(TreeFeatures::of_passagemath2026());
  EXPECT_THAT(stage(table, "bootstrapped").adds,
              UnorderedElementsAre("Makefile", "VERSION.txt", "COPYING.txt", "condarc.yml", "README.md",
                                   "bootstrap", "configure.ac", "sage", ".homebrew-build-env", "tox.ini",
                                   ".gitignore", "pyproject.toml", "meson.build", "meson.options",
                                   "config/config.rpath", "src/meson.build", "src/bin", "m4", "pkgs", "build",
                                   ".upstream.d", "tools", ".github/workflows"));
  EXPECT_EQ(table.environment_prefix, "");
}

TEST(StageTable, OnlyUnreadFilesAreUnkeyed) {
  for (const TreeFeatures& features : {TreeFeatures::of_sage98(), TreeFeatures::of_passagemath2026()}) {
    const StageTable table = built_in_stages(features);
    const std::vector<std::string>& unkeyed = stage(table, "bootstrapped").unkeyed;
    for (const char* path : {"README.md", "tox.ini", ".github/workflows"})
      EXPECT_THAT(unkeyed, testing::Contains(path));
    for (const char* path :
         {"build", "bootstrap", "configure.ac", "m4", "pkgs", "VERSION.txt", "COPYING.txt"})
      EXPECT_THAT(unkeyed, testing::Not(testing::Contains(path)));
  }
}

TEST(StageTable, TheDistributionIsNamedByItsVersionFile) {
  TreeText tree("zlib standard 1\n");
  auto distribution = [&](std::string_view version) {
    tree.file("VERSION.txt", version);
    return stage_table_of(tree.path(), TreeFeatures::of_sage98(), std::nullopt).distribution;
  };
  EXPECT_EQ(distribution("SageMath version 9.8.rc0, Release Date: 2023-01-15\n"), "SageMath");
  EXPECT_EQ(distribution("passagemath version 10.6.1\n"), "passagemath");
  EXPECT_EQ(distribution("1.0\n"), tree.path().filename().string()) << "else by its folder";
  EXPECT_EQ(distribution(" version 3\n"), tree.path().filename().string());
}

// --- ci-docker.toml

StageTable read(std::string_view text) {
  TreeText tree("zlib standard 1\n");
  tree.file("ci-docker.toml", text);
  return read_stage_table(tree.path() / "ci-docker.toml", TreeFeatures::of_sage98());
}

// The faults, one per string, without the folder.
std::vector<std::string> faults(std::string_view text) {
  TreeText tree("zlib standard 1\n");
  tree.file("ci-docker.toml", text);
  std::vector<std::string> result;
  try {
    read_stage_table(tree.path() / "ci-docker.toml", TreeFeatures::of_sage98());
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    for (const Fault& fault : error.faults())
      result.push_back(fault.text().substr(tree.path().string().size() + 1));
  }
  return result;
}

TEST(StageTableFile, SaysEverythingThatTheBuiltInOneSays) {
  StageTable table = read(
      "name = 'Mini'\nroot = '/opt/mini'\nimage_prefix = 'mini'\nenvironment_prefix = 'ci-'\n"
      "default_stage = 'second'\nstamp_folders = ['stamps']\npackage_logs = 'lg'\nuninstall = 'rm $PACKAGE'\n"
      "[[stage]]\nname = 'first'\nrecipe = '%{system_packages}'\n"
      "[[stage]]\nname = 'second'\nsection = 'two'\nconfigures = true\nadds = ['a', './b/', "
      "'c//d', 'build/pkgs']\nadds_always = ['always']\ntarballs = ['./upstream/']\nunkeyed = "
      "['a/README']\n"
      "recipe = 'make $TARGETS'\nuses = ['TARGETS']\npasses = ['MAKE']\nmake_targets = ['$TARGETS']\n"
      "errors_ignored = true\nnetwork = 'none'\n"
      "must_exist = ['./out/', 'bin/x']\n");
  EXPECT_EQ(table.distribution, "Mini");
  EXPECT_EQ(table.root, "/opt/mini");
  EXPECT_EQ(table.image_prefix, "mini");
  EXPECT_EQ(table.environment_prefix, "ci-");
  EXPECT_EQ(table.default_stage, "second");
  EXPECT_THAT(table.stamp_folders, ElementsAre("stamps"));
  EXPECT_EQ(table.package_logs, "lg");
  EXPECT_EQ(table.uninstall, "rm $PACKAGE");
  EXPECT_THAT(names(table), ElementsAre("first", "second"));
  EXPECT_THAT(parents(table), ElementsAre("", "first")) << "a chain is written without saying so";
  const StageSpec& second = table.stages[1];
  EXPECT_THAT(second.adds, ElementsAre("a", "b", "c/d", "build/pkgs"))
      << "paths in the form in which the tree's are";
  EXPECT_THAT(second.adds_always, ElementsAre("always"));
  EXPECT_THAT(second.tarballs, ElementsAre("upstream"));
  EXPECT_THAT(second.unkeyed, ElementsAre("a/README"));
  EXPECT_EQ(second.recipe, "make $TARGETS");
  EXPECT_THAT(second.uses, ElementsAre("TARGETS"));
  EXPECT_THAT(second.passes, ElementsAre("MAKE"));
  EXPECT_THAT(second.make_targets, ElementsAre("$TARGETS"));
  EXPECT_TRUE(second.errors_ignored);
  EXPECT_THAT(second.must_exist, ElementsAre("out", "bin/x"));
  EXPECT_FALSE(table.stages[0].errors_ignored);
  EXPECT_EQ(second.network, Network::None);
  EXPECT_EQ(table.stages[0].network, Network::Default) << "never this machine's, unless it says so";
  EXPECT_EQ(second.section, "two");
  EXPECT_EQ(table.stages[0].section, "");
  EXPECT_TRUE(second.configures);
  EXPECT_FALSE(table.stages[0].configures);
}

TEST(StageTableFile, MissingSettingsAreTheBuiltInOnes) {
  StageTable table = read("name = 'Mini'\n");
  StageTable built_in = built_in_stages(TreeFeatures::of_sage98());
  EXPECT_EQ(names(table), names(built_in));
  EXPECT_EQ(table.stamp_folders, built_in.stamp_folders);
  EXPECT_EQ(table.default_stage, "with-targets");
  EXPECT_EQ(read("").stages.size(), built_in.stages.size());
  EXPECT_EQ(read("[[stage]]\nname='one'\nrecipe='x'\n").default_stage, "one") << "the last stage of its own";
}

TEST(StageTableFile, StagesMayBranch) {
  StageTable table = read(
      "[[stage]]\nname='base'\nrecipe='b'\n"
      "[[stage]]\nname='docs'\nparent='base'\nrecipe='d'\n"
      "[[stage]]\nname='tests'\nparent='base'\nrecipe='t'\n"
      "[[stage]]\nname='more-tests'\nrecipe='t'\n"
      "[[stage]]\nname='other-root'\nparent=''\nrecipe='o'\n");
  EXPECT_THAT(parents(table), ElementsAre("", "base", "base", "tests", ""));
  EXPECT_THAT(table.chain(3), ElementsAre(0, 2, 3));
  EXPECT_THAT(table.chain(4), ElementsAre(4));
}

TEST(StageTableFile, AllFaultsAreReportedWithLineAndColumn) {
  EXPECT_THAT(
      faults("root = 'sage'\n"
             "colour = 1\n"
             "name = 2\n"
             "[[stage]]\n"
             "name = 'One'\n"
             "recipe = 'x'\n"
             "[[stage]]\n"
             "name = 'two'\n"
             "parent = 'three'\n"
             "adds = ['/etc', '../up', 3]\n"
             "errors_ignored = 'yes'\n"
             "network = 'bridge'\n"
             "[[stage]]\n"
             "name = 'two'\n"
             "receipe = 'x'\n"),
      UnorderedElementsAre(
          "ci-docker.toml:1:8: `root` must be an absolute path, other than /, without `.`, `..` or empty "
          "parts",
          HasSubstr("ci-docker.toml:2:1: unknown key `colour`; known: name, root"),
          "ci-docker.toml:3:8: `name` must be a string",
          HasSubstr("ci-docker.toml:4:1: a stage needs a `name` of lower-case letters"),
          HasSubstr("ci-docker.toml:7:1: stage `two`: its parent `three` is not an earlier stage"),
          HasSubstr("ci-docker.toml:7:1: stage `two` needs a `recipe`"),
          HasSubstr("ci-docker.toml:10:9: `adds`: \"/etc\" must be a path inside the tree"),
          HasSubstr("ci-docker.toml:10:17: `adds`: \"../up\" must be a path inside the tree"),
          "ci-docker.toml:10:26: `adds` must contain only strings",
          "ci-docker.toml:11:18: `errors_ignored` must be true or false",
          "ci-docker.toml:12:11: `network` must be \"none\", \"default\" or \"host\"",
          "ci-docker.toml:13:1: stage `two` is defined twice",
          HasSubstr("ci-docker.toml:13:1: stage `two` needs a `recipe`"),
          "ci-docker.toml:15:1: unknown key `receipe`; did you mean `recipe`?"));
}

TEST(StageTableFile, ARecipeThatRunsTheParallelMakeGetsIt) {
  const std::string stage = "[[stage]]\nname = 'x'\n";
  for (const char* recipe : {"$MAKE all", "cd x\n${MAKE} all", "A=\"${MAKE:-make}\"", "$X $MAKE"})
    EXPECT_THAT(
        faults(stage + "recipe = \"\"\"" + recipe + "\"\"\"\n"),
        ElementsAre("ci-docker.toml:3:10: stage `x`: its recipe runs $MAKE, so `passes` must name MAKE"))
        << recipe;
  EXPECT_THAT(faults(stage + "recipe = '$MAKE all'\npasses = ['MAKE']\n"), ElementsAre());
  for (const char* recipe : {"make all", "echo $MAKEFLAGS $", "make '$(MAKE)'", "${MAKEINFO}"})
    EXPECT_THAT(faults(stage + "recipe = \"\"\"" + recipe + "\"\"\"\n"), ElementsAre()) << recipe;
}

TEST(StageTableFile, FaultsOfItsShape) {
  EXPECT_THAT(faults("[[stage]]\nname='x'\nrecipe='x'\nsection='a\tb'\n"),
              ElementsAre(HasSubstr("4:9: `section` must be")));
  EXPECT_THAT(faults("a = \n"), ElementsAre(HasSubstr("ci-docker.toml:1:5: ")));
  EXPECT_THAT(faults("stage = 'x'\n"), ElementsAre(HasSubstr("1:9: `stage` must be a list of tables")));
  EXPECT_THAT(faults("[stage]\nname='x'\n"), ElementsAre(HasSubstr("1:1: `stage` must be a list of tables")));
  EXPECT_THAT(faults("stage = []\n"), ElementsAre(HasSubstr("`stage` must be a list of tables")));
  EXPECT_THAT(faults("stage = [1]\n"), testing::Contains(HasSubstr("1:10: a stage must be a table")));
  EXPECT_THAT(faults("default_stage = 'no'\n"), ElementsAre("ci-docker.toml:1:17: no stage is named `no`"));
  EXPECT_THAT(faults("stamp_folders = 'x'\n"),
              ElementsAre(HasSubstr("1:17: `stamp_folders` must be a list")));
  EXPECT_THAT(faults("a = '\xff'\n"), ElementsAre(HasSubstr("ci-docker.toml:1:")));
  EXPECT_THAT(faults("name = 'x'\nname = 'y'\n"), ElementsAre(HasSubstr("ci-docker.toml:2:")));
}

TEST(StageTableFile, AStageIsNoParentOfItself) {
  EXPECT_THAT(faults("[[stage]]\nname='a'\nparent='a'\nrecipe='x'\n"),
              ElementsAre(HasSubstr("its parent `a`")));
  EXPECT_THAT(
      faults("[[stage]]\nname='a'\nparent='b'\nrecipe='x'\n[[stage]]\nname='b'\nparent='a'\nrecipe='x'\n"),
      ElementsAre(HasSubstr("its parent `b`")));
}

TEST(StageTableFile, PartsOfImageNamesAreChecked) {
  for (const char* name : {"-a", "a-", "a..b", ".a", "a.", "a_-b", "a___b", "A", "a b", ""})
    EXPECT_THAT(faults(std::string("[[stage]]\nname='") + name + "'\nrecipe='x'\n"),
                ElementsAre(HasSubstr("needs a `name`")))
        << name;
  for (const char* name : {"a", "a.b", "a_b", "a__b", "a--b", "2", "gcc_11-py3.9"})
    EXPECT_THAT(faults(std::string("[[stage]]\nname='") + name + "'\nrecipe='x'\n"), IsEmpty()) << name;
  EXPECT_THAT(faults("image_prefix = 'Sage'\n"), ElementsAre(HasSubstr("1:16: `image_prefix`")));
  EXPECT_THAT(faults("environment_prefix = 'a b'\n"), ElementsAre(HasSubstr("1:22: `environment_prefix`")));
  EXPECT_THAT(faults("environment_prefix = ''\nimage_prefix = 'a/b'\n"), IsEmpty());
}

TEST(StageTableFile, RootsAreOneFolderInOneForm) {
  for (const char* root : {"/", "", "sage", "/sage/", "/a//b", "/a/../b", "/a/."})
    EXPECT_THAT(faults(std::string("root = '") + root + "'\n"), ElementsAre(HasSubstr("1:8: `root` must be")))
        << root;
  EXPECT_EQ(read("root = '/a/b'\n").root, "/a/b");
}

TEST(StageTableFile, TheWholeTreeCannotBeAdded) {
  EXPECT_THAT(faults("[[stage]]\nname='a'\nrecipe='x'\nadds=['.']\n"),
              ElementsAre(HasSubstr("4:7: `adds`: \".\"")));
  EXPECT_THAT(faults("[[stage]]\nname='a'\nrecipe='x'\nadds=['a/../..']\n"),
              ElementsAre(HasSubstr("4:7: `adds`")));
}

constexpr const char* kOneStage = "[[stage]]\nname='a'\n";

TEST(StageTableFile, PlaceholdersThatStandForNothing) {
  EXPECT_THAT(
      faults(std::string(kOneStage) + "recipe='./configure %{configre_args}'\n"),
      ElementsAre("ci-docker.toml:3:8: `recipe`: there is no placeholder `%{configre_args}`; did you mean "
                  "`%{configure_args}`? (`%%{` is a literal `%{`)"));
  EXPECT_THAT(
      faults(std::string(kOneStage) + "recipe=\"\"\"\nmake %{guard}x\nmake %{nosuch_thing_at_all}\n\"\"\"\n"),
      ElementsAre(AllOf(HasSubstr("ci-docker.toml:5: "), HasSubstr("known: %{configure_args}, %{guard}"))));
  EXPECT_THAT(faults("uninstall='rm %{guard}'\n"),
              ElementsAre(HasSubstr("1:11: `uninstall`: there is no placeholder `%{guard}`")));
  EXPECT_THAT(
      faults(std::string(kOneStage) +
             "recipe='''%{system_packages} %{configure_args} %{guard} %%{http_code} ${x%{} %{ a }'''\n"),
      IsEmpty());
}

TEST(StageTableFile, VariablesThatNoEnvironmentHas) {
  EXPECT_THAT(
      faults(std::string(kOneStage) + "recipe='x'\nuses=['TARGETS','TARGET']\npasses=['MAKEFLAGZ']\n"),
      ElementsAre("ci-docker.toml:4:17: `uses`: there is no variable `TARGET`; did you mean `TARGETS`?",
                  HasSubstr("ci-docker.toml:5:9: `passes`: there is no variable `MAKEFLAGZ`; ")));
  EXPECT_THAT(faults(std::string(kOneStage) + "recipe='x'\nuses=['MAKE']\npasses=['MAKE']\n"),
              ElementsAre(HasSubstr("5:9: `passes`: `MAKE` is also in `uses`")));
  EXPECT_THAT(faults(std::string(kOneStage) + "recipe='make $TARGETS'\nmake_targets=['$TARGETS']\n"),
              ElementsAre(HasSubstr("3:8: `recipe` refers to $TARGETS, which the stage does not get"),
                          HasSubstr("4:15: `make_targets`: `TARGETS` is not in `uses`")));
  EXPECT_THAT(faults(std::string(kOneStage) + "recipe='make ${TARGETS_PRE:-x}'\n"),
              ElementsAre(HasSubstr("`recipe` refers to $TARGETS_PRE")));
  EXPECT_THAT(faults(std::string(kOneStage) + "recipe='TARGETS=all; make $TARGETS $TARGETSX'\n"), IsEmpty());
  EXPECT_THAT(faults(std::string(kOneStage) +
                     "recipe='make $TARGETS'\nuses=['TARGETS']\nmake_targets=['$TARGETS']\n"),
              IsEmpty());
}

TEST(StageTableFile, DuplicatesAndForeignPathsAreFaults) {
  EXPECT_THAT(
      faults(std::string(kOneStage) + "recipe='x'\nadds=['src','b','./src/']\nuses=['TARGETS','TARGETS']\n"),
      ElementsAre(HasSubstr("4:17: `adds`: \"src\" appears twice"),
                  HasSubstr("5:17: `uses`: \"TARGETS\" appears twice")));
  EXPECT_THAT(faults(std::string(kOneStage) + "recipe='x'\nadds=['src']\nunkeyed=['src/a','srcs']\n"),
              ElementsAre(HasSubstr("5:18: `unkeyed`: \"srcs\" is neither in `adds` nor below")));
  EXPECT_THAT(
      faults("stamp_folders=['../a','/b','c']\npackage_logs='/logs'\n"),
      ElementsAre(HasSubstr("1:16: `stamp_folders`: \"../a\" must be"),
                  HasSubstr("1:23: `stamp_folders`: \"/b\""), HasSubstr("2:14: `package_logs`: \"/logs\"")));
}

// Variables in `passes` change no key, so only the number of jobs may be there.
TEST(StageTableFile, OnlyTheNumberOfJobsIsPassed) {
  EXPECT_THAT(
      faults(std::string(kOneStage) + "recipe='make $TARGETS'\npasses=['TARGETS', 'MAKE']\n"),
      ElementsAre(HasSubstr("4:9: `passes`: only MAKE may be passed without being part of the key; name "
                            "`TARGETS` in `uses`")));
}

TEST(StageTableFile, TarballsAreCheckedByWhatTheKeyHas) {
  EXPECT_THAT(faults(std::string(kOneStage) + "recipe='x'\nadds=['src']\ntarballs=['upstream']\n"),
              ElementsAre(HasSubstr("`tarballs`: neither stage `a` nor an earlier one adds build/pkgs")));
  EXPECT_THAT(faults(std::string(kOneStage) + "recipe='x'\nadds=['build']\n[[stage]]\nname='b'\nrecipe='y'\n"
                                              "tarballs=['upstream']\n"),
              IsEmpty());
}

// Reading a faulty table ends too, even if a stage is its own parent.
TEST(StageTableFile, TarballsOfStagesWithoutEnd) {
  for (const char* parents :
       {"[[stage]]\nrecipe='x'\n[[stage]]\n", "[[stage]]\nname='a'\nparent='a'\nrecipe='x'\n[[stage]]\n"})
    EXPECT_THAT(faults(std::string(parents) + "name='b'\nrecipe='x'\ntarballs=['upstream']\n"),
                testing::Contains(HasSubstr("`tarballs`: neither stage `b` nor an earlier one")))
        << parents;
}

TEST(StageTableFile, AddedFilesMustBeInTheTree) {
  TreeText tree("zlib standard 1\n/src/a = x\n");
  constexpr const char* kTable =
      "[[stage]]\nname='a'\nrecipe='x'\nadds=['build','scr']\nadds_always=['upstream']\n";
  tree.file("ci-docker.toml", kTable);
  try {
    stage_table_of(tree.path(), TreeFeatures::of_sage98(), std::nullopt);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("ci-docker.toml:4:15: stage `a` adds \"scr\", which is not in "),
                      HasSubstr("; did you mean `src`?")));
  }
  // A table from elsewhere may be meant for several releases.
  TreeText other("zlib standard 1\n");
  other.file("own.toml", kTable);
  StageTable table = stage_table_of(tree.path(), TreeFeatures::of_sage98(), other.path() / "own.toml");
  EXPECT_THAT(table.warnings, ElementsAre(HasSubstr("own.toml:4:15: stage `a` adds \"scr\"")));
  EXPECT_THAT(built_in_stages(TreeFeatures::of_sage98()).warnings, IsEmpty());
}

TEST(StageTableFile, WhichTableATreeHas) {
  TreeText tree("zlib standard 1\n/VERSION.txt = Small version 1\n");
  EXPECT_EQ(stage_table_of(tree.path(), TreeFeatures::of_sage98(), std::nullopt).origin, "built-in");
  tree.file("ci-docker.toml", "[[stage]]\nname='own'\nrecipe='x'\n");
  StageTable own = stage_table_of(tree.path(), TreeFeatures::of_sage98(), std::nullopt);
  EXPECT_THAT(names(own), ElementsAre("own"));
  EXPECT_EQ(own.origin, (tree.path() / "ci-docker.toml").string());
  EXPECT_EQ(own.distribution, "Small");
  tree.file("other.toml", "name='Said'\n[[stage]]\nname='other'\nrecipe='x'\n");
  StageTable other = stage_table_of(tree.path(), TreeFeatures::of_sage98(), tree.path() / "other.toml");
  EXPECT_THAT(names(other), ElementsAre("other"));
  EXPECT_EQ(other.distribution, "Said");
  EXPECT_THROW(stage_table_of(tree.path(), TreeFeatures::of_sage98(), tree.path() / "absent.toml"), Error);
}

}  // namespace
}  // namespace stagemake
