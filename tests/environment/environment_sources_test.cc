// Environments with a factor table: where each value comes from, and what special values mean.
#include <gmock/gmock.h>

#include "base/error.h"
#include "base/text/text.h"
#include "environment/environment.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kTree =
    "zlib standard 1.2\n"
    "zlib/spkg-configure.m4 = m4\n"
    "zlib/distros/debian.txt = zlib1g-dev\n"
    "zlib/distros/fedora.txt = zlib-devel\n"
    "pip standard 2\n"
    "pip/spkg-configure.m4 = SAGE_PYTHON_PACKAGE_CHECK([pip])\n"
    "pip/distros/debian.txt = python3-pip\n"
    "nodistro standard 2\n"
    "nodistro/spkg-configure.m4 = m4\n"
    "_prereq/distros/debian.txt = gcc\n"
    "_prereq/spkg-configure.m4 = m4\n"
    "_python/distros/debian.txt = python3.${PYTHON_MINOR} lib${MINGW_PACKAGE_PREFIX}x${PYTHON_MINOR}\n"
    "_bootstrap/distros/debian.txt = autoconf\n"
    "/condarc.yml = channels: [forge]\n"
    "/VERSION.txt = Small 1\n";

constexpr std::string_view kTox =
    "  docker: FULL_BASE_IMAGE_AND_TAG={env:BASE_IMAGE}:{env:BASE_TAG:latest}\n"
    "  debian: SYSTEM=debian\n"
    "  debian: BASE_IMAGE=debian\n"
    "  debian-bookworm: BASE_TAG=bookworm\n"
    "  centos: SYSTEM=fedora\n"
    "  centos: BASE_IMAGE=centos\n"
    "  conda: SYSTEM=conda\n"
    "  conda: BASE_IMAGE=conda\n"
    "  minimal: SAGE_PACKAGE_LIST_ARGS=_prereq\n"
    "  standard: SAGE_PACKAGE_LIST_ARGS=:standard:\n"
    "  incremental: FULL_BASE_IMAGE_AND_TAG={env:FROM_DOCKER_REPOSITORY:ghcr.io/me/}sage-"
    "$(echo {envname} | sed 's/-incremental//')-{env:FROM_DOCKER_TARGET:with-targets}:"
    "{env:FROM_DOCKER_TAG:$BUILD_TAG}\n";

class EnvironmentSource : public testing::Test {
 protected:
  explicit EnvironmentSource(TreeFeatures features = TreeFeatures::of_sage98())
      : features_(std::move(features)) {}

  Environment resolve(const std::string& name, const std::map<std::string, std::string>& given = {}) {
    Faults faults;
    table_ = FactorTable::parse("[testenv]\nsetenv =\n" + std::string(kTox) + more_, "tox.ini", faults);
    EXPECT_THAT(faults.list(), IsEmpty());
    packages_ = PackageIndex::read(tree_.path(), features_);
    EnvironmentSources sources{.packages = *packages_, .table = has_table_ ? &*table_ : nullptr};
    sources.caller = [this](std::string_view variable) -> std::optional<std::string> {
      auto found = caller_.find(std::string(variable));
      return found == caller_.end() ? std::nullopt : std::optional(found->second);
    };
    sources.revision = [] { return "v1"; };
    sources.shell = shell_;
    return EnvironmentReader(sources).resolve({.name = name, .given = given, .arguments = arguments_});
  }
  std::string refusal(const std::string& name, const std::map<std::string, std::string>& given = {}) {
    try {
      resolve(name, given);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::BadInput);
      return error.what();
    }
    return "no error";
  }

  TreeText tree_{kTree};
  std::string more_;  // lines of tox.ini to add after kTox
  std::map<std::string, std::string> caller_;
  std::vector<std::string> arguments_;
  std::function<std::string(const std::string&, const std::map<std::string, std::string>&)> shell_;
  bool has_table_ = true;
  TreeFeatures features_;

 private:
  std::optional<FactorTable> table_;
  std::optional<PackageIndex> packages_;
};

