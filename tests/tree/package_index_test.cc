#include "tree/package_index.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const Package& package(const PackageIndex& packages, std::string_view name) {
  return packages[packages.find(name).value()];
}

TEST(PackageIndex, ReadsTheFactsOfAPackage) {
  TreeText tree("zlib standard 1.2.11.p0\nfoo optional 2.0: zlib | make_dep  # comment\n");
  PackageIndex packages = PackageIndex::read(tree.path());
  ASSERT_EQ(packages.size(), 2u);
  const Package& foo = packages[0];
  EXPECT_EQ(foo.name, "foo");
  EXPECT_EQ(foo.type, PackageType::Optional);
  EXPECT_EQ(foo.source, SourceType::Normal);
  EXPECT_EQ(foo.version, "2.0");
  EXPECT_THAT(foo.trees, ElementsAre("SAGE_LOCAL"));
  EXPECT_EQ(foo.line(DependencyFile::Main), "zlib | make_dep");
  EXPECT_FALSE(foo.line(DependencyFile::Check));
  EXPECT_EQ(packages[1].version, "1.2.11.p0");
  EXPECT_EQ(packages.find("zlib"), 1u);
  EXPECT_FALSE(packages.find("zli"));
}

TEST(PackageIndex, OnlyTheFirstLineOfDependenciesCounts) {
  TreeText tree("a standard 1\nb standard 1\n");
  tree.file("build/pkgs/a/dependencies", "  b#c\nd\n")
      .file("build/pkgs/b/dependencies", "# all of it\r\nd\n");
  PackageIndex packages = PackageIndex::read(tree.path());
  EXPECT_EQ(packages[0].line(DependencyFile::Main), "b");
  EXPECT_EQ(packages[1].line(DependencyFile::Main), "");
}

TEST(PackageIndex, AFolderWithoutTypeIsNoPackage) {
  TreeText tree("a standard 1\n_python3.11/distros/debian.txt = python3\n");
  PackageIndex packages = PackageIndex::read(tree.path());
  EXPECT_EQ(packages.size(), 1u);
  EXPECT_TRUE(packages.has_folder("_python3.11"));
  EXPECT_TRUE(packages.has_folder("a"));
  EXPECT_FALSE(packages.has_folder("b"));
}

TEST(PackageIndex, WithoutScriptsTheFilesSayWhichRelease) {
  TreeText old("a standard 1\na/install-requires.txt = a\n");
  EXPECT_EQ(PackageIndex::read(old.path()).features(), TreeFeatures::of_sage98());
  EXPECT_THAT(PackageIndex::read(old.path())[0].trees, ElementsAre("SAGE_VENV"));
  TreeText recent("a standard 1\nb standard 1\nb/version_requirements.txt = b\n");
  EXPECT_EQ(PackageIndex::read(recent.path()).features(), TreeFeatures::of_sage108());
  recent.file("build/pkgs/a/dependencies_build", "b\n");
  EXPECT_EQ(PackageIndex::read(recent.path()).features(), TreeFeatures::of_passagemath2026());
  EXPECT_EQ(PackageIndex::read(recent.path(), TreeFeatures::of_sage98()).features(),
            TreeFeatures::of_sage98());
}

TEST(PackageIndex, SourceTypesOf98) {
  TreeText tree(
      "normal standard 1\npip standard none\nscript standard none\nnone standard none\nin standard none\n"
      "pip/requirements.txt = pip\nscript/spkg-install = exit\nin/spkg-install.in = exit\n");
  PackageIndex packages = PackageIndex::read(tree.path());
  for (const char* expected : {"normal", "pip", "script", "none"})
    EXPECT_EQ(name(package(packages, expected).source), expected);
  EXPECT_EQ(package(packages, "in").source, SourceType::None);
}

