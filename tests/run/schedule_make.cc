#include "run/schedule_make.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/text/digest.h"
#include "base/text/text.h"
#include "plan/configured_packages.h"
#include "run/fake_scripts.h"

namespace stagemake {
namespace {

constexpr std::string_view kStamps = "/sage/local/var/lib/sage/installed/";
constexpr std::string_view kNotes = "/.stagemake/guard/";
const std::string kMakefile = "/sage/" + std::string(kConfiguredMakefile);

void erase_below(FakeFiles& files, const std::string& prefix) {
  for (auto at = std::as_const(files).lower_bound(prefix);
       at != std::as_const(files).end() && at->first.starts_with(prefix);
       at = std::as_const(files).lower_bound(prefix))
    files.erase(std::string(at->first));
}

// The true order in which they were written; a truncated one counts as the newest.
unsigned long written(const FakeFiles& files, const std::string& package) {
  std::string prefix = fmt::format("{}{}-", kStamps, package);
  auto found = files.lower_bound(prefix);
  if (found == files.end() || !found->first.starts_with(prefix)) return 0;
  std::string number = between(found->second.content, "NUMBER: ", "\n");
  return number.empty() ? std::numeric_limits<unsigned long>::max() : std::stoul(number);
}

// The time that make uses; 0 if there is no stamp.
std::int64_t time_of(const FakeFiles& files, const std::string& package) {
  std::string prefix = fmt::format("{}{}-", kStamps, package);
  auto found = files.lower_bound(prefix);
  return found == files.end() || !found->first.starts_with(prefix) ? 0 : found->second.time;
}

void append(FakeFiles& files, std::string_view note, const std::string& line) {
  files[fmt::format("{}{}", kNotes, note)].content += line + "\n";
}

}  // namespace

std::string stamp_path(const std::string& package, const std::string& version) {
  return fmt::format("{}{}-{}", kStamps, package, version);
}

Stamps stamps_in(const FakeFiles& files) {
  Stamps stamps;
  for (auto at = files.lower_bound(std::string(kStamps)); at != files.end() && at->first.starts_with(kStamps);
       ++at) {
    std::string name = at->first.substr(kStamps.size());
    std::size_t dash = name.find('-');
    std::string package = name.substr(0, dash);
    stamps[package] = {name.substr(dash + 1), between(at->second.content, "DIGEST: ", "\n"),
                       written(files, package), at->second.time};
  }
  return stamps;
}

RunOutcome ScheduleMake::act(FakeContainer& container, const std::string& script, const OutputSink& sink,
                             const std::stop_token& stop) {
  if (script.find("stagemake-times") != std::string::npos) {
    engine_.moment();
    if (engine_.is_broken()) return {.exit_code = 143};
    sink(*brought_times(container, script, engine_.clock()));
    return {};
  }
  struct TimesLook {
    ScheduleMake& make;
    FakeContainer& container;
    ~TimesLook() {
      make.last = stamps_in(std::as_const(container.files));
      make.has_run = true;
    }
  } look{*this, container};
  return work(container, script, stop);
}

// False if a stop was requested: then some more time passes until everything has ended.
bool ScheduleMake::spend(double takes, const std::stop_token& stop) {
  time_.pass(takes, stop);
  if (!stop.stop_requested()) return true;
  double grace = static_cast<double>(engine_.request().grace.count()) / 1000;
  if (!engine_.is_broken()) time_.pass(chance_.between(0, grace), engine_.request().kill);
  return false;
}

void ScheduleMake::remove(FakeContainer& container, const std::string& script) {
  for (std::string_view line : lines(script)) {
    if (!line.starts_with("rm -rf -- ")) continue;
    std::string path = "/sage/" + std::string(line.substr(10));
    container.files.erase(path);
    erase_below(container.files, path + "/");
  }
  constexpr std::string_view kLoop = "for PACKAGE in ";
  for (std::size_t at = script.find(kLoop); at != std::string::npos; at = script.find(kLoop, at + 1))
    for (const std::string& package : word_list(between(script.substr(at), kLoop, ";"))) {
      engine_.moment();
      if (engine_.is_broken()) return;
      erase_below(container.files, fmt::format("{}{}-", kStamps, package));
    }
}

// What run/container/guard.h wrote into the script.
ScheduleMake::Guard ScheduleMake::guard_of(FakeContainer& container, const std::string& script) const {
  Guard guard;
  std::size_t expected = script.find(" > /.stagemake/guard/expected\n");
  if (expected == std::string::npos) return guard;
  guard.on = true;
  erase_below(container.files, std::string(kNotes));
  std::size_t begin = script.rfind("printf '%s' ", expected) + 12;
  std::string text = script.substr(begin, expected - begin);
  std::erase(text, '\'');
  for (std::string_view line : lines(text))
    if (std::vector<std::string_view> parts = words(line); parts.size() == 2)
      guard.expected[std::string(parts[0])] = std::stod(std::string(parts[1]));
  constexpr std::string_view kNow = "STAGEMAKE_NOW + ";
  std::size_t first = script.find(kNow);
  if (first == std::string::npos) return guard;
  double now = std::floor(time_.now());
  guard.close = now + std::stod(script.substr(first + kNow.size()));
  guard.end = now + std::stod(script.substr(script.find(kNow, first + 1) + kNow.size()));
  return guard;
}

bool ScheduleMake::may_begin(FakeContainer& container, const std::string& name, const Guard& guard) const {
  if (!guard.on || guard.end == 0) return true;
  auto takes = guard.expected.find(name);
  double now = std::floor(time_.now());
  if (now < guard.close && now + (takes == guard.expected.end() ? 0 : takes->second) <= guard.end)
    return true;
  append(container.files, "refused", name);
  return false;
}

// Takes from the system what its spkg-configure.m4 allows, and enables installed optional packages: make
// treats them as enabled from then on.
void ScheduleMake::configure(FakeContainer& container) const {
  const FakeFiles& files = container.files;
  std::string dummies, installed;
  Stamps stamps = stamps_in(files);
  for (const Package& package : tree->packages) {
    auto test = files.find(fmt::format("/sage/build/pkgs/{}/spkg-configure.m4", package.name));
    if (test != files.end() && test->second.content.starts_with("system"))
      dummies += " " + package.name;
    else if (package.type == PackageType::Standard || stamps.contains(package.name))
      installed += " " + package.name;
  }
  container.files["/sage/config.status"] = {.content = "#!/bin/sh\n"};
  container.files[kMakefile] = {
      .content = fmt::format("DUMMY_PACKAGES ={}\nOPTIONAL_INSTALLED_PACKAGES ={}\n", dummies, installed)};
}

GraphOptions ScheduleMake::configured(const FakeFiles& files) const {
  GraphOptions options;
  auto makefile = files.find(kMakefile);
  if (makefile == files.end()) return options;
  ConfiguredPackages read = read_configured_makefile(makefile->second.content).value();
  for (const std::string& name : read.dummies)
    if (tree->packages.find(name)) options.dummies.insert(name);
  for (const std::string& name : read.installed)
    if (tree->packages.find(name)) options.installed.insert(name);
  return options;
}

std::string ScheduleMake::digest(const FakeFiles& files, const DependencyGraph& graph, PackageId id) const {
  std::string folder = fmt::format("/sage/build/pkgs/{}/", tree->packages[id].name);
  std::string text;
  for (auto at = files.lower_bound(folder); at != files.end() && at->first.starts_with(folder); ++at)
    if (!at->first.ends_with("/spkg-configure.m4")) text += at->first + "\n" + at->second.content + "\n";
  Stamps stamps = stamps_in(files);
  for (PackageId needed : graph.normal_dependencies(id))
    text += fmt::format("{} {}\n", tree->packages[needed].name, stamps[tree->packages[needed].name].digest);
  return sha256_hex(text).substr(0, 16);
}

// Returns false if it was not built.
bool ScheduleMake::build(FakeContainer& container, const DependencyGraph& graph, PackageId id,
                         const Guard& guard, const std::stop_token& stop) {
  const FakeFiles& files = container.files;
  const std::string& name = tree->packages[id].name;
  auto version_file = files.find(fmt::format("/sage/build/pkgs/{}/package-version.txt", name));
  Stamp stamp{version_file == files.end() ? "none" : std::string(trimmed(version_file->second.content)),
              digest(files, graph, id)};
  auto needed = graph.normal_dependencies(id);
  std::int64_t own = time_of(files, name);
  auto is_newer = [&](PackageId other) { return time_of(files, tree->packages[other].name) > own; };
  std::string path = stamp_path(name, stamp.version);
  if (files.contains(path) && std::none_of(needed.begin(), needed.end(), is_newer)) return true;
  if (!may_begin(container, name, guard)) return false;
  double began = std::floor(time_.now());
  if (guard.on) append(container.files, "took", name + " begun");
  if (on_build) on_build(container, name, stamp);
  engine_.moment();
  bool ended = spend(seconds[name] * chance_.between(0.8, 1.2), stop) && !failing.contains(name);
  if (ended) engine_.moment();
  std::int64_t now = engine_.clock();
  if (stop.stop_requested() || engine_.is_broken()) {
    if (chance_.percent(15)) container.files[path] = {.content = "", .time = now};  // truncated
    return false;
  }
  if (!ended) return false;
  erase_below(container.files, fmt::format("{}{}-", kStamps, name));
  container.files[path] = {
      .content = fmt::format("PACKAGE NAME: {}\nDIGEST: {}\nNUMBER: {}\n", name, stamp.digest, ++written_),
      .time = now};
  if (guard.on) append(container.files, "took", fmt::format("{} {}", name, std::floor(time_.now()) - began));
  engine_.moment();
  return true;
}

RunOutcome ScheduleMake::make(FakeContainer& container, const std::vector<std::string>& wanted,
                              const Guard& guard, const std::stop_token& stop) {
  DependencyGraph graph(tree->packages, tree->variables, configured(std::as_const(container.files)));
  std::set<PackageId> failed;
  auto has_failed = [&](PackageId other) { return failed.contains(other); };
  for (PackageId id : graph.build_order(wanted)) {
    auto needed = graph.normal_dependencies(id);
    auto needed_first = graph.order_only_dependencies(id);
    if (std::any_of(needed.begin(), needed.end(), has_failed) ||
        std::any_of(needed_first.begin(), needed_first.end(), has_failed) ||
        !build(container, graph, id, guard, stop))
      failed.insert(id);
    if (stop.stop_requested() || engine_.is_broken()) return {.exit_code = 143};
  }
  return {.exit_code = failed.empty() ? 0 : 2};
}

RunOutcome ScheduleMake::work(FakeContainer& container, const std::string& script,
                              const std::stop_token& stop) {
  engine_.moment();
  remove(container, script);
  if (stop.stop_requested() || engine_.is_broken()) return {.exit_code = 143};
  Guard guard = guard_of(container, script);
  if (script.find("make SAGE_SPKG=") != std::string::npos) {
    std::string variable = between(script, "$USE_MAKEFLAGS $", "\n");
    return make(container, word_list(between(script, "export " + variable + "=", "\n")), guard, stop);
  }
  if (std::string target = between(script, "make $USE_MAKEFLAGS ", "\n"); !target.empty())
    return make(container, {target}, guard, stop);
  bool configures = script.find("./configure") != std::string::npos;
  bool is_stage = configures || script.find("$BOOTSTRAP") != std::string::npos ||
                  script.find("is_there") != std::string::npos;
  if (is_stage && !spend(chance_.between(2, 30), stop)) return {.exit_code = 143};
  engine_.moment();
  if (stop.stop_requested() || engine_.is_broken()) return {.exit_code = 143};
  if (script.find("$BOOTSTRAP") != std::string::npos)
    container.files["/sage/configure"] = {.content = "#!/bin/sh\n"};
  if (configures) configure(container);
  return {.exit_code = 0};
}

}  // namespace stagemake
