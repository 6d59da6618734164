#include "plan/dependency_graph.h"

#include <gmock/gmock.h>

#include "base/text/text.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

// All faults of a tree, one per line.
std::string refusal(const TreeText& tree, const GraphOptions& options = {}) {
  return join(faults_of(tree.path(), options), "\n");
}

TEST(DependencyGraph, BuildsDependenciesFirstAndOrderOnlyOnesToo) {
  ReadTree tree(
      TreeText("app standard 1: lib | tool\nlib standard 1: tool\ntool standard 1\nother standard 1\n"));
  EXPECT_THAT(tree.build_order({"app"}), ElementsAre("tool", "lib", "app"));
  EXPECT_THAT(tree.normal("app"), ElementsAre("lib"));
  EXPECT_THAT(tree.order_only("app"), ElementsAre("tool"));
  EXPECT_THAT(tree.build_order({}), IsEmpty());
}

TEST(DependencyGraph, ARebuildReachesNormalUsersOnly) {
  ReadTree tree(
      TreeText("a standard 1\nb standard 1: a\nc standard 1: | a\nd standard 1: c b\ne standard 1: c\n"));
  auto rebuilt = [&](std::string_view name) { return tree.names(tree.graph.rebuilt_with({tree.id(name)})); };
  EXPECT_THAT(rebuilt("a"), ElementsAre("b", "d"));
  EXPECT_THAT(rebuilt("c"), ElementsAre("d", "e"));
  EXPECT_THAT(rebuilt("d"), IsEmpty());
  EXPECT_THAT(tree.names(tree.graph.rebuilt_with({tree.id("a"), tree.id("b")})), ElementsAre("d"));
}

TEST(DependencyGraph, APrerequisiteThatIsBothIsNormal) {
  ReadTree tree(TreeText("a standard 1: b b | b\nb standard 1\n"));
  EXPECT_THAT(tree.normal("a"), ElementsAre("b"));
  EXPECT_THAT(tree.order_only("a"), IsEmpty());
}

TEST(DependencyGraph, DummiesAreNotBuiltNorWhatOnlyTheyNeed) {
  TreeText text("app standard 1: lib\nlib standard 1: deep\ndeep optional 1\n");
  ReadTree tree(text, {.dummies = {"lib"}});
  EXPECT_THAT(tree.build_order({"all-sage-local"}), ElementsAre("app"));
  EXPECT_THAT(tree.normal("app"), IsEmpty());
  EXPECT_TRUE(tree.graph.is_dummy(tree.id("lib")));
  EXPECT_THAT(tree.build_order({"lib"}), ElementsAre("deep", "lib")) << "requested by name it is built";
}

TEST(DependencyGraph, AStampPathBuildsEvenADummy) {
  TreeText text("liblzma standard 1: $(SAGE_LOCAL)/$(SPKG_INST_RELDIR)/xz-$(vers_xz)\nxz standard 5\n");
  ReadTree tree(text, {.dummies = {"xz"}});
  EXPECT_THAT(tree.build_order({"all-sage"}), ElementsAre("xz", "liblzma"));
}

TEST(DependencyGraph, NothingStandsInForAPipPackage) {
  TreeText text(
      "app standard 1: pipped\npipped optional none\npipped/requirements.txt = pipped\npip standard 1\n");
  ReadTree tree(text, {.dummies = {"pipped"}});
  EXPECT_THAT(tree.build_order({"app"}), ElementsAre("pip", "pipped", "app"));
}

TEST(DependencyGraph, VariablesStandForPackages) {
  TreeText text(
      "a standard 1: $(PYTHON) $(BLAS) | $(TOOLS)\npython4 standard 1\nopenblas standard 1\nx standard 1\n"
      "y standard 1\n");
  text.file("build/make/Makefile.in",
            "PYTHON = python4\nBLAS = @BLAS@\nTOOLS = x $(MORE)\nMORE = $(inst_y)\n");
  ReadTree tree(text);
  EXPECT_THAT(tree.normal("a"), ElementsAre("python4", "openblas"));
  EXPECT_THAT(tree.order_only("a"), ElementsAre("x", "y"));
}