TEST(PackageIndex, SourceTypesOf2026) {
  TreeText tree(
      "normal standard 1\nscript standard none\nempty standard none\nwheel standard 1\nsections standard 1\n"
      "script/spkg-install.in = exit\nempty/checksums.ini = \nwheel/checksums.ini = "
      "tarball=x-VERSION-none.whl\n"
      "wheel/version_requirements.txt = wheel\n");
  tree.file("build/pkgs/sections/checksums.ini", "[a]\nsha1=0\ntarball=a.tar.gz\n[b]\ntarball=b.whl\n");
  PackageIndex packages = PackageIndex::read(tree.path(), TreeFeatures::of_passagemath2026());
  for (const char* expected : {"normal", "script", "wheel"})
    EXPECT_EQ(name(package(packages, expected).source), expected);
  EXPECT_EQ(package(packages, "empty").source, SourceType::None);
  EXPECT_EQ(package(packages, "sections").source, SourceType::Normal);
}

TEST(PackageIndex, TreesOf98TakeAllLinesAndThoseOf2026TheFirst) {
  TreeText tree("a standard 1\n");
  tree.file("build/pkgs/a/trees.txt", "SAGE_LOCAL # why\nSAGE_VENV\n");
  EXPECT_THAT(PackageIndex::read(tree.path())[0].trees, ElementsAre("SAGE_LOCAL", "SAGE_VENV"));
  EXPECT_THAT(PackageIndex::read(tree.path(), TreeFeatures::of_passagemath2026())[0].trees,
              ElementsAre("SAGE_LOCAL"));
}

TEST(PackageIndex, VersionsOf2026EndWithThePatchLevel) {
  TreeText tree("a standard 1.2.p03\nb standard 1.p2.beta\nc standard 1.pre2\n");
  PackageIndex packages = PackageIndex::read(tree.path(), TreeFeatures::of_passagemath2026());
  EXPECT_EQ(packages[0].version, "1.2.p3");
  EXPECT_EQ(packages[1].version, "1.p2");
  EXPECT_EQ(packages[2].version, "1.pre2");
  EXPECT_EQ(PackageIndex::read(tree.path())[0].version, "1.2.p03");
}

TEST(PackageIndex, PackageUrls) {
  TreeText tree(
      "foo_bar standard 1\nnum_py standard 1\nboost_cropped standard 1\n"
      "num_py/version_requirements.txt = NumPy >= 1\nboost_cropped/purl.txt = pkg:generic/boost\n");
  PackageIndex packages = PackageIndex::read(tree.path(), TreeFeatures::of_passagemath2026());
  EXPECT_EQ(packages.find_purl("pkg:generic/foo_bar"), packages.find("foo_bar"));
  EXPECT_EQ(packages.find_purl("pkg:pypi/NUMPY"), packages.find("num_py"));
  EXPECT_EQ(packages.find_purl("pkg:generic/boost"), packages.find("boost_cropped"));
  EXPECT_FALSE(packages.find_purl("pkg:generic/num-py"));
}

TEST(PackageIndex, NamesInPyprojectLists) {
  std::vector<PyprojectName> names = pyproject_names(
      "requires = [\n    SPKG_INSTALL_REQUIRES_cython\n    \"setuptools >= 50\",\n]\n"
      "name = \"x\"\n  \"pkg:generic/none\"\nhost-requires = [\n  \"pkg:generic/gmp\",  # why\n]\n"
      "test = [\"passagemath-repl\"]\n");
  ASSERT_EQ(names.size(), 3u);
  EXPECT_EQ(names[0].name, "cython");
  EXPECT_EQ(names[0].line, 2u);
  EXPECT_EQ(names[1].name, "pkg:generic/gmp");
  EXPECT_EQ(names[1].list, PyprojectList::HostRequires);
  EXPECT_EQ(names[2].name, "pkg:pypi/passagemath-repl");
}

