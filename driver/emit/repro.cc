#include "emit/repro.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/secrets.h"
#include "base/text/text.h"
#include "base/text/wrap.h"
#include "environment/make_flags.h"
#include "plan/stage_plan.h"

namespace stagemake {
namespace {

// A script's engine commands; `$name` is the container.
struct EngineWords {
  const char* create;  // IMAGE follows; `{}` is the place of the network option, if there is one
  const char* run;     // the command to run inside follows; `{}` as above
  const char* bring;   // reads a tar stream and unpacks it in the folder {}
  const char* open;    // an interactive shell; `{}` as above
  const char* remove;
};

// buildah takes the network with each run, and with this isolation only knows that of the host; the others
// take it with the container.
std::string with_network(const char* words, const std::string& engine, Network network) {
  std::string option;
  if (engine == "buildah")
    option = network == Network::None ? "unshare --net " : "";
  else if (network != Network::Default)
    option = fmt::format(" --network {}", name_of(network));
  return fmt::format(fmt::runtime(words), option);
}

EngineWords words_of(const std::string& engine) {
  if (engine == "buildah")
    return {.create = "buildah from --name \"$name\"",
            .run = "{}buildah run --isolation chroot --network host \"$name\" --",
            .bring =
                "cat > \"$work/sources.tar\"\n  buildah add --quiet \"$name\" \"$work/sources.tar\" {} > "
                "/dev/null",
            .open = "{}buildah run --isolation chroot --network host --terminal \"$name\" -- /bin/sh",
            .remove = "buildah rm \"$name\""};
  if (engine == "podman")
    return {.create = "podman create --name \"$name\"{} --entrypoint ''",
            .run = "podman exec \"$name\"",
            .bring = "podman cp - \"$name\":{}",
            .open = "podman exec --interactive --tty \"$name\" /bin/sh",
            .remove = "podman rm --force \"$name\""};
  return {.create = "docker create --name \"$name\"{} --entrypoint ''",
          .run = "docker exec \"$name\"",
          .bring = "docker cp - \"$name\":{}",
          .open = "docker exec --interactive --tty \"$name\" /bin/sh",
          .remove = "docker rm --force \"$name\""};
}

// Foreign text must not end a comment or control a terminal.
std::string comment(const std::string& text) {
  std::vector<std::string> all{"#"};
  for (std::string_view word : words(text)) all.push_back(printable(word));
  std::string lines = wrapped("", all, 100);
  std::string result;
  for (std::string_view line : stagemake::lines(std::string_view(lines)))
    result += (line.starts_with('#') ? "" : "# ") + std::string(line) + "\n";
  return result;
}

// Prints an export of a variable if the caller has it.
constexpr const char* kHandsOn =
    "hand_on() {\n"
    "  eval \"value=\\${$1-}\"\n"
    "  [ -z \"$value\" ] || printf \"export %s='%s'\\n\" \"$1\" \"$(printf '%s' \"$value\" | sed "
    "\"s/'/'\\\\\\\\''/g\")\"\n"
    "}\n";

// A word that is not a line of the text.
std::string end_mark(std::string_view text) {
  std::string mark = "END_OF_RECIPE";
  auto is_line = [&](std::string_view word) {
    std::vector<std::string_view> all = lines(text);
    return std::find(all.begin(), all.end(), word) != all.end();
  };
  while (is_line(mark)) mark += '_';
  return mark;
}

class Script {
 public:
  Script(const Repro& repro, const StageTable& table, const Environment& environment)
      : repro_(repro), table_(table), environment_(environment), engine_(words_of(repro.engine)) {}

