#include "emit/dockerfile.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/secrets.h"
#include "base/text/text.h"
#include "emit/run_instruction.h"
#include "environment/make_flags.h"
#include "plan/stage_plan.h"
#include "tree/ignore_rules.h"

namespace stagemake {
namespace {

using Paths = std::vector<std::string>;

// Variables that users can set with --build-arg. Others are written into the instructions that use them.
constexpr std::string_view kArguments[] = {"USE_MAKEFLAGS",    "TARGETS_PRE",          "TARGETS",
                                           "TARGETS_OPTIONAL", "EXTRA_CONFIGURE_ARGS", "BOOTSTRAP"};

bool is_plain(std::string_view text) {
  return !text.empty() && shell_quoted(text) == text && !text.starts_with('-') && !text.starts_with('#');
}

// `text` after a `=`, escaped for docker, which expands variables and removes quotes and backslashes.
std::string argument_value(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '$' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

// The same for a path of COPY, which is also a Go pattern.
std::string copied_path(std::string_view path) {
  std::string text;
  for (char c : path) {
    if (c == '*' || c == '?' || c == '[')
      text += fmt::format("[{}]", c);
    else if (c == '\\')
      text += "\\\\\\\\";  // for the pattern, and for both of these
    else if (c == '$' || c == '"' || c == '\'')
      text += fmt::format("\\{}", c);
    else
      text += c;
  }
  return text;
}

std::string copy_instruction(const Paths& sources, const std::string& target) {
  Paths all = sources;
  all.push_back(target);
  if (std::all_of(all.begin(), all.end(), is_plain)) {
    std::string text = "COPY";
    std::size_t width = text.size();
    for (const std::string& path : all) {
      if (std::exchange(width, width + 1 + path.size()) + path.size() > 106) {
        text += " \\\n   ";
        width = 4 + path.size();
      }
      text += " " + path;
    }
    return text + "\n";
  }
  for (std::string& path : all) {
    if (!is_utf8(path))
      throw bad_input(printable(path), "a path that is not UTF-8 cannot be written to a Dockerfile");
    path = copied_path(path);
  }
  return "COPY " + nlohmann::json(all).dump() + "\n";
}

class Writer {
 public:
  Writer(const StageTable& table, const Environment& environment, const ContextLook& context)
      : table_(table), environment_(environment), context_(context) {}

  std::string text() {
    text_ = fmt::format(
        "# Written by `stagemake dockerfile {}`: the same tree gives the same file.\n"
        "# Lines `#:SECTION:` are for scripts that change it. Without NUMPROC, make runs as many jobs as "
        "there are\n"
        "# processors; for docker, a different NUMPROC makes a different image.\n",
        shell_quoted(environment_.name));
    text_ += environment_.base_image.empty()
                 ? "ARG BASE_IMAGE\n"
                 : fmt::format("ARG BASE_IMAGE={}\n", argument_value(environment_.base_image));
    write_callers_own();
    for (std::size_t i = 0; i < table_.stages.size(); ++i) write_stage(i);
    return text_ + "\n#:end:\n";
  }

 private:
  // docker requires a letter first, and one word has a special meaning.
  static std::string docker_name(const std::string& stage) {
    bool fits = stage[0] >= 'a' && stage[0] <= 'z' && stage != "scratch";
    return fits ? stage : "stage-" + stage;
  }

  // Proxies, which docker knows without an ARG. With one, `docker history` would show them for every image.
  static bool is_callers_own(const std::string& name) {
    const std::vector<std::string>& known = recipe_variables();
    return std::find(known.begin(), known.end(), name) == known.end();
  }

  // Explains what this file leaves out.
  void write_callers_own() {
    for (const auto& [name, value] : environment_.values) {
      if (is_callers_own(name))
        text_ += fmt::format(
            "# {} comes from the caller and is not written here: `--build-arg {}` passes it on.\n",
            printable(name), printable(name));
      else if (has_secret(value))
        text_ += fmt::format("# {} contains a secret and is not written here: use --build-arg {}=VALUE.\n",
                             name, name);
    }
  }

  void write_stage(std::size_t position) {
    const StageSpec& stage = table_.stages[position];
    text_ +=
        fmt::format("\nFROM {} AS {}\n", stage.parent.empty() ? "${BASE_IMAGE}" : docker_name(stage.parent),
                    docker_name(stage.name));
    if (!stage.section.empty()) text_ += fmt::format("#:{}:\n", stage.section);
    if (environment_.incremental && adds_first(position)) write_clearance();
    if (stage.parent.empty()) text_ += fmt::format("WORKDIR {}\n", argument_value(table_.root));
    Paths added = stage.adds;
    if (keeps_unread_for_later(position))
      std::erase_if(added, [&](auto& path) { return stage.leaves_out(path); });
    write_copies(added);
    write_ignored(stage);
    write_run(stage);
    if (stage.name != table_.default_stage) return;
    Paths unread;
    for (std::size_t ancestor : table_.chain(position))
      for (const std::string& path : table_.stages[ancestor].adds)
        if (keeps_unread_for_later(ancestor) && table_.stages[ancestor].leaves_out(path))
          unread.push_back(path);
    write_copies(unread);
  }

  // Files that nothing reads are copied after the build, so that editing a README rebuilds nothing.
  bool keeps_unread_for_later(std::size_t position) const {
    std::optional<std::size_t> last = table_.find(table_.default_stage);
    if (!last) return false;
    std::vector<std::size_t> chain = table_.chain(*last);
    return std::find(chain.begin(), chain.end(), position) != chain.end();
  }

  bool adds_first(std::size_t position) const {
    for (std::size_t ancestor : table_.chain(position))
      if (table_.stages[ancestor].adds_files()) return ancestor == position;
    return false;
  }

  // Keeps the build results of an older tree, so that make continues from its stamps. The rest is removed in
  // place: moving the results would copy them into a new layer.
  void write_clearance() {
    std::set<std::string> kept = {"logs"};
    for (const std::string& folder : table_.stamp_folders) kept.insert(folder.substr(0, folder.find('/')));
    std::string patterns;
    for (const std::string& name : kept) patterns += (patterns.empty() ? "" : "|") + shell_quoted(name);
    std::string root = shell_quoted(table_.root);
    text_ += run_instruction(
        fmt::format("[ ! -d {0} ] || echo \"### Incremental build in $(cat {0}/VERSION.txt)\"\n"
                    "for entry in {0}/* {0}/.[!.]* {0}/..?*; do\n"
                    "  case ${{entry##*/}} in {1}) ;; *) rm -rf \"$entry\" ;; esac\n"
                    "done",
                    root, patterns),
        false);
  }

  // Copies files of one folder together, but folders one by one: docker would copy the contents of several to
  // one place.
  void write_copies(const Paths& paths) {
    std::vector<std::pair<std::string, Paths>> groups;
    for (const std::string& path : paths) {
      ContextEntry entry = context_(path);
      if (entry == ContextEntry::Absent) continue;
      std::size_t slash = path.rfind('/');
      std::string folder = slash == std::string::npos ? "./" : path.substr(0, slash + 1);
      if (entry == ContextEntry::Folder) folder = path;
      auto group =
          std::find_if(groups.begin(), groups.end(), [&](const auto& one) { return one.first == folder; });
      if (group == groups.end())
        groups.push_back({folder, {path}});
      else
        group->second.push_back(path);
    }
    for (const auto& [target, sources] : groups) text_ += copy_instruction(sources, target);
  }

  // Files that are wanted although .dockerignore may exclude them. Then docker does not copy them.
  void write_ignored(const StageSpec& stage) {
    Paths paths = stage.adds_always;
    paths.insert(paths.end(), stage.tarballs.begin(), stage.tarballs.end());
    write_copies(paths);
    for (const std::string& path : paths)
      if (context_(path) == ContextEntry::Absent)
        text_ += fmt::format("# Not here, or excluded by .dockerignore: {}\n", printable(path));
  }

  void write_run(const StageSpec& stage) {
    std::string script;
    std::vector<std::string> names = stage.uses;
    names.insert(names.end(), stage.passes.begin(), stage.passes.end());
    for (const std::string& name : names) {
      bool is_argument =
          std::find(std::begin(kArguments), std::end(kArguments), name) != std::end(kArguments);
      if (name == "MAKE" || name == "NUMPROC") {
        text_ += "ARG NUMPROC\n";
        // Neither a value in the file nor an ENV, because the number of jobs is not part of the image.
        if (name == "MAKE") script += "export MAKE=\"make -j${NUMPROC:-$(nproc 2>/dev/null || echo 1)}\"\n";
      } else if (is_callers_own(name)) {
        continue;
      } else if (has_secret(environment_.value(name))) {
        text_ += fmt::format("ARG {}\n", name);
      } else if (is_argument) {
        script += write_argument(name, environment_.value(name));
      } else if (environment_.values.contains(name)) {
        script += fmt::format("export {}={}\n", name, shell_quoted(environment_.value(name)));
      }
    }
    std::string_view preamble = stage.make_targets.empty() ? std::string_view() : kForgetMakeFlags;
    text_ += run_instruction(script + stage_recipe(stage, environment_, {}, preamble), stage.errors_ignored);
  }

  // Declares the variable; returns text that must precede the recipe.
  std::string write_argument(const std::string& name, const std::string& value) {
    if (value.find_first_of("\n\r") == std::string::npos) {
      text_ += fmt::format("ARG {}={}\n", name, argument_value(value));
      return {};
    }
    // Values in a Dockerfile cannot span lines.
    text_ += fmt::format("ARG {}\n", name);
    return fmt::format("[ -n \"${{{0}+given}}\" ] || export {0}={1}\n", name, shell_quoted(value));
  }

  const StageTable& table_;
  const Environment& environment_;
  const ContextLook& context_;
  std::string text_;
};

}  // namespace

ContextLook build_context(const fs::path& tree) {
  auto folder = std::make_shared<Beneath>(tree);
  IgnoreRules rules(folder->read(".dockerignore").value_or(""));
  return [folder, rules](const std::string& path) {
    // Docker walks down; paths below an excluded folder are excluded unless a rule takes them back.
    if (rules.excluded(path) && !rules.may_take_back_below(path)) return ContextEntry::Absent;
    if (folder->open(path, O_PATH | O_DIRECTORY).is_open()) return ContextEntry::Folder;
    return folder->exists(path) ? ContextEntry::File : ContextEntry::Absent;
  };
}

std::string dockerfile(const StageTable& table, const Environment& environment, const ContextLook& context) {
  return Writer(table, environment, context).text();
}

}  // namespace stagemake