TEST(PackageIndex, PresenceOfFilesNeverLeavesThePackage) {
  TreeText tree("a standard 1\nb standard 1\na/distros/debian.txt = a\n");
  tree.link("build/pkgs/a/gone", "nowhere").link("build/pkgs/a/there", "type");
  PackageIndex packages = PackageIndex::read(tree.path());
  for (const char* present : {"type", "distros", "distros/debian.txt", "there", "", "./type"})
    EXPECT_TRUE(packages.has_file(0, present)) << present;
  for (const char* absent :
       {"gone", "distros/fedora.txt", "../b/type", "distros/../../b/type", "/etc/passwd", ".."})
    EXPECT_FALSE(packages.has_file(0, absent)) << absent;
}

TEST(PackageIndex, LinksInsideTheTreeAreFollowed) {
  TreeText tree("a standard 1\nb standard 2\n/src/VERSION.txt = 3\n");
  tree.link("build/pkgs/b/package-version.txt", "../a/package-version.txt").link("build/pkgs/c", "a");
  tree.link("build/pkgs/a/src", "../../../src");
  PackageIndex packages = PackageIndex::read(tree.path());
  EXPECT_EQ(package(packages, "b").version, "1");
  EXPECT_EQ(package(packages, "c").version, "1");
  tree.link("build/pkgs/b/package-version.txt", "../a/src/VERSION.txt");
  EXPECT_EQ(package(PackageIndex::read(tree.path()), "b").version, "3");
}

// Each fault is one line that names the file; all faults are reported at once.

TEST(BadTree, AllFaultsAreInOneError) {
  TreeText tree(
      "a standard 1\nb standart 1\nc standard 1: zlib\nd standard 1: c e\ne standard 1: d\nUp standard 1\n"
      "p-q standard 1\n");
  tree.file("build/pkgs/a/type", "\n").file("build/pkgs/e/package-version.txt", "1\n2\xff\n");
  EXPECT_THAT(
      faults_of(tree.path()),
      ElementsAre(
          AllOf(StartsWith("build/pkgs/Up: "), HasSubstr("lower-case letters")),
          AllOf(StartsWith("build/pkgs/a/type:1: is empty"), HasSubstr("experimental")),
          AllOf(StartsWith("build/pkgs/b/type:1: `standart` is not a package type"), HasSubstr("optional")),
          AllOf(StartsWith("build/pkgs/c/dependencies:1: `zlib` is not a package")),
          "build/pkgs/d/dependencies:1: depends on itself: d → e → d",
          "build/pkgs/e/package-version.txt:2: is not UTF-8: 2\\xff", StartsWith("build/pkgs/p-q: ")));
}

TEST(BadTree, AFaultBelongsToItsPackage) {
  TreeText tree("a x 1\nb y 1\nc standard 1\n");
  tree.file("build/pkgs/d/type", "<<<<<<< HEAD\nstandard\n=======\noptional\n>>>>>>> other\n");
  PackageIndex packages = PackageIndex::read(tree.path());
  ASSERT_EQ(packages.faults().size(), 3u);
  EXPECT_EQ(packages.faults()[0].owner, "a");
  EXPECT_EQ(packages.faults()[1].owner, "b");
  EXPECT_EQ(package(packages, "a").type, PackageType::Optional) << "nothing needs it, as far as one can tell";
  EXPECT_EQ(package(packages, "d").type, PackageType::Standard) << "it may well be one";
}

TEST(BadTree, WithoutPackages) {
  TreeText tree("/README.md = x\n");
  EXPECT_THAT(faults_of(tree.path()), ElementsAre(AllOf(StartsWith("build/pkgs: no such folder in "),
                                                        HasSubstr("not the root of a distribution"))));
  tree.make_folder("build/pkgs/empty");
  EXPECT_THAT(faults_of(tree.path()), ElementsAre(StartsWith("build/pkgs: contains no package")));
  tree.remove("build/pkgs").file("build/pkgs", "");
  EXPECT_THAT(faults_of(tree.path()), ElementsAre(StartsWith("build/pkgs: no such folder in ")));
}