  std::string text() {
    const StageSpec& last = table_.stages[repro_.stages.back()];
    text_ = "#!/bin/sh\n" + comment(fmt::format("The stage {} of {}, by hand. Written by `stagemake repro`.",
                                                last.name, environment_.name));
    for (const std::string& line : repro_.about) text_ += comment(line);
    if (environment_.incremental)
      text_ +=
          comment("The base image contains an older tree; files that the sources no longer have stay in it.");
    std::vector<std::string> secrets = names_of_secrets();
    if (!secrets.empty())
      text_ += comment(fmt::format(
          "Taken from the caller's environment and not written here, because they may contain secrets: {}.",
          join(secrets, ", ")));
    text_ += "set -eu\n";
    if (!secrets.empty()) text_ += kHandsOn;
    text_ += fmt::format("cd {}   # the sources\n", shell_quoted(repro_.tree.string()));
    text_ += fmt::format("name={}\n", shell_quoted(fmt::format("repro-{}-{}", environment_.name, last.name)));
    begin();
    bool is_first = true;
    for (std::size_t stage : repro_.stages) {
      write_stage(stage, is_first);
      is_first = false;
    }
    end(last);
    return text_;
  }

 private:
  bool is_buildah() const { return repro_.engine == "buildah"; }

  void begin() {
    text_ += "\n" + comment("The container. Remove that of an earlier attempt first: " +
                            std::string(engine_.remove));
    write_network();
    text_ += fmt::format("{} {}", with_network(engine_.create, repro_.engine, widest()),
                         shell_quoted(repro_.image));
    if (is_buildah()) {
      text_ += " > /dev/null\nwork=$(mktemp -d)\ntrap 'rm -rf \"$work\"' EXIT\n";
    } else {
      text_ += fmt::format(
          " \\\n  /bin/sh -c 'while sleep 1000; do :; done' > /dev/null\n{} start \"$name\" > /dev/null\n",
          repro_.engine);
    }
    text_ +=
        fmt::format("{} mkdir -p {}\n", run(network_of(repro_.stages.front())), shell_quoted(table_.root));
  }

  Network network_of(std::size_t stage) const {
    for (std::size_t i = 0; i < repro_.stages.size() && i < repro_.networks.size(); ++i)
      if (repro_.stages[i] == stage) return repro_.networks[i];
    return Network::Default;
  }
  // The network of a container in which all stages run.
  Network widest() const {
    Network widest = network_of(repro_.stages.back());
    for (std::size_t stage : repro_.stages) widest = std::max(widest, network_of(stage));
    return widest;
  }
  std::string run(Network network) const { return with_network(engine_.run, repro_.engine, network); }

  void write_network() {
    for (std::size_t stage : repro_.stages) {
      Network network = network_of(stage);
      std::string text =
          fmt::format("Network of {} in a build: {}.", table_.stages[stage].name, name_of(network));
      if (is_buildah() && network == Network::Default)
        text += " With this isolation, that is this machine's network.";
      if (is_buildah() && network == Network::None) text += " `unshare --net` needs root.";
      if (!is_buildah() && network != widest()) text += " Here it shares the network of the other stages.";
      text_ += comment(text);
    }
  }

  void write_stage(std::size_t position, bool is_first) {
    const StageSpec& stage = table_.stages[position];
    text_ += fmt::format("\n# --- {}\n", stage.name);
    if (is_first && repro_.is_unfinished)
      text_ += comment("Its sources are in the image, as they were in that run.");
    else
      write_sources(stage);
    std::string recipe = recipe_of(stage), mark = end_mark(recipe);
    std::string function = fmt::format("recipe_{}", position + 1);
    if (recipe.empty() || recipe.back() != '\n') recipe += '\n';
    std::string handed;
    for (const std::string& name : secret_variables(stage)) handed += fmt::format("hand_on {}; ", name);
    text_ += fmt::format("{}() {{ {}cat <<'{}'\n{}{}\n}}\n", function, handed, mark, recipe, mark);
    bool is_last = position == repro_.stages.back();
    text_ += is_last ? "status=0\n" : "";
    text_ += fmt::format("{} /bin/sh -c \"$({})\"", run(network_of(position)), function);
    if (is_last)
      text_ += " || status=$?\n";
    else
      text_ += stage.errors_ignored ? " || echo 'its errors are ignored'\n" : "\n";
  }

