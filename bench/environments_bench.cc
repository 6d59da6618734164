// How long it takes to resolve the names of environments, in process: all names of a tree, and one.
//
// Usage: environments_bench TREE [TOX.INI]. The names come from ../shared/oracle/TREE/tox-environments.json
// if that file exists (560 for Sage 9.8), else from the tree's own list. Each round starts with only the
// packages' metadata read. Prints figures without judging them.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "environment/environment.h"
#include "environment/environment_list.h"

namespace stagemake {
namespace {

double median_milliseconds(unsigned rounds, const std::function<void()>& call) {
  call();
  std::vector<double> times;
  for (unsigned i = 0; i < rounds; ++i) {
    auto began = std::chrono::steady_clock::now();
    call();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
  return times[rounds / 2];
}

std::vector<std::string> names_of(const fs::path& tree, const FactorTable& table) {
  fs::path answers =
      fs::path(STAGEMAKE_SOURCE_DIR) / "../shared/oracle" / tree.filename() / "tox-environments.json";
  std::vector<std::string> names;
  if (std::optional<std::string> text = read_file(answers, 64u << 20)) {
    nlohmann::json parsed = nlohmann::json::parse(*text);
    for (const auto& [name, variables] : parsed.at("envs").items()) names.push_back(name);
    return names;
  }
  Faults faults;
  return EnvironmentList::read(tree, &table, built_in_stages(TreeFeatures::of_sage98()), faults).names();
}

int bench(const fs::path& tree, const fs::path& file) {
  std::optional<std::string> text = read_file(file);
  if (!text) throw bad_input(file.string(), "is not there");
  PackageIndex packages = PackageIndex::read(tree);
  Faults faults;
  auto no_variable = [](std::string_view) { return std::nullopt; };
  std::vector<std::string> names = names_of(tree, FactorTable::parse(*text, "tox.ini", faults));
  faults.throw_if_any();
  if (names.empty()) throw bad_input(file.string(), "knows no environments");
  auto resolve = [&](std::size_t count) {
    FactorTable table = FactorTable::parse(*text, "tox.ini", faults);
    EnvironmentReader reader({.packages = packages, .table = &table, .caller = no_variable});
    for (std::size_t i = 0; i < count; ++i) reader.resolve({.name = names[i], .given = {}});
  };
  auto variables = [&] {
    FactorTable table = FactorTable::parse(*text, "tox.ini", faults);
    for (const std::string& name : names) tox_variables(table, {.environment = name, .caller = no_variable});
  };
  fmt::print("{}: {} environments, {} packages; medians\n", tree.filename().string(), names.size(),
             packages.size());
  fmt::print("  {:<52} {:>8.1f} ms\n", "variables of all", median_milliseconds(9, variables));
  fmt::print("  {:<52} {:>8.1f} ms   aim: under 300 ms\n",
             "all, with system packages and configure's arguments",
             median_milliseconds(9, [&] { resolve(names.size()); }));
  fmt::print("  {:<52} {:>8.1f} ms\n", "one", median_milliseconds(9, [&] { resolve(1); }));
  return 0;
}

}  // namespace
}  // namespace stagemake

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    fmt::print(stderr, "usage: environments_bench TREE [TOX.INI]\n");
    return 2;
  }
  try {
    stagemake::fs::path tree = stagemake::fs::canonical(argv[1]);
    return stagemake::bench(tree, argc == 3 ? stagemake::fs::path(argv[2]) : tree / "tox.ini");
  } catch (const std::exception& error) {
    fmt::print(stderr, "environments_bench: {}\n", error.what());
    return 2;
  }
}
