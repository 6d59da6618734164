#include "cli/environment_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace stagemake {
namespace {

// An option that says the value of one of Sage's variables.
struct GivenOption {
  const char* option;
  const char* variable;
  const char* what;
  const char* type = "TEXT";
};

constexpr GivenOption kGivenOptions[] = {
    {"--base-image", "BASE_IMAGE", "image that the first stage starts from"},
    {"--system", "SYSTEM",
     "package system, as in build/pkgs/*/distros/SYSTEM.txt (default: what the name means)"},
    {"--package-list", "SAGE_PACKAGE_LIST_ARGS",
     "packages whose system packages are installed, as `stagemake list` takes them"},
    {"--extra-packages", "ALL_EXTRA_SAGE_PACKAGES", "more of them, by name (default: _bootstrap)"},
    {"--with-system", "WITH_SYSTEM_SPKG", "what configure is told about system packages", "yes|no|force"},
    {"--ignore-missing", "IGNORE_MISSING_SYSTEM_PACKAGES", "go on where a system package does not exist",
     "yes|no"},
    {"--configure-args", "EXTRA_CONFIGURE_ARGS", "more arguments for ./configure"},
    {"--targets-pre", "TARGETS_PRE", "make targets of the stage with-targets-pre (default: all-sage-local)"},
    {"--targets", "TARGETS", "make targets of the stage with-targets (default: build)"},
    {"--targets-optional", "TARGETS_OPTIONAL",
     "make targets of the stage with-targets-optional (default: ptest)"},
    {"--numproc", "NUMPROC",
     "jobs of make; the makes of a build share them (default: the number of processors)"},
    {"--make-flags", "USE_MAKEFLAGS", "flags of each make, without -j (default: -k V=0)"},
    {"--bootstrap", "BOOTSTRAP", "command that makes configure (default: ./bootstrap)"},
    {"--check", "SAGE_CHECK", "whether packages test themselves (default: warn)", "no|warn|yes"},
    {"--check-packages", "SAGE_CHECK_PACKAGES", "exceptions from it"},
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
                  "environments, as debian-bookworm-minimal or docker-debian-bookworm-minimal; where several "
                  "may be named, also "
                  "patterns ('debian-*') and @FILE")
      ->required(name_required);
  add_environment_settings(command, options);
}

void add_environment_settings(CLI::App& command, Options& options) {
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
          "a variable, as if tox.ini said it last; repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

}  // namespace stagemake
