#include "tree/make_variables.h"

#include <gmock/gmock.h>

#include "tree/tree_text.h"

namespace stagemake {
namespace {

constexpr std::string_view kFile = "build/make/Makefile.in";

MakeVariables variables(std::string_view makefile) {
  TreeText tree("");
  tree.file(kFile, makefile);
  return MakeVariables::read(tree.path(), TreeFeatures::of_sage98());
}

std::string value(const MakeVariables& variables, std::string_view name) {
  const MakeVariables::Value* found = variables.find(name);
  return found == nullptr ? "(unknown)" : found->text;
}

TEST(MakeVariables, TakesSimpleAssignmentsOfTheTree) {
  MakeVariables read =
      variables("PYTHON = python4  # new\nBLAS := atlas\nX ?= 1\nX ?= 2\nY = a\nY += b\nZ=1\nZ=2\n");
  EXPECT_EQ(value(read, "PYTHON"), "python4");
  EXPECT_EQ(value(read, "BLAS"), "atlas");
  EXPECT_EQ(value(read, "X"), "1");
  EXPECT_EQ(value(read, "Y"), "a b");
  EXPECT_EQ(value(read, "Z"), "2");
  EXPECT_EQ(read.find("BLAS")->where, "build/make/Makefile.in:2");
  EXPECT_FALSE(read.find("BLAS")->assumed());
  EXPECT_EQ(value(read, "NONE"), "(unknown)");
}

TEST(MakeVariables, JoinsContinuationLines) {
  MakeVariables read = variables("LIST = a \\\n    b\\\n\tc\nNEXT = d\n");
  EXPECT_EQ(value(read, "LIST"), "a      b \tc");
  EXPECT_EQ(read.find("NEXT")->where, "build/make/Makefile.in:4");
}

TEST(MakeVariables, PassesOverConditionalsDefinesAndRecipes) {
  MakeVariables read = variables(
      "PYTHON = python3\nifneq ($(X),)\nifeq ($(PYTHON),python3)\nPYTHON = python3_venv\nendif\nendif\n"
      "define T\nPYTHON = wrong\nendef\nall:\n\tPYTHON = wrong\n");
  EXPECT_EQ(value(read, "PYTHON"), "python3");
}

TEST(MakeVariables, FallsBackToKnownReleases) {
  MakeVariables read = variables("TOOLCHAIN = @SAGE_TOOLCHAIN@\nPCFILES = @PC@\nSAGE_DOCS = @SAGE_DOCS@\n");
  EXPECT_EQ(value(read, "TOOLCHAIN"), "gcc");
  EXPECT_TRUE(read.find("TOOLCHAIN")->assumed());
  EXPECT_EQ(value(read, "PCFILES"), "");
  EXPECT_EQ(value(read, "SAGE_DOCS"), "");
  EXPECT_EQ(value(read, "SCRIPTS"), "");
  EXPECT_EQ(value(read, "PYTHON"), "python3");
  TreeText empty("");
  auto toolchain = [&](const TreeFeatures& features) {
    return value(MakeVariables::read(empty.path(), features), "PYTHON_TOOLCHAIN");
  };
  EXPECT_THAT(toolchain(TreeFeatures::of_sage98()), testing::EndsWith("setuptools_wheel"));
  EXPECT_THAT(toolchain(TreeFeatures::of_passagemath2026()), testing::EndsWith("python_build"));
}

TEST(MakeVariables, FirstTargets) {
  MakeVariables read = variables("base: $(inst_patch)\nbase-toolchain: _clean base\nbase-x: y\n");
  EXPECT_EQ(read.base().text, "$(inst_patch)");
  EXPECT_EQ(read.base_toolchain().text, "_clean base");
  EXPECT_EQ(variables("base-toolchain:\n").base().text, "");
  TreeText empty("");
  EXPECT_EQ(MakeVariables::read(empty.path(), TreeFeatures::of_sage98()).base().text,
            "$(inst_patch) $(inst_pkgconf)");
}

TEST(MakeVariables, AFileThatCannotBeReadIsOneFault) {
  TreeText tree("");
  tree.make_folder(kFile);
  try {
    MakeVariables::read(tree.path(), TreeFeatures::of_sage98());
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "build/make/Makefile.in: is not a regular file");
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
  }
}

}  // namespace
}  // namespace stagemake
