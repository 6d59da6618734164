// How long planning takes, in process: reading a tree's metadata, closing its graph, computing the keys.
//
// Warm: each figure is measured many times in a row in one process; the first time does not count. Prints a
// table. A figure over its aim is marked there, but does not change the exit status, because a busy machine
// is no fault. With --graph it instead writes a tree's graph for make and for ninja, so that peers.sh can
// time them on it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>

#include "base/error.h"
#include "base/files/files.h"
#include "plan/dependency_graph.h"
#include "plan/stage_plan.h"
#include "tree/make_variables.h"
#include "tree/package_index.h"
#include "tree/source_tree.h"

namespace stagemake {
namespace {

const std::vector<std::string> kTargets = {"build"};
constexpr const char* kEnvironment = "debian-bookworm-minimal";

// The aims for reading and closing are set for trees of these sizes; a larger tree has none.
struct Aim {
  std::size_t packages;
  double milliseconds;
};
constexpr Aim kAims[] = {{410, 10}, {625, 15}};

struct Figure {
  double best = 0;  // milliseconds
  double median = 0;
};

Figure measured(unsigned runs, const std::function<void()>& call) {
  call();  // fills the caches: of files, of the allocator
  std::vector<double> times;
  for (unsigned i = 0; i < runs; ++i) {
    auto began = std::chrono::steady_clock::now();
    call();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  std::sort(times.begin(), times.end());
  return {times.front(), times[times.size() / 2]};
}

void print_row(const std::string& what, const Figure& figure, double aim = 0) {
  std::string verdict =
      aim == 0 ? "" : fmt::format("{:>6.0f} ms  {}", aim, figure.median < aim ? "ok" : "over");
  fmt::print("  {:<34} {:>8.2f} ms {:>8.2f} ms {}\n", what, figure.best, figure.median, verdict);
}

double aim_of(std::size_t packages) {
  for (const Aim& aim : kAims)
    if (packages <= aim.packages) return aim.milliseconds;
  return 0;
}

void bench_tree(const fs::path& tree, unsigned runs) {
  PackageIndex packages = PackageIndex::read(tree);
  MakeVariables variables = MakeVariables::read(tree, packages.features());
  auto read = [&] {
    packages = PackageIndex::read(tree);
    variables = MakeVariables::read(tree, packages.features());
  };
  std::size_t built = 0;
  auto close = [&] { built = DependencyGraph(packages, variables, {}).build_order(kTargets).size(); };

  Figure reading = measured(runs, read);
  Figure closing = measured(runs, close);
  Figure both = measured(runs, [&] { read(), close(); });

  StageTable table = stage_table_of(tree, packages.features(), {});
  Environment environment =
      EnvironmentReader({.packages = packages}).resolve({.name = kEnvironment, .given = {}});
  TemporaryFolder folder(fs::temp_directory_path());
  // As if it were later, so that no file is too young for its hash to be kept.
  std::int64_t now = std::time(nullptr) + 60;
  Figure keys = measured(runs, [&] {
    SourceTree sources(tree, folder.path() / "source-ids", now);
    DependencyGraphs graphs(packages, variables);
    make_stage_plan(graphs, table, environment, sources);
    sources.save_cache();
  });

  double aim = aim_of(packages.size());
  fmt::print("{}: {} packages, {} of them for `{}`\n", tree.filename().string(), packages.size(), built,
             kTargets[0]);
  print_row("reading the metadata", reading);
  print_row("closing the graph", closing);
  print_row("both", both, aim);
  print_row("keys of all stages, ids cached", keys);
}

std::string names(const PackageIndex& packages, std::span<const PackageId> ids) {
  std::string text;
  for (PackageId id : ids) text += " " + packages[id].name;
  return text;
}

// The graph of everything that kTargets build, with one file per package that its rule touches.
void write_graph(const fs::path& tree, const fs::path& folder) {
  PackageIndex packages = PackageIndex::read(tree);
  DependencyGraph graph(packages, MakeVariables::read(tree, packages.features()), {});
  std::vector<PackageId> order = graph.build_order(kTargets);
  std::string all = names(packages, order);
  std::string make = fmt::format("build:{}\n.PHONY: build\n", all);
  std::string ninja = "rule touch\n  command = touch $out\n";
  for (PackageId id : order) {
    const std::string& name = packages[id].name;
    std::string normal = names(packages, graph.normal_dependencies(id));
    std::string order_only = names(packages, graph.order_only_dependencies(id));
    make += fmt::format("{}:{} |{}\n\ttouch $@\n", name, normal, order_only);
    ninja += fmt::format("build {}: touch{} ||{}\n", name, normal, order_only);
  }
  ninja += fmt::format("build build: phony{}\ndefault build\n", all);
  write_file(folder / "Makefile", make);
  write_file(folder / "build.ninja", ninja);
}

std::vector<std::string> default_trees() {
  std::vector<std::string> trees;
  fs::path source(STAGEMAKE_SOURCE_DIR);
  boost::system::error_code absent;
  for (fs::directory_iterator at(source / "../shared/corpus", absent), end; !absent && at != end;
       at.increment(absent))
    if (fs::is_directory(at->path() / "build/pkgs")) trees.push_back(at->path().lexically_normal().string());
  std::sort(trees.begin(), trees.end());
  if (trees.empty()) trees.push_back((source / "tests/minidist").string());
  return trees;
}

std::string load() {
  std::string text = read_file("/proc/loadavg").value_or("unknown");
  return text.substr(0, text.find('\n'));
}

}  // namespace
}  // namespace stagemake

int main(int argc, char** argv) {
  using namespace stagemake;
  CLI::App app("Times planning on trees with build/pkgs.");
  std::vector<std::string> trees = default_trees();
  unsigned runs = 100;
  std::string graph;
  app.add_option("TREE", trees, "trees (default: those of ../shared/corpus, else tests/minidist)");
  app.add_option("--runs", runs, "how often each figure is measured")->check(CLI::Range(1u, 100000u));
  app.add_option("--graph", graph, "write the first tree's graph to DIR as Makefile and build.ninja")
      ->type_name("DIR");
  CLI11_PARSE(app, argc, argv);
  try {
    if (!graph.empty()) {
      write_graph(trees.front(), graph);
      return 0;
    }
    fmt::print("load {}; {} runs\n  {:<34} {:>11} {:>11} {:>9}\n", load(), runs, "", "best", "median", "aim");
    for (const std::string& tree : trees) bench_tree(tree, runs);
  } catch (const Error& error) {
    fmt::print(stderr, "plan_bench: {}\n", error.what());
    return static_cast<int>(error.status());
  }
  return 0;
}
