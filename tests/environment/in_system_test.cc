#include <gmock/gmock.h>

#include <optional>

#include "environment/installation.h"
#include "environment/package_machine.h"

namespace stagemake {
namespace {

using testing::HasSubstr;
using testing::Not;

class InSystem : public testing::Test {
 protected:
  // Runs `recipe` as in a system whose /opt is in the machine's folder.
  int run(SystemSetup setup, const std::string& recipe, Words shell = {"/bin/sh"}) {
    machine_.emplace(std::move(shell));
    fs::create_directories(machine_->path() / "opt/rh/devtoolset-11");
    fs::create_directories(machine_->path() / "opt/conda/etc/profile.d");
    // A command that fails inside such scripts does not end the recipe.
    write_file(machine_->path() / "opt/rh/devtoolset-11/enable", "false\nexport WHERE=collection\n");
    write_file(machine_->path() / "opt/conda/etc/profile.d/conda.sh",
               "conda() { false; export WHERE=\"$1 $2\"; }\n");
    setup.system = setup.system.empty() ? "debian" : setup.system;
    std::string text = in_system(setup, recipe);
    std::size_t at = text.find(" /opt/");
    if (at != std::string::npos) text.insert(at + 1, machine_->path().string());
    return machine_->run(text, {{"GIVEN", "a  'b'"}});
  }
  std::string output() const { return machine_->output; }
  PackageMachine& machine() { return *machine_; }

  const SystemSetup plain_{.system = "debian"};
  const SystemSetup path_{.system = "debian", .extra_path = "/usr/lib/own dir/bin"};
  const SystemSetup collection_{.system = "fedora", .toolset = "devtoolset-11"};
  const SystemSetup conda_{.system = "conda", .packages = {"x"}};
  const SystemSetup nix_{.system = "nix", .packages = {"g++", "x"}};
  const std::vector<SystemSetup> all_ = {plain_, path_, collection_, conda_, nix_};

 private:
  std::optional<PackageMachine> machine_;
};

TEST_F(InSystem, ARecipeIsItselfWhereTheSystemAsksForNothing) {
  for (const char* system : {"debian", "fedora", "arch", "", "unknown"})
    EXPECT_EQ(in_system({.system = system, .packages = {"x"}}, "make\n"), "make\n");
}

TEST_F(InSystem, StatusStopsAtErrorsAndQuotesSurvive) {
  for (const Words& shell : shells())
    for (const SystemSetup& setup : all_) {
      SCOPED_TRACE(shell[0] + " " + setup.system + setup.toolset + setup.extra_path);
      EXPECT_EQ(run(setup, "exit 7\n", shell), 7);
      EXPECT_EQ(run(setup, "true", shell), 0);
      EXPECT_EQ(run(setup, "sh=1\n(exit 3)\necho went on\n", shell), 3);
      EXPECT_THAT(output(), Not(HasSubstr("went on")));
      EXPECT_EQ(run(setup, "set -- 'a b' \"it's\" \"\\$x\"\nprintf '<%s>' \"$@\" \"$GIVEN\" $GIVEN\n", shell),
                0);
      EXPECT_EQ(output(), "<a b><it's><$x><a  'b'><a><'b'>");
      EXPECT_EQ(run(setup, "cat <<'END'\n  $x 'y'\nEND\n", shell), 0) << output();
      EXPECT_EQ(output(), "  $x 'y'\n");
    }
}

TEST_F(InSystem, RequiredPackagesAreInstalled) {
  EXPECT_EQ(run(path_, "echo \"$PATH\""), 0);
  EXPECT_THAT(output(), testing::StartsWith("/usr/lib/own dir/bin:/"));
  EXPECT_EQ(run(collection_, "echo \"$WHERE\""), 0);
  EXPECT_EQ(output(), "collection\n");
  EXPECT_EQ(run(conda_, "echo \"$WHERE\""), 0);
  EXPECT_EQ(output(), "activate base\n");
  EXPECT_EQ(run(nix_, "echo inside"), 0);
  EXPECT_EQ(output(), "inside\n");
  EXPECT_THAT(machine().log(), HasSubstr("nix-shell --packages g++ x --run "));
}

TEST_F(InSystem, AnUnpreparedSystemFails) {
  EXPECT_NE(run({.system = "fedora", .toolset = "devtoolset-12"}, "echo went on"), 0);
  EXPECT_THAT(output(), Not(HasSubstr("went on")));
}

TEST_F(InSystem, NixPassesOverWhatMayBeMissing) {
  SystemSetup setup = nix_;
  setup.ignore_missing = true;
  EXPECT_EQ(run(setup, "echo inside"), 0);
  EXPECT_THAT(machine().log(), HasSubstr("let q = pkgs.g++ or null; in"));
}

}  // namespace
}  // namespace stagemake