class EnvironmentSource2026 : public EnvironmentSource {
 protected:
  EnvironmentSource2026() : EnvironmentSource(TreeFeatures::of_passagemath2026()) {}
};

TEST_F(EnvironmentSource, ANumberOfJobsMayBeShellText) {
  more_ = "  of-shell: NUMPROC=$(cat /proc/cpus)\n  docker-many: NUMPROC=$(nproc)\n";
  EXPECT_EQ(resolve("debian-many-minimal").jobs, 1u) << "processors of this test's sources";
  EXPECT_THAT(resolve("debian-many-minimal").unexpanded, IsEmpty()) << "no shell is asked";
  Environment looked = resolve("debian-of-shell-minimal");
  EXPECT_EQ(looked.jobs, 0u);
  EXPECT_EQ(looked.value("MAKE"), "make -j1");
  EXPECT_THAT(looked.unexpanded, ElementsAre("NUMPROC"));
  shell_ = [](const std::string& text, const auto&) { return text == "$(cat /proc/cpus)" ? "6\n" : ""; };
  EXPECT_EQ(resolve("debian-of-shell-minimal").jobs, 6u);
}

TEST_F(EnvironmentSource, PrecedenceIsOptionTableCallerDefault) {
  auto targets = [&](const std::map<std::string, std::string>& given = {}) {
    return resolve("debian-minimal", given).value("TARGETS");
  };
  EXPECT_EQ(targets(), "build");
  caller_["TARGETS"] = "of-caller";
  EXPECT_EQ(targets(), "of-caller");
  more_ = "  TARGETS=of-table\n";
  EXPECT_EQ(targets(), "of-table");
  more_ = "  TARGETS={env:TARGETS:of-default} and\n";
  EXPECT_EQ(targets(), "of-caller and") << "where the table asks for the caller's";
  EXPECT_EQ(targets({{"TARGETS", "said"}}), "said");
  EXPECT_EQ(targets({{"TARGETS", "{env:NONE:said} {envname}"}}), "said docker-debian-minimal");
  caller_["TARGETS"] = "";
  more_ = "";
  EXPECT_EQ(targets(), "build") << "empty is as good as unset";
}

TEST_F(EnvironmentSource, OfTheCallerOnlyKnownVariablesCountByThemselves) {
  caller_ = {{"SKIP_SYSTEM_PKG_INSTALL", "yes"}, {"DIST_UPGRADE", "s/a/b/"}, {"BOOTSTRAP", "./boot"}};
  Environment environment = resolve("debian-minimal");
  EXPECT_FALSE(environment.setup.skipped);
  EXPECT_EQ(environment.setup.dist_upgrade, "");
  EXPECT_EQ(environment.value("BOOTSTRAP"), "./boot");
}

TEST_F(EnvironmentSource, VariablesAreThoseOfTox) {
  arguments_ = {"a", "b"};
  more_ = "  MINE={posargs:none} $BUILD_TAG\n";
  Environment environment = resolve("docker-debian-bookworm-minimal", {{"NEW", "said"}});
  EXPECT_EQ(environment.name, "debian-bookworm-minimal");
  EXPECT_EQ(environment.variables.at("MINE"), "a b $BUILD_TAG");
  EXPECT_EQ(environment.expanded.at("MINE"), "a b v1");
  EXPECT_EQ(environment.variables.at("NEW"), "said");
  EXPECT_FALSE(environment.expanded.contains("SYSTEM")) << "only what a shell makes other";
  EXPECT_EQ(environment.base_image, "debian:bookworm");
  EXPECT_EQ(resolve("debian-minimal").base_image, "debian:latest");
}

TEST_F(EnvironmentSource, NamesAreTheTables) {
  EXPECT_THAT(refusal("debian-bookwurm-minimal"), HasSubstr("no factor `bookwurm` (did you mean bookworm?)"));
  EXPECT_THAT(refusal("bookworm-minimal"), HasSubstr("no factor of its name sets its system (SYSTEM)"));
  more_ = "  local: X=y\n";
  EXPECT_THAT(refusal("local-debian-minimal"), HasSubstr("tox itself builds `local` environments"));
  EXPECT_EQ(resolve("minimal-debian").setup.system, "debian") << "factors have no order";
}

