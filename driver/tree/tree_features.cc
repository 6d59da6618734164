#include "tree/tree_features.h"

#include <set>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

// The text of a script without comment lines, because comments are not executed. Empty if there is no script.
std::string script(const fs::path& tree, const char* path) {
  std::optional<std::string> text;
  try {
    text = read_inside(tree, path);
  } catch (const Error&) {
    return {};
  }
  std::string kept;
  if (text)
    for (std::string_view line : lines(*text)) {
      std::string_view said = trimmed(line);
      if (said.starts_with('#') || said == "dnl" || said.starts_with("dnl ")) continue;
      kept.append(line).push_back('\n');
    }
  return kept;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The body of a Python function: its lines up to the next `def` in the same text.
std::string_view function(std::string_view text, std::string_view name) {
  std::size_t begin = text.find("def " + std::string(name) + "(");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find("\n    def ", begin) - begin);
}

// The quoted words of `name = ['a', 'b']`.
std::vector<std::string> quoted_list(std::string_view text, std::string_view name) {
  std::vector<std::string> words;
  std::size_t begin = text.find(std::string(name) + " = [");
  if (begin == std::string_view::npos) return words;
  std::string_view list = text.substr(begin, text.find(']', begin) - begin);
  for (std::size_t at = list.find('\''); at != std::string_view::npos; at = list.find('\'', at + 1)) {
    std::size_t end = list.find('\'', at + 1);
    if (end == std::string_view::npos) break;
    words.emplace_back(list.substr(at + 1, end - at - 1));
    at = end;
  }
  return words;
}

// The Dockerfile inside a shell script: `FROM IMAGE as STAGE`, `ADD FILE… FOLDER`, `$ADD FILE… FOLDER`.
std::map<std::string, std::vector<std::string>> added_files(std::string_view writer) {
  std::map<std::string, std::vector<std::string>> added;
  std::set<std::string> known;  // paths that an earlier stage added
  std::string stage;
  for (std::string_view line : lines(writer)) {
    std::vector<std::string_view> said = words(line);
    if (said.size() == 4 && said[0] == "FROM" && (said[2] == "as" || said[2] == "AS")) stage = said[3];
    if (said.size() < 3 || (said[0] != "ADD" && said[0] != "$ADD") || stage.empty()) continue;
    for (std::size_t i = 1; i + 1 < said.size(); ++i) {
      std::string path(said[i]);
      if (path.find_first_of("*$\"'\\`") == std::string::npos && path[0] != '-' && known.insert(path).second)
        added[stage].push_back(std::move(path));
    }
  }
  return added;
}

// Determined by the loop that sets SAGE_CHECK_NAME, or by the rules that do.
TreeFeatures::Checked checked_packages(std::string_view makefile) {
  using Checked = TreeFeatures::Checked;
  if (has(makefile, "\nSAGE_CHECK_$(1) := $(SAGE_CHECK)")) return Checked::NormalBefore;
  std::size_t set = makefile.find("$(call SET_SAGE_CHECK,$(pkgname),$(SAGE_CHECK))");
  if (set == std::string_view::npos) return Checked::Normal;
  std::size_t loop = makefile.rfind("$(foreach", set);
  bool scripts =
      loop != std::string_view::npos && has(makefile.substr(loop, set - loop), "$(SCRIPT_PACKAGES)");
  return scripts ? Checked::NormalAndScript : Checked::Normal;
}

constexpr const char* kWriters[] = {".github/workflows/write-dockerfile.sh", ".ci/write-dockerfile.sh",
                                    "build/bin/write-dockerfile.sh"};

constexpr std::string_view kPythonMarks[] = {"requirements.txt", "install-requires.txt",
                                             "version_requirements.txt"};

}  // namespace