TEST(DependencyGraph, FilesAndForceAreNoPackages) {
  ReadTree tree(
      TreeText("a standard 1: FORCE $(SAGE_SRC)/x.pxd $(SAGE_ROOT)/pkgs/*/*.py "
               "$(SAGE_LOCAL)/$(SPKG_INST_RELDIR)/.dummy b\n"
               "b standard 1\n"));
  EXPECT_THAT(tree.normal("a"), ElementsAre("b"));
  EXPECT_TRUE(tree.graph.is_forced(tree.id("a")));
  EXPECT_FALSE(tree.graph.is_forced(tree.id("b")));
}

TEST(DependencyGraph, OptionalDependenciesCountWhenInstalled) {
  TreeText text(
      "a standard 1: b\nb standard 1\nopt optional 1\na/dependencies_optional = opt\n"
      "c standard 1: b | $(findstring opt,$(OPTIONAL_INSTALLED_PACKAGES))\n"
      "d standard 1: b | e\ne standard 1\nd/dependencies_optional = opt\n");
  EXPECT_THAT(ReadTree(text).normal("a"), ElementsAre("b"));
  ReadTree with(text, {.installed = {"opt"}});
  EXPECT_THAT(with.normal("a"), ElementsAre("b", "opt"));
  EXPECT_THAT(with.order_only("c"), ElementsAre("opt"));
  EXPECT_THAT(with.order_only("d"), ElementsAre("e", "opt")) << "after the `|` of its own line";
  EXPECT_THAT(with.build_order({"all-sage"}), IsSupersetOf({"opt"}));
}

TEST(DependencyGraph, FindstringOf98TakesPartsOfNames) {
  TreeText text("a standard 1\nnauty optional 1\nlibnauty optional 1\na/dependencies_optional = nauty\n");
  ReadTree tree(text, {.installed = {"libnauty"}});
  EXPECT_THAT(tree.normal("a"), ElementsAre("nauty"));
}

TEST(DependencyGraph, CheckDependenciesCountWhereTestsRun) {
  TreeText text(
      "a standard 1: b\nb standard 1\nt optional 1\na/dependencies_check = t\n"
      "o standard 1: b | $(and $(filter-out no,$(SAGE_CHECK_o)), t b)\n");
  EXPECT_THAT(ReadTree(text).build_order({"all-sage"}), ElementsAre("b", "a", "o"));
  ReadTree tested(text, {.checks = {.all = true, .except = {"o"}}});
  EXPECT_THAT(tested.order_only("a"), ElementsAre("t"));
  EXPECT_THAT(tested.order_only("o"), IsEmpty());
  ReadTree all(text, {.checks = {.all = true}});
  EXPECT_THAT(all.order_only("o"), ElementsAre("t"));
}

// In Sage 9.2 a rule sets its own SAGE_CHECK_NAME, which only later lists can use; and until 10.0 scripts
// have none.
TEST(DependencyGraph, ChecksThatAreSetLaterDoNotCount) {
  TreeText text(
      "b standard 1: | $(and $(filter-out no,$(SAGE_CHECK_b)), t)\nt optional 1\n"
      "c standard 1: | $(and $(filter-out no,$(SAGE_CHECK_b)), t)\n"
      "s standard none: | $(and $(filter-out no,$(SAGE_CHECK_s)), t)\n"
      "s2 standard none: | $(and $(filter-out no,$(SAGE_CHECK_b)), t)\n"
      "s/spkg-install = x\ns2/spkg-install = x\n");
  text.file("m4/sage_spkg_collect.m4", "sed $DIR/dependencies\n");
  text.file("build/make/Makefile.in", "define TEMPLATE\nSAGE_CHECK_$(1) := $(SAGE_CHECK)\nendef\n");
  GraphOptions checked{.checks = {.all = true}};
  auto expect = [&](const std::vector<std::string>& with_t) {
    ReadTree tree(text, checked);
    for (std::string name : {"b", "c", "s", "s2"}) {
      std::vector<std::string> needed = tree.order_only(name);
      EXPECT_EQ(std::count(needed.begin(), needed.end(), "t"), std::count(with_t.begin(), with_t.end(), name))
          << name;
    }
  };
  expect({"c", "s2"});
  std::string loop = " $(SCRIPT_PACKAGES),$(eval $(call SET_SAGE_CHECK,$(pkgname),$(SAGE_CHECK))))\n";
  text.file("build/make/Makefile.in", "$(foreach pkgname,$(NORMAL_PACKAGES)" + loop);
  expect({"b", "c", "s", "s2"});
  text.file(
      "build/make/Makefile.in",
      "$(foreach pkgname,$(NORMAL_PACKAGES),$(eval $(call SET_SAGE_CHECK,$(pkgname),$(SAGE_CHECK))))\n");
  expect({"b", "c", "s2"});
}

