#include "plan/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace stagemake {
namespace {

// SAGE_CHECK_PACKAGES as Sage 9.8's Dockerfile writer sets it; passagemath has the list in its Makefile.
constexpr std::string_view kSage98CheckPackages =
    "!cython,!r,!python3,!gap,!cysignals,!linbox,!git,!ppl,!cmake,!rpy2,!sage_sws2rst";

std::string given_or(const EnvironmentRequest& request, const std::string& key, std::string otherwise) {
  auto found = request.given.find(key);
  return found == request.given.end() ? std::move(otherwise) : found->second;
}

// Package sets by the factor in the environment's name, as Sage's tox.ini defines them.
std::string package_list_arguments(const std::vector<std::string>& factors) {
  auto has = [&](std::string_view factor) {
    return std::find(factors.begin(), factors.end(), factor) != factors.end();
  };
  if (has("minimal")) return "_prereq";
  if (has("standard")) return "--has-file=spkg-configure.m4 :standard:";
  if (has("maximal")) return ":standard: :optional:";
  return {};
}

// Systems that are not called as the lists of system packages that are theirs (Sage's tox.ini has the same).
std::string system_of(const std::string& factor) {
  static const std::map<std::string, std::string> kOthers = {
      {"archlinux", "arch"},  {"centos", "fedora"}, {"linuxmint", "debian"}, {"nixos", "nix"},
      {"raspbian", "debian"}, {"redhat", "fedora"}, {"ubuntu", "debian"},    {"voidlinux", "void"},
  };
  auto found = kOthers.find(factor);
  return found == kOthers.end() ? factor : found->second;
}

// "debian-bookworm-minimal" → "debian:bookworm". A guess from the name's first two factors; --base-image says
// it.
std::string base_image_of(const std::vector<std::string>& factors) {
  static const std::set<std::string> kPackageSets = {"minimal", "standard", "maximal"};
  if (factors.empty()) return {};
  if (factors.size() < 2 || kPackageSets.contains(factors[1])) return factors[0] + ":latest";
  return factors[0] + ":" + factors[1];
}

PackageListQuery query_of(const std::string& arguments, Dialect dialect, const std::string& system) {
  PackageListQuery query;
  std::vector<std::string_view> all = words(arguments);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string_view word = all[i];
    auto option = [&](std::string_view name, std::vector<std::string>& into) {
      if (!word.starts_with(name)) return false;
      if (word.size() > name.size() && word[name.size()] == '=') {
        into.emplace_back(word.substr(name.size() + 1));
        return true;
      }
      if (word.size() != name.size()) return false;
      if (++i == all.size()) throw bad_input("SAGE_PACKAGE_LIST_ARGS", fmt::format("{} needs a value", name));
      into.emplace_back(all[i]);
      return true;
    };
    if (option("--has-file", query.has_file) || option("--no-file", query.no_file) ||
        option("--exclude", query.exclude))
      continue;
    if (word.starts_with("-"))
      throw bad_input("SAGE_PACKAGE_LIST_ARGS", fmt::format("unknown option {}", printable(word)));
    query.selectors.emplace_back(word);
  }
  // The Dockerfile writers ask for one more file: the system's list in 9.8, spkg-configure.m4 in passagemath.
  query.has_file.push_back(dialect == Dialect::Sage98 ? "distros/" + system + ".txt" : "spkg-configure.m4");
  return query;
}

// The words of build/pkgs/NAME/distros/SYSTEM.txt, without comments. Some names are only listed for their
// packages
// (`_bootstrap`), some have no such file. The quotes around `"pkgconfig(zlib)"` are for the shell, which sees
// these words in the distribution's own tools.
std::vector<std::string> system_packages_of(const PackageIndex& packages, const std::string& package,
                                            const std::string& system) {
  std::string content =
      read_file(packages.tree() / "build/pkgs" / package / "distros" / (system + ".txt")).value_or("");
  std::vector<std::string> result;
  for (std::string_view line : lines(content))
    for (std::string_view word : words(line.substr(0, line.find('#')))) {
      std::string name(word);
      std::erase(name, '"');
      result.push_back(std::move(name));
    }
  return result;
}

void add_system_packages(Environment& environment, const PackageIndex& packages,
                         const std::string& list_arguments, const std::string& extra,
                         const std::string& extra_system_packages, const std::string& with_system) {
  std::vector<std::string> names =
      list_packages(packages, query_of(list_arguments, packages.dialect(), environment.system));
  for (std::string_view name : words(extra)) names.emplace_back(name);
  std::set<std::string> system_packages;
  for (std::string_view name : words(extra_system_packages)) system_packages.emplace(name);
  environment.configure_args = {"--enable-option-checking"};
  for (const std::string& name : names) {
    if (!packages.has_folder(name))
      continue;  // an extra name that this tree does not have: the writers pass over it too
    std::vector<std::string> own = system_packages_of(packages, name, environment.system);
    system_packages.insert(own.begin(), own.end());
    std::optional<PackageId> id = packages.find(name);
    bool old = packages.dialect() == Dialect::Sage98;
    bool takes = old ? id && packages.has_file(*id, "spkg-configure.m4") : name[0] != '_';
    bool listed = old || !own.empty();
    if (takes && listed)
      environment.configure_args.push_back(fmt::format("--with-system-{}={}", name, with_system));
  }
  environment.system_packages.assign(system_packages.begin(), system_packages.end());
}