TEST_F(EnvironmentSource, AGivenBaseImageIsUsedUnchanged) {
  EXPECT_EQ(resolve("debian-bookworm-minimal", {{"BASE_IMAGE", "host:5000/own"}}).base_image,
            "host:5000/own");
  EXPECT_EQ(resolve("debian-bookworm-minimal", {{"BASE_IMAGE", "x:$BUILD_TAG"}}).base_image, "x:v1");
  caller_["BASE_IMAGE"] = "of-caller";
  EXPECT_EQ(resolve("debian-bookworm-minimal").base_image, "debian:bookworm") << "tox.ini sets its own";
  has_table_ = false;
  EXPECT_EQ(resolve("debian-bookworm-minimal").base_image, "of-caller");
  for (const char* image :
       {"-x", "a b", "{env:X}", "", "a'b", ":::", "a::b", "a/", "/a", "a:", "a//b", "a;b"})
    EXPECT_THAT(refusal("debian-minimal", {{"BASE_IMAGE", image}}), HasSubstr("is not a base image"))
        << image;
}

TEST_F(EnvironmentSource, AnIncrementalEnvironmentStartsFromAnImage) {
  Environment environment = resolve("debian-bookworm-minimal-incremental");
  EXPECT_TRUE(environment.incremental);
  EXPECT_EQ(environment.base_image, "ghcr.io/me/sage-docker-debian-bookworm-minimal-with-targets:v1");
  EXPECT_EQ(environment.name, "debian-bookworm-minimal-incremental");
  caller_ = {
      {"FROM_DOCKER_REPOSITORY", "my/"}, {"FROM_DOCKER_TARGET", "configured"}, {"FROM_DOCKER_TAG", "t"}};
  EXPECT_EQ(resolve("debian-minimal-incremental").base_image, "my/sage-docker-debian-minimal-configured:t");
  EXPECT_EQ(resolve("debian-minimal-incremental", {{"FROM_DOCKER_TAG", "said"}}).base_image,
            "my/sage-docker-debian-minimal-configured:said");
  EXPECT_EQ(resolve("debian-minimal-incremental", {{"BASE_IMAGE", "whole"}}).base_image, "whole");
  EXPECT_FALSE(resolve("debian-minimal").incremental);
}

TEST_F(EnvironmentSource, WithoutATableAnIncrementalEnvironmentNeedsItsImageSaid) {
  has_table_ = false;
  EXPECT_THAT(refusal("debian-minimal-incremental"), HasSubstr("name it with --base-image"));
  Environment environment = resolve("debian-minimal-incremental", {{"BASE_IMAGE", "x:y"}});
  EXPECT_TRUE(environment.incremental);
  EXPECT_EQ(environment.base_image, "x:y");
}

TEST_F(EnvironmentSource, YesAndNoOfTheScripts) {
  for (const char* yes : {"1", "y", "yes", "Y", "Yes"})
    EXPECT_TRUE(resolve("debian-minimal", {{"SKIP_SYSTEM_PKG_INSTALL", yes}}).setup.skipped) << yes;
  for (const char* no : {"", "0", "no", "n", "true"})
    EXPECT_FALSE(resolve("debian-minimal", {{"SKIP_SYSTEM_PKG_INSTALL", no}}).setup.skipped) << no;
  more_ = "  debian: SKIP_SYSTEM_PKG_INSTALL=1\n";
  EXPECT_TRUE(resolve("debian-minimal").setup.skipped);
}

