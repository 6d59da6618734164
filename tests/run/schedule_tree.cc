#include "run/schedule_tree.h"

#include <fmt/format.h>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::string_view kTree =
    "_prereq/distros/debian.txt = gcc make\n"
    "_bootstrap/distros/debian.txt = autoconf\n"
    "/build/make/Makefile.in = TOOLCHAIN = p1\n"
    "/VERSION.txt = Small version 1.0, released today\n"
    "/bootstrap = #!/bin/sh\n"
    "/configure.ac = AC_INIT\n"
    "/m4/sage.m4 = m4\n"
    "/src/code.py = code\n"
    "/src/bin/tool = run\n";
constexpr std::size_t kFewest = 6, kMost = 14;

}  // namespace

ScheduleTree::ScheduleTree(Chance& chance) : chance_(chance), text_(kTree) {
  std::size_t count = kFewest + chance_.below(kMost - kFewest + 1);
  for (std::size_t i = 0; i < count; ++i) add(i);
}

std::vector<std::string> ScheduleTree::packages() const {
  std::vector<std::string> names;
  for (const Package& package : packages_) names.push_back(package.name);
  return names;
}

std::map<std::string, std::string> ScheduleTree::given() const {
  std::string targets = "build";
  for (const std::string& name : targets_) targets += " " + name;
  return {{"TARGETS", targets}};
}

std::string ScheduleTree::text_of(const Package& package) {
  return fmt::format("{}{}: {} | {}", package.name, package.optional ? " (optional)" : "",
                     join({package.needs.begin(), package.needs.end()}, " "),
                     join({package.needs_first.begin(), package.needs_first.end()}, " "));
}

std::string ScheduleTree::text() const {
  std::vector<std::string> all;
  for (const Package& package : packages_) all.push_back(text_of(package));
  return join(all, "\n") + "\n" + given().at("TARGETS");
}

ScheduleTree::Package& ScheduleTree::any() {
  return packages_[chance_.below(packages_.size())];
}

// In the middle of the others: later ones may need it.
std::size_t ScheduleTree::add(std::size_t at) {
  Package package{.name = fmt::format("p{}", ++names_), .needs = {}, .needs_first = {}};
  if (names_ > 1) {  // the first package is the toolchain
    package.optional = chance_.percent(20);
    package.in_venv = chance_.percent(25);
  }
  if (package.optional && chance_.percent(60)) targets_.insert(package.name);
  packages_.insert(packages_.begin() + static_cast<long>(at), package);
  choose_needs(at);
  write(packages_[at]);
  return at;
}

void ScheduleTree::choose_needs(std::size_t at) {
  Package& package = packages_[at];
  package.needs.clear();
  package.needs_first.clear();
  for (std::size_t i = 0; i < at; ++i) {
    if (chance_.percent(25))
      package.needs.insert(packages_[i].name);
    else if (chance_.percent(10))
      package.needs_first.insert(packages_[i].name);
  }
}

void ScheduleTree::write(const Package& package) {
  std::string folder = fmt::format("build/pkgs/{}/", package.name);
  text_.file(folder + "type", package.optional ? "optional\n" : "standard\n");
  text_.file(folder + "package-version.txt", fmt::format("{}\n", ++count_));
  text_.file(folder + "checksums.ini", "tarball=VERSION.tar.gz\n");
  text_.file(folder + "spkg-install.in", "make install\n");
  if (package.in_venv) text_.file(folder + "trees.txt", "SAGE_VENV\n");
  write_needs(package);
}

void ScheduleTree::write_needs(const Package& package) {
  std::string line;
  for (const std::string& name : package.needs) line += name + " ";
  line += "|";
  for (const std::string& name : package.needs_first) line += " " + name;
  text_.file(fmt::format("build/pkgs/{}/dependencies", package.name), line + "\n");
}

std::string ScheduleTree::remove(std::size_t at) {
  std::string name = packages_[at].name;
  packages_.erase(packages_.begin() + static_cast<long>(at));
  text_.remove("build/pkgs/" + name);
  targets_.erase(name);
  system_.erase(name);
  for (Package& package : packages_)
    if (package.needs.erase(name) + package.needs_first.erase(name) > 0) write_needs(package);
  return "removed " + name;
}

std::string ScheduleTree::toggle_target() {
  std::vector<std::string> names;
  for (const Package& package : packages_)
    if (package.optional) names.push_back(package.name);
  if (names.empty()) return "nothing";
  const std::string& name = names[chance_.below(names.size())];
  if (targets_.erase(name) > 0) return "no target any more: " + name;
  targets_.insert(name);
  return "a target: " + name;
}

std::string ScheduleTree::toggle_system() {
  const std::string& name = any().name;
  bool system = system_[name] = !system_[name];
  text_.file(fmt::format("build/pkgs/{}/spkg-configure.m4", name),
             fmt::format("{} {}\n", system ? "system" : "own", ++count_));
  return fmt::format("{} is {}", name, system ? "the system's" : "our own");
}

void ScheduleTree::touch_sources() {
  text_.file("src/code.py", fmt::format("code {}\n", ++count_));
}

std::string ScheduleTree::edit() {
  switch (chance_.below(9)) {
    case 0:
    case 1: {
      const std::string& name = any().name;
      text_.file(fmt::format("build/pkgs/{}/package-version.txt", name), fmt::format("{}\n", ++count_));
      return "a version of " + name;
    }
    case 2: {
      const std::string& name = any().name;
      text_.file(fmt::format("build/pkgs/{}/spkg-install.in", name), fmt::format("make {}\n", ++count_));
      return "the script of " + name;
    }
    case 3: {
      if (packages_.size() <= kFewest / 2) return "nothing";
      std::size_t at = chance_.below(packages_.size());
      return packages_[at].name == "p1" ? "nothing" : remove(at);
    }
    case 4:
      return "added " + text_of(packages_[add(chance_.below(packages_.size() + 1))]);
    case 5: {
      std::size_t at = chance_.below(packages_.size());
      choose_needs(at);
      write_needs(packages_[at]);
      return "needs of " + text_of(packages_[at]);
    }
    case 6:
      return toggle_target();
    case 7:
      return toggle_system();
    default:
      touch_sources();
      return "sources";
  }
}

}  // namespace stagemake