TEST(DependencyGraph, ChecksOfSageCheck) {
  ReadTree tree(
      TreeText("python3 standard 1\nmeson_python standard 1\nsagemath_x standard 1\n"
               "python3/dependencies_build = meson_python\n"));
  EXPECT_FALSE(checks_of(tree.packages, tree.variables, "no").all);
  Checks checks = checks_of(tree.packages, tree.variables, "warn");
  EXPECT_TRUE(checks.all);
  EXPECT_TRUE(checks.except.contains("python3"));
  EXPECT_TRUE(checks.except.contains("sagemath_x"));
  EXPECT_FALSE(checks.except.contains("meson_python"));
}

TEST(DependencyGraph, OrderOnlyFilesAndPipPackagesOf98) {
  ReadTree tree(TreeText(
      "a standard 1: b | c\na/dependencies_order_only = d\nb standard 1\nc standard 1\nd standard 1\n"
      "p optional none: b\np/requirements.txt = p\nq optional none\nq/requirements.txt = q\n"
      "q/dependencies_order_only = d\npip standard 1\n"));
  EXPECT_THAT(tree.order_only("a"), ElementsAre("c", "d"));
  EXPECT_THAT(tree.order_only("p"), ElementsAre("pip"));
  EXPECT_THAT(tree.order_only("q"), ElementsAre("d"));
}

// 2026: `py` is a normal Python package, `script` has no tarball.
constexpr std::string_view kRecent =
    "py standard 1: run | early\npy/version_requirements.txt = py\npy/dependencies_build = make_it | early\n"
    "script standard none: run both\nscript/version_requirements.txt = script\nscript/spkg-install.in = x\n"
    "script/dependencies_build = both | early\nw standard 1\nw/checksums.ini = tarball=w-1-any.whl\n"
    "w/version_requirements.txt = w\n"
    "run standard 1\nmake_it standard 1\nearly standard 1\nboth standard 1\nhost standard 1\nsage_conf "
    "standard 1\n"
    "python3 standard 1\npip standard 1\npip/version_requirements.txt = pip\n"
    "/build/make/Makefile.in = PYTHON_TOOLCHAIN = pip\n";

TEST(DependencyGraph, RuleOf2026PutsRuntimeBeforeBuildDependencies) {
  ReadTree tree{TreeText(kRecent)};
  EXPECT_THAT(tree.normal("py"), ElementsAre("run", "make_it"));
  EXPECT_THAT(tree.order_only("py"), ElementsAre("python3", "pip", "early"));
  EXPECT_THAT(tree.order_only("w"), ElementsAre("python3", "pip"));
  EXPECT_THAT(tree.order_only("pip"), ElementsAre("python3"));
}

TEST(DependencyGraph, RuntimeDependenciesOfA2026ScriptAreOrderOnly) {
  ReadTree tree{TreeText(kRecent)};
  EXPECT_THAT(tree.normal("script"), ElementsAre("both"));
  EXPECT_THAT(tree.order_only("script"), ElementsAre("python3", "pip", "early", "run"));
}

TEST(DependencyGraph, PyprojectNamesOf2026) {
  TreeText text(kRecent);
  text.file("build/pkgs/py/src/pyproject.toml.m4",
            "requires = [\n  SPKG_INSTALL_REQUIRES_sage_conf\n  SPKG_INSTALL_REQUIRES_both\n]\n"
            "host-requires = [\n  \"pkg:generic/host\"\n]\ndependencies = [\n  \"script\"\n]\n");
  ReadTree tree(text);
  EXPECT_THAT(tree.normal("py"), ElementsAre("host", "run", "script", "both", "make_it"));
  EXPECT_THAT(tree.order_only("py"), IsSupersetOf({"sage_conf"}));
  text.file("build/pkgs/py/src/pyproject.toml.m4",
            "requires = [\n  SPKG_INSTALL_REQUIRES_hots\n  \"nothing\"\n]\n");
  EXPECT_THAT(
      refusal(text),
      testing::AllOf(
          HasSubstr("build/pkgs/py/src/pyproject.toml.m4:2: `hots` is not a package"), HasSubstr("or host?"),
          HasSubstr("build/pkgs/py/src/pyproject.toml.m4:3: `pkg:pypi/nothing` is not a package")));
}

