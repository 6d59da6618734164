// A stage's key changes with the inputs of the stage, and with nothing else.
#include <gmock/gmock.h>

#include <cstdlib>
#include <functional>

#include "base/text/digest.h"
#include "plan/package_fingerprints.h"
#include "plan/planned_tree.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Given = std::map<std::string, std::string>;

std::vector<std::string> keys(const fs::path& tree, const Given& given = {}, unsigned processors = 4,
                              const std::string& name = "debian-bookworm-minimal") {
  PlannedTree planned(tree, {.name = name, .given = given}, processors);
  std::vector<std::string> result;
  for (const PlannedStage& stage : planned.plan.stages) result.push_back(stage.key);
  return result;
}

// The first stage whose key differs; "" if none does. The keys of all later stages must differ too.
std::string first_changed(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  StageTable table = built_in_stages(TreeFeatures::of_sage98());
  std::string first;
  for (std::size_t i = 0; i < before.size(); ++i) {
    bool differs = before[i] != after[i];
    if (differs && first.empty()) first = table.stages[i].name;
    EXPECT_EQ(differs, !first.empty()) << table.stages[i].name << " hangs on " << first;
  }
  return first;
}

class StageKey : public testing::Test {
 protected:
  std::string changed_by(const Given& given, unsigned processors = 4) {
    return first_changed(before_, keys(tree_.path(), given, processors));
  }
  std::string changed_now() { return first_changed(before_, keys(tree_.path())); }

  TreeText tree_{kSmallDistribution};
  std::vector<std::string> before_ = keys(tree_.path());
};

