#include "tree/tree_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tree/package_index.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using TreesFile = TreeFeatures::TreesFile;

constexpr const char* kConfigure = "m4/sage_spkg_collect.m4";
constexpr const char* kPython = "build/sage_bootstrap/package.py";
constexpr const char* kMakefile = "build/make/Makefile.in";

TreeFeatures features(const TreeText& tree) {
  std::optional<TreeFeatures> found = features_by_scripts(tree.path());
  EXPECT_TRUE(found);
  return found.value_or(TreeFeatures());
}

TEST(TreeFeatures, ATreeWithoutConfiguresScriptHasNone) {
  TreeText tree("a standard 1\n");
  tree.file(kPython, "def purl(self):\n");
  EXPECT_FALSE(features_by_scripts(tree.path()));
}

TEST(TreeFeatures, ConfigureReadsTheFilesThatItsTextNames) {
  TreeText tree("a standard 1\n");
  tree.file(kConfigure, "if test -f $DIR/dependencies; then\ndnl dependencies_check is for another day\n");
  TreeFeatures oldest = features(tree);
  EXPECT_FALSE(oldest.check_file) << "a comment does nothing";
  EXPECT_FALSE(oldest.order_only_file || oldest.optional_file || oldest.separate_rules || oldest.wheels);
  EXPECT_EQ(oldest.trees_file, TreesFile::Ignored);
  EXPECT_THAT(oldest.python_marks, IsEmpty()) << "there is one tree";
  tree.file(
      kConfigure,
      "SPKG_TREE_VAR=SAGE_VENV\ntest -f \"$DIR/install-requires.txt\"\n sed $DIR/dependencies_order_only\n");
  tree.file("bootstrap", "test -f \"$DIR/trees.txt\"\ntest -f build/pkgs/x/spkg-install.in\n");
  TreeFeatures later = features(tree);
  EXPECT_TRUE(later.order_only_file);
  EXPECT_THAT(later.python_marks, ElementsAre("install-requires.txt"));
  EXPECT_EQ(later.trees_file, TreesFile::AllLines);
  EXPECT_FALSE(later.template_is_script) << "it is looked at for something else";
}

TEST(TreeFeatures, SagePackageSaysWhatAPackageIs) {
  TreeText tree("a standard 1\n");
  tree.file(kConfigure, "eval $(sage-package properties --format=shell $X)\nsed dependencies_check\n");
  tree.file("bootstrap", "test -f \"$DIR/requirements.txt\"\n");
  tree.file(
      kPython,
      "    def source(self):\n        return self.has_file('spkg-install')\n"
      "    def purl(self):\n        x.endswith('.whl')\n"
      "    def _init_trees(self):\n        open('trees.txt')\n        open('version_requirements.txt')\n");
  TreeFeatures found = features(tree);
  EXPECT_TRUE(found.counted_patch_levels && found.urls && found.wheels && found.check_file);
  EXPECT_FALSE(found.pyproject || found.url_file || found.separate_rules || found.template_is_script);
  EXPECT_EQ(found.trees_file, TreesFile::FirstLine);
  EXPECT_THAT(found.python_marks, ElementsAre("version_requirements.txt"));
}

// Like upstream since 10.4: files that say what a package needs, and that nothing reads.
TEST(TreeFeatures, AFileThatNoScriptReadsIsNotRead) {
  TreeText tree("a standard 1\na/version_requirements.txt = a\n");
  tree.file("build/pkgs/a/src/pyproject.toml.m4", "requires = [\n  \"pkg:generic/nobody-knows-it\"\n]\n");
  tree.file(kConfigure, "sage-package properties\n")
      .file(kPython, "def purl(self):\n'version_requirements.txt'\n");
  EXPECT_THAT(faults_of(tree.path()), IsEmpty());
  tree.file(kConfigure, "sage-package properties\nsage-package dependencies\n");
  tree.file(kPython, "def purl(self):\n'version_requirements.txt'\n'src/pyproject.toml.m4'\n");
  EXPECT_THAT(faults_of(tree.path()), testing::SizeIs(1));
}

TEST(TreeFeatures, SeparateListsAreThoseOfSagePackage) {
  TreeText tree("a standard 1\n");
  tree.file(kConfigure, "sage-package properties; sage-package dependencies\n");
  tree.file(kPython,
            "    ORDER_ONLY_PACKAGES = ['one', 'two']\n"
            "    def dependencies_build(self):\n        return x\n"
            "    def dependencies_check(self):\n        return self.__dependencies_order_only.split()\n"
            "    def other(self):\n        x = '$(PYTHON_TOOLCHAIN)'\n");
  tree.file(kMakefile, "define X\n$(1)-deps: x\n\t$(1)-check:\n");
  TreeFeatures found = features(tree);
  EXPECT_TRUE(found.separate_rules && found.check_is_order_only && found.python_toolchain);
  EXPECT_THAT(found.order_only_packages, ElementsAre("one", "two"));
  EXPECT_TRUE(found.deps_targets);
  EXPECT_FALSE(found.check_targets || found.ensure_targets || found.scripts_await_runtime);
}

