#include "cli/options/complete_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "base/error.h"
#include "base/process/callers_environment.h"
#include "base/process/standard_streams.h"
#include "base/text/image_name.h"
#include "base/text/text.h"
#include "cli/options/docker_build_args.h"
#include "cli/times.h"
#include "cli/tree.h"
#include "tree/stage_table.h"

namespace stagemake {
namespace {

void add_words(const std::string& text, std::vector<std::string>& into) {
  for (std::string_view word : words(text)) into.emplace_back(word);
}

// EXTRA_DOCKER_BUILD_ARGS, for commands about environments. Options take precedence over it.
void read_docker_arguments(Options& options) {
  constexpr Verb kAboutEnvironments[] = {Verb::Build, Verb::Explain,    Verb::Plan,           Verb::Env,
                                         Verb::Tox,   Verb::Dockerfile, Verb::SystemPackages, Verb::Why,
                                         Verb::Graph, Verb::Diff,       Verb::Repro,          Verb::Doctor};
  if (std::find(std::begin(kAboutEnvironments), std::end(kAboutEnvironments), options.verb) ==
      std::end(kAboutEnvironments))
    return;
  DockerBuildArgs docker = read_docker_build_args(callers_variable("EXTRA_DOCKER_BUILD_ARGS"));
  if (options.given.contains("EXTRA_CONFIGURE_ARGS")) docker.given.erase("CONFIGURE_ARGS");
  for (const auto& [name, value] : docker.given) options.given.try_emplace(name, value);
  options.fresh = options.fresh || docker.fresh;
  options.proxies = std::move(docker.proxies);
  if (docker.network) options.networks_of_variables.push_back({.network = *docker.network});
  bool builds = options.verb == Verb::Build || options.verb == Verb::Tox;
  if (builds && !docker.passed_over.empty())
    say(fmt::format("stagemake: EXTRA_DOCKER_BUILD_ARGS: {} is for `docker build`, and ignored",
                    printable(join(docker.passed_over, " "))));
}

void read_variables(Options& options) {
  read_docker_arguments(options);
  if (!options.engine_given)
    if (std::string word = callers_variable("STAGEMAKE_ENGINE"); !word.empty()) {
      std::optional<EngineKind> kind = engine_kind(word);
      if (!kind) throw bad_input("STAGEMAKE_ENGINE", "is auto, docker, podman or buildah");
      options.engine = *kind;
    }
  if (options.hosts.empty()) options.hosts = callers_variable("STAGEMAKE_HOSTS");
  if (!options.hosts.empty() && options.engine_given)
    throw bad_input("--hosts", "names the engines to use: give it without --engine");
  if (!options.hosts.empty() && options.slots)
    throw bad_input("--slots",
                    "with --hosts, give slots=N after each host that should not use all its processors");
  if (!options.hosts.empty() && options.verb == Verb::Tox)
    throw bad_input("STAGEMAKE_HOSTS",
                    "tox builds on one engine: unset it, and select a host with DOCKER_HOST");
  if (std::string word = callers_variable("STAGEMAKE_HOST_SHELL"); !options.host_shell && !word.empty()) {
    if (word != "yes" && word != "no") throw bad_input("STAGEMAKE_HOST_SHELL", "is yes or no");
    options.host_shell = word == "yes";
  }
  std::string networks = callers_variable("STAGEMAKE_NETWORK");
  for (std::string_view word : words(networks))
    options.networks_of_variables.push_back(read_network_choice("STAGEMAKE_NETWORK", word));
  if (options.trust.empty()) {
    std::string trust = callers_variable("STAGEMAKE_TRUST");
    if (trust.find("-----BEGIN") != std::string::npos)
      options.trust.push_back(std::move(trust));
    else
      add_words(trust, options.trust);
  }
  if (std::string key = callers_variable("STAGEMAKE_SIGNING_KEY"); !options.sign_with && !key.empty())
    options.sign_with = key;
  std::string fetched = callers_variable("STAGEMAKE_PUSH_FETCHED");
  options.push_fetched = options.push_fetched || (!fetched.empty() && fetched != "0" && fetched != "no");
  std::string take = callers_variable("STAGEMAKE_TAKE_NAMES");
  options.take_names = options.take_names || (!take.empty() && take != "0" && take != "no");
  if (options.push_to.empty()) options.push_to = callers_variable("DOCKER_PUSH_REPOSITORY");
  if (options.from.empty()) add_words(callers_variable("EXTRA_CACHE_FROM_REPOSITORIES"), options.from);
  if (options.plain_http.empty()) add_words(callers_variable("STAGEMAKE_PLAIN_HTTP"), options.plain_http);
  if (options.token_hosts.empty()) add_words(callers_variable("STAGEMAKE_TOKEN_HOSTS"), options.token_hosts);
  bool limited = options.verb == Verb::Build || options.verb == Verb::Tox;
  if (std::string text = callers_variable("STAGEMAKE_DEADLINE");
      limited && !options.deadline && !text.empty()) {
    std::optional<double> seconds = duration_in(text);
    options.deadline = seconds ? seconds_now() + *seconds : time_in(text, seconds_now());
    if (!options.deadline)
      throw bad_input("STAGEMAKE_DEADLINE",
                      fmt::format("\"{}\" is neither a duration (5h40m) nor a time (17:30, "
                                  "2026-11-22T17:30:00Z, @SECONDS since 1970)",
                                  printable(text)));
  }
  if (std::string text = callers_variable("STAGEMAKE_CHECKPOINT");
      limited && !options.checkpoint && !text.empty()) {
    options.checkpoint = duration_in(text);
    if (!options.checkpoint || *options.checkpoint <= 0)
      throw bad_input("STAGEMAKE_CHECKPOINT",
                      fmt::format("\"{}\" is no duration (30m, 1h, 90s)", printable(text)));
  }
  if (!options.tag)
    if (std::string tag = callers_variable("DOCKER_TAG"); !tag.empty()) options.tag = tag;
  if (options.extra_tags.empty()) add_words(callers_variable("EXTRA_DOCKER_TAGS"), options.extra_tags);
  if (options.to.empty()) add_words(callers_variable("DOCKER_TARGETS"), options.to);
}

// The prefix of an image's name, ending in `/`. Registries only allow lower-case letters.
std::string checked_repository(const std::string& option, std::string repository) {
  if (repository.empty()) return repository;
  if (repository.back() != '/') repository += '/';
  std::transform(repository.begin(), repository.end(), repository.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::vector<std::string_view> parts = split(repository, '/');
  parts.pop_back();  // the part after the last `/`
  for (std::size_t i = 0; i < parts.size(); ++i) {
    bool is_host = i == 0 && parts[i].find_first_of(".:") != std::string_view::npos;
    bool valid = is_host ? parts[i].find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.:-[]") ==
                               std::string_view::npos
                         : fits_in_image_name(parts[i]);
    if (!valid)
      throw bad_input(option,
                      fmt::format("\"{}\" cannot begin an image's name: a registry, and letters and digits "
                                  "with `.`, `_`, `-` and `/` between them",
                                  printable(repository)));
  }
  return repository;
}

// Replaces characters that registries do not allow in a tag by `-`.
std::string checked_tag(const std::string& tag) {
  std::string clean = tag_of(tag);
  if (tag.empty()) throw bad_input("--tag", "a tag must not be empty");
  if (clean != tag)
    say(fmt::format("stagemake: the tag {} is written {}: registries allow no other", printable(tag), clean));
  return clean;
}

void check_choice(const Options& options) {
  bool chooses =
      options.verb == Verb::Build || options.verb == Verb::Explain || options.verb == Verb::Simulate;
  if (chooses && options.environments.empty() && options.choice.systems.empty() && !options.choice.all)
    throw bad_input(
        "", "which environments? Names or patterns (`stagemake envs` lists them), --systems or --all");
}

void check(Options& options) {
  options.repository = checked_repository("--repository", options.repository);
  options.push_to = checked_repository("--push-to", options.push_to);
  if (options.repository.empty()) options.repository = options.push_to;
  for (std::string& repository : options.from) repository = checked_repository("--from", repository);
  for (std::string& tag : options.extra_tags) tag = checked_tag(tag);
  if (options.tag) options.tag = checked_tag(*options.tag);
  if (!options.rebuild.empty() && !options.restore.empty())
    throw bad_input("--rebuild", "starts from the image of the stage before; --restore asks for another");
  if (!options.rebuild.empty() && options.fresh)
    throw bad_input("--rebuild", "builds a stage and those after it again; --fresh builds all of them");
  options.fresh = options.fresh || (options.start_over && options.rebuild.empty());
  if (options.fresh && (options.strict || !options.restore.empty()))
    throw bad_input("--fresh", "begins at the base image; --strict and --restore ask for an image");
}

}  // namespace

void complete_options(Options& options) {
  read_variables(options);
  check(options);
  check_choice(options);
}

}  // namespace stagemake
