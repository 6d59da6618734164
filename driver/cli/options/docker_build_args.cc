#include "cli/options/docker_build_args.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/error.h"
#include "base/secrets.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

// The arguments of the trees' Dockerfiles and their names here. In 9.8, EXTRA_CONFIGURE_ARGS holds all
// arguments of configure except the flags for system packages; tox.ini calls it CONFIGURE_ARGS.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kArguments = {{
    {"BASE_IMAGE", "BASE_IMAGE"},
    {"BOOTSTRAP", "BOOTSTRAP"},
    {"CONFIGURE_ARGS", "CONFIGURE_ARGS"},
    {"EXTRA_CONFIGURE_ARGS", "CONFIGURE_ARGS"},
    {"NUMPROC", "NUMPROC"},
    {"TARGETS", "TARGETS"},
    {"TARGETS_OPTIONAL", "TARGETS_OPTIONAL"},
    {"TARGETS_PRE", "TARGETS_PRE"},
    {"USE_CONDARC", "USE_CONDARC"},
    {"USE_MAKEFLAGS", "USE_MAKEFLAGS"},
}};

// Arguments that every Dockerfile accepts without declaring them, in either case.
constexpr std::array<std::string_view, 5> kProxies = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
                                                      "all_proxy"};

bool is_proxy(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  std::string upper(lower);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return (name == lower || name == upper) &&
         std::find(kProxies.begin(), kProxies.end(), lower) != kProxies.end();
}

// Options of `docker build` whose value is the next word.
constexpr std::string_view kWithValue[] = {"-f",           "-m",         "-o",
                                           "-t",           "--add-host", "--build-context",
                                           "--cache-from", "--cache-to", "--cpuset-cpus",
                                           "--file",       "--iidfile",  "--label",
                                           "--memory",     "--network",  "--output",
                                           "--platform",   "--progress", "--secret",
                                           "--shm-size",   "--ssh",      "--tag",
                                           "--target",     "--ulimit"};

}  // namespace

DockerBuildArgs read_docker_build_args(std::string_view text) {
  constexpr const char* kWhere = "EXTRA_DOCKER_BUILD_ARGS";
  constexpr std::string_view kBuildArg = "--build-arg";
  std::optional<std::vector<std::string>> all = shell_words(text);
  if (!all) throw bad_input(kWhere, "words and quotes are understood here, and nothing else of a shell");
  DockerBuildArgs result;
  for (std::size_t i = 0; i < all->size(); ++i) {
    std::string word = (*all)[i];
    bool takes_next = word == kBuildArg ||
                      std::find(std::begin(kWithValue), std::end(kWithValue), word) != std::end(kWithValue);
    std::string value;
    if (takes_next && i + 1 == all->size()) throw bad_input(kWhere, fmt::format("{} needs a value", word));
    if (takes_next) value = (*all)[++i];
    if (word.starts_with(std::string(kBuildArg) + "=")) {
      value = word.substr(kBuildArg.size() + 1);
      word = kBuildArg;
    }
    // Without a value, docker uses that of its caller. It may be a token, so it is not shown.
    std::string said = word == kBuildArg ? value.substr(0, value.find('=')) : without_secrets(value);
    if (const char* own = std::getenv(value.c_str());
        word == kBuildArg && own != nullptr && value.find('=') == std::string::npos)
      value += "=" + std::string(own);
    std::size_t end = value.find('=');
    auto known = std::find_if(kArguments.begin(), kArguments.end(),
                              [&](const auto& argument) { return argument.first == value.substr(0, end); });
    std::string_view network = word.starts_with("--network=") ? std::string_view(word).substr(10)
                               : word == "--network"          ? value
                                                              : std::string_view();
    if (word == "--no-cache")
      result.fresh = true;
    else if (network_named(network))
      result.network = network_named(network);
    else if (word == kBuildArg && known != kArguments.end() && end != std::string::npos)
      result.given[std::string(known->second)] = value.substr(end + 1);
    else if (word == kBuildArg && is_proxy(value.substr(0, end)) && end != std::string::npos)
      result.proxies[value.substr(0, end)] = value.substr(end + 1);
    else
      result.passed_over.push_back(said.empty() ? without_secrets(word) : word + " " + said);
  }
  return result;
}

}  // namespace stagemake
