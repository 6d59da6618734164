#include "cli/tree.h"

#include <fmt/format.h>

#include <thread>

#include "base/error.h"
#include "base/subprocess.h"
#include "base/text.h"

namespace stagemake {

fs::path find_tree(const fs::path& start) {
  boost::system::error_code ignored;
  for (fs::path folder = fs::absolute(start).lexically_normal();; folder = folder.parent_path()) {
    if (fs::is_directory(folder / "build/pkgs", ignored)) return folder;
    if (!folder.has_parent_path() || folder == folder.parent_path()) break;
  }
  throw bad_input(start.string(),
                  "neither here nor in a folder above is build/pkgs: this is no distribution's tree. Go into "
                  "one, or name it with --tree DIR");
}

fs::path tree_path(const Options& options) {
  return options.tree ? *options.tree : find_tree(fs::current_path());
}

Tree open_tree(const Options& options) {
  fs::path path = tree_path(options);
  boost::system::error_code failed;
  fs::path real = fs::canonical(path, failed);
  if (failed) throw bad_input(path.string(), failed.message());
  Faults faults;
  PackageIndex packages = PackageIndex::read(real, options.dialect, &faults);
  MakeVariables variables = MakeVariables::read(real, packages.dialect(), &faults);
  if (packages.size() > 0) DependencyGraph(packages, variables, {}, &faults);
  StageTable table;
  try {
    table = stage_table_of(real, packages.dialect(), options.stages);
  } catch (const Error& error) {
    for (const Fault& fault : error.faults()) faults.add(fault.where, fault.what);
  }
  faults.throw_if_any();
  return {real, std::move(packages), std::move(variables), std::move(table)};
}

std::vector<Environment> resolve_environments(const Options& options, const Tree& tree) {
  std::vector<Environment> environments;
  Faults faults;
  std::set<std::string> seen;
  unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  for (const std::string& name : options.environments) {
    try {
      Environment environment =
          resolve_environment({.name = name, .given = options.given}, tree.packages, processors);
      installation_recipe(environment.system, environment.system_packages,
                          false);  // is the system a known one?
      if (seen.insert(environment.name).second) environments.push_back(std::move(environment));
    } catch (const Error& error) {
      for (const Fault& fault : error.faults()) faults.add(fault.where, fault.what);
    }
  }
  faults.throw_if_any();
  return environments;
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
    if (!content) throw bad_input(argument.substr(1), "is not there");
    for (std::string_view line : lines(*content)) add(line.substr(0, line.find('#')));
  }
  return names;
}

std::string git_revision(const fs::path& tree, std::stop_token stop) {
  if (find_program("git").empty()) return {};
  Finished finished =
      run_command({.argv = {"git", "-C", tree.string(), "describe", "--dirty", "--always"}, .stop = stop});
  return finished.ok() ? std::string(trimmed(finished.output)) : std::string();
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
