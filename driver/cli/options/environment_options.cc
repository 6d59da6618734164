#include "cli/options/environment_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text/text.h"
#include "cli/options/option_groups.h"

namespace stagemake {
namespace {

// An option that sets one of Sage's variables.
struct GivenOption {
  const char* option;
  const char* variable;
  const char* what;
  const char* type = "TEXT";
};

constexpr GivenOption kGivenOptions[] = {
    {"--base-image", "BASE_IMAGE", "image to start the first stage from"},
    {"--system", "SYSTEM",
     "package system, as in build/pkgs/*/distros/SYSTEM.txt (default: from the environment's name)"},
    {"--package-list", "SAGE_PACKAGE_LIST_ARGS",
     "packages to install system packages for, in the notation of `stagemake list`"},
    {"--extra-packages", "ALL_EXTRA_SAGE_PACKAGES", "additional ones, by name (default: _bootstrap)"},
    {"--with-system", "WITH_SYSTEM_SPKG", "configure's --with-system-PACKAGE setting", "yes|no|force"},
    {"--ignore-missing", "IGNORE_MISSING_SYSTEM_PACKAGES", "continue if a system package does not exist",
     "yes|no"},
    {"--configure-args", "EXTRA_CONFIGURE_ARGS", "additional arguments for ./configure"},
    {"--targets-pre", "TARGETS_PRE", "make targets of the stage with-targets-pre (default: all-sage-local)"},
    {"--targets", "TARGETS", "make targets of the stage with-targets (default: build)"},
    {"--targets-optional", "TARGETS_OPTIONAL",
     "make targets of the stage with-targets-optional (default: ptest)"},
    {"--numproc", "NUMPROC", "make jobs, shared by all makes of the build (default: number of processors)"},
    {"--make-flags", "USE_MAKEFLAGS", "flags for make, without -j (default: -k V=0)"},
    {"--bootstrap", "BOOTSTRAP", "command that creates configure (default: ./bootstrap)"},
    {"--check", "SAGE_CHECK", "run the packages' own test suites (default: warn)", "no|warn|yes"},
    {"--check-packages", "SAGE_CHECK_PACKAGES", "exceptions to --check"},
};

void add_settings(const std::vector<std::string>& settings, std::map<std::string, std::string>& given) {
  for (const std::string& setting : settings) {
    std::size_t end = setting.find('=');
    if (end == std::string::npos || end == 0)
      throw CLI::ValidationError("--set", fmt::format("\"{}\" is not NAME=VALUE", printable(setting)));
    given[setting.substr(0, end)] = setting.substr(end + 1);
  }
}

}  // namespace

void add_environment_options(CLI::App& command, Options& options, bool name_required) {
  command
      .add_option("ENV", options.environments,
                  "environments, such as debian-bookworm-minimal (with or without docker-); commands that "
                  "take several "
                  "also take patterns ('debian-*') and @FILE")
      ->required(name_required);
  add_environment_settings(command, options);
}

void add_environment_settings(CLI::App& command, Options& options) {
  InGroup group(command, "Settings of environments");
  for (const GivenOption& given : kGivenOptions)
    command
        .add_option_function<std::string>(
            given.option,
            [&options, &given](const std::string& value) { options.given[given.variable] = value; },
            fmt::format("{} [${}]", given.what, given.variable))
        ->type_name(given.type);
  command
      .add_option_function<std::vector<std::string>>(
          "--set",
          [&options](const std::vector<std::string>& settings) { add_settings(settings, options.given); },
          "set a variable as the last line of tox.ini would; repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

}  // namespace stagemake