TEST_F(EnvironmentSource, MoreOfASystem) {
  more_ =
      "  EXTRA_REPOSITORIES=ppa:a/b  ppa:c/d\n  DIST_UPGRADE=s/x/y/\n  EXTRA_PATH=/opt/bin\n"
      "  EXTRA_SYSTEM_PACKAGES=more gcc\n";
  SystemSetup setup = resolve("debian-minimal").setup;
  EXPECT_THAT(setup.repositories, ElementsAre("ppa:a/b", "ppa:c/d"));
  EXPECT_EQ(setup.dist_upgrade, "s/x/y/");
  EXPECT_EQ(setup.extra_path, "/opt/bin");
  EXPECT_THAT(setup.packages, ElementsAre("autoconf", "gcc", "more")) << "sorted, each once";
}

TEST_F(EnvironmentSource, ACollectionOfCompilersIsANumberIn98) {
  more_ = "  centos: DEVTOOLSET=11\n  centos: DEVTOOLSET_PRE=ignored\n";
  SystemSetup setup = resolve("centos-minimal").setup;
  EXPECT_EQ(setup.toolset, "devtoolset-11");
  EXPECT_EQ(setup.toolset_repository, "centos-release-scl");
  EXPECT_EQ(resolve("debian-minimal").setup.toolset, "");
  EXPECT_EQ(resolve("debian-minimal").setup.toolset_repository, "");
}

TEST_F(EnvironmentSource2026, ACollectionOfCompilersIsANameIn2026) {
  more_ = "  centos: DEVTOOLSET=gcc-toolset-13\n  minimal: DEVTOOLSET_PRE=centos-release-scl\n";
  EXPECT_EQ(resolve("centos-minimal").setup.toolset, "gcc-toolset-13");
  EXPECT_EQ(resolve("centos-minimal").setup.toolset_repository, "centos-release-scl");
  EXPECT_EQ(resolve("centos-standard").setup.toolset_repository, "");
}

TEST_F(EnvironmentSource, CondaIsConfiguredFromAFileOfTheTree) {
  EXPECT_EQ(resolve("conda-minimal").setup.condarc, "channels: [forge]\n");
  EXPECT_EQ(resolve("debian-minimal").setup.condarc, "");
  more_ = "  conda: USE_CONDARC=/dev/null\n";
  EXPECT_EQ(resolve("conda-minimal").setup.condarc, "");
  more_ = "  conda: USE_CONDARC=other.yml\n";
  EXPECT_EQ(resolve("conda-minimal").setup.condarc, "") << "who only looks may lack it";
  EXPECT_THAT(resolve("conda-minimal").missing,
              AllOf(HasSubstr("other.yml: is not in the tree"), HasSubstr("USE_CONDARC")));
  EXPECT_EQ(resolve("debian-minimal").missing, "");
  tree_.file("other.yml", "other\n");
  EXPECT_EQ(resolve("conda-minimal").setup.condarc, "other\n");
  for (const char* out : {"/etc/passwd", "../x"}) {
    EXPECT_THAT(refusal("conda-minimal", {{"USE_CONDARC", out}}), HasSubstr("leads out of the tree")) << out;
  }
}

TEST_F(EnvironmentSource, ShellTextIsReportedOrEvaluated) {
  more_ = "  TARGETS_PRE=plain\n  SAGE_PACKAGE_LIST_ARGS=$(cat list)\n  UNUSED=`id`\n";
  // The text stays as it is, and is not a list of packages.
  EXPECT_THAT(refusal("debian"), HasSubstr("$(cat"));
  std::vector<std::string> ran;
  shell_ = [&](const std::string& text, const std::map<std::string, std::string>& variables) {
    EXPECT_EQ(variables.at("SYSTEM"), "debian");
    ran.push_back(text);
    return std::string("_prereq");
  };
  Environment environment = resolve("debian");
  EXPECT_THAT(environment.setup.packages, ElementsAre("autoconf", "gcc"));
  EXPECT_THAT(environment.unexpanded, IsEmpty());
  EXPECT_THAT(ran, ElementsAre("$(cat list)")) << "what the environment does not use is not run";
}