TEST(TreeFeatures, StagesAddWhatTheDockerfileWriterAdds) {
  TreeText tree("a standard 1\n");
  tree.file(kConfigure, "x\n");
  tree.file(".ci/write-dockerfile.sh",
            "ADD *conda*.yml /tmp/\nFROM base as with-system-packages\nADD x.yml /tmp/\n"
            "FROM with-system-packages AS bootstrapped\n$ADD Makefile sage .gitignore /new/\nADD $FILE ./\n"
            "FROM bootstrapped as configured\nADD src/bin src/bin\nFROM configured as with-targets\n"
            "$ADD .gitignore /new/.gitignore\n$ADD src /new/src\n");
  TreeFeatures found = features(tree);
  EXPECT_THAT(found.added["bootstrapped"], ElementsAre("Makefile", "sage", ".gitignore"));
  EXPECT_THAT(found.added["configured"], ElementsAre("src/bin"));
  EXPECT_THAT(found.added["with-targets"], ElementsAre("src"));
}

TEST(TreeFeatures, ConfigureSaysWhichMultiprecisionLibraryIsTheDefault) {
  TreeText tree("a standard 1: $(MP_LIBRARY)\nmpir standard 1\ngmp optional 1\n");
  tree.file(kConfigure, "x\n").file(kMakefile, "MP_LIBRARY = @SAGE_MP_LIBRARY@\n");
  EXPECT_THAT(ReadTree(tree).build_order({"a"}), ElementsAre("gmp", "a"));
  tree.file("build/pkgs/mpir/spkg-configure.m4", "case $x in\nmpir|system)\n");
  EXPECT_THAT(ReadTree(tree).build_order({"a"}), ElementsAre("mpir", "a"));
}

// Like 9.2: one installation tree, and documentation that is not a package.
TEST(TreeFeatures, TargetsAreThoseOfTheMakefile) {
  TreeText tree("a standard 1\nopt optional 1\nsagelib standard none\nsphinx optional 1\n");
  tree.file(kConfigure, "x\n");
  tree.file(kMakefile,
            "DOC_DEPENDENCIES = sagelib $(inst_sphinx)\nall-sage: sagelib\ndoc-html: $(DOC_DEPENDENCIES)\n");
  ReadTree old(tree, {.installed = {"opt"}});
  EXPECT_THAT(old.build_order({"all-sage"}), ElementsAre("sagelib", "a", "opt"));
  EXPECT_THAT(old.build_order({"doc-html"}), ElementsAre("sagelib", "sphinx"));
  EXPECT_THAT(old.build_order({"all-start"}), testing::IsSupersetOf({"sagelib", "sphinx", "a", "opt"}));
  EXPECT_THROW(old.build_order({"all-sage-local"}), Error);
  EXPECT_THROW(old.build_order({"all-sage-docs"}), Error);
  EXPECT_THAT(old.graph.known_targets(), testing::Not(testing::Contains("all-build-venv")));
}

// Like 9.1: the library is a rule in a second makefile.
TEST(TreeFeatures, ALibraryThatIsNoPackage) {
  TreeText tree("a standard 1\nblas standard 1\nuser optional 1: sagelib\n");
  tree.file(kConfigure, "x\n").file(kMakefile, "BLAS = blas\n");
  tree.file("build/make/deps",
            "all-sage: sagelib\nsagelib-build-deps: \\\n\t$(inst_$(BLAS)) $(inst_gone)\nsagelib: "
            "sagelib-build-deps\n");
  ReadTree read(tree);
  EXPECT_THAT(read.graph.faults(), IsEmpty());
  EXPECT_THAT(read.build_order({"sagelib"}), ElementsAre("blas"));
  EXPECT_THAT(read.build_order({"user"}), ElementsAre("blas", "user"));
  EXPECT_THAT(read.build_order({"all-sage"}), ElementsAre("blas", "a"));
}

// The end-to-end tests' small distribution is of Sage 9.8's kind, but with its own scripts.
TEST(TreeFeatures, MiniDistIsOfTheKindOfSage98) {
  TreeFeatures found = features_by_scripts(fs::path(STAGEMAKE_SOURCE_DIR) / "tests/minidist").value();
  TreeFeatures wanted = TreeFeatures::of_sage98();
  wanted.sage_by_tree = found.sage_by_tree, wanted.added = found.added;
  EXPECT_EQ(found.python_marks, wanted.python_marks);
  EXPECT_EQ(found.trees_file, wanted.trees_file);
  EXPECT_TRUE(found == wanted) << "another feature";
}

TEST(TreeFeatures, NamesOfImagesAreThoseOfTox) {
  TreeText tree("a standard 1\n");
  tree.file(kConfigure, "x\n")
      .file("tox.ini", "docker: BUILD_IMAGE_STEM=sage-$(echo {envname} | sed s/-x//)\n");
  EXPECT_TRUE(features(tree).prefixed_images);
  tree.file("tox.ini", "docker: BUILD_IMAGE_STEM=sage-$(echo {envname} | sed \"s/docker-//;s/-x//\")\n");
  EXPECT_FALSE(features(tree).prefixed_images);
}

}  // namespace
}  // namespace stagemake
