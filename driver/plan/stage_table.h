// The stages of a container build, as data.
//
// A table says for each stage what it starts from, which files it adds, which of them matter, and the shell
// text it runs. The built-in table serves the releases of Sage; a distribution of another shape brings its
// own in ci-docker.toml (README.md documents the file). Nothing here knows an environment, a key or an
// engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/network.h"
#include "plan/tree_features.h"

namespace stagemake {

struct StageSpec {
  std::string name;
  // The mark `#:SECTION:` in a Dockerfile, which people's scripts look for; empty: none.
  std::string section;
  std::string parent;  // another stage of the table; empty: the environment's base image

  // Files and folders, relative to the tree, that the stage adds at the same place below the table's root. Of
  // a folder, what .dockerignore excludes stays out. The built-in table names files that some releases lack;
  // in a table that was read from a file, one that the tree lacks is a fault (read_stage_table).
  std::vector<std::string> adds;
  // Added too, also where .dockerignore excludes it.
  std::vector<std::string> adds_always;
  // Folders of local source tarballs. Of these the stage adds files whose name and checksum stand in a checksums.ini of
  // build/pkgs (SourceTree::stated_tarballs), also where .dockerignore excludes them. They are no part of the key, which
  // has the checksums: without them a build downloads the same bytes.
  std::vector<std::string> tarballs;
  // Paths at or below `adds` that nothing in the build reads. They are neither part of the key nor in the image; a
  // Dockerfile copies them last.
  std::vector<std::string> unkeyed;

  // What runs, with /bin/sh -e in the root folder. `make` makes its targets one after the other; the makes
  // that it starts through $(MAKE) run in parallel, and so does $MAKE in the recipe itself.
  // `%{system_packages}` and `%{configure_args}` stand for what the environment says, `%{guard}` for what
  // goes in front of the program that builds a package (with a blank behind it; it may be nothing), and
  // `%%{` for `%{`; everything else reaches it as variables.
  std::string recipe;
  // Variables of the environment that the recipe uses. Their values are part of the key.
  std::vector<std::string> uses;
  // Variables it gets that change nothing in what is built (the number of jobs): no part of the key.
  std::vector<std::string> passes;

  // The make targets that the recipe makes, or "$NAME" for those in a variable. Empty: it makes none.
  std::vector<std::string> make_targets;
  // The recipe runs configure: from then on the makefile says which packages the system provides.
  bool configures = false;
  // What the recipe reaches. Other than Default it is part of the key: a recipe that passes over a failed
  // download makes something else without a network.
  Network network = Network::Default;
  // A non-zero exit status does not make the stage fail.
  bool errors_ignored = false;
  // Files and folders, relative to the root, that must be there when the recipe has ended well; else the
  // stage has failed.
  std::vector<std::string> must_exist = {};

  // Whether it brings files of the tree.
  bool adds_files() const { return !adds.empty() || !adds_always.empty() || !tarballs.empty(); }
  // Whether a file is at or below a path in `unkeyed`.
  bool leaves_out(std::string_view path) const;
};

struct StageTable {
  std::string origin;          // "built-in" or the file it was read from
  // It came with the tree, and nobody named the file: whoever wrote the tree wrote it.
  bool is_of_tree = false;
  std::string distribution;    // tells one distribution's images from another's; from VERSION.txt or the file
  std::string root = "/sage";  // where the tree lies in a container
  std::string image_prefix = "sage";
  std::string environment_prefix;          // "docker-" where image names keep it (Sage 9.8)
  std::string default_stage;               // where a build ends if nobody says otherwise
  std::vector<std::string> environments;   // that people are offered; any other may be named too
  std::vector<std::string> stamp_folders;  // installation records NAME-VERSION, relative to the root
  std::string package_logs;                // folder of NAME-VERSION.log, relative to the root; empty: none
  std::string uninstall;                   // shell text that uninstalls "$PACKAGE"; empty: this tree cannot
  std::vector<StageSpec> stages;           // parents before children
  std::vector<std::string> warnings;       // about the file, as "file:line:column: what"

  // The position of a stage; nothing where there is none of that name.
  std::optional<std::size_t> find(std::string_view name) const;
  // The stages from the base image to `stage`, both ends included.
  std::vector<std::size_t> chain(std::size_t stage) const;
  // Whether a stage installs the environment's system packages.
  bool installs_system_packages() const;
};

StageTable built_in_stages(const TreeFeatures& features);

// Reads a table in the form of ci-docker.toml. What the file does not say is as in the built-in table of
// `features`, but for `stages`, which are all its own if it has any. Throws one Error with all faults, as
// "file:line:column". Paths to add that are not in `tree` are faults of a table that lies in the tree, and
// warnings of another one, which may be meant for several releases; without a tree nobody looks.
StageTable read_stage_table(const fs::path& file, const TreeFeatures& features,
                            const std::optional<fs::path>& tree = std::nullopt);
// The same of the content of `file`.
StageTable parse_stage_table(std::string_view content, const fs::path& file, const TreeFeatures& features,
                             const std::optional<fs::path>& tree);

// Whether registries take this as a part of an image's name between `-`s: lower-case letters and digits, and
// between them one `.`, one or two `_`, or any number of `-`.
bool fits_in_image_name(std::string_view text);

// The distribution's name where its table says none: by VERSION.txt, else "unnamed".
std::string distribution_of(const fs::path& tree);

// The tree's table: `file` if given, else TREE/ci-docker.toml where there is one, else the built-in one.
StageTable stage_table_of(const fs::path& tree, const TreeFeatures& features, const std::optional<fs::path>& file);

}  // namespace stagemake