TEST(DependencyGraph, DependenciesOfAPackageAsTargets) {
  ReadTree tree{TreeText(kRecent)};
  EXPECT_THAT(tree.build_order({"py-no-deps"}), ElementsAre("py"));
  EXPECT_THAT(tree.build_order({"py-build-deps"}), ElementsAre("make_it", "python3", "pip", "early"));
  EXPECT_THAT(tree.build_order({"py-deps"}), ElementsAre("run", "make_it", "python3", "pip", "early"));
  EXPECT_THAT(tree.build_order({"py-uninstall"}), IsEmpty());
}

constexpr std::string_view kStages =
    "patch standard 1\npkgconf standard 1\ngcc standard 1: | mpc\nzlib standard 1\ngmp standard 1\nmpfr "
    "standard 1\n"
    "mpc standard 1: gmp mpfr\nlib standard 1\nsagelib standard 1: lib\nsagelib/install-requires.txt = sage\n"
    "sagemath_doc_html standard none: sagelib\nsagemath_doc_html/trees.txt = SAGE_DOCS\nopt optional 1\n";

TEST(MakeTargets, StageTargets) {
  ReadTree tree{TreeText(kStages)};
  EXPECT_THAT(tree.build_order({"base"}), ElementsAre("patch", "pkgconf"));
  EXPECT_THAT(tree.build_order({"toolchain"}), ElementsAre("gmp", "mpfr", "mpc", "gcc"));
  EXPECT_THAT(tree.build_order({"base-toolchain"}),
              ElementsAre("patch", "pkgconf", "gmp", "mpfr", "mpc", "gcc"));
  EXPECT_THAT(tree.build_order({"toolchain-deps"}), ElementsAre("zlib", "gmp", "mpfr", "mpc"));
  EXPECT_THAT(tree.build_order({"all-sage-venv"}), ElementsAre("lib", "sagelib"));
  EXPECT_THAT(tree.build_order({"all-sage-docs"}), ElementsAre("lib", "sagelib", "sagemath_doc_html"));
  EXPECT_THAT(tree.build_order({"doc"}), tree.build_order({"doc-html"}));
  EXPECT_EQ(tree.build_order({"build"}).size(), 9u);
  EXPECT_EQ(tree.build_order({"ptest"}), tree.build_order({"all"}));
  EXPECT_EQ(tree.build_order({"ptestlong-nodoc"}), tree.build_order({"build"}));
  EXPECT_THAT(tree.build_order({"build"}), testing::Not(testing::Contains("opt")));
  EXPECT_THAT(tree.build_order({"build", "opt"}), testing::Contains("opt"));
}

TEST(MakeTargets, ATreeWhoseMakefileHasNoBase) {
  TreeText text(kStages);
  text.file("build/make/Makefile.in", "base-toolchain: _clean-broken-gcc\n");
  EXPECT_THAT(ReadTree(text).build_order({"base-toolchain"}), ElementsAre("gmp", "mpfr", "mpc", "gcc"));
}

TEST(MakeTargets, ListsOfTheMakefileMayNamePackagesThatTheTreeLacks) {
  TreeText text("a standard 1\nb optional 1: a\n");
  text.file("build/make/Makefile.in",
            "base: $(inst_patch) $(inst_a)\nTOOLCHAIN = gcc\nWHEEL_PACKAGES = b c\n");
  ReadTree tree(text);
  EXPECT_THAT(tree.build_order({"base"}), ElementsAre("a"));
  EXPECT_THAT(tree.build_order({"toolchain"}), IsEmpty());
  EXPECT_THAT(tree.build_order({"wheels"}), ElementsAre("a", "b"));
}

