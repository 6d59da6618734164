#include "emit/dockerfile.h"

#include <gmock/gmock.h>

#include <set>

#include "base/error.h"
#include "base/text/text.h"
#include "emit/docker_reader.h"
#include "environment/package_managers.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Environment environment_of(const std::string& system) {
  Environment environment;
  environment.name = system + "-minimal";
  environment.base_image = "debian:bookworm";
  environment.setup = {.system = system,
                       .packages = {"g++", "it's", "lib*"},
                       .ignore_missing = true,
                       .repositories = {"ppa:a/b", "ppa:c/d"},
                       .dist_upgrade = "s/a/b/g",
                       .extra_path = "/usr/own/bin",
                       .toolset = "gcc-toolset-13",
                       .toolset_repository = "scl",
                       .condarc = "channels:\n  - conda-forge\n"};
  environment.configure_args = {"--enable-option-checking", "--with-system-zlib=yes"};
  environment.values = {
      {"BOOTSTRAP", "./bootstrap"}, {"EXTRA_CONFIGURE_ARGS", ""},          {"MAKE", "make -j97"},
      {"SAGE_CHECK", "warn"},       {"SAGE_CHECK_PACKAGES", "!cython,!r"}, {"TARGETS_PRE", "all-sage-local"},
      {"TARGETS", "build"},         {"TARGETS_OPTIONAL", "ptest"},         {"USE_MAKEFLAGS", "-k V=0"}};
  return environment;
}

// A tree with everything that the built-in tables add.
ContextEntry whole_tree(const std::string& path) {
  static const std::set<std::string> kFolders = {
      "src", "src/bin", "m4", "pkgs", "build", "upstream", "tools", ".upstream.d", ".github/workflows"};
  return kFolders.contains(path) ? ContextEntry::Folder : ContextEntry::File;
}

std::string whole(const std::string& system, const TreeFeatures& features, bool incremental = false) {
  Environment environment = environment_of(system);
  environment.incremental = incremental;
  return dockerfile(built_in_stages(features), environment, whole_tree);
}

std::string debian(const StageTable& table, const ContextLook& context = whole_tree) {
  return dockerfile(table, environment_of("debian"), context);
}

std::vector<std::string> marks(const std::string& text) {
  std::vector<std::string> result;
  for (std::string_view line : lines(text))
    if (line.starts_with("#:")) result.emplace_back(line);
  return result;
}

std::vector<std::string> all_of(const std::string& text, const std::string& name) {
  std::vector<std::string> result;
  for (const Instruction& one : read_dockerfile(text))
    if (one.name == name) result.push_back(one.arguments);
  return result;
}

// The instructions of one stage.
std::vector<Instruction> stage_of(const std::string& text, const std::string& stage) {
  std::vector<Instruction> result;
  bool inside = false;
  for (const Instruction& one : read_dockerfile(text)) {
    if (one.name == "FROM") inside = one.arguments.ends_with(" AS " + stage);
    if (inside) result.push_back(one);
  }
  return result;
}

class EveryDockerfile : public testing::TestWithParam<std::tuple<std::string, TreeFeatures, bool>> {
 protected:
  std::string text() const {
    return whole(std::get<0>(GetParam()), std::get<1>(GetParam()), std::get<2>(GetParam()));
  }
};

INSTANTIATE_TEST_SUITE_P(Dockerfile, EveryDockerfile,
                         testing::Combine(testing::ValuesIn(known_systems()),
                                          testing::Values(TreeFeatures::of_sage98(),
                                                          TreeFeatures::of_passagemath2026()),
                                          testing::Bool()));

TEST_P(EveryDockerfile, HasFewLayersAndOnlyWhatWeMean) {
  std::set<std::string> names;
  int layers = 0;
  for (const Instruction& one : read_dockerfile(text())) {
    names.insert(one.name);
    layers += one.name == "RUN" || one.name == "COPY" || one.name == "WORKDIR";
  }
  EXPECT_THAT(names, ElementsAre("ARG", "COPY", "FROM", "RUN", "WORKDIR")) << "no ADD, and no ENV";
  EXPECT_LE(layers, 30);
}

