#include "cli/tree.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <set>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/git.h"
#include "cli/host_shell.h"

namespace stagemake {
namespace {

constexpr const char* kOwnTable = "ci-docker.toml";

// Without duplicates and up to a limit, because a broken tool of the tree can make every package faulty.
void warn(const std::vector<Fault>& faults, const std::string& revision = {}) {
  constexpr std::size_t kMost = 20;
  std::set<std::string> texts;
  for (const Fault& fault : faults) texts.insert(fault.text());
  std::size_t said = 0;
  for (const std::string& text : texts) {
    if (said++ == kMost) break;
    say(fmt::format("stagemake: warning: {}{}{}", revision, revision.empty() ? "" : ":", text));
  }
  if (texts.size() > kMost)
    say(fmt::format("stagemake: warning: {} like these; --strict-metadata lists all",
                    counted(texts.size() - kMost, "more fault")));
}

// An unreadable stage table must not block access to images: stages of the built-in table have the same
// names.
StageTable table_for_images(const fs::path& tree, const TreeFeatures& features, const Options& options) {
  try {
    return stage_table_of(tree, features, options.stages);
  } catch (const Error& error) {
    warn(error.faults());
    StageTable table = built_in_stages(features);
    table.distribution = distribution_of(tree);
    return table;
  }
}

}  // namespace

std::optional<std::string> variable_of_caller(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

fs::path find_tree(const fs::path& start) {
  for (fs::path folder = fs::absolute(start).lexically_normal();; folder = folder.parent_path()) {
    Beneath inside(folder);
    if (inside.open("build/pkgs", O_PATH | O_DIRECTORY).is_open() || inside.exists(kOwnTable)) return folder;
    if (!folder.has_parent_path() || folder == folder.parent_path()) break;
  }
  throw bad_input(start.string(),
                  "neither this folder nor one above it contains build/pkgs or ci-docker.toml, so it is not "
                  "a distribution's tree. Change to one or name it with --tree DIR");
}

fs::path tree_path(const Options& options) {
  boost::system::error_code failed;
  fs::path here = fs::current_path(failed);
  if (failed && !(options.tree && options.tree->is_absolute()))
    throw bad_input("",
                    fmt::format("the current folder cannot be accessed any more ({}): change to another one",
                                failed.message()));
  return options.tree ? *options.tree : find_tree(here);
}

Tree open_tree(const Options& options, TreeCheck check, const std::string& revision) {
  fs::path path = tree_path(options);
  boost::system::error_code failed;
  fs::path real = fs::canonical(path, failed);
  if (failed) throw bad_input(path.string(), failed.message());
  Faults found;
  // A distribution with a table of its own may have no packages at all.
  bool needs_packages = !options.stages && !exists_inside(real, kOwnTable);
  PackageIndex packages = needs_packages || fs::exists(fs::symlink_status(real / "build/pkgs", failed))
                              ? PackageIndex::read(real, {}, &found)
                              : PackageIndex::without_packages(real);
  if (check == TreeCheck::Images) {
    std::optional<FactorTable> factors;
    try {
      factors = FactorTable::read(real);
    } catch (const Error&) {  // then names cannot be checked
    }
    StageTable table = table_for_images(real, packages.features(), options);
    return {real, std::move(packages), {}, std::move(table), std::move(factors)};
  }
  MakeVariables variables = MakeVariables::read(real, packages.features(), &found);
  Faults faults;
  std::vector<Fault> warnings;
  for (const Fault& fault : found.list())
    if (fault.owner.empty())
      faults.add(fault.where, fault.what);
    else
      warnings.push_back(fault);
  if (packages.size() > 0 && check == TreeCheck::Everything) {
    DependencyGraph graph(packages, variables, {});
    warnings.insert(warnings.end(), graph.faults().begin(), graph.faults().end());
    warnings.insert(warnings.end(), graph.circles().begin(), graph.circles().end());
  }
  StageTable table;
  try {
    table = stage_table_of(real, packages.features(), options.stages);
  } catch (const Error& error) {
    faults.add(error.faults());
  }
  // A fault in tox.ini concerns the environments to which its line would apply; they cannot be resolved.
  std::optional<FactorTable> factors = FactorTable::read(real);
  if (factors) warnings.insert(warnings.end(), factors->warnings().begin(), factors->warnings().end());
  if (options.strict_metadata) faults.add(std::exchange(warnings, {}));
  faults.throw_if_any();
  warn(warnings, revision);
  for (const std::string& warning : table.warnings) say("stagemake: warning: " + warning);
  return {real, std::move(packages), std::move(variables), std::move(table), std::move(factors)};
}

void check_no_stage(const StageTable& table, const std::string& name) {
  if (table.find(name))
    throw bad_input(
        "", fmt::format("{} is a stage, not an environment; name the environment before it", shown(name)));
}

// Targets of make end in a stage: a name with unknown factors may contain a mistyped stage.
std::string stage_hint(const Tree& tree, const std::string& name) {
  std::vector<std::string> stages;
  for (const StageSpec& stage : tree.table.stages) stages.push_back(stage.name);
  if (std::vector<std::string> near = nearest(name, stages, 1); !near.empty())
    return fmt::format("; if the stage {} was meant: name the environment before it", near.front());
  if (!tree.factors) return {};
  for (std::size_t at = name.find('-'); at != std::string::npos; at = name.find('-', at + 1)) {
    std::string head = name.substr(0, at);
    std::vector<std::string> near = nearest(name.substr(at + 1), stages, 1);
    if (!near.empty() && tree.factors->unknown_factors(head).empty())
      return fmt::format("; if a stage was meant: {} and {}", head, near.front());
  }
  return {};
}

EnvironmentList environment_list(const Tree& tree) {
  Faults faults;
  EnvironmentList list =
      EnvironmentList::read(tree.path, tree.factors ? &*tree.factors : nullptr, tree.table, faults);
  // A workflow that is not YAML lists no environments; all other lists remain valid.
  for (const Fault& fault : faults.list()) say("stagemake: warning: " + fault.text());
  return list;
}

EnvironmentReader environment_reader(const Tree& tree, std::function<std::string()> revision,
                                     MayRun may_run) {
  EnvironmentSources sources{.packages = tree.packages,
                             .table = tree.factors ? &*tree.factors : nullptr,
                             .caller = variable_of_caller,
                             .revision = {},
                             .processors = std::max(1u, std::thread::hardware_concurrency()),
                             .installs_system_packages = tree.table.installs_system_packages()};
  sources.revision = [revision = std::move(revision)]() -> std::optional<std::string> {
    std::string said = revision();
    return said.empty() ? std::nullopt : std::optional(std::move(said));
  };
  if (may_run == MayRun::TheTreesShellText)
    sources.shell = [path = tree.path](const std::string& text, const auto& variables) {
      return evaluated_by_host_shell(path, text, variables);
    };
  return EnvironmentReader(std::move(sources));
}

namespace {

// Whether the choice depends on the list of environments in the tree.
bool chooses_of_list(const EnvironmentChoice& choice) {
  return choice.all || !choice.systems.empty() || !choice.exclude.empty() ||
         std::any_of(choice.names.begin(), choice.names.end(), [](const std::string& name) {
           return environment_name(name).starts_with("all-") || is_pattern(name);
         });
}

}  // namespace

std::vector<Environment> resolve_environments(const Options& options, const Tree& tree,
                                              EnvironmentReader& reader) {
  Faults lists;
  EnvironmentList list =
      EnvironmentList::read(tree.path, tree.factors ? &*tree.factors : nullptr, tree.table, lists);
  EnvironmentChoice choice = options.choice;
  for (const std::string& asked : options.environments)
    if (asked.starts_with('@'))
      for (const std::string& name : names_of({asked})) choice.names.push_back(name);
    else
      choice.names.push_back(asked);
  // Only groups depend on the list of systems, so a workflow that is not YAML does not block other builds.
  if (chooses_of_list(choice)) lists.throw_if_any();
  choice.exactly = options.verb == Verb::Tox || options.given.contains("SAGE_PACKAGE_LIST_ARGS");
  std::vector<Environment> environments;
  Faults faults;
  for (const std::string& name : options.environments)
    if (tree.table.find(name))
      faults.add("",
                 fmt::format("{0} is a stage, not an environment; --to {0} builds up to it", shown(name)));
  faults.throw_if_any();
  std::set<std::string> faulty;  // systems
  std::vector<std::string> chosen = choose(list, choice);
  for (const std::string& pattern : options.first)
    if (std::none_of(chosen.begin(), chosen.end(),
                     [&](const std::string& name) { return fits(pattern, name); }))
      faults.add("",
                 fmt::format("--first {}: fits none of the environments that were chosen", shown(pattern)));
  for (const std::string& name : chosen) {
    if (faulty.contains(list.system_of(name))) continue;  // it would report the same again
    try {
      environments.push_back(reader.resolve(
          {.name = name, .given = options.given, .arguments = options.arguments, .envdir = options.envdir}));
    } catch (const Error& error) {
      faulty.insert(list.system_of(name));
      std::string hint = stage_hint(tree, name);
      for (const Fault& fault : error.faults()) faults.add(fault.where, fault.what + hint);
    }
  }
  faults.throw_if_any();
  return environments;
}

void warn_of_shell_text(const Environment& environment) {
  if (!environment.unexpanded.empty())
    say(
        fmt::format("stagemake: warning: environment {}: {} shell text that only `stagemake build` "
                    "evaluates; here it is used as written",
                    environment.name,
                    environment.unexpanded.size() == 1 ? environment.unexpanded.front() + " contains"
                                                       : join(environment.unexpanded, ", ") + " contain"));
}

Environment resolve_environment(const Options& options, const Tree& tree) {
  if (options.environments.size() != 1) throw bad_input("", "this command takes one environment at a time");
  check_no_stage(tree.table, options.environments.front());
  auto revision = [&tree] { return git_revision(tree.path); };
  return environment_reader(tree, revision, MayRun::Nothing)
      .resolve({.name = options.environments.front(), .given = options.given});
}

std::set<std::string> names_of(const std::vector<std::string>& arguments) {
  std::set<std::string> names;
  auto add = [&](std::string_view text) {
    for (std::string_view part : split(text, ','))
      for (std::string_view word : words(part)) names.emplace(word);
  };
  for (const std::string& argument : arguments) {
    if (!argument.starts_with('@')) {
      add(argument);
      continue;
    }
    std::optional<std::string> content = read_file(argument.substr(1));
    if (!content) throw bad_input(argument.substr(1), "does not exist");
    for (std::string_view line : lines(*content)) add(line.substr(0, line.find('#')));
  }
  return names;
}

namespace {

// The folder whose `.git` makes the tree part of a checkout; nothing if there is none.
std::optional<fs::path> checkout_of(const fs::path& tree) {
  boost::system::error_code ignored;
  for (fs::path folder = fs::absolute(tree); !folder.empty(); folder = folder.parent_path())
    if (fs::exists(fs::symlink_status(folder / ".git", ignored))) return folder;
  return std::nullopt;
}

}  // namespace

std::string git_problem(const fs::path& tree, std::string_view words) {
  std::optional<fs::path> checkout = checkout_of(tree);
  if (!checkout) return {};
  std::vector<std::string_view> said = lines(words);
  std::string first = said.empty() ? "it gave no reason" : printable(trimmed(said.front()));
  std::string remedy = fmt::format(
      "`{}` must work",
      shell_quoted(std::vector<std::string>{"git", "-C", tree.string(), "describe", "--dirty", "--always"}));
  if (first.find("dubious ownership") != std::string::npos)
    remedy = fmt::format("allow it with `{}`",
                         shell_quoted(std::vector<std::string>{"git", "config", "--global", "--add",
                                                               "safe.directory", checkout->string()}));
  return fmt::format("git cannot tell the revision of {}: {}; {}", printable(tree.string()), first, remedy);
}

TreeRevision tree_revision(const fs::path& tree, std::stop_token stop) {
  if (!has_git_program()) {
    if (!checkout_of(tree)) return {};
    return {{},
            fmt::format("{} is a git checkout, but there is no git in PATH to tell its revision; install git",
                        printable(tree.string()))};
  }
  Finished finished = run_git(tree, {"describe", "--dirty", "--always"}, {{"LC_ALL", "C"}}, stop);
  if (finished.stopped) return {};
  std::string name(trimmed(finished.output));
  if (finished.ok() && !name.empty()) return {name, {}};
  return {{}, git_problem(tree, finished.errors)};
}

std::string git_revision(const fs::path& tree, std::stop_token stop) {
  return tree_revision(tree, stop).name;
}

std::string image_tag(const Options& options, const TreeRevision& revision, bool pushes) {
  if (options.tag) return *options.tag;
  const char* choose = options.verb == Verb::Tox ? "DOCKER_TAG" : "--tag TAG";
  if (!revision.problem.empty())
    throw bad_input("", fmt::format("{}. Or choose a tag for the images with {}", revision.problem, choose));
  if (revision.name.empty() && pushes)
    throw bad_input("", fmt::format("the tree is not a git checkout, so no revision names its images, and "
                                    "pushed images need a chosen tag; choose one with {}",
                                    choose));
  return tag_of(revision.name);
}

std::string tag_of(const std::string& revision) {
  if (revision.empty()) return "latest";
  std::string tag = revision.substr(0, 120);
  for (char& c : tag)
    if (std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-").find(c) ==
        std::string_view::npos)
      c = '-';
  if (tag.front() == '-' || tag.front() == '.') tag.front() = '_';
  return tag;
}

}  // namespace stagemake
