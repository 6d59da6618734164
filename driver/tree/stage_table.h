// The stages of a container build, as data.
//
// For each stage, a table says what it starts from, which files it adds, which of them matter, and the shell
// text it runs. The built-in table serves the releases of Sage; other distributions have a ci-docker.toml
// (documented in driver/manual/ci-docker.toml.md). Nothing here knows about environments, keys or engines.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/files.h"
#include "base/process/network.h"
#include "tree/tree_features.h"

namespace stagemake {

struct StageSpec {
  std::string name;
  // The mark `#:SECTION:` in a Dockerfile, which some users' scripts look for; empty: none.
  std::string section;
  std::string parent;  // another stage of the table; empty: the environment's base image

  // Files and folders, relative to the tree, that the stage adds at the same place below the table's root.
  // Files in a folder that .dockerignore excludes are left out. The built-in table names files that some
  // releases lack; in a table that was read from a file, a path that the tree lacks is a fault
  // (read_stage_table).
  std::vector<std::string> adds;
  // Added as well, even if .dockerignore excludes it.
  std::vector<std::string> adds_always;
  // Folders of local source tarballs. The stage adds those files whose name and checksum are in a
  // checksums.ini of build/pkgs (SourceTree::stated_tarballs), even if .dockerignore excludes them. They are
  // not part of the key, which has the checksums: without them a build downloads the same bytes.
  std::vector<std::string> tarballs;
  // Paths at or below `adds` that nothing in the build reads. They are neither in the key nor in the image; a
  // Dockerfile copies them last.
  std::vector<std::string> unkeyed;

  // The shell text to run, with /bin/sh -e in the root folder. `make` makes its targets one after the other;
  // the makes that it starts through $(MAKE) run in parallel, and so does $MAKE in the recipe itself.
  // `%{system_packages}` and `%{configure_args}` stand for the environment's values, `%{guard}` for the
  // prefix of the program that builds a package (followed by a blank; it may be empty), and `%%{` for `%{`.
  // All other values are passed as variables.
  std::string recipe;
  // Variables of the environment that the recipe uses. Their values are part of the key.
  std::vector<std::string> uses;
  // Variables that the recipe gets but that do not change the result (the number of jobs): not part of the
  // key.
  std::vector<std::string> passes;

  // The make targets of the recipe, or "$NAME" for targets in a variable. Empty: it makes none.
  std::vector<std::string> make_targets;
  // The recipe runs configure: after that, the makefile says which packages the system provides.
  bool configures = false;
  // The network that the recipe can reach. A value other than Default is part of the key: a recipe that
  // tolerates a failed download produces something else without a network.
  Network network = Network::Default;
  // The stage succeeds even if the exit status is not zero.
  bool errors_ignored = false;
  // Files and folders, relative to the root, that must exist when the recipe has succeeded; otherwise the
  // stage fails.
  std::vector<std::string> must_exist = {};

  // Whether the stage adds files of the tree.
  bool adds_files() const { return !adds.empty() || !adds_always.empty() || !tarballs.empty(); }
  // Whether a file is at or below a path in `unkeyed`.
  bool leaves_out(std::string_view path) const;
};

struct StageTable {
  std::string origin;  // "built-in", or the file that the table was read from
  // The table came with the tree and was not named by the user, so the author of the tree wrote it.
  bool is_of_tree = false;
  std::string distribution;    // distinguishes images of distributions; from VERSION.txt or the file
  std::string root = "/sage";  // the tree's folder in a container
  std::string image_prefix = "sage";
  std::string environment_prefix;          // "docker-" if image names keep it (Sage 9.8)
  std::string default_stage;               // where a build ends by default
  std::vector<std::string> environments;   // offered to users; any other may be named too
  std::vector<std::string> stamp_folders;  // installation records NAME-VERSION, relative to the root
  std::string package_logs;                // folder of NAME-VERSION.log, relative to the root; empty: none
  std::string uninstall;                   // shell text that uninstalls "$PACKAGE"; empty: not supported
  std::vector<StageSpec> stages;           // parents before children
  std::vector<std::string> warnings;       // about the file, as "file:line:column: what"

  // The position of a stage; nullopt if there is none with that name.
  std::optional<std::size_t> find(std::string_view name) const;
  // The stages from the base image to `stage`, both ends included.
  std::vector<std::size_t> chain(std::size_t stage) const;
  // Whether a stage installs the environment's system packages.
  bool installs_system_packages() const;
};

StageTable built_in_stages(const TreeFeatures& features);

// The variables of an environment that a stage's recipe can use, sorted.
const std::vector<std::string>& recipe_variables();

// The distribution's name if its table has none: from VERSION.txt, else the folder's name.
std::string distribution_of(const fs::path& tree);

// The tree's table: `file` if given, else TREE/ci-docker.toml if it exists, else the built-in one.
StageTable stage_table_of(const fs::path& tree, const TreeFeatures& features,
                          const std::optional<fs::path>& file);

}  // namespace stagemake
