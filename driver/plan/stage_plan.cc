#include "plan/stage_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "base/secrets.h"
#include "base/text/digest.h"
#include "base/text/text.h"
#include "environment/make_flags.h"

namespace stagemake {
namespace {

constexpr std::string_view kSystemPackages = "%{system_packages}";
constexpr std::size_t kLongestShownValue = 200;  // bytes; a longer value is shown as its digest

// Walks over a recipe: plain text, and its placeholders, `%{NAME}`. `%%{` is the text `%{`.
void walk_recipe(std::string_view recipe, const std::function<void(std::string_view)>& take_text,
                 const std::function<bool(std::string_view)>& take_placeholder) {
  while (!recipe.empty()) {
    std::size_t at = recipe.find("%{");
    if (at == std::string_view::npos) return take_text(recipe);
    std::size_t end = recipe.find('}', at);
    bool is_text = at > 0 && recipe[at - 1] == '%';
    take_text(recipe.substr(0, is_text ? at - 1 : at));
    std::string_view placeholder = recipe.substr(at, end == std::string_view::npos ? 2 : end + 1 - at);
    if (is_text || !take_placeholder(placeholder)) {
      take_text("%{");
      recipe.remove_prefix(at + 2);
    } else {
      recipe.remove_prefix(at + placeholder.size());
    }
  }
}

// make's flags that change how it works, but not the result, are not part of the key. (-j is removed from the
// value itself.)
std::string keyed_value(const std::string& name, const std::string& value) {
  if (name != "USE_MAKEFLAGS") return value;
  std::vector<std::string> kept;
  bool counts = false;  // the previous word takes a number: `-l 8`
  for (std::string_view word : words(value)) {
    bool is_number = word.find_first_not_of("0123456789.") == std::string_view::npos;
    if (std::exchange(counts, word == "-l") && is_number) continue;
    bool how = word == "-k" || word == "-s" || word == "--keep-going" || word == "--silent" ||
               word.starts_with("-O") || word.starts_with("--output-sync") || word.starts_with("-l") ||
               word.starts_with("--load-average") || word.starts_with("V=");
    if (!how) kept.emplace_back(word);
  }
  return join(kept, " ");
}

std::string shown(const std::string& value) {
  return value.size() <= kLongestShownValue && is_utf8(value) ? value : "sha256:" + sha256_hex(value);
}

// The files that the stage adds for a path in `adds` or `adds_always`.
std::vector<SourceFile> files_of(const StageSpec& stage, const std::string& path, bool ignored_too,
                                 SourceTree& sources) {
  std::vector<SourceFile> files = sources.below(path, ignored_too);
  if (!stage.unkeyed.empty())
    std::erase_if(files, [&](const SourceFile& file) { return stage.leaves_out(file.path); });
  return files;
}

// The fields of the table, other than recipe and files, that determine the image or its description, by their
// names in ci-docker.toml. Fields with their default are left out.
std::vector<KeyInput> keyed_fields(const StageSpec& stage, const StageTable& table) {
  std::vector<KeyInput> fields;
  auto add = [&](const char* name, const std::vector<std::string>& words) {
    if (!words.empty()) fields.push_back({name, shown(shell_quoted(words))});
  };
  auto words_if = [](bool holds) {
    return holds ? std::vector<std::string>{"true"} : std::vector<std::string>();
  };
  // A table cannot name the values that a caller passes besides these, such as a proxy: they only define how
  // a build reaches the sites that its recipes name.
  std::vector<std::string> passed;
  std::copy_if(stage.passes.begin(), stage.passes.end(), std::back_inserter(passed),
               [](const std::string& name) {
                 const std::vector<std::string>& known = recipe_variables();
                 return std::find(known.begin(), known.end(), name) != known.end();
               });
  add("passes", passed);
  add("tarballs", stage.tarballs);
  add("make_targets", stage.make_targets);
  add("configures", words_if(stage.configures));
  if (stage.network != Network::Default) add("network", {std::string(name_of(stage.network))});
  add("errors_ignored", words_if(stage.errors_ignored));
  add("must_exist", stage.must_exist);
  if (stage.make_targets.empty()) return fields;
  add("stamp_folders", table.stamp_folders);
  if (!table.uninstall.empty()) add("uninstall", {table.uninstall});
  return fields;
}

void walk_inputs(const StageSpec& spec, const StagePlan& plan, PlannedStage& stage, SourceTree& sources) {
  auto add = [&](std::string_view name, std::string value) {
    stage.inputs.push_back({std::string(name), std::move(value)});
  };
  if (stage.parent)
    add(kParentInput, plan.stages[*stage.parent].key);
  else
    add(kBaseImageInput, plan.environment.base_image);
  add(kRecipeInput, shown(stage.recipe));
  // Inputs are stored in labels, which everybody with access to the registry can read, so passwords are
  // removed there. The key is a digest of the full values, because a recipe can do anything with them.
  std::vector<std::string> values;
  for (const std::string& name : spec.uses) {
    values.push_back(keyed_value(name, plan.environment.value(name)));
    add(name, shown(without_secrets(values.back())));
  }
  for (KeyInput& field : keyed_fields(spec, plan.table)) stage.inputs.push_back(std::move(field));
  std::size_t added = 0;
  for (const std::string& path : spec.adds) {
    if (spec.leaves_out(path)) continue;
    add(path, sources.digest_below(path, false, spec.unkeyed));
    ++added;
  }
  for (const std::string& path : spec.adds_always) add(path, sources.digest_below(path, true, spec.unkeyed));

  DigestBuilder key;
  key.field(fmt::format("stagemake key {}", kKeySchema)).field(stage.name).field(plan.table.root);
  // The number of inputs of each kind, because a file may have the name of a variable or a field.
  key.field(fmt::format("{} {} {}", spec.uses.size(), added, spec.adds_always.size()));
  for (const std::string& value : values) key.field(value);
  for (const KeyInput& input : stage.inputs) key.field(input.name).field(input.value);
  stage.key = key.hex();
}

// The words that make gets as targets: variables expanded, options and assignments removed.
std::vector<std::string> make_targets(const StageSpec& spec, const Environment& environment) {
  std::vector<std::string> targets;
  for (const std::string& written : spec.make_targets) {
    std::string text = written.starts_with('$') ? environment.value(written.substr(1)) : written;
    for (std::string_view word : words(text))
      if (!word.starts_with('-') && word.find('=') == std::string_view::npos) targets.emplace_back(word);
  }
  return targets;
}

}  // namespace

bool is_added(const StageSpec& stage, std::string_view input) {
  auto names = [&](const std::vector<std::string>& paths) {
    return std::find(paths.begin(), paths.end(), input) != paths.end();
  };
  return names(stage.adds) || names(stage.adds_always);
}

bool prepares_system(const StageSpec& stage) {
  bool prepares = false;
  walk_recipe(
      stage.recipe, [](std::string_view) {},
      [&](std::string_view placeholder) {
        prepares = prepares || placeholder == kSystemPackages;
        return true;
      });
  return prepares;
}

std::string stage_recipe(const StageSpec& stage, const Environment& environment, std::string_view guard,
                         std::string_view preamble) {
  std::string recipe(preamble);
  bool prepares = false;
  walk_recipe(
      stage.recipe, [&](std::string_view text) { recipe += text; },
      [&](std::string_view placeholder) {
        if (placeholder == kSystemPackages) {
          prepares = true;  // the tree's own plan needs no system
          recipe += environment.name.empty() ? ":" : installation_recipe(environment.setup);
        } else if (placeholder == "%{guard}") {
          if (!guard.empty()) recipe.append(guard).append(" ");
        } else if (placeholder == "%{configure_args}") {
          recipe += shell_quoted(environment.configure_args);
        } else {
          return false;
        }
        return true;
      });
  return prepares || environment.name.empty() ? recipe : in_system(environment.setup, recipe);
}

namespace {

// Sets the packages that each stage adds to its parent's.
void set_packages(StagePlan& plan, const DependencyGraph& graph) {
  std::vector<std::string> targets = graph.known_targets();
  std::set<std::string, std::less<>> known(targets.begin(), targets.end());
  std::vector<std::set<PackageId>> reached;
  for (PlannedStage& stage : plan.stages) {
    std::vector<std::string> told;
    stage.unknown_targets.clear();
    stage.packages.clear();
    for (const std::string& target : stage.make_targets)
      (known.contains(target) ? told : stage.unknown_targets).push_back(target);
    std::set<PackageId> before = stage.parent ? reached[*stage.parent] : std::set<PackageId>();
    for (PackageId id : graph.build_order(told))
      if (before.insert(id).second) stage.packages.push_back(id);
    stage.faults = graph.faults_of(stage.packages);
    reached.push_back(std::move(before));
  }
}

}  // namespace

std::optional<std::size_t> StagePlan::configuring_stage() const {
  for (std::size_t i = 0; i < table.stages.size(); ++i)
    if (table.stages[i].configures) return i;
  return std::nullopt;
}

void check_packages(const StagePlan& plan, const std::vector<std::size_t>& stages) {
  Faults faults;
  for (std::size_t stage : stages)
    for (const Fault& fault : plan.stages[stage].faults)
      faults.add(fault.where,
                 fmt::format("{} ({} of {} needs it)", fault.what, plan.stages[stage].name,
                             plan.environment.name.empty() ? "the plan" : plan.environment.name));
  faults.throw_if_any();
}

void set_packages_exactly(StagePlan& plan, DependencyGraphs& graphs, ConfiguredPackages configured) {
  set_packages(plan, *graphs.of(plan.environment, configured));
  plan.configured = std::move(configured);
}

StagePlan make_stage_plan(DependencyGraphs& graphs, const StageTable& table, const Environment& environment,
                          SourceTree& sources) {
  StagePlan plan{
      .environment = environment, .table = table, .stages = {}, .configured = {}, .fingerprints = {}};
  for (const StageSpec& spec : table.stages) {
    PlannedStage stage;
    stage.name = spec.name;
    stage.parent = table.find(spec.parent);
    stage.recipe = stage_recipe(spec, environment);
    stage.make_targets = make_targets(spec, environment);
    walk_inputs(spec, plan, stage, sources);
    plan.stages.push_back(std::move(stage));
  }
  set_packages(plan, *graphs.of(environment));
  // After the stages, because most of these files are hashed by then.
  plan.fingerprints = graphs.fingerprints(sources);
  return plan;
}

std::vector<SourceFile> added_files(const StageTable& table, const std::vector<std::size_t>& stages,
                                    SourceTree& sources) {
  std::vector<SourceFile> all;
  for (std::size_t stage : stages) {
    const StageSpec& spec = table.stages[stage];
    auto add = [&](const std::vector<SourceFile>& files) {
      all.insert(all.end(), files.begin(), files.end());
    };
    for (const std::string& path : spec.adds) add(files_of(spec, path, false, sources));
    for (const std::string& path : spec.adds_always) add(files_of(spec, path, true, sources));
    for (const std::string& path : spec.tarballs) add(sources.stated_tarballs(path));
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace stagemake