  void write_sources(const StageSpec& stage) {
    auto present = [&](const std::vector<std::string>& paths) {
      std::vector<std::string> all;
      for (const std::string& path : paths)
        if (repro_.is_there(path)) all.push_back(path);
      return all;
    };
    std::vector<std::string> tracked = present(stage.adds), whole = present(stage.adds_always);
    for (const std::string& path : present(stage.tarballs)) whole.push_back(path);
    if (tracked.empty() && whole.empty()) return;
    std::string list;
    if (!tracked.empty() && repro_.has_git)
      list += "  git ls-files -z --cached --others --exclude-standard -- " + paths_text(tracked) + "\n";
    else
      whole.insert(whole.begin(), tracked.begin(), tracked.end());
    if (!whole.empty()) list += "  find " + paths_text(whole) + " -name .git -prune -o ! -type d -print0\n";
    text_ += comment("The files that it adds, as they are in this tree now.");
    text_ += fmt::format(
        "{{\n{}}} | tar --create --null --files-from=- --no-recursion --ignore-failed-read \\\n"
        "  --owner=0 --group=0 --mtime=now | {{\n  {}\n}}\n",
        list, fmt::format(fmt::runtime(engine_.bring), shell_quoted(table_.root)));
  }

  // One per line, so that people can read them.
  static std::string paths_text(const std::vector<std::string>& paths) {
    std::string text, line;
    for (const std::string& path : paths) {
      // `find` would treat it as an option.
      std::string word = shell_quoted(path.starts_with('-') ? "./" + path : path);
      if (!line.empty() && line.size() + 1 + word.size() > 90) text += line + " \\\n    ", line.clear();
      line += (line.empty() ? "" : " ") + word;
    }
    return text + line;
  }

  static std::vector<std::string> variables_of(const StageSpec& stage) {
    std::vector<std::string> names = stage.uses;
    names.insert(names.end(), stage.passes.begin(), stage.passes.end());
    return names;
  }

  // Values of the caller, such as proxies, and values with a password.
  bool is_secret(const std::string& name) const {
    const std::vector<std::string>& known = recipe_variables();
    return std::find(known.begin(), known.end(), name) == known.end() || has_secret(environment_.value(name));
  }
  std::vector<std::string> secret_variables(const StageSpec& stage) const {
    std::vector<std::string> names = variables_of(stage);
    std::erase_if(names, [&](const std::string& name) {
      return !environment_.values.contains(name) || !is_secret(name);
    });
    return names;
  }
  std::vector<std::string> names_of_secrets() const {
    std::set<std::string> all;
    for (std::size_t stage : repro_.stages)
      for (std::string& name : secret_variables(table_.stages[stage])) all.insert(std::move(name));
    return {all.begin(), all.end()};
  }

  std::string recipe_of(const StageSpec& stage) const {
    std::string text = fmt::format("set -e\ncd {}\n", shell_quoted(table_.root));
    for (const std::string& name : variables_of(stage))
      if (auto found = environment_.values.find(name); found != environment_.values.end() && !is_secret(name))
        text += fmt::format("export {}={}\n", name, shell_quoted(std::string_view(found->second)));
    std::string_view preamble = stage.make_targets.empty() ? std::string_view() : kForgetMakeFlags;
    return text + stage_recipe(stage, environment_, {}, preamble);
  }

  void end(const StageSpec& last) {
    text_ += "\n";
    if (last.errors_ignored)
      text_ += comment("A build considers this stage complete whatever its exit status.");
    text_ += fmt::format(
        "echo\n"
        "echo \"{} ended with status $status\"\n"
        "cat <<EOF\n"
        "to look into it:  {}\n"
        "to remove it:     {}\n"
        "EOF\n"
        "exit \"$status\"\n",
        last.name, with_network(engine_.open, repro_.engine, network_of(repro_.stages.back())),
        engine_.remove);
  }

  const Repro& repro_;
  const StageTable& table_;
  const Environment& environment_;
  EngineWords engine_;
  std::string text_;
};

}  // namespace

std::string repro_script(const Repro& repro, const StageTable& table, const Environment& environment) {
  return Script(repro, table, environment).text();
}

}  // namespace stagemake