TEST_F(EnvironmentSource, AnUnexpandedBaseImageIsShownUnchanged) {
  more_ = "  debian: FULL_BASE_IMAGE_AND_TAG=$(cat image file)\n";
  Environment environment = resolve("debian-minimal");
  EXPECT_EQ(environment.base_image, "$(cat image file)");
  EXPECT_THAT(environment.unexpanded, ElementsAre("FULL_BASE_IMAGE_AND_TAG"));
  shell_ = [](const std::string&, const auto&) { return std::string(" debian:x \n"); };
  environment = resolve("debian-minimal");
  EXPECT_EQ(environment.base_image, "debian:x");
  EXPECT_THAT(environment.unexpanded, IsEmpty());
}

TEST_F(EnvironmentSource, ConfigureArgumentsAreComposedByTheTableOrSaid) {
  more_ = "  CONFIGURE_ARGS=--a  {env:EXTRA_CONFIGURE_ARGS:}\n";
  caller_["EXTRA_CONFIGURE_ARGS"] = "--b";
  EXPECT_EQ(resolve("debian-minimal").value("EXTRA_CONFIGURE_ARGS"), "--a --b");
  EXPECT_EQ(resolve("debian-minimal", {{"EXTRA_CONFIGURE_ARGS", "--c"}}).value("EXTRA_CONFIGURE_ARGS"),
            "--a --c");
  EXPECT_EQ(resolve("debian-minimal", {{"CONFIGURE_ARGS", "--d"}}).value("EXTRA_CONFIGURE_ARGS"), "--d");
  more_ = "";
  EXPECT_EQ(resolve("debian-minimal").value("EXTRA_CONFIGURE_ARGS"), "--b");
  has_table_ = false;
  EXPECT_EQ(resolve("debian-minimal").value("EXTRA_CONFIGURE_ARGS"), "--b");
  EXPECT_EQ(resolve("debian-minimal", {{"CONFIGURE_ARGS", "--d"}}).value("EXTRA_CONFIGURE_ARGS"), "--d");
}

TEST_F(EnvironmentSource2026, VariablesInListsAreReplaced) {
  more_ = "  PYTHON_MINOR=12\n  ALL_EXTRA_SAGE_PACKAGES=_python\n";
  EXPECT_THAT(resolve("debian-minimal").setup.packages, ElementsAre("gcc", "libx12", "python3.12"));
  EXPECT_THAT(
      resolve("debian-minimal", {{"PYTHON_MINOR", "9"}, {"MINGW_PACKAGE_PREFIX", "m-"}}).setup.packages,
      ElementsAre("gcc", "libm-x9", "python3.9"));
  EXPECT_THAT(resolve("debian-minimal", {{"PYTHON_MINOR", "${PYTHON_MINOR}"}}).setup.packages,
              Contains("python3.${PYTHON_MINOR}"))
      << "and that ends";
}

TEST_F(EnvironmentSource, VariablesInListsStayIn98) {
  more_ = "  PYTHON_MINOR=12\n  ALL_EXTRA_SAGE_PACKAGES=_python\n";
  EXPECT_THAT(resolve("debian-minimal").setup.packages, Contains("python3.${PYTHON_MINOR}"));
}

TEST_F(EnvironmentSource2026, SystemPythonPackagesCountIfItIsUsed) {
  Environment environment = resolve("debian-standard");
  EXPECT_THAT(environment.setup.packages, ElementsAre("autoconf", "zlib1g-dev"));
  EXPECT_THAT(environment.configure_args, ElementsAre("--enable-option-checking", "--with-system-zlib=yes"));
  more_ = "  ENABLE_SYSTEM_SITE_PACKAGES=yes\n";
  environment = resolve("debian-standard");
  EXPECT_THAT(environment.setup.packages, ElementsAre("autoconf", "python3-pip", "zlib1g-dev"));
  EXPECT_THAT(environment.configure_args,
              ElementsAre("--enable-option-checking", "--with-system-pip=yes", "--with-system-zlib=yes"))
      << "and none for what this system has no packages";
}

TEST_F(EnvironmentSource, In98TheyAlwaysCount) {
  EXPECT_THAT(resolve("debian-standard").setup.packages,
              ElementsAre("autoconf", "python3-pip", "zlib1g-dev"));
}

}  // namespace
}  // namespace stagemake