TEST(MakeTargets, TheTreeTestIsASubstringTest) {
  ReadTree tree(TreeText(
      "d standard 1\nd/trees.txt = SAGE_VENV_DOCS\nm standard 1\nm/trees.txt = SAGE_LOCAL SAGE_VENV\n"));
  EXPECT_THAT(tree.build_order({"all-sage-venv"}), ElementsAre("d", "m"));
  EXPECT_THAT(tree.build_order({"all-sage-local"}), ElementsAre("m"));
  EXPECT_THAT(tree.build_order({"all-sage-docs"}), IsEmpty());
}

TEST(MakeTargets, UnknownOnesAreRefusedTogetherWithSuggestions) {
  ReadTree tree{TreeText(kStages)};
  try {
    tree.build_order({"all-sage-locl", "base", "sagelip"});
    FAIL();
  } catch (const Error& error) {
    ASSERT_EQ(error.faults().size(), 2u);
    EXPECT_THAT(error.what(), HasSubstr("did you mean all-sage-local"));
    EXPECT_THAT(error.what(), HasSubstr("did you mean sagelib"));
  }
  EXPECT_THROW(tree.build_order({"doc-pdf"}), Error) << "the tree has no sagemath_doc_pdf";
  EXPECT_THAT(tree.graph.known_targets(), IsSupersetOf({"build", "doc-html", "ptest", "opt", "gcc"}));
  EXPECT_THAT(tree.graph.known_targets(), testing::Not(testing::Contains("doc-pdf")));
  for (const std::string& target : tree.graph.known_targets())
    EXPECT_NO_THROW(tree.build_order({target})) << target;
}

TEST(BadGraph, UnknownWordsAreReportedWithPlaceAndSuggestion) {
  EXPECT_THAT(refusal(TreeText("a standard 1: zlip\nzlib standard 1\n")),
              "build/pkgs/a/dependencies:1: `zlip` is not a package, variable or file of this tree; did you "
              "mean zlib?");
  EXPECT_THAT(refusal(TreeText("a standard 1: $(PYTHO)\n")), HasSubstr("did you mean PYTHON"));
  EXPECT_EQ(refusal(TreeText("a standard 1: src/x.c ../pkgs/b/setup.cfg $(SAGE_ROOT)/c $(INST)/.dummy\n")),
            "")
      << "make finds files, or makes them";
  EXPECT_THAT(refusal(TreeText("a standard 1: $(wildcard *.c)\n")),
              HasSubstr("not a make function that is allowed here"));
  EXPECT_THAT(refusal(TreeText("a standard 1: $(PYTHON\n")), HasSubstr("`$(PYTHON` is not a package"));
  EXPECT_THAT(refusal(TreeText("a standard 1: | b |\nb standard 1\n")), HasSubstr("a second `|`"));
  EXPECT_THAT(refusal(TreeText("a standard 1\na/dependencies_order_only = b | a\nb standard 1\n")),
              HasSubstr("build/pkgs/a/dependencies_order_only:1: a second `|`"));
  EXPECT_THAT(refusal(TreeText("a standard 1\na/dependencies_optional = b\n")),
              HasSubstr("build/pkgs/a/dependencies_optional:1: `b`"));
  EXPECT_THAT(refusal(TreeText("a standard 1\na/dependencies_check = b\n")),
              HasSubstr("build/pkgs/a/dependencies_check:1: `b`"))
      << "also where tests do not run";
}

TEST(BadGraph, AVariablesFaultIsThatOfItsLineAndComesOnce) {
  TreeText text("a standard 1: $(PYTHON)\nb standard 1: $(PYTHON)\nc standard 1: $(LOOP)\n");
  text.file("build/make/Makefile.in", "BLAS = a\nPYTHON = python9\nLOOP = $(POOL)\nPOOL = $(LOOP)\n");
  EXPECT_EQ(refusal(text),
            "build/make/Makefile.in:2: `python9` is not a package, variable or file of this tree\n"
            "build/make/Makefile.in:3: LOOP is defined by itself");
}

