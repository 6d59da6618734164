// The tree that a command works on: found, read, and described for its commands.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/options.h"
#include "plan/dependency_graph.h"
#include "plan/environment.h"
#include "plan/environment_list.h"
#include "plan/package_index.h"
#include "plan/stage_table.h"

namespace stagemake {

struct Tree {
  fs::path path;  // absolute, without symlinks
  PackageIndex packages;
  MakeVariables variables;
  StageTable table;
  std::optional<FactorTable> factors;  // of its tox.ini
};

// What a command asks of a tree, and which faults it must know of.
enum class TreeCheck {
  Images,  // whose images these are: works in any tree, whatever is wrong in it
  Names,   // what packages and environments are, and not what depends on what
  Everything
};

// Throws one Error (BadInput) with all faults of the tree itself: table of stages, tox.ini, makefile. The
// faults of single packages are warnings, but with `--strict-metadata`; see check_packages(). `revision`:
// what warnings call the tree, where it is a copy of a revision's; empty for the one that the person works
// in.
Tree open_tree(const Options& options, TreeCheck check = TreeCheck::Everything,
               const std::string& revision = {});

// The tree's folder: the one that was named, else find_tree() from here.
fs::path tree_path(const Options& options);

// The nearest folder from `start` upwards that has build/pkgs or ci-docker.toml. Throws Error (BadInput)
// where none has.
fs::path find_tree(const fs::path& start);

// A variable of this process; nothing where it is not set.
std::optional<std::string> variable_of_caller(std::string_view name);

// The environments that the tree offers.
EnvironmentList environment_list(const Tree& tree);

// Whether a command may let a shell of this machine evaluate what the tree's tables say (cli/host_shell.h). Commands that
// only look may not.
enum class MayRun { Nothing, TheTreesShellText };

// What an environment's meaning is read from: the tree, and this process's variables.
EnvironmentReader environment_reader(const Tree& tree, std::function<std::string()> revision, MayRun may_run);

// The environments of the command, resolved; names that stand for several (EnvironmentList::meant) as all of
// them. Throws one Error with what is wrong in all of them.
std::vector<Environment> resolve_environments(const Options& options, const Tree& tree,
                                              EnvironmentReader& reader);
// The one environment of a command that looks, as tox would read its name.
Environment resolve_environment(const Options& options, const Tree& tree);
// Warns where some of its variables hold text that was not evaluated.
void warn_of_shell_text(const Environment& environment);

// "NAME,NAME" and "@FILE" arguments as names. A file holds names apart by blanks, commas or lines; `#` begins
// a comment.
std::set<std::string> names_of(const std::vector<std::string>& arguments);

// Which revision a tree is.
struct TreeRevision {
  std::string name;     // as `git describe --dirty --always` says it; empty if it says nothing
  std::string problem;  // why it says nothing of a tree that is in a git checkout, and what to do about that
};
TreeRevision tree_revision(const fs::path& tree, std::stop_token stop = {});
// Its name alone.
std::string git_revision(const fs::path& tree, std::stop_token stop = {});

// Why git refused to answer (`words`: its standard error) about a tree that is in a checkout, and what to do
// about that. Empty for a tree that is in none.
std::string git_problem(const fs::path& tree, std::string_view words);

// The tag of images made of this revision: the one that was chosen, else the revision, else, of a tree that
// is in no checkout, "latest". Throws Error (BadInput) where nobody chose a tag and git refuses to name one,
// and where images are pushed and "latest" is all there is.
std::string image_tag(const Options& options, const TreeRevision& revision, bool pushes);
// A revision as a tag that registries allow; "latest" for an empty one.
std::string tag_of(const std::string& revision);

}  // namespace stagemake