std::optional<TreeFeatures> features_by_scripts(const fs::path& tree) {
  std::string configure = script(tree, "m4/sage_spkg_collect.m4");
  if (configure.empty()) return std::nullopt;
  std::string bootstrap = script(tree, "bootstrap");
  std::string package = script(tree, "build/sage_bootstrap/package.py");
  std::string makefile = script(tree, "build/make/Makefile.in") + script(tree, "build/make/deps");
  TreeFeatures found;

  // Packages are classified either by sage-package, or by shell text in bootstrap or configure.
  bool by_python = has(configure, "sage-package properties") || has(bootstrap, "sage-package properties");
  const std::string shell = bootstrap + configure;
  found.counted_patch_levels = by_python;
  if (by_python) {
    found.trees_file =
        has(package, "'trees.txt'") ? TreeFeatures::TreesFile::FirstLine : TreeFeatures::TreesFile::Ignored;
    for (std::string_view mark : kPythonMarks)
      if (has(package, "'" + std::string(mark) + "'")) found.python_marks.emplace_back(mark);
    found.template_is_script = has(function(package, "source"), "spkg-install.in");
    found.wheels = has(package, ".whl");
    found.checksum_sections = has(function(package, "_init_checksum"), "section");
  } else {
    found.trees_file =
        has(shell, "trees.txt") ? TreeFeatures::TreesFile::AllLines : TreeFeatures::TreesFile::Ignored;
    if (has(shell, "SAGE_VENV"))
      for (std::string_view mark : kPythonMarks)
        if (has(shell, "/" + std::string(mark) + "\"")) found.python_marks.emplace_back(mark);
    found.template_is_script = has(shell, "/spkg-install.in\"");
  }
  found.urls = has(package, "def purl(");
  found.url_file = has(package, "'purl.txt'");

  found.separate_rules = has(configure, "sage-package dependencies");
  const std::string& rules = found.separate_rules ? package : configure;
  found.optional_file = has(rules, "dependencies_optional");
  found.order_only_file = has(rules, "dependencies_order_only");
  found.check_file = has(rules, "dependencies_check");
  if (found.separate_rules) {
    found.pyproject = has(package, "pyproject.toml.m4");
    found.python_toolchain = has(package, "$(PYTHON_TOOLCHAIN)");
    found.order_only_packages = quoted_list(package, "ORDER_ONLY_PACKAGES");
    found.check_is_order_only = has(function(package, "dependencies_check"), "__dependencies_order_only");
    found.scripts_await_runtime = has(makefile, "build_) $(call pkg_deps,$(pkgname))");
  }

  found.tree_targets = !has(makefile, "\nall-sage:") || has(makefile, "\nall-sage-local:");
  if (std::size_t rule = makefile.find("\nall-sage:"); rule != std::string::npos)
    found.sage_by_tree =
        has(std::string_view(makefile).substr(rule, makefile.find("\n\n", rule) - rule), "SAGE_LOCAL");
  found.docs_target = !has(makefile, "\nall-sage:") || has(makefile, "\nall-sage-docs:");
  found.deps_targets = has(makefile, "\n$(1)-deps:");
  found.ensure_targets = has(makefile, "\n$(1)-ensure:");
  found.check_targets = has(makefile, "\n$(1)-check:");
  found.fallback_target = has(script(tree, "Makefile"), "ci-build-with-fallback");
  found.own_distributions_unchecked = has(makefile, "$(findstring sagemath_,$(pkgname))");
  found.checked = checked_packages(makefile);
  found.recent_python_toolchain = found.separate_rules;
  if (has(script(tree, "build/pkgs/mpir/spkg-configure.m4"), "mpir|system)")) found.mp_library = "mpir";

  found.excludes_names =
      has(script(tree, "build/sage_bootstrap/expand_class.py"), "difference_update(excluded)");
  for (const char* writer : kWriters)
    if (found.added = added_files(script(tree, writer)); !found.added.empty()) break;
  // `BUILD_IMAGE_STEM=sage-$(echo {envname} | sed "s/docker-//;…")` removes it.
  std::string tox = script(tree, "tox.ini");
  std::size_t stem = tox.find("BUILD_IMAGE_STEM=");
  found.prefixed_images =
      stem == std::string::npos
          ? !by_python
          : !has(std::string_view(tox).substr(stem, tox.find('\n', stem) - stem), "s/docker-//");
  return found;
}

TreeFeatures features_by_files(const std::function<bool(std::string_view file)>& has) {
  if (has("dependencies_build")) return TreeFeatures::of_passagemath2026();
  return has("version_requirements.txt") ? TreeFeatures::of_sage108() : TreeFeatures::of_sage98();
}

TreeFeatures TreeFeatures::of_sage98() {
  return {.python_marks = {"requirements.txt", "install-requires.txt"}, .prefixed_images = true};
}

TreeFeatures TreeFeatures::of_sage108() {
  return {.trees_file = TreesFile::FirstLine,
          .python_marks = {"requirements.txt", "version_requirements.txt"},
          .template_is_script = true,
          .wheels = true,
          .counted_patch_levels = true,
          .urls = true,
          .ensure_targets = true,
          .check_targets = true,
          .fallback_target = true,
          .checked = Checked::NormalAndScript,
          .excludes_names = true};
}

TreeFeatures TreeFeatures::of_passagemath2026() {
  TreeFeatures features = of_sage108();
  features.checksum_sections = true;
  features.url_file = true;
  features.separate_rules = true;
  features.pyproject = true;
  features.python_toolchain = true;
  features.order_only_packages = {"sage_conf"};
  features.scripts_await_runtime = true;
  features.deps_targets = true;
  features.own_distributions_unchecked = true;
  features.recent_python_toolchain = true;
  return features;
}

}  // namespace stagemake