TEST_P(EveryDockerfile, BakesInNoJobCount) {
  std::string file = text();
  EXPECT_THAT(file, Not(HasSubstr("97")));
  EXPECT_THAT(all_of(file, "ARG"), Contains("NUMPROC"));
  for (const std::string& argument : all_of(file, "ARG")) EXPECT_THAT(argument, Not(HasSubstr("NUMPROC=")));
}

TEST_P(EveryDockerfile, CopiesNoMoreThanAStageNeeds) {
  std::string file = text();
  for (const std::string& copied : all_of(file, "COPY")) {
    std::vector<std::string_view> all = words(copied);
    for (std::size_t i = 0; i + 1 < all.size(); ++i) EXPECT_TRUE(all[i] != "." && all[i] != "./") << copied;
  }
  for (const char* stage : {"bootstrapped", "configured", "with-base-toolchain", "with-targets-pre"})
    for (const Instruction& one : stage_of(file, stage))
      EXPECT_FALSE(one.name == "COPY" && one.arguments.starts_with("src ")) << stage;
  EXPECT_THAT(all_of(file, "COPY"), Contains("src src"));
}

TEST_P(EveryDockerfile, ArgumentsStandRightBeforeWhatUsesThem) {
  std::vector<Instruction> all = read_dockerfile(text());
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].name != "ARG") continue;
    std::size_t next = i;
    while (all[next].name == "ARG") ++next;
    std::string name = all[i].arguments.substr(0, all[i].arguments.find('='));
    EXPECT_EQ(all[next].name, "RUN") << name;
    EXPECT_THAT(all[next].arguments, HasSubstr(name)) << "declared where it is not used";
  }
  EXPECT_EQ(all[0].name + " " + all[0].arguments, "ARG BASE_IMAGE=debian:bookworm");
}

TEST_P(EveryDockerfile, MarksStandInOrderBehindTheirStage) {
  std::string file = text();
  EXPECT_THAT(
      marks(file),
      ElementsAre("#:packages:", "#:bootstrapping:", "#:configuring:", "#:toolchain:", "#:make:", "#:end:"));
  std::vector<std::string_view> all = lines(file);
  EXPECT_EQ(all.back(), "#:end:");
  for (std::size_t i = 1; i < all.size(); ++i)
    if (all[i].starts_with("#:") && all[i] != "#:end:") {
      EXPECT_TRUE(all[i - 1].starts_with("FROM ")) << all[i];
    }
}

TEST_P(EveryDockerfile, LinesAreNoLongerThanDockerTakes) {
  std::string file = text();
  for (std::string_view line : lines(file)) EXPECT_LT(line.size(), 16000u);
}

TEST(Dockerfile, SaysTheSameWhateverTheMachine) {
  Environment one = environment_of("debian"), other = one;
  other.values["MAKE"] = "make -j1";
  StageTable table = built_in_stages(TreeFeatures::of_sage98());
  EXPECT_EQ(dockerfile(table, one, whole_tree), dockerfile(table, other, whole_tree));
}

TEST(Dockerfile, StagesStandOnTheirParents) {
  EXPECT_THAT(all_of(whole("debian", TreeFeatures::of_sage98()), "FROM"),
              ElementsAre("${BASE_IMAGE} AS with-system-packages", "with-system-packages AS bootstrapped",
                          "bootstrapped AS configured", "configured AS with-base-toolchain",
                          "with-base-toolchain AS with-targets-pre", "with-targets-pre AS with-targets",
                          "with-targets AS with-targets-optional"));
}

TEST(Dockerfile, UnkeyedFilesAreCopiedAfterMake) {
  std::string file = whole("debian", TreeFeatures::of_sage98());
  for (const Instruction& one : stage_of(file, "bootstrapped"))
    EXPECT_FALSE(one.name == "COPY" && one.arguments.find("README.md") != std::string::npos);
  std::vector<Instruction> last = stage_of(file, "with-targets");
  EXPECT_EQ(last.back().name, "COPY");
  EXPECT_EQ(last.back().arguments, "README.md tox.ini ./");
}

