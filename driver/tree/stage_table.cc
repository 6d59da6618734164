#include "tree/stage_table.h"

#include <algorithm>

#include "base/files/beneath.h"
#include "base/text/text.h"
#include "tree/stage_table_toml.h"

namespace stagemake {
namespace {

using Paths = std::vector<std::string>;

// The files that `bootstrapped` adds: those of the tree's own Dockerfile writer, else those of Sage 9.8 and
// passagemath.
Paths bootstrapped_files(const TreeFeatures& features) {
  if (auto own = features.added.find("bootstrapped"); own != features.added.end()) return own->second;
  Paths common = {"Makefile",
                  "VERSION.txt",
                  "COPYING.txt",
                  "condarc.yml",
                  "README.md",
                  "bootstrap",
                  "configure.ac",
                  "sage",
                  ".homebrew-build-env",
                  "tox.ini",
                  "config/config.rpath",
                  "src/bin",
                  "m4",
                  "pkgs",
                  "build"};
  Paths sage98 = {"bootstrap-conda",       "Pipfile.m4",
                  "src/doc/bootstrap",     "src/Pipfile.m4",
                  "src/pyproject.toml.m4", "src/requirements.txt.m4",
                  "src/setup.cfg.m4",      "src/VERSION.txt"};
  Paths passagemath = {".gitignore",      "pyproject.toml", "meson.build", "meson.options",
                       "src/meson.build", ".upstream.d",    "tools",       ".github/workflows"};
  const Paths& more = features.urls ? passagemath : sage98;
  common.insert(common.end(), more.begin(), more.end());
  return common;
}

StageSpec make_stage(std::string name, std::string parent, std::string target) {
  StageSpec stage;
  stage.name = std::move(name);
  stage.parent = std::move(parent);
  stage.recipe = "make SAGE_SPKG=\"%{guard}sage-spkg -y -o\" $USE_MAKEFLAGS $" + target + "\n";
  stage.uses = {"SAGE_CHECK", "SAGE_CHECK_PACKAGES", "USE_MAKEFLAGS", target};
  stage.passes = {"MAKE"};
  stage.make_targets = {"$" + target};
  return stage;
}

}  // namespace

std::optional<std::size_t> StageTable::find(std::string_view name) const {
  auto found =
      std::find_if(stages.begin(), stages.end(), [&](const StageSpec& stage) { return stage.name == name; });
  if (found == stages.end()) return std::nullopt;
  return static_cast<std::size_t>(found - stages.begin());
}

std::vector<std::size_t> StageTable::chain(std::size_t stage) const {
  std::vector<std::size_t> backwards;
  for (std::optional<std::size_t> at = stage; at; at = find(stages[*at].parent)) backwards.push_back(*at);
  return {backwards.rbegin(), backwards.rend()};
}

bool StageTable::installs_system_packages() const {
  return std::any_of(stages.begin(), stages.end(), [](const StageSpec& stage) {
    return stage.recipe.find("%{system_packages}") != std::string::npos;
  });
}

bool StageSpec::leaves_out(std::string_view path) const {
  return lies_below(unkeyed, path);
}

StageTable built_in_stages(const TreeFeatures& features) {
  StageTable table;
  table.origin = "built-in";
  table.environment_prefix = features.prefixed_images ? "docker-" : "";
  table.default_stage = "with-targets";
  table.stamp_folders = {"local/var/lib/sage/installed", "venv/var/lib/sage/installed",
                         "local/share/doc/sage/var/lib/sage/installed"};
  table.package_logs = "logs/pkgs";
  table.uninstall = "make \"$PACKAGE-uninstall\"";

  StageSpec system{.name = "with-system-packages", .section = "packages", .recipe = "%{system_packages}\n"};

  StageSpec bootstrapped{.name = "bootstrapped", .section = "bootstrapping", .parent = system.name};
  bootstrapped.adds = bootstrapped_files(features);
  // Neither bootstrap nor configure nor make reads these; with `docker build`, editing them rebuilt
  // everything. (COPYING.txt stays, because an image must contain the licence of its contents.)
  bootstrapped.unkeyed = {"README.md", "tox.ini", ".gitignore", ".github/workflows", ".ci"};
  bootstrapped.recipe = "sh -x -c \"$BOOTSTRAP\"\n";
  bootstrapped.uses = {"BOOTSTRAP"};
  bootstrapped.must_exist = {"configure"};  // passagemath's exits with 0 even if aclocal failed

  StageSpec configured{.name = "configured", .section = "configuring", .parent = bootstrapped.name};
  configured.recipe =
      "mkdir -p logs/pkgs\n"
      "rm -f config.log\n"
      "ln -s logs/pkgs/config.log config.log\n"
      "./configure --enable-build-as-root %{configure_args} $EXTRA_CONFIGURE_ARGS || { cat config.log; exit "
      "1; }\n";
  configured.uses = {"EXTRA_CONFIGURE_ARGS"};
  if (auto own = features.added.find(configured.name); own != features.added.end())
    configured.adds = own->second;
  configured.configures = true;
  configured.must_exist = {"config.status", "build/make/Makefile"};

  // Compiled first, because many packages need patch without declaring it (Sage's Dockerfile writer does the
  // same).
  StageSpec toolchain{.name = "with-base-toolchain", .section = "toolchain", .parent = configured.name};
  toolchain.tarballs = {"upstream"};
  toolchain.recipe = "make $USE_MAKEFLAGS base-toolchain\n";
  toolchain.uses = {"SAGE_CHECK", "SAGE_CHECK_PACKAGES", "USE_MAKEFLAGS"};
  toolchain.passes = {"MAKE"};
  toolchain.make_targets = {"base-toolchain"};

  StageSpec pre = make_stage("with-targets-pre", toolchain.name, "TARGETS_PRE");
  pre.section = "make";
  StageSpec targets = make_stage("with-targets", pre.name, "TARGETS");
  targets.adds = {"src"};
  StageSpec optional = make_stage("with-targets-optional", targets.name, "TARGETS_OPTIONAL");
  optional.errors_ignored = true;

  table.stages = {system, bootstrapped, configured, toolchain, pre, targets, optional};
  return table;
}

const std::vector<std::string>& recipe_variables() {
  static const std::vector<std::string> kNames = {
      "BOOTSTRAP", "EXTRA_CONFIGURE_ARGS", "MAKE",        "SAGE_CHECK",   "SAGE_CHECK_PACKAGES",
      "TARGETS",   "TARGETS_OPTIONAL",     "TARGETS_PRE", "USE_MAKEFLAGS"};
  return kNames;
}

std::string distribution_of(const fs::path& tree) {
  // "SageMath version 9.8.rc0, Release Date: …": the words before "version" are the same in all releases.
  std::string version = read_inside(tree, "VERSION.txt").value_or("");
  std::size_t end = version.find(" version");
  std::string name = end == std::string::npos ? std::string() : std::string(trimmed(version.substr(0, end)));
  if (name.empty()) name = printable(tree.filename().string());
  return name.empty() || name == "." ? "unnamed" : name;
}

StageTable stage_table_of(const fs::path& tree, const TreeFeatures& features,
                          const std::optional<fs::path>& file) {
  StageTable table;
  if (file)
    table = read_stage_table(*file, features, tree);
  else if (std::optional<std::string> own = read_inside(tree, "ci-docker.toml"))
    table = parse_stage_table(*own, tree / "ci-docker.toml", features, tree), table.is_of_tree = true;
  else
    table = built_in_stages(features);
  if (table.distribution.empty()) table.distribution = distribution_of(tree);
  return table;
}

}  // namespace stagemake