void set_values(Environment& environment, const EnvironmentRequest& request, Dialect dialect,
                unsigned processors) {
  std::string jobs = given_or(request, "NUMPROC", std::to_string(processors));
  if (jobs.empty() || jobs.size() > 5 || jobs.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(jobs) < 1)
    throw bad_input("NUMPROC", fmt::format("\"{}\" is no number of jobs (1, 2, …)", printable(jobs)));
  bool old = dialect == Dialect::Sage98;
  environment.values = {
      {"BOOTSTRAP", given_or(request, "BOOTSTRAP", "./bootstrap")},
      {"EXTRA_CONFIGURE_ARGS", given_or(request, "EXTRA_CONFIGURE_ARGS", "")},
      {"MAKE", "make -j" + std::to_string(std::stoi(jobs))},
      {"SAGE_CHECK", given_or(request, "SAGE_CHECK", "warn")},
      {"SAGE_CHECK_PACKAGES",
       given_or(request, "SAGE_CHECK_PACKAGES", old ? std::string(kSage98CheckPackages) : "")},
      {"TARGETS_PRE", given_or(request, "TARGETS_PRE", "all-sage-local")},
      {"TARGETS", given_or(request, "TARGETS", "build")},
      {"TARGETS_OPTIONAL", given_or(request, "TARGETS_OPTIONAL", "ptest")},
      {"USE_MAKEFLAGS", given_or(request, "USE_MAKEFLAGS", "-k V=0")},
  };
  if (environment.value("SAGE_CHECK_PACKAGES").empty()) environment.values.erase("SAGE_CHECK_PACKAGES");
}

}  // namespace

const std::string& Environment::value(const std::string& key) const {
  static const std::string kNone;
  auto found = values.find(key);
  return found == values.end() ? kNone : found->second;
}

const std::vector<std::string>& environment_variables() {
  static const std::vector<std::string> kNames = {"ALL_EXTRA_SAGE_PACKAGES",
                                                  "BASE_IMAGE",
                                                  "BOOTSTRAP",
                                                  "EXTRA_CONFIGURE_ARGS",
                                                  "EXTRA_SYSTEM_PACKAGES",
                                                  "IGNORE_MISSING_SYSTEM_PACKAGES",
                                                  "NUMPROC",
                                                  "SAGE_CHECK",
                                                  "SAGE_CHECK_PACKAGES",
                                                  "SAGE_PACKAGE_LIST_ARGS",
                                                  "SYSTEM",
                                                  "TARGETS",
                                                  "TARGETS_OPTIONAL",
                                                  "TARGETS_PRE",
                                                  "USE_MAKEFLAGS",
                                                  "WITH_SYSTEM_SPKG"};
  return kNames;
}

std::string environment_name(std::string_view name) {
  if (name.starts_with("docker-")) name.remove_prefix(7);
  return std::string(name);
}

Environment resolve_environment(const EnvironmentRequest& request, const PackageIndex& packages,
                                unsigned processors) {
  Environment environment;
  environment.name = environment_name(request.name);
  set_values(environment, request, packages.dialect(), processors);
  if (request.name.empty()) return environment;  // the tree's own plan, whatever the system
  if (!fits_in_image_name(environment.name))
    throw bad_input("", fmt::format("environment \"{}\": a name is made of lower-case letters and digits, "
                                    "with single `-`, `_` or `.` between "
                                    "them, as in debian-bookworm-minimal: it becomes part of an image's name",
                                    printable(request.name)));
  std::vector<std::string> factors;
  for (std::string_view factor : split(environment.name, '-')) factors.emplace_back(factor);
  environment.system = given_or(request, "SYSTEM", system_of(factors[0]));
  environment.base_image = given_or(request, "BASE_IMAGE", base_image_of(factors));
  std::string list = given_or(request, "SAGE_PACKAGE_LIST_ARGS", package_list_arguments(factors));
  if (list.empty())
    throw bad_input(
        "",
        fmt::format("environment {}: which system packages? Its name has none of minimal, standard, maximal; "
                    "say it with --packages, for example --packages _prereq",
                    environment.name));
  std::string with_system = given_or(request, "WITH_SYSTEM_SPKG", "yes");
  if (with_system != "yes" && with_system != "no" && with_system != "force")
    throw bad_input("WITH_SYSTEM_SPKG",
                    fmt::format("\"{}\" is none of yes, no, force", printable(with_system)));
  add_system_packages(environment, packages, list, given_or(request, "ALL_EXTRA_SAGE_PACKAGES", "_bootstrap"),
                      given_or(request, "EXTRA_SYSTEM_PACKAGES", ""), with_system);
  std::string ignore_missing = given_or(request, "IGNORE_MISSING_SYSTEM_PACKAGES", "no");
  if (ignore_missing != "yes" && ignore_missing != "no")
    throw bad_input("IGNORE_MISSING_SYSTEM_PACKAGES",
                    fmt::format("\"{}\" is neither yes nor no", printable(ignore_missing)));
  environment.values["IGNORE_MISSING_SYSTEM_PACKAGES"] = ignore_missing;
  return environment;
}

std::string image_name(const StageTable& table, const std::string& repository, const std::string& environment,
                       const std::string& stage) {
  return fmt::format("{}{}-{}{}-{}", repository, table.image_prefix, table.environment_prefix, environment,
                     stage);
}

}  // namespace stagemake