TEST(Dockerfile, MissingFilesAreNotCopied) {
  auto small = [](const std::string& path) {
    return path == "Makefile" || path == "src/VERSION.txt" ? ContextEntry::File : ContextEntry::Absent;
  };
  EXPECT_THAT(all_of(debian(built_in_stages(TreeFeatures::of_sage98()), small), "COPY"),
              ElementsAre("Makefile ./", "src/VERSION.txt src/"));
  EXPECT_THAT(debian(built_in_stages(TreeFeatures::of_sage98()), small),
              HasSubstr("# Not here, or excluded by .dockerignore: upstream"));
}

TEST(Dockerfile, ArgumentsHaveTheEnvironmentsValues) {
  Environment environment = environment_of("debian");
  environment.base_image = "registry:5000/own/image@sha256:0";
  environment.values["TARGETS"] = "a $HOME \"b\" \\ 'c'";
  environment.values["BOOTSTRAP"] = "one\ntwo";
  std::string file = dockerfile(built_in_stages(TreeFeatures::of_sage98()), environment, whole_tree);
  EXPECT_THAT(all_of(file, "ARG"),
              AllOf(Contains("BASE_IMAGE=registry:5000/own/image@sha256:0"),
                    Contains("TARGETS=\"a \\$HOME \\\"b\\\" \\\\ 'c'\""), Contains("BOOTSTRAP"),
                    Contains("USE_MAKEFLAGS=\"-k V=0\""), Contains("EXTRA_CONFIGURE_ARGS=\"\"")));
  EXPECT_THAT(stage_of(file, "bootstrapped").back().command()[2],
              HasSubstr("[ -n \"${BOOTSTRAP+given}\" ] || export BOOTSTRAP='one\ntwo'\n"));
}

TEST(Dockerfile, TheFirstMakeIsSerialWhateverTheBaseImageSays) {
  std::string file = whole("debian", TreeFeatures::of_sage98());
  for (const char* stage : {"with-base-toolchain", "with-targets-pre"})
    EXPECT_THAT(stage_of(file, stage).back().arguments,
                AllOf(HasSubstr("MAKE=\"make -j${NUMPROC:-"), HasSubstr("unset MAKEFLAGS ")))
        << stage;
  EXPECT_THAT(stage_of(file, "configured").back().arguments, Not(HasSubstr("MAKEFLAGS")));
}

TEST(Dockerfile, ErrorsAreIgnoredWhereTheTableSaysSo) {
  std::string file = whole("debian", TreeFeatures::of_sage98());
  EXPECT_THAT(stage_of(file, "with-targets-optional").back().arguments,
              HasSubstr("|| echo \"(error ignored)\""));
  EXPECT_THAT(stage_of(file, "with-targets").at(4).arguments, Not(HasSubstr("ignored")));
}

TEST(Dockerfile, RecipesRunInsideOfThePreparedSystem) {
  std::string file = whole("conda", TreeFeatures::of_sage98());
  EXPECT_THAT(stage_of(file, "with-system-packages").back().arguments, Not(HasSubstr("conda activate")));
  for (const char* stage : {"bootstrapped", "configured", "with-targets-pre"})
    EXPECT_THAT(stage_of(file, stage).back().arguments, HasSubstr("conda activate base")) << stage;
}

TEST(Dockerfile, AnIncrementalDockerfileKeepsBuiltFiles) {
  EXPECT_THAT(whole("debian", TreeFeatures::of_sage98()), Not(HasSubstr("rm -rf")));
  std::vector<Instruction> stage = stage_of(whole("debian", TreeFeatures::of_sage98(), true), "bootstrapped");
  EXPECT_EQ(stage[1].name, "RUN") << "before anything is copied";
  EXPECT_THAT(stage[1].arguments, AllOf(HasSubstr("local|logs|venv) ;;"), HasSubstr("/sage/*")));
}

StageTable odd_table() {
  StageTable table;
  table.root = "/opt/own dist";
  table.default_stage = "2nd";
  table.stages = {{.name = "base", .recipe = "%{system_packages}\n"},
                  {.name = "2nd",
                   .parent = "base",
                   .adds = {"a b", "it's[1]$x", "*", "-x"},
                   .unkeyed = {"unread"},
                   .recipe = "make\n"},
                  {.name = "scratch",
                   .section = "tests",
                   .parent = "2nd",
                   .recipe = "make check\n",
                   .errors_ignored = true},
                  {.name = "docs",
                   .parent = "base",
                   .adds = {"doc/one", "unread"},
                   .unkeyed = {"unread"},
                   .recipe = "# why\nmake doc\n"},
                  {.name = "other-root", .recipe = "exit 1"}};
  return table;
}