TEST_F(StageKey, IsSixtyFourHexDigitsAndEachStagesOwn) {
  EXPECT_EQ(before_.size(), 7u);
  EXPECT_EQ(std::set<std::string>(before_.begin(), before_.end()).size(), 7u);
  for (const std::string& key : before_) {
    EXPECT_EQ(key.size(), 64u);
    EXPECT_EQ(key.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
  EXPECT_EQ(changed_now(), "") << "read once more it is the same";
}

// The inputs of keys are in labels, which are pushed with the image.
TEST_F(StageKey, HasNoPasswords) {
  auto planned = [&](const std::string& arguments) {
    return PlannedTree(tree_.path(),
                       {.name = "debian-bookworm-minimal", .given = {{"EXTRA_CONFIGURE_ARGS", arguments}}}, 4)
        .plan;
  };
  StagePlan plan = planned("--with-url=https://user:s3cret@host/x");
  bool is_there = false;
  for (const PlannedStage& stage : plan.stages)
    for (const KeyInput& input : stage.inputs) {
      EXPECT_EQ(input.value.find("s3cret"), input.value.npos) << input.name;
      is_there = is_there || input.value == "--with-url=https://…@host/x";
    }
  EXPECT_TRUE(is_there);
  auto last_key = [&](const std::string& arguments) { return planned(arguments).stages.back().key; };
  EXPECT_NE(last_key("--with-url=https://user:other@host/x"), plan.stages.back().key)
      << "a recipe gets the whole text, and can do anything with it";
  EXPECT_NE(last_key("--with-url=https://user:s3cret@elsewhere/x"), plan.stages.back().key);
}

TEST_F(StageKey, DoesNotKnowTheFolderTheTimesOrTheOrderOfFiles) {
  // The same tree in another folder, its files created in reverse order.
  std::string reversed;
  std::string_view all = kSmallDistribution;
  for (std::size_t end = all.find('\n'); end != std::string_view::npos; end = all.find('\n')) {
    reversed.insert(0, all.substr(0, end + 1));
    all.remove_prefix(end + 1);
  }
  TreeText other(reversed);
  EXPECT_EQ(keys(other.path()), before_);
}

TEST_F(StageKey, DoesNotKnowTheNumberOfJobs) {
  EXPECT_EQ(changed_by({}, 64), "");
  EXPECT_EQ(changed_by({{"NUMPROC", "17"}}), "");
}

TEST_F(StageKey, DoesNotKnowFlagsThatSayHowMakeWorks) {
  for (const char* flags : {"-k", "-s", "V=0", "V=1", "", "-k -s V=0", "-j8", "-k -j 8 V=0", "--jobs=8",
                            "-Oline", "-l 4", "--keep-going"})
    EXPECT_EQ(changed_by({{"USE_MAKEFLAGS", flags}}), "") << flags;
  for (const char* flags : {"-i", "-k V=0 CFLAGS=-O0", "-B"})
    EXPECT_EQ(changed_by({{"USE_MAKEFLAGS", flags}}), "with-base-toolchain") << flags;
}

TEST_F(StageKey, DoesNotKnowFilesThatNobodyReads) {
  tree_.file("README.md", "other\n").file("tox.ini", "new\n").file("notes.txt", "new\n");
  EXPECT_EQ(changed_now(), "");
  tree_.file(".dockerignore", "src/ignored\n").file("src/ignored", "x");
  EXPECT_EQ(changed_now(), "");
}

TEST_F(StageKey, EditedFilesChangeTheStageThatAddsThem) {
  struct Edit {
    const char* file;
    const char* stage;
  };
  for (Edit edit :
       {Edit{"build/pkgs/app/spkg-install.in", "bootstrapped"},
        Edit{"build/pkgs/zlib/patches/a.patch", "bootstrapped"}, Edit{"m4/sage.m4", "bootstrapped"},
        Edit{"src/bin/tool", "bootstrapped"}, Edit{"VERSION.txt", "bootstrapped"},
        Edit{"src/code.py", "with-targets"}, Edit{"src/new/file", "with-targets"},
        Edit{"COPYING.txt", "bootstrapped"}, Edit{"upstream/zlib-1.2.tar.gz", ""}}) {
    TreeText tree(kSmallDistribution);
    tree.file(edit.file, "edited\n");
    EXPECT_EQ(first_changed(before_, keys(tree.path())), edit.stage) << edit.file;
  }
}

TEST_F(StageKey, TheExecutableBitAndARemovedFileCount) {
  fs::permissions(tree_.path() / "bootstrap", fs::perms(0755));
  EXPECT_EQ(changed_now(), "bootstrapped");
  fs::permissions(tree_.path() / "bootstrap", fs::perms(0644));
  EXPECT_EQ(changed_now(), "");
  tree_.remove("m4");
  EXPECT_EQ(changed_now(), "bootstrapped");
}

TEST_F(StageKey, ValuesChangeTheStageThatUsesThem) {
  EXPECT_EQ(changed_by({{"BASE_IMAGE", "debian:other"}}), "with-system-packages");
  EXPECT_EQ(changed_by({{"ALL_EXTRA_SAGE_PACKAGES", "zlib"}}), "with-system-packages");
  EXPECT_EQ(changed_by({{"IGNORE_MISSING_SYSTEM_PACKAGES", "yes"}}), "with-system-packages");
  EXPECT_EQ(changed_by({{"BOOTSTRAP", "./bootstrap -d"}}), "bootstrapped");
  EXPECT_EQ(changed_by({{"EXTRA_CONFIGURE_ARGS", "--enable-x"}}), "configured");
  EXPECT_EQ(changed_by({{"SAGE_CHECK", "no"}}), "with-base-toolchain");
  EXPECT_EQ(changed_by({{"TARGETS_PRE", "zlib"}}), "with-targets-pre");
  EXPECT_EQ(changed_by({{"TARGETS", "app"}}), "with-targets");
  EXPECT_EQ(changed_by({{"TARGETS_OPTIONAL", "extra"}}), "with-targets-optional");
}

TEST_F(StageKey, TheNameOfAnEnvironmentIsNoInput) {
  EXPECT_EQ(keys(tree_.path(), {{"BASE_IMAGE", "debian:bookworm"}}, 4, "docker-debian-other-minimal"),
            before_);
}

TEST_F(StageKey, TheNetworkOfATableIsAnInputWhereItIsNotTheEnginesOwn) {
  PlannedTree planned(tree_, {.name = "debian-bookworm-minimal"});
  auto keys_with = [&](Network network) {
    StageTable table = planned.table;
    table.stages[planned.at("configured")].network = network;
    std::vector<std::string> all;
    for (const PlannedStage& stage :
         make_stage_plan(planned.graphs, table, planned.environment, planned.sources).stages)
      all.push_back(stage.key);
    return all;
  };
  EXPECT_EQ(first_changed(before_, keys_with(Network::Default)), "");
  EXPECT_EQ(first_changed(before_, keys_with(Network::None)), "configured");
  EXPECT_NE(keys_with(Network::None), keys_with(Network::Host));
}

TEST_F(StageKey, OneFieldCannotPassForTwo) {
  // TARGETS and TARGETS_PRE are separate fields, and one value that looks like two fields is one.
  EXPECT_NE(keys(tree_.path(), {{"TARGETS_PRE", "a"}, {"TARGETS", "b"}}).back(),
            keys(tree_.path(), {{"TARGETS_PRE", "ab"}, {"TARGETS", ""}}).back());
}

TEST_F(StageKey, InputsSayWhatTheKeyIsMadeOf) {
  PlannedTree planned(tree_,
                      {.name = "debian-bookworm-minimal", .given = {{"TARGETS", std::string(300, 'x')}}});
  auto value = [&](std::string_view stage, std::string_view input) -> std::string {
    for (const KeyInput& one : planned.stage(stage).inputs)
      if (one.name == input) return one.value;
    return "absent";
  };
  EXPECT_EQ(value("with-system-packages", kBaseImageInput), "debian:bookworm");
  EXPECT_EQ(value("with-system-packages", kParentInput), "absent");
  EXPECT_EQ(value("bootstrapped", kParentInput), planned.stage("with-system-packages").key);
  EXPECT_EQ(value("bootstrapped", "BOOTSTRAP"), "./bootstrap");
  EXPECT_EQ(value("bootstrapped", "README.md"), "absent");
  EXPECT_EQ(value("bootstrapped", "build").size(), 64u);
  EXPECT_EQ(value("with-targets-pre", "USE_MAKEFLAGS"), "") << "without what does not matter";
  EXPECT_THAT(value("with-targets", "TARGETS"), HasSubstr("sha256:"))
      << "a long value is named by its digest";
  EXPECT_EQ(value("with-targets", "MAKE"), "absent");
}

TEST_F(StageKey, RecipesAreFilledIn) {
  PlannedTree planned(tree_);
  EXPECT_THAT(planned.stage("with-system-packages").recipe, HasSubstr("\nlacking autoconf gcc make\n"));
  EXPECT_THAT(planned.stage("configured").recipe,
              HasSubstr("./configure --enable-build-as-root --enable-option-checking"));
  for (const PlannedStage& stage : planned.plan.stages) EXPECT_EQ(stage.recipe.find("%{"), std::string::npos);
}

// --- What each stage adds.

TEST(StagePlan, EachStageAddsWhatItsTargetsBringBeyondItsParents) {
  TreeText tree(kSmallDistribution);
  PlannedTree planned(tree);
  EXPECT_THAT(planned.packages_of("configured"), IsEmpty());
  EXPECT_THAT(planned.packages_of("with-base-toolchain"), ElementsAre("tool"));
  EXPECT_THAT(planned.packages_of("with-targets-pre"), ElementsAre("zlib", "app"));
  EXPECT_THAT(planned.packages_of("with-targets"), ElementsAre("pyapp"));
  EXPECT_THAT(planned.stage("with-targets").make_targets, ElementsAre("build"));
}

TEST(StagePlan, OptionsAndAssignmentsAmongTargetsAreNone) {
  TreeText tree(kSmallDistribution);
  PlannedTree planned(tree,
                      {.name = "debian-bookworm-minimal", .given = {{"TARGETS", "V=1 extra -k mystery"}}});
  EXPECT_THAT(planned.stage("with-targets").make_targets, ElementsAre("extra", "mystery"));
  EXPECT_THAT(planned.stage("with-targets").unknown_targets, ElementsAre("mystery"));
  EXPECT_THAT(planned.packages_of("with-targets"), ElementsAre("extra"));
}

TEST(StagePlan, BranchesAddEachTheirOwn) {
  TreeText tree(kSmallDistribution);
  tree.file("ci-docker.toml",
            "[[stage]]\nname='base'\nrecipe='b'\nmake_targets=['zlib']\n"
            "[[stage]]\nname='one'\nparent='base'\nrecipe='o'\nmake_targets=['app']\n"
            "[[stage]]\nname='two'\nparent='base'\nrecipe='t'\nmake_targets=['extra', 'app']\n");
  PlannedTree planned(tree);
  EXPECT_THAT(planned.packages_of("base"), ElementsAre("tool", "zlib"));
  EXPECT_THAT(planned.packages_of("one"), ElementsAre("app"));
  EXPECT_THAT(planned.packages_of("two"), ElementsAre("extra", "app"));
  EXPECT_NE(planned.stage("one").key, planned.stage("two").key);
}

// --- Every byte of an image is in its key: the author of a tree cannot make another image under one of our
// keys.

// The files that all stages together add, with the ids of their contents.
std::map<std::string, std::string> all_added(PlannedTree& planned) {
  std::vector<std::size_t> stages(planned.table.stages.size());
  for (std::size_t i = 0; i < stages.size(); ++i) stages[i] = i;
  std::map<std::string, std::string> added;
  for (const SourceFile& file : added_files(planned.table, stages, planned.sources))
    added[file.path] = file.id;
  return added;
}

// Of a small tree: every path, except those of git and stagemake.
std::vector<std::string> all_files(const fs::path& tree) {
  std::vector<std::string> paths;
  for (fs::recursive_directory_iterator at(tree), end; at != end; ++at)
    if (fs::is_regular_file(at->path()) && at->path().string().find("/.state/") == std::string::npos)
      paths.push_back(fs::relative(at->path(), tree).string());
  return paths;
}

TEST(StageKeys, EveryAddedByteChangesAKey) {
  TreeText tree(kSmallDistribution);
  tree.file(".dockerignore", "upstream\n**/*.log\n").file("upstream/x-1.tar", "x").file("src/a.log", "log");
  tree.file("generated/always", "a")
      .file("generated/a.log", "a")
      .file("COPYING.txt", "licence")
      .file(".ci/run", "x");
  tree.file(".github/workflows/ci.yml", "on: push\n")
      .file("tox.ini", "[tox]\n")
      .file("GNUmakefile", "all:\n");
  for (const char* table : {"", "generated"}) {
    if (*table != '\0')
      tree.file(
          "ci-docker.toml",
          "[[stage]]\nname='first'\nrecipe='x'\nadds=['build','m4']\n[[stage]]\nname='second'\nrecipe='y'\n"
          "adds=['src', 'README.md', 'GNUmakefile']\nadds_always=['generated']\n"
          "unkeyed=['README.md', 'GNUmakefile', 'src/bin']\ntarballs=['upstream']\n");
    PlannedTree planned(tree);
    std::vector<std::string> before = keys(tree.path());
    std::map<std::string, std::string> added = all_added(planned);
    std::size_t changed = 0;
    for (const std::string& path : all_files(tree.path())) {
      if (path == "ci-docker.toml" || path == "tox.ini" || path == ".dockerignore") continue;
      std::string content = read_file(tree.path() / path).value();
      // A byte in a comment: it does not change the meaning of the metadata.
      tree.file(path, content + (path.find("build/pkgs") == 0 ? "# \n" : "x"));
      PlannedTree edited(tree);
      bool other_image = all_added(edited) != added, other_key = keys(tree.path()) != before;
      EXPECT_EQ(other_image, other_key) << table << ": " << path;
      EXPECT_EQ(other_image, added.contains(path)) << path;
      changed += other_key;
      tree.file(path, content);
      // The executable bit is part of the image too.
      fs::permissions(tree.path() / path, fs::perms(0755));
      EXPECT_EQ(keys(tree.path()) != before, added.contains(path)) << path;
      fs::permissions(tree.path() / path, fs::perms(0644));
    }
    EXPECT_GE(changed, 15u);
    EXPECT_EQ(keys(tree.path()), before);
    for (const char* left_out : {"README.md", "GNUmakefile", "upstream/x-1.tar", "src/a.log", ".ci/run"})
      EXPECT_FALSE(added.contains(left_out)) << left_out;
    EXPECT_EQ(added.contains("generated/a.log"), *table != '\0') << "though .dockerignore excludes it";
  }
}

// A tree's own table may come from a stranger as well. A field that changes no key must change neither the
// image nor the report about it; such fields are listed, with the reason.
TEST(StageKeys, EveryFieldOfATableChangesOne) {
  TreeText text(kSmallDistribution);
  text.file("GNUmakefile", "all:\n");
  PlannedTree planned(text);
  auto key_with = [&](const std::function<void(StageTable&, StageSpec&)>& edit) {
    StageTable table = planned.table;
    table.stages.resize(5);
    edit(table, table.stages.back());
    SourceTree sources(text.path(), text.path() / ".state/ids", kTestNow);
    return make_stage_plan(planned.graphs, table, planned.environment, sources).stages.back().key;
  };
  std::string before = key_with([](StageTable&, StageSpec&) {});
  ASSERT_EQ(before, planned.plan.stages[4].key);
  {
    // A new field needs a line below.
    [[maybe_unused]] const auto& [name, section, parent, adds, adds_always, tarballs, unkeyed, recipe, uses,
                                  passes, make_targets, configures, network, errors_ignored, must_exist] =
        planned.table.stages[4];
    [[maybe_unused]] const auto& [origin, is_of_tree, distribution, root, image_prefix, environment_prefix,
                                  default_stage, environments, stamp_folders, package_logs, uninstall, stages,
                                  warnings] = planned.table;
  }
  using Edit = std::function<void(StageTable&, StageSpec&)>;
  std::vector<std::pair<const char*, Edit>> edits = {
      {"name", [](StageTable&, StageSpec& s) { s.name += "x"; }},
      {"parent", [](StageTable&, StageSpec& s) { s.parent = "configured"; }},
      {"no parent", [](StageTable&, StageSpec& s) { s.parent = ""; }},
      {"adds", [](StageTable&, StageSpec& s) { s.adds.push_back("GNUmakefile"); }},
      {"adds_always", [](StageTable&, StageSpec& s) { s.adds_always.push_back("GNUmakefile"); }},
      {"tarballs", [](StageTable&, StageSpec& s) { s.tarballs.push_back("GNUmakefile"); }},
      {"recipe", [](StageTable&, StageSpec& s) { s.recipe += ":\n"; }},
      {"uses", [](StageTable&, StageSpec& s) { s.uses.push_back("BOOTSTRAP"); }},
      {"passes", [](StageTable&, StageSpec& s) { s.passes.clear(); }},
      {"make_targets", [](StageTable&, StageSpec& s) { s.make_targets.push_back("extra"); }},
      {"configures", [](StageTable&, StageSpec& s) { s.configures = true; }},
      {"network", [](StageTable&, StageSpec& s) { s.network = Network::None; }},
      {"errors_ignored", [](StageTable&, StageSpec& s) { s.errors_ignored = true; }},
      {"must_exist", [](StageTable&, StageSpec& s) { s.must_exist.push_back("out"); }},
      {"must_exist, one name", [](StageTable&, StageSpec& s) { s.must_exist.push_back("a b"); }},
      {"must_exist, two names",
       [](StageTable&, StageSpec& s) {
         s.must_exist.insert(s.must_exist.end(), {"a", "b"});
       }},
      {"root", [](StageTable& t, StageSpec&) { t.root = "/elsewhere"; }},
      {"stamp_folders", [](StageTable& t, StageSpec&) { t.stamp_folders.pop_back(); }},
      {"uninstall", [](StageTable& t, StageSpec&) { t.uninstall += " "; }},
  };
  std::set<std::string> all = {before};
  for (const auto& [field, edit] : edits) EXPECT_TRUE(all.insert(key_with(edit)).second) << field;
  // A file in both lists is not in the image, so it needs no key.
  EXPECT_EQ(key_with([](StageTable&, StageSpec& s) { s.adds = s.unkeyed = {"GNUmakefile"}; }), before);
  for (const auto& [field, edit] : std::vector<std::pair<const char*, Edit>>{
           {"passes, of a proxy: the caller's, which no table can name",
            [](StageTable&, StageSpec&s) { s.passes.push_back("http_proxy"); }},
           {"section: a mark in Dockerfiles", [](StageTable&, StageSpec&s) { s.section = "x"; }},
           {"is_of_tree: what the table may ask for", [](StageTable&t, StageSpec&) { t.is_of_tree = true; }},
           {"origin: where the table was read", [](StageTable&t, StageSpec&) { t.origin = "x"; }},
           {"distribution: images say it, and are not reused for another one",
            [](StageTable&t, StageSpec&) { t.distribution = "x"; }},
           {"image_prefix: a name", [](StageTable&t, StageSpec&) { t.image_prefix = "x"; }},
           {"environment_prefix: a name", [](StageTable&t, StageSpec&) { t.environment_prefix = "x-"; }},
           {"default_stage: what is asked for",
            [](StageTable&t, StageSpec&) { t.default_stage = "configured"; }},
           {"environments: what is offered", [](StageTable&t, StageSpec&) { t.environments = {"x"}; }},
           {"package_logs: what people are shown", [](StageTable&t, StageSpec&) { t.package_logs = "x"; }},
           {"warnings: what people are shown", [](StageTable&t, StageSpec&) { t.warnings = {"x"}; }}})
    EXPECT_EQ(key_with(edit), before) << field;
}

// Tarballs that the metadata names are in the image and need no key: a build downloads the same bytes.
// Nothing else of that folder is in the image.
TEST(StagePlan, OfTarballsThoseOfTheMetadataAreAdded) {
  TreeText tree(kSmallDistribution);
  std::string sha256 = sha256_hex("zlib's sources");
  tree.file("build/pkgs/zlib/checksums.ini", "tarball=zlib-VERSION.tar.gz\nsha256=" + sha256 + "\n");
  tree.file("build/pkgs/zlib/package-version.txt", "1.2.p3\n");
  std::vector<std::string> before = keys(tree.path());
  tree.file(".dockerignore", "upstream\n").file("upstream/zlib-1.2.tar.gz", "zlib's sources");
  tree.file("upstream/GNUmakefile", "all: ; planted\n").file("upstream/zlib-1.1.tar.gz", "older");
  tree.file("upstream/sub/app-2.0.tar.gz", "planted").link("upstream/zlib-link", "zlib-1.2.tar.gz");
  EXPECT_EQ(keys(tree.path()), before);
  {
    PlannedTree planned(tree);
    std::map<std::string, std::string> added = all_added(planned);
    EXPECT_TRUE(added.contains("upstream/zlib-1.2.tar.gz"));
    for (const char* other : {"upstream/GNUmakefile", "upstream/zlib-1.1.tar.gz",
                              "upstream/sub/app-2.0.tar.gz", "upstream/zlib-link"})
      EXPECT_FALSE(added.contains(other)) << other;
  }
  tree.file("upstream/zlib-1.2.tar.gz", "planted");
  PlannedTree planned(tree);
  EXPECT_FALSE(all_added(planned).contains("upstream/zlib-1.2.tar.gz"))
      << "with another content it is not stated";
}

TEST(StagePlan, AlwaysAddedFilesMayBeIgnored) {
  TreeText tree(kSmallDistribution);
  tree.file(".dockerignore", "upstream\nsrc/code.py\n").file("upstream/a.tar", "a");
  tree.file("build/pkgs/app/checksums.ini", "tarball=a.tar\nsha1=86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\n");
  PlannedTree planned(tree);
  auto paths = [&](std::string_view stage) {
    std::vector<std::string> result;
    for (const SourceFile& file :
         added_files(planned.table, planned.plan.chain(planned.at(stage)), planned.sources))
      result.push_back(file.path);
    return result;
  };
  EXPECT_THAT(paths("with-system-packages"), IsEmpty());
  EXPECT_THAT(paths("configured"), testing::Not(testing::Contains("upstream/a.tar")));
  EXPECT_THAT(paths("with-targets-pre"), testing::Contains("upstream/a.tar"));
  EXPECT_THAT(paths("with-targets"), testing::Not(testing::Contains("src/code.py")));
  std::vector<std::string> all = paths("with-targets");
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "src/bin is added by two stages";
}

TEST(PackageFingerprints, CoverWhatABuildReadsAndNothingElse) {
  auto of_app = [](auto edit) {
    TreeText tree(kSmallDistribution);
    edit(tree);
    SourceTree sources(tree.path(), tree.path() / ".state/ids", kTestNow);
    return package_fingerprints(sources.below("build/pkgs")).at("app");
  };
  std::string before = of_app([](TreeText&) {});
  EXPECT_EQ(before.size(), 16u);
  for (const char* file : {"SPKG.rst", "spkg-configure.m4", "distros/debian.txt"})
    EXPECT_EQ(of_app([&](TreeText& t) { t.file(std::string("build/pkgs/app/") + file, "x"); }), before)
        << file;
  for (const char* file :
       {"patches/a.patch", "spkg-install.in", "package-version.txt", "dependencies", "type", "SPKG.rst/x"})
    EXPECT_NE(of_app([&](TreeText& t) { t.file(std::string("build/pkgs/app/") + file, "x"); }), before)
        << file;
  EXPECT_EQ(of_app([](TreeText& t) { t.file("build/pkgs/zlib/patches/a", "x"); }), before)
      << "a neighbour's are its own";
}

TEST(StagePlan, OverTheChainOfARealTreeEveryPackageIsAddedOnce) {
  for (const char* name : {"sage-9.8.rc0", "passagemath-2026-08"}) {
    fs::path tree = fs::path(STAGEMAKE_SHARED_DIR) / "corpus" / name;
    if (!fs::exists(tree)) {
      const char* must = std::getenv("STAGEMAKE_SHARED_MUST_EXIST");
      if (must != nullptr && std::string_view(must) == "1") FAIL() << "no corpus in " << tree;
      GTEST_SKIP() << "no corpus in " << tree;
    }
    ReadTree read(tree);
    TreeText nowhere("zlib standard 1\n");
    SourceTree sources(tree, nowhere.path() / "ids", kTestNow);
    StageTable table = stage_table_of(tree, read.packages.features(), std::nullopt);
    Environment environment = EnvironmentReader({.packages = read.packages}).resolve(small_request());
    DependencyGraphs graphs(read.packages, read.variables);
    const DependencyGraph& graph = *graphs.of(environment);
    StagePlan plan = make_stage_plan(graphs, table, environment, sources);
    std::set<PackageId> added;
    std::size_t count = 0;
    for (std::size_t stage : plan.chain(table.find("with-targets").value())) {
      for (PackageId id : plan.stages[stage].packages) {
        for (PackageId needed : graph.normal_dependencies(id))
          EXPECT_TRUE(added.contains(needed)) << read.packages[id].name;
        added.insert(id);
      }
      count += plan.stages[stage].packages.size();
      EXPECT_THAT(plan.stages[stage].unknown_targets, IsEmpty());
    }
    EXPECT_EQ(count, added.size()) << "one is added twice";
    std::vector<PackageId> closure = graph.build_order({"base-toolchain", "all-sage-local", "build"});
    EXPECT_EQ(added, std::set<PackageId>(closure.begin(), closure.end())) << name;
    EXPECT_GT(added.size(), 200u);
  }
}

}  // namespace
}  // namespace stagemake
