// What the command line leaves open and variables may say; and whether what came together is possible.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "base/error.h"
#include "base/text.h"
#include "cli/docker_build_args.h"
#include "cli/options.h"
#include "plan/stage_table.h"

namespace stagemake {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

void add_words(const std::string& text, std::vector<std::string>& into) {
  for (std::string_view word : words(text)) into.emplace_back(word);
}

// EXTRA_DOCKER_BUILD_ARGS, for commands about environments. What an option says of the same stays.
void read_docker_arguments(Options& options) {
  constexpr Verb kAboutEnvironments[] = {Verb::Build, Verb::Explain,    Verb::Plan,          Verb::Env,
                                         Verb::Tox,   Verb::Dockerfile, Verb::SystemPackages};
  if (std::find(std::begin(kAboutEnvironments), std::end(kAboutEnvironments), options.verb) ==
      std::end(kAboutEnvironments))
    return;
  DockerBuildArgs docker = read_docker_build_args(variable("EXTRA_DOCKER_BUILD_ARGS"));
  if (options.given.contains("EXTRA_CONFIGURE_ARGS")) docker.given.erase("CONFIGURE_ARGS");
  for (const auto& [name, value] : docker.given) options.given.try_emplace(name, value);
  options.fresh = options.fresh || docker.fresh;
  options.proxies = std::move(docker.proxies);
  bool builds = options.verb == Verb::Build || options.verb == Verb::Tox;
  if (builds && !docker.passed_over.empty())
    fmt::print(stderr, "stagemake: EXTRA_DOCKER_BUILD_ARGS: {} is for `docker build`, and passed over\n",
               printable(join(docker.passed_over, " ")));
}

void read_variables(Options& options) {
  read_docker_arguments(options);
  if (!options.engine_given)
    if (std::string word = variable("STAGEMAKE_ENGINE"); !word.empty()) {
      std::optional<EngineKind> kind = engine_kind(word);
      if (!kind) throw bad_input("STAGEMAKE_ENGINE", "is auto, docker, podman or buildah");
      options.engine = *kind;
    }
  if (options.repository.empty()) options.repository = variable("DOCKER_PUSH_REPOSITORY");
  if (!options.tag)
    if (std::string tag = variable("DOCKER_TAG"); !tag.empty()) options.tag = tag;
  if (options.extra_tags.empty()) add_words(variable("EXTRA_DOCKER_TAGS"), options.extra_tags);
  if (options.to.empty()) add_words(variable("DOCKER_TARGETS"), options.to);
}

void check(Options& options) {
  if (!options.repository.empty() && options.repository.back() != '/') options.repository += '/';
  std::vector<std::string_view> parts = split(options.repository, '/');
  parts.pop_back();  // what is behind the last `/`
  for (std::size_t i = 0; i < parts.size(); ++i) {
    bool is_host = i == 0 && parts[i].find_first_of(".:") != std::string_view::npos;
    bool valid = is_host ? parts[i].find_first_not_of(
                               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-") ==
                               std::string_view::npos
                         : fits_in_image_name(parts[i]);
    if (!valid)
      throw bad_input("--repository",
                      fmt::format("\"{}\" cannot begin an image's name: after the registry's, all letters "
                                  "must be lower-case",
                                  printable(options.repository)));
  }
  std::vector<std::string> tags = options.extra_tags;
  if (options.tag) tags.push_back(*options.tag);
  for (const std::string& tag : tags) {
    bool valid = !tag.empty() && tag.size() <= 120 && tag.front() != '-' && tag.front() != '.' &&
                 tag.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
                     std::string::npos;
    if (!valid)
      throw bad_input("--tag", fmt::format("\"{}\" is no tag: letters, digits, `_`, `.`, `-`, at most 120",
                                           printable(tag)));
  }
}

}  // namespace

void complete_options(Options& options) {
  read_variables(options);
  check(options);
}

}  // namespace stagemake