TEST(BadTree, FilesThatCannotBeRead) {
  TreeText tree("a standard 1\nb standard 1\nc standard 1\nd standard 1\ne standard 1\n");
  tree.remove("build/pkgs/a/type").make_folder("build/pkgs/a/type");
  tree.link("build/pkgs/b/dependencies", "dependencies").link("build/pkgs/c/dependencies", "nowhere");
  tree.file("build/pkgs/d/dependencies", std::string(10'000'000, 'x'));
  tree.remove("build/pkgs/e/type").link("build/pkgs/loop", "loop");
  ASSERT_EQ(::mkfifo((tree.path() / "build/pkgs/e/type").c_str(), 0600), 0);
  EXPECT_THAT(faults_of(tree.path()),
              ElementsAre("build/pkgs/a/type: is not a regular file",
                          "build/pkgs/b/dependencies: is a link in a loop of links",
                          "build/pkgs/c/dependencies: is a link that leads nowhere",
                          "build/pkgs/d/dependencies: is larger than 4.2 MB, which is too large for metadata",
                          "build/pkgs/e/type: is not a regular file",
                          "build/pkgs/loop: is a link in a loop of links"));
}

TEST(BadTree, LinksOutOfTheTree) {
  TreeText outside("z standard 9\n");
  TreeText tree("a standard 1\nb standard 1\n");
  std::string target = (outside.path() / "build/pkgs/z").string();
  tree.link("build/pkgs/a/package-version.txt", target + "/package-version.txt").link("build/pkgs/z", target);
  EXPECT_THAT(
      faults_of(tree.path()),
      ElementsAre(AllOf(StartsWith("build/pkgs/a/package-version.txt: is a link that leads out of the tree")),
                  StartsWith("build/pkgs/z: is a link that leads out of the tree")));
}

TEST(BadTree, AFolderOfPackagesOutsideIsNotRead) {
  TreeText outside("z standard 9\n");
  TreeText tree("a standard 1\n");
  tree.remove("build/pkgs").link("build/pkgs", (outside.path() / "build/pkgs").string());
  EXPECT_THAT(faults_of(tree.path()), ElementsAre("build/pkgs: leads out of the tree and is not read"));
}

TEST(BadTree, LinksThatAreNoPackagesAreNoFaults) {
  TreeText tree("a standard 1\n");
  tree.link("build/pkgs/gone", "nowhere").link("build/pkgs/file", "a/type");
  tree.file("build/pkgs/README", "x");
  EXPECT_THAT(faults_of(tree.path()), IsEmpty());
}

TEST(BadTree, VersionsAndTreesThatSayNothing) {
  TreeText tree("a standard 1\nb standard 1\nc standard 1\n");
  tree.file("build/pkgs/a/package-version.txt", "").file("build/pkgs/b/package-version.txt", "1; rm -rf /\n");
  tree.file("build/pkgs/c/trees.txt", "# none\n");
  EXPECT_THAT(faults_of(tree.path()),
              ElementsAre(StartsWith("build/pkgs/a/package-version.txt:1: is empty"),
                          "build/pkgs/b/package-version.txt:1: `1; rm -rf /` is not a version",
                          StartsWith("build/pkgs/c/trees.txt:1: names no installation tree")));
}

TEST(BadTree, ALineOfManyUnknownWordsIsCutShort) {
  std::string line = "a standard 1: ";
  for (int i = 0; i < 100'000; ++i) line += "x" + std::to_string(i) + " ";
  TreeText tree(line + "\n");
  std::vector<std::string> faults = faults_of(tree.path());
  EXPECT_EQ(faults.size(), 11u);
  EXPECT_THAT(faults, testing::Contains("build/pkgs/a/dependencies:1: and more words like these"));
}

TEST(BadTree, ForeignTextIsPrintable) {
  TreeText tree("a standard 1: \x1b[31mred\nb \x1b[2J 1\n");
  for (const std::string& fault : faults_of(tree.path()))
    EXPECT_EQ(fault.find('\x1b'), std::string::npos) << fault;
}

}  // namespace
}  // namespace stagemake
