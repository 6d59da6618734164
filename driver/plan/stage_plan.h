// What the stages of one environment are, what each adds, and the key of each.
//
// The key of a stage is one walk over its inputs (KeyInput): schema, name, parent's key or base image,
// recipe, values, files. The list of inputs is kept, because the explanation of a key that changed is the
// same walk, compared. Every byte that a stage adds enters, and every field of the table that can
// change the image or what is said of it: whoever may propose a tree must not be able to make another image under the
// same key. What does not enter: the number of jobs, file times, files that no stage adds, the folder in which the tree
// lies, the machine. The base image enters by its name; which content that name had is recorded beside the key
// (Snapshot::base_digest), so that a plan needs no engine and a key is the same with every engine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/configured_packages.h"
#include "plan/dependency_graph.h"
#include "plan/environment.h"
#include "plan/source_tree.h"
#include "plan/stage_table.h"

namespace stagemake {

inline constexpr int kKeySchema = 2;

struct KeyInput {
  std::string name;   // "recipe", "TARGETS", "build/pkgs", …
  std::string value;  // a short value as it is, a long one and files as a digest

  auto operator<=>(const KeyInput&) const = default;
};
inline constexpr std::string_view kParentInput = "parent";
inline constexpr std::string_view kBaseImageInput = "base image";
inline constexpr std::string_view kRecipeInput = "recipe";

// Whether an input of a stage's key is the content of files that it adds.
bool is_added(const StageSpec& stage, std::string_view input);

struct PlannedStage {
  std::string name;
  std::optional<std::size_t> parent;         // position in StagePlan::stages
  std::string recipe;                        // with the environment's text filled in
  std::vector<std::string> make_targets;     // as make gets them
  std::vector<std::string> unknown_targets;  // of these: targets whose packages the metadata does not tell
  std::vector<PackageId> packages;  // what it adds to its parent, in an order in which make could build it
  std::vector<Fault> faults;        // of these packages: make cannot build what the tree does not say right
  std::vector<KeyInput> inputs;
  std::string key;  // 64 hex digits
};

struct StagePlan {
  Environment environment;
  StageTable table;                  // stages[i] belongs to table.stages[i]
  std::vector<PlannedStage> stages;  // parents before children
  // What configure decides with these sources; nothing while that is not known: the packages of the stages
  // are an upper bound then, as configure may find some on the system.
  std::optional<ConfiguredPackages> configured;
  // What in build/pkgs decides how a package is built, by PackageId. See package_fingerprints().
  std::vector<std::string> fingerprints;

  bool is_exact() const { return configured.has_value(); }

  std::vector<std::size_t> chain(std::size_t stage) const { return table.chain(stage); }
  // The stage that configures; nothing where the table has none.
  std::optional<std::size_t> configuring_stage() const;
};

// Throws one Error (BadInput) with the faults of some stages' packages.
void check_packages(const StagePlan& plan, const std::vector<std::size_t>& stages);

// Throws Error (BadInput) with all that is wrong in the tree or the environment; faults of packages are in
// the stages.
StagePlan make_stage_plan(const PackageIndex& packages, const DependencyGraph& graph, const StageTable& table,
                          const Environment& environment, SourceTree& sources);

// The same with what configure decided: the packages of the stages are other, their keys are not. `graph`
// must have been made with graph_options() of `configured`.
void set_packages_exactly(StagePlan& plan, const DependencyGraph& graph, ConfiguredPackages configured);

// The graph's options for an environment: which packages its SAGE_CHECK and SAGE_CHECK_PACKAGES have checked.
GraphOptions graph_options(const Environment& environment, const PackageIndex& packages,
                           const MakeVariables& variables,
                           const std::optional<ConfiguredPackages>& configured = {});

// By package, 16 hex digits over the files of build/pkgs/NAME among `files` (sorted) that a build can depend
// on: all but descriptions (SPKG.rst), the lists for systems (distros/) and the test whether the system's
// copy will do (spkg-configure.m4). It catches what make's stamps miss: an edited patch or build script
// without a new version.
std::map<std::string, std::string> package_fingerprints(const std::vector<SourceFile>& files);

// Whether the stage installs the system's packages.
bool prepares_system(const StageSpec& stage);

// A stage's recipe with what the environment says filled in, as it must run in the environment's system.
// Neither is part of keys: `guard`, the program in front of what builds a package, and `preamble`, shell text
// that runs first, in the same surroundings (with the same PATH) as the recipe.
std::string stage_recipe(const StageSpec& stage, const Environment& environment, std::string_view guard = {},
                         std::string_view preamble = {});

// Everything that `stages` (positions) add, sorted, without repeats: the tree as it lies in a container after
// them.
std::vector<SourceFile> added_files(const StageTable& table, const std::vector<std::size_t>& stages,
                                    SourceTree& sources);

}  // namespace stagemake
