// A tree and its plan for one environment, for tests of decisions about plans.
#pragma once

#include "plan/build_fingerprint.h"
#include "plan/stage_plan.h"
#include "snapshot/snapshot.h"
#include "tree/tree_text.h"

namespace stagemake {

inline constexpr std::int64_t kTestNow = 4'000'000'000;  // seconds since the epoch

// A small distribution with something for every built-in stage: `tool` in the toolchain, `zlib` and `app` in
// SAGE_LOCAL, `pyapp` in SAGE_VENV, and `extra`, which is optional.
inline constexpr std::string_view kSmallDistribution =
    "tool standard 1\n"
    "zlib standard 1.2: | tool\n"
    "app standard 2.0: zlib\n"
    "pyapp standard 3.0: app\n"
    "pyapp/trees.txt = SAGE_VENV\n"
    "extra optional 1: zlib\n"
    "app/spkg-install.in = make install\n"
    "zlib/distros/debian.txt = zlib1g-dev\n"
    "_prereq/distros/debian.txt = gcc make # and more\n"
    "_bootstrap/distros/debian.txt = autoconf\n"
    "/build/make/Makefile.in = TOOLCHAIN = tool\n"
    "/VERSION.txt = Small version 1.0, released today\n"
    "/README.md = read me\n"
    "/bootstrap = #!/bin/sh\n"
    "/configure.ac = AC_INIT\n"
    "/m4/sage.m4 = m4\n"
    "/src/code.py = code\n"
    "/src/bin/tool = run\n";

inline EnvironmentRequest small_request() {
  return {.name = "debian-bookworm-minimal", .given = {}};
}

// Everything that a plan is made from, read again.
class PlannedTree {
 public:
  explicit PlannedTree(const fs::path& tree, const EnvironmentRequest& request = small_request(),
                       unsigned processors = 4)
      : read(tree),
        table(stage_table_of(tree, read.packages.features(), std::nullopt)),
        sources(tree, tree / ".state/ids", kTestNow),
        environment(
            EnvironmentReader({.packages = read.packages, .processors = processors}).resolve(request)),
        plan(make_stage_plan(graphs, table, environment, sources)) {}
  explicit PlannedTree(const TreeText& tree, const EnvironmentRequest& request = small_request())
      : PlannedTree(tree.path(), request) {}

  std::size_t at(std::string_view stage) const { return table.find(stage).value(); }
  const PlannedStage& stage(std::string_view name) const { return plan.stages[at(name)]; }
  std::vector<std::string> packages_of(std::string_view name) const {
    return read.names(stage(name).packages);
  }

  ReadTree read;
  DependencyGraphs graphs{read.packages, read.variables};
  StageTable table;
  SourceTree sources;
  Environment environment;
  StagePlan plan;
};

// The image of a stage, as a run of this plan would leave it. `id` is also its name in tests.
inline Snapshot image_of(const PlannedTree& planned, std::string_view stage, const std::string& id,
                         std::int64_t created = 1000) {
  Snapshot snapshot;
  snapshot.image = id;
  snapshot.created = created;
  snapshot.layers = 3;
  snapshot.distribution = planned.table.distribution;
  snapshot.environment = planned.environment.name;
  snapshot.stage = stage;
  snapshot.complete = true;
  snapshot.base_digest = "sha256:base";
  std::vector<std::string> fingerprints =
      build_fingerprints(planned.read.packages, planned.read.graph, *planned.plan.fingerprints);
  for (std::size_t held : planned.plan.chain(planned.at(stage))) {
    const PlannedStage& one = planned.plan.stages[held];
    snapshot.lineage.push_back({one.name, one.key, one.inputs});
    for (PackageId package : one.packages)
      snapshot.packages[planned.read.packages[package].name] = {planned.read.packages[package].version,
                                                                fingerprints[package]};
  }
  return snapshot;
}

// What a stage leaves that failed after it built these packages.
inline Snapshot unfinished_image_of(const PlannedTree& planned, std::string_view stage, const std::string& id,
                                    const std::set<std::string>& built, std::int64_t created = 1000) {
  Snapshot snapshot = image_of(planned, stage, id, created);
  snapshot.complete = false;
  for (PackageId package : planned.stage(stage).packages)
    if (!built.contains(planned.read.packages[package].name))
      snapshot.packages.erase(planned.read.packages[package].name);
  return snapshot;
}

}  // namespace stagemake
