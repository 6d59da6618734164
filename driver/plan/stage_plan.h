// The stages of one environment, the files and packages that each adds, and their keys.
//
// The key of a stage is one walk over its inputs (KeyInput): schema, name, parent's key or base image,
// recipe, values, files. The list of inputs is kept, because the explanation of a changed key is the same
// walk, compared. The key covers every byte that a stage adds, and every field of the table that can change
// the image or stagemake's description of it: the author of a proposed tree must not be able to make another
// image under the same key. Not covered: the number of jobs, file times, files that no stage adds, the folder
// of the tree, the machine. The base image enters by its name; the digest of its content is recorded beside
// the key (Snapshot::base_digest), so that a plan needs no engine and a key is the same with every engine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "environment/environment.h"
#include "plan/configured_packages.h"
#include "plan/dependency_graphs.h"
#include "tree/source_tree.h"
#include "tree/stage_table.h"

namespace stagemake {

inline constexpr int kKeySchema = 2;

struct KeyInput {
  std::string name;   // "recipe", "TARGETS", "build/pkgs", …
  std::string value;  // short values unchanged, long ones and files as a digest

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
  std::string recipe;                        // with the environment's values filled in
  std::vector<std::string> make_targets;     // as passed to make
  std::vector<std::string> unknown_targets;  // those whose packages are unknown from the metadata
  std::vector<PackageId> packages;  // added to the parent's, in an order in which make could build them
  std::vector<Fault> faults;        // of these packages; make cannot build them
  std::vector<KeyInput> inputs;
  std::string key;  // 64 hex digits
};

struct StagePlan {
  Environment environment;
  StageTable table;                  // stages[i] belongs to table.stages[i]
  std::vector<PlannedStage> stages;  // parents before children
  // configure's decisions for these sources; nullopt if unknown: then the packages of the stages are an upper
  // bound, because configure may find some on the system.
  std::optional<ConfiguredPackages> configured;
  // Digests of the files in build/pkgs that determine how a package is built, by PackageId. See
  // package_fingerprints(). Never null.
  std::shared_ptr<const std::vector<std::string>> fingerprints;

  bool is_exact() const { return configured.has_value(); }

  std::vector<std::size_t> chain(std::size_t stage) const { return table.chain(stage); }
  // The stage that runs configure; nullopt if the table has none.
  std::optional<std::size_t> configuring_stage() const;
};

// Throws one Error (BadInput) with the faults of these stages' packages.
void check_packages(const StagePlan& plan, const std::vector<std::size_t>& stages);

// Throws Error (BadInput) with all faults of the tree or the environment; faults of packages are in the
// stages.
StagePlan make_stage_plan(DependencyGraphs& graphs, const StageTable& table, const Environment& environment,
                          SourceTree& sources);

// Updates the plan with configure's decisions: the packages of the stages change, their keys do not.
void set_packages_exactly(StagePlan& plan, DependencyGraphs& graphs, ConfiguredPackages configured);

// Whether the stage installs system packages.
bool prepares_system(const StageSpec& stage);

// A stage's recipe with the environment's values filled in, wrapped for the environment's system. Two texts
// are not part of keys: `guard`, the prefix of the program that builds a package, and `preamble`, shell text
// that runs before the recipe in the same context (with the same PATH).
std::string stage_recipe(const StageSpec& stage, const Environment& environment, std::string_view guard = {},
                         std::string_view preamble = {});

// All files that `stages` (positions) add, sorted, without duplicates: the tree in a container after them.
std::vector<SourceFile> added_files(const StageTable& table, const std::vector<std::size_t>& stages,
                                    SourceTree& sources);

}  // namespace stagemake
