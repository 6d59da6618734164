#include "environment/environment.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/text/image_name.h"
#include "base/text/text.h"
#include "environment/make_flags.h"
#include "environment/name_meaning.h"
#include "environment/package_list.h"
#include "environment/package_managers.h"

namespace stagemake {
namespace {

constexpr std::string_view kIncremental = "-incremental";

std::vector<std::string> word_list(const std::string& text) {
  std::vector<std::string_view> views = words(text);
  return {views.begin(), views.end()};
}

// The same rule as in the shell scripts that read these variables: 1, y… and Y… mean yes.
bool is_yes(std::string_view text) {
  return text == "1" || text.starts_with('y') || text.starts_with('Y');
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
                                                  "EXTRA_SAGE_PACKAGES",
                                                  "EXTRA_SYSTEM_PACKAGES",
                                                  "FROM_DOCKER_REPOSITORY",
                                                  "FROM_DOCKER_TAG",
                                                  "FROM_DOCKER_TARGET",
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

std::string image_name(const StageTable& table, const std::string& repository, const std::string& environment,
                       const std::string& stage) {
  std::string name = environment;
  if (std::size_t at = name.find(kIncremental); at != std::string::npos) name.erase(at, kIncremental.size());
  return fmt::format("{}{}-{}{}-{}", repository, table.image_prefix, table.environment_prefix, name, stage);
}

namespace {

// A rough check that finds typing mistakes early; engines check the full rules.
bool may_name_image(std::string_view image) {
  constexpr std::string_view kBytes =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+/:@[]";
  if (image.find_first_not_of(kBytes) != std::string_view::npos) return false;
  if (image.find_first_of("./:@", image.size() - 1) != std::string_view::npos || image.front() == '/' ||
      image.front() == ':')
    return false;
  bool is_ip6 = image.front() == '[';
  return image.find("//") == std::string_view::npos && (is_ip6 || image.find("::") == std::string_view::npos);
}

}  // namespace

// Resolves one request to an environment.
class EnvironmentReader::Resolution {
 public:
  Resolution(const EnvironmentSources& sources, SystemPackageLists& lists, const DockerfileWriter& writer,
             const EnvironmentRequest& request)
      : sources_(sources), lists_(lists), writer_(writer), request_(request), given_(request.given) {
    environment_.name = environment_name(request.name);
    environment_.setup.habits = writer.habits;
    // The name that a Dockerfile uses. tox's own BASE_IMAGE lacks the tag.
    if (auto base = given_.extract("BASE_IMAGE")) given_["FULL_BASE_IMAGE_AND_TAG"] = base.mapped();
  }

  Environment resolve() {
    if (!request_.name.empty()) {
      check_name();
      read_variables();
      set_system();
      set_packages();
    }
    set_values();
    return std::move(environment_);
  }

 private:
  void check_name() const {
    if (!fits_in_image_name(environment_.name))
      throw bad_input(
          "",
          fmt::format(
              "environment \"{}\": a name consists of lower-case letters and digits, with single `-`, `_` or "
              "`.` between them, as in debian-bookworm-minimal, because it becomes part of an image's name",
              shown(request_.name)));
    if (sources_.table == nullptr) return;
    sources_.table->check_factors(environment_.name);
    if (has_factor("local"))
      throw bad_input(
          "", fmt::format("environment {}: tox itself builds `local` environments, without a container",
                          environment_.name));
  }

  bool has_factor(std::string_view factor) const {
    std::vector<std::string_view> factors = split(environment_.name, '-');
    return std::find(factors.begin(), factors.end(), factor) != factors.end();
  }

  void read_variables() {
    if (sources_.table == nullptr) {
      tree_says_ = name_meaning(environment_.name);
      return;
    }
    environment_.variables = tox_variables(*sources_.table, {.environment = "docker-" + environment_.name,
                                                             .caller = sources_.caller,
                                                             .settings = given_,
                                                             .arguments = request_.arguments,
                                                             .envdir = request_.envdir,
                                                             .toxinidir = {}});
    for (auto& [key, said] : given_) said = environment_.variables.at(key);  // replaces `{env:…}` in it, too
    for (const auto& [key, value] : environment_.variables) {
      if (!has_shell_text(value)) continue;
      ShellFacts facts{.packages = sources_.packages, .revision = sources_.revision};
      if (std::optional<std::string> expanded = expand_shell_forms(value, facts))
        environment_.expanded[key] = std::move(*expanded);
    }
    tree_says_ = environment_.variables;
  }

  // A variable's value: from the request, the tree, the caller, in this order.
  std::string value(const std::string& key, std::string otherwise = {}) const {
    if (auto found = given_.find(key); found != given_.end()) return found->second;
    if (auto found = tree_says_.find(key); found != tree_says_.end()) return found->second;
    const std::vector<std::string>& known = environment_variables();
    if (std::find(known.begin(), known.end(), key) != known.end())
      if (std::optional<std::string> value = sources_.caller(key); value && !value->empty()) return *value;
    return otherwise;
  }

  std::string value_or_writers(const std::string& key, std::string otherwise) const {
    auto found = writer_.defaults.find(key);
    return value(key, found == writer_.defaults.end() ? std::move(otherwise) : found->second);
  }

  // The same with shell text expanded. If that needs a real shell and none may be run, the text stays
  // unchanged.
  std::string shell_value(const std::string& key, std::string otherwise = {}) {
    if (auto found = environment_.expanded.find(key);
        found != environment_.expanded.end() && !given_.contains(key))
      return found->second;
    std::string text = value(key, std::move(otherwise));
    if (!has_shell_text(text)) return text;
    ShellFacts facts{.packages = sources_.packages, .revision = sources_.revision};
    if (std::optional<std::string> expanded = expand_shell_forms(text, facts)) return *expanded;
    if (sources_.shell) return sources_.shell(text, environment_.variables);
    environment_.unexpanded.push_back(key);
    return text;
  }

  bool yes_or_no(const std::string& key, const std::string& otherwise) const {
    std::string said = value(key, otherwise);
    if (said != "yes" && said != "no")
      throw bad_input(key, fmt::format("\"{}\" is neither yes nor no", shown(said)));
    return said == "yes";
  }

  void set_system() {
    SystemSetup& setup = environment_.setup;
    setup.system = value("SYSTEM");
    if (setup.system.empty())
      throw bad_input("", fmt::format("environment {}: no factor of its name sets its system (SYSTEM)",
                                      environment_.name));
    if (sources_.installs_system_packages) check_system(setup.system);
    environment_.base_image = std::string(trimmed(base_image()));
    check_base_image();
    environment_.incremental = has_factor("incremental");
    setup.skipped = is_yes(value("SKIP_SYSTEM_PKG_INSTALL"));
    setup.ignore_missing = yes_or_no("IGNORE_MISSING_SYSTEM_PACKAGES", "no");
    setup.repositories = word_list(value("EXTRA_REPOSITORIES"));
    setup.dist_upgrade = value("DIST_UPGRADE");
    setup.extra_path = value("EXTRA_PATH");
    if (std::string toolset = value("DEVTOOLSET"); !toolset.empty()) {
      setup.toolset = writer_.numbered_toolsets ? "devtoolset-" + toolset : toolset;
      setup.toolset_repository = writer_.numbered_toolsets ? "centos-release-scl" : value("DEVTOOLSET_PRE");
    }
    if (setup.system.starts_with("conda")) set_condarc();
  }

  std::string base_image() {
    constexpr const char* kImage = "FULL_BASE_IMAGE_AND_TAG";
    if (sources_.table != nullptr || given_.contains(kImage)) return shell_value(kImage);
    if (std::optional<std::string> image = sources_.caller("BASE_IMAGE"); image && !image->empty())
      return *image;
    if (has_factor("incremental"))
      throw bad_input(
          "",
          fmt::format(
              "environment {}: this tree has no tox.ini that names its base image; name it with --base-image",
              environment_.name));
    return value(kImage);
  }

  void check_base_image() const {
    const std::string& image = environment_.base_image;
    if (!image.empty() && image.front() != '-' && (may_name_image(image) || !environment_.unexpanded.empty()))
      return;
    throw bad_input("", fmt::format("environment {}: \"{}\" is not a base image; name one with --base-image",
                                    environment_.name, printable(image)));
  }

  void set_condarc() {
    std::string file = value("USE_CONDARC", "condarc.yml");
    if (file == "/dev/null") return;
    std::optional<std::string> content = read_inside(sources_.packages.tree(), file);
    if (!content)
      environment_.missing =
          fmt::format("{}: is not in the tree; environment {} configures conda with it (USE_CONDARC)",
                      printable(file), environment_.name);
    environment_.setup.condarc = content.value_or("");
  }

  void set_packages() {
    bool by_type = writer_.by_type && !given_.contains("SAGE_PACKAGE_LIST_ARGS");
    environment_.packages = by_type ? packages_by_type() : listed_packages();
    std::set<std::string> seen, system_packages;
    for (std::string& name : word_list(value("EXTRA_SYSTEM_PACKAGES")))
      system_packages.insert(std::move(name));
    if (writer_.by_type)
      for (const char* list : {"", "-bootstrap"}) {
        const std::vector<std::string>& names =
            lists_.of_file(fmt::format("build/pkgs/{}{}.txt", environment_.setup.system, list));
        system_packages.insert(names.begin(), names.end());
      }
    std::string with_system = value("WITH_SYSTEM_SPKG", "yes");
    if (with_system != "yes" && with_system != "no" && with_system != "force")
      throw bad_input("WITH_SYSTEM_SPKG", fmt::format("\"{}\" is not yes, no or force", shown(with_system)));
    environment_.configure_args = {"--enable-option-checking"};
    bool site_packages = !value("ENABLE_SYSTEM_SITE_PACKAGES").empty();
    std::vector<std::string> kept;
    for (const std::string& name : environment_.packages) {
      // An extra name that this tree lacks: the writers skip it too.
      if (!sources_.packages.has_folder(name) || !seen.insert(name).second) continue;
      kept.push_back(name);
      bool counts = !writer_.asks_python || site_packages || !lists_.is_of_systems_python(name);
      std::vector<std::string> own = counts ? system_packages_of(name) : std::vector<std::string>();
      system_packages.insert(own.begin(), own.end());
      if (tells_configure(name, own))
        environment_.configure_args.push_back(fmt::format("--with-system-{}={}", name, with_system));
    }
    environment_.packages = std::move(kept);
    environment_.setup.packages.assign(system_packages.begin(), system_packages.end());
  }

  bool tells_configure(const std::string& name, const std::vector<std::string>& own) const {
    if (writer_.tells_configure_of_lists)
      return !own.empty() && (writer_.tells_configure_of_pseudo || name[0] != '_');
    std::optional<PackageId> id = sources_.packages.find(name);
    return id && sources_.packages.has_file(*id, "spkg-configure.m4");
  }

  // The packages that have a list for the system, for which configure looks, and whose type matches the
  // pattern.
  std::vector<std::string> packages_by_type() const {
    std::string pattern = value("TYPE_PATTERN", "standard");
    std::string list = "distros/" + environment_.setup.system + ".txt";
    std::vector<std::string> names;
    for (PackageId id = 0; id < sources_.packages.size(); ++id) {
      const Package& package = sources_.packages[id];
      if (::fnmatch(pattern.c_str(), std::string(name(package.type)).c_str(), FNM_EXTMATCH) == 0 &&
          sources_.packages.has_file(id, list) && sources_.packages.has_file(id, "spkg-configure.m4"))
        names.push_back(package.name);
    }
    return names;
  }

  // The classes and names of SAGE_PACKAGE_LIST_ARGS, then the extra ones.
  std::vector<std::string> listed_packages() {
    std::string arguments = shell_value("SAGE_PACKAGE_LIST_ARGS");
    // Another distribution need not have the packages of Sage's names.
    bool names_only = sources_.table == nullptr && !given_.contains("SAGE_PACKAGE_LIST_ARGS");
    if (names_only && (sources_.packages.size() == 0 || !has_listed_folders(arguments)))
      return word_list(extra_packages());
    if (trimmed(arguments).empty()) {
      if (sources_.table == nullptr)
        throw bad_input(
            "", fmt::format("environment {}: its name contains none of minimal, standard and maximal; name "
                            "its system packages with --package-list, for example --package-list _prereq",
                            environment_.name));
      arguments = writer_.asks_for_list ? "--has-file=spkg-configure.m4 :standard:" : ":standard:";
    }
    PackageListQuery query = package_list_query(word_list(arguments));
    query.has_file.push_back(writer_.asks_for_list ? "distros/" + environment_.setup.system + ".txt"
                                                   : "spkg-configure.m4");
    std::vector<std::string> names = list_packages(sources_.packages, query);
    for (std::string& name : word_list(extra_packages())) names.push_back(std::move(name));
    return names;
  }

  // Whether the tree has the packages that `arguments` lists by name.
  bool has_listed_folders(const std::string& arguments) const {
    std::vector<std::string> all = word_list(arguments);
    return std::all_of(all.begin(), all.end(), [&](const std::string& word) {
      return word.front() == ':' || word.front() == '-' || sources_.packages.has_folder(word);
    });
  }

  // The value that tox passes to the writer: ALL_EXTRA_SAGE_PACKAGES if the table composes it, else
  // EXTRA_SAGE_PACKAGES. The writer replaces an empty value by its own default.
  std::string extra_packages() {
    bool composed = tree_says_.contains("ALL_EXTRA_SAGE_PACKAGES") ||
                    given_.contains("ALL_EXTRA_SAGE_PACKAGES") || !tree_says_.contains("EXTRA_SAGE_PACKAGES");
    std::string extra =
        shell_value(composed ? "ALL_EXTRA_SAGE_PACKAGES" : "EXTRA_SAGE_PACKAGES", "_bootstrap");
    bool is_said = given_.contains("ALL_EXTRA_SAGE_PACKAGES");
    return extra.empty() && !is_said ? "_bootstrap" : extra;
  }

  std::vector<std::string> system_packages_of(const std::string& package) {
    std::vector<std::string> names = lists_.of(package, environment_.setup.system);
    if (!writer_.tells_configure_of_lists) return names;
    for (std::string_view variable : {"PYTHON_MINOR", "MINGW_PACKAGE_PREFIX"})
      for (std::string& name : names) {
        std::string written = fmt::format("${{{}}}", variable), with = value(std::string(variable));
        for (std::size_t at = name.find(written); at != std::string::npos;
             at = name.find(written, at + with.size()))
          name.replace(at, written.size(), with);
      }
    return names;
  }

  void set_values() {
    bool is_said = given_.contains("NUMPROC") || tree_says_.contains("NUMPROC") || !value("NUMPROC").empty();
    std::string jobs = value("NUMPROC", std::to_string(sources_.processors));
    // These two mean the number of processors; any other shell text needs a shell.
    if (trimmed(jobs) == "$(nproc)" || trimmed(jobs) == "`nproc`") jobs = std::to_string(sources_.processors);
    if (has_shell_text(jobs)) jobs = std::string(trimmed(shell_value("NUMPROC")));
    if (has_shell_text(jobs)) {
      is_said = false;  // it is in `unexpanded`
      jobs = std::to_string(sources_.processors);
    }
    if (jobs.empty() || jobs.size() > 5 || jobs.find_first_not_of("0123456789") != std::string::npos ||
        std::stoi(jobs) < 1)
      throw bad_input("NUMPROC", fmt::format("\"{}\" is not a number of jobs (1, 2, …)", shown(jobs)));
    environment_.jobs = is_said ? static_cast<unsigned>(std::stoi(jobs)) : 0;
    // tox.ini's CONFIGURE_ARGS already contains the caller's EXTRA_CONFIGURE_ARGS.
    bool composed = tree_says_.contains("CONFIGURE_ARGS") || given_.contains("CONFIGURE_ARGS");
    environment_.values = {
        {"BOOTSTRAP", value("BOOTSTRAP", "./bootstrap")},
        {"EXTRA_CONFIGURE_ARGS",
         join(word_list(composed ? shell_value("CONFIGURE_ARGS") : value("EXTRA_CONFIGURE_ARGS")), " ")},
        {"MAKE", "make -j" + std::to_string(std::stoi(jobs))},
        {"SAGE_CHECK", value("SAGE_CHECK", "warn")},
        {"SAGE_CHECK_PACKAGES", value_or_writers("SAGE_CHECK_PACKAGES", "")},
        {"TARGETS_PRE", value_or_writers("TARGETS_PRE", "all-sage-local")},
        {"TARGETS", value_or_writers("TARGETS", "build")},
        {"TARGETS_OPTIONAL", value_or_writers("TARGETS_OPTIONAL", "ptest")},
        {"USE_MAKEFLAGS", value_or_writers("USE_MAKEFLAGS", "-k V=0")},
    };
    // Two targets at once would build the same packages concurrently.
    for (const char* name : {"USE_MAKEFLAGS", "TARGETS_PRE", "TARGETS", "TARGETS_OPTIONAL"}) {
      std::string& said = environment_.values[name];
      std::string kept = without_job_counts(said);
      if (kept == said) continue;
      environment_.job_counts_dropped.emplace_back(name);
      said = std::move(kept);
    }
    if (environment_.value("SAGE_CHECK_PACKAGES").empty()) environment_.values.erase("SAGE_CHECK_PACKAGES");
  }

  const EnvironmentSources& sources_;
  SystemPackageLists& lists_;
  const DockerfileWriter& writer_;
  const EnvironmentRequest& request_;
  std::map<std::string, std::string> given_;
  std::map<std::string, std::string> tree_says_;  // the table's variables, or the meaning of the name
  Environment environment_;
};

Environment EnvironmentReader::resolve(const EnvironmentRequest& request) {
  return Resolution(sources_, lists_, writer_, request).resolve();
}

}  // namespace stagemake