TEST(BadGraph, AssumedDependenciesCauseNoFaults) {
  ReadTree tree(TreeText("a standard 1: $(PYTHON) $(PYTHON_TOOLCHAIN) $(SAGERUNTIME)\n"));
  EXPECT_THAT(tree.build_order({"build"}), ElementsAre("a"));
}

// make prints "Circular c <- a dependency dropped" and builds the rest.
TEST(DependencyGraph, ACircleIsBuiltWithoutTheEdgeThatClosesIt) {
  ReadTree tree(
      TreeText("a standard 1: b x\nb standard 1: | c\nc standard 1: a\nd standard 1: d\nx standard 1\n"));
  EXPECT_THAT(tree.graph.circles(), testing::SizeIs(2));
  EXPECT_THAT(tree.graph.faults(), IsEmpty());
  EXPECT_THAT(tree.build_order({"a"}), ElementsAre("c", "b", "x", "a"));
  EXPECT_THAT(tree.build_order({"c"}), ElementsAre("b", "x", "a", "c"));
  EXPECT_THAT(tree.build_order({"d"}), ElementsAre("d"));
  // Code that follows dependencies does not loop.
  EXPECT_THAT(tree.normal("c"), IsEmpty());
  EXPECT_THAT(tree.order_only("b"), ElementsAre("c"));
  EXPECT_THAT(tree.normal("a"), ElementsAre("b", "x"));
  EXPECT_THAT(tree.graph.rebuilt_with({*tree.packages.find("x")}), ElementsAre(*tree.packages.find("a")));
  EXPECT_THAT(tree.graph.dependencies_first(), testing::SizeIs(5));
}

TEST(DependencyGraph, AFaultIsThatOfItsPackage) {
  ReadTree tree(
      TreeText("good standard 1\nbad optional 1: zlip\nworse optional 1\nworse/type = <<<<<<< HEAD\n"));
  EXPECT_THAT(tree.graph.faults_of({*tree.packages.find("good")}), IsEmpty());
  for (const char* name : {"bad", "worse"})
    EXPECT_THAT(tree.graph.faults_of(tree.graph.build_order({name})), testing::SizeIs(1)) << name;
  EXPECT_THAT(tree.build_order({"build"}), ElementsAre("good"));
}

TEST(DependencyGraph, WordsOfOlderReleases) {
  TreeText text(
      "nauty standard 1\nlibnauty standard none: $(INST)/nauty-$(vers_nauty)\n"
      "sagelib standard 1: | $(and $(filter-out no,$(SAGE_CHECK)), tox) x\ntox optional 1\nx standard 1\n");
  ReadTree tree(text, {.dummies = {"nauty"}});
  EXPECT_THAT(tree.build_order({"libnauty"}), ElementsAre("nauty", "libnauty"))
      << "its stamp is made all the same";
  EXPECT_THAT(tree.build_order({"sagelib"}), ElementsAre("x", "sagelib"));
  EXPECT_THAT(ReadTree(text, {.checks = {.all = true}}).build_order({"sagelib"}),
              ElementsAre("tox", "x", "sagelib"));
}

TEST(BadGraph, EachCycleIsOneFault) {
  EXPECT_EQ(refusal(TreeText("a standard 1: b\nb standard 1: | c\nc standard 1: a\nd standard 1: d\n")),
            "build/pkgs/a/dependencies:1: depends on itself: a → b → c → a\n"
            "build/pkgs/d/dependencies:1: depends on itself: d → d");
}

TEST(BadGraph, UnknownNamesInTheOptions) {
  EXPECT_EQ(refusal(TreeText("zlib standard 1\n"), {.dummies = {"zlip"}, .installed = {"q"}}),
            "installed packages: `q` is not a package\n"
            "packages taken from the system: `zlip` is not a package; did you mean zlib?");
}

TEST(BadGraph, ALongChainNeedsNoDeepStack) {
  std::string text = "p0 standard 1\n";
  for (int i = 1; i < 1000; ++i)
    text += "p" + std::to_string(i) + " standard 1: p" + std::to_string(i - 1) + "\n";
  ReadTree tree{TreeText(text)};
  EXPECT_EQ(tree.build_order({"p999"}).size(), 1000u);
  EXPECT_EQ(tree.graph.rebuilt_with({tree.id("p0")}).size(), 999u);
}

}  // namespace
}  // namespace stagemake