TEST(Dockerfile, OddTablesComeOutRight) {
  std::string file = debian(odd_table(), [](const std::string&) { return ContextEntry::File; });
  EXPECT_THAT(all_of(file, "FROM"),
              ElementsAre("${BASE_IMAGE} AS base", "base AS stage-2nd", "stage-2nd AS stage-scratch",
                          "base AS docs", "${BASE_IMAGE} AS other-root"));
  EXPECT_THAT(all_of(file, "WORKDIR"), ElementsAre("\"/opt/own dist\"", "\"/opt/own dist\""));
  EXPECT_THAT(all_of(file, "COPY"), ElementsAre("[\"a b\",\"it\\\\'s[[]1]\\\\$x\",\"[*]\",\"-x\",\"./\"]",
                                                "doc/one doc/", "unread ./"))
      << "and what nothing reads at once, where no default stage comes after";
  EXPECT_THAT(marks(file), ElementsAre("#:tests:", "#:end:"));
}

TEST(Dockerfile, InexpressibleTextIsRefused) {
  StageTable table = odd_table();
  table.stages[1].adds = {"\xff"};
  EXPECT_THROW(debian(table, [](const std::string&) { return ContextEntry::File; }), Error);
}

TEST(BuildContext, IsWhatDockerSees) {
  TemporaryFolder tree(fs::temp_directory_path());
  write_file(tree.path() / ".dockerignore", "/upstream\n/out\n!/out/kept\n*~\n");
  for (const char* file : {"Makefile", "Makefile~", "src/a.c", "upstream/x.tar", "out/kept"})
    write_file(tree.path() / file, "");
  ContextLook look = build_context(tree.path());
  EXPECT_EQ(look("Makefile"), ContextEntry::File);
  EXPECT_EQ(look("src"), ContextEntry::Folder);
  EXPECT_EQ(look("src/a.c"), ContextEntry::File);
  EXPECT_EQ(look("absent"), ContextEntry::Absent);
  EXPECT_EQ(look("Makefile~"), ContextEntry::Absent);
  EXPECT_EQ(look("upstream"), ContextEntry::Absent);
  EXPECT_EQ(look("upstream/x.tar"), ContextEntry::Absent);
  EXPECT_EQ(look("out"), ContextEntry::Folder);
}

// {envdir}/Dockerfile becomes a CI artifact.
TEST(Dockerfile, HoldsNoSecrets) {
  Environment environment = environment_of("debian");
  environment.values["EXTRA_CONFIGURE_ARGS"] = "--with-url=https://user:s3cret@host/x";
  environment.values["SAGE_CHECK_PACKAGES"] = "https://s3cret@host";
  environment.values["http_proxy"] = "user:s3cret@proxy:3128";
  environment.values["TARGETS"] = "https://host/a@b";
  StageTable table = built_in_stages(TreeFeatures::of_sage98());
  for (StageSpec& stage : table.stages) stage.passes.push_back("http_proxy");
  for (StageSpec& stage : table.stages)
    if (stage.configures) stage.uses.push_back("SAGE_CHECK_PACKAGES");
  std::string text = dockerfile(table, environment, whole_tree);
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  EXPECT_THAT(text, HasSubstr("# http_proxy comes from the caller and is not written here: `--build-arg "
                              "http_proxy` passes it on.\n"));
  EXPECT_THAT(text, HasSubstr("# EXTRA_CONFIGURE_ARGS contains a secret and is not written here"));
  EXPECT_THAT(all_of(text, "ARG"), Contains("EXTRA_CONFIGURE_ARGS"));
  EXPECT_THAT(all_of(text, "ARG"), Contains("SAGE_CHECK_PACKAGES"));
  EXPECT_THAT(all_of(text, "ARG"), Not(Contains(HasSubstr("http_proxy")))) << "docker history would have it";
  EXPECT_THAT(text, HasSubstr("https://host/a@b")) << "no user";
}

}  // namespace
}  // namespace stagemake
