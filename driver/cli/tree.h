// The tree that a command works on: finds, reads and describes it.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/options/options.h"
#include "environment/environment.h"
#include "environment/environment_list.h"
#include "plan/dependency_graph.h"
#include "tree/package_index.h"
#include "tree/stage_table.h"

namespace stagemake {

struct Tree {
  fs::path path;  // absolute, without symlinks
  PackageIndex packages;
  MakeVariables variables;
  StageTable table;
  std::optional<FactorTable> factors;  // of its tox.ini
};

// How much of a tree a command needs, and so which faults are errors.
enum class TreeCheck {
  Images,  // only which tree images belong to: works whatever is wrong in the tree
  Names,   // packages and environments, but not dependencies
  Everything
};

// Throws one Error (BadInput) with all faults of the tree itself: stage table, tox.ini, makefile. Faults of
// single packages are warnings without `--strict-metadata`; see check_packages(). `revision`: the name of the
// tree in warnings, if it is a copy of a revision; empty for the user's own tree.
Tree open_tree(const Options& options, TreeCheck check = TreeCheck::Everything,
               const std::string& revision = {});

// The tree's folder: as specified, else the result of find_tree() from here.
fs::path tree_path(const Options& options);

// The nearest folder from `start` upwards that has build/pkgs or ci-docker.toml. Throws Error (BadInput) if
// there is none.
fs::path find_tree(const fs::path& start);

// An environment variable of this process; nothing if it is not set.
std::optional<std::string> variable_of_caller(std::string_view name);

// The environments that the tree offers.
EnvironmentList environment_list(const Tree& tree);

// Whether a command may let a shell on this machine evaluate text in the tree's tables (cli/host_shell.h).
// Commands that only look may not.
enum class MayRun { Nothing, TheTreesShellText };

// Defines environments from the tree and this process's variables.
EnvironmentReader environment_reader(const Tree& tree, std::function<std::string()> revision, MayRun may_run);

// The environments of the command, resolved; names that stand for several (EnvironmentList::meant) are
// expanded. Throws one Error with the problems of all of them.
std::vector<Environment> resolve_environments(const Options& options, const Tree& tree,
                                              EnvironmentReader& reader);
// Throws Error (BadInput) if a stage's name stands where an environment is expected.
void check_no_stage(const StageTable& table, const std::string& name);
// A hint to add to the fault of a name that is no environment, if it resembles a stage; else empty.
std::string stage_hint(const Tree& tree, const std::string& name);
// The single environment of a command that only looks, as tox would read its name.
Environment resolve_environment(const Options& options, const Tree& tree);
// Warns if some of its variables contain text that was not evaluated.
void warn_of_shell_text(const Environment& environment);

// "NAME,NAME" and "@FILE" arguments as names. In a file, names are separated by blanks, commas or line ends;
// `#` begins a comment.
std::set<std::string> names_of(const std::vector<std::string>& arguments);

// The revision of a tree.
struct TreeRevision {
  std::string name;     // from `git describe --dirty --always`; empty if there is none
  std::string problem;  // why git does not describe a tree in a git checkout, and what to do about it
};
TreeRevision tree_revision(const fs::path& tree, std::stop_token stop = {});
// Only its name.
std::string git_revision(const fs::path& tree, std::stop_token stop = {});

// Why git refused to answer (`words`: its standard error) about a tree in a checkout, and what to do about
// it. Empty if the tree is in no checkout.
std::string git_problem(const fs::path& tree, std::string_view words);

// The tag of images of this revision: the chosen one, else the revision, else "latest" if the tree is in no
// checkout. Throws Error (BadInput) if no tag was chosen and git refuses to name one, or if images are pushed
// and "latest" would be used.
std::string image_tag(const Options& options, const TreeRevision& revision, bool pushes);
// A revision as a valid tag for registries; "latest" if it is empty.
std::string tag_of(const std::string& revision);

}  // namespace stagemake
