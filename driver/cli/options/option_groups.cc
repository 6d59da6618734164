#include "cli/options/option_groups.h"

#include <CLI/CLI.hpp>

#include "base/text/text.h"
#include "cli/times.h"
#include "cli/tree.h"

namespace stagemake {

namespace {

// "a,b" and "@FILE" as words.
void add_words_of(const std::vector<std::string>& said, std::vector<std::string>& words) {
  for (const std::string& word : names_of(said)) words.push_back(word);
}

void add_words_option(CLI::App& command, const char* name, std::vector<std::string>& words, const char* what,
                      const char* type) {
  command
      .add_option_function<std::vector<std::string>>(
          name, [&words](const std::vector<std::string>& said) { add_words_of(said, words); }, what)
      ->type_name(type)
      ->allow_extra_args(false);
}

}  // namespace

InGroup::InGroup(CLI::App& command, const std::string& heading)
    : command_(command), before_(command.option_defaults()->get_group()) {
  command.option_defaults()->group(heading);
}

InGroup::~InGroup() {
  command_.option_defaults()->group(before_);
}

void add_choice_options(CLI::App& command, Options& options) {
  add_which_options(command, options);
  InGroup group(command, "Environments");
  add_words_option(command, "--first", options.first, "start these environments before all others",
                   "PATTERN,…|@FILE");
}

void add_which_options(CLI::App& command, Options& options) {
  InGroup group(command, "Environments");
  auto add = [&](const char* name, std::vector<std::string>& words, const char* what, const char* type) {
    add_words_option(command, name, words, what, type);
  };
  add("--systems", options.choice.systems, "every environment of these systems; repeatable",
      "PATTERN,…|@FILE");
  add("--packages", options.choice.package_sets,
      "limit names and patterns without a package set to these sets", "minimal,…");
  add("--exclude", options.choice.exclude, "leave out these environments or systems; repeatable",
      "PATTERN,…|@FILE");
  command.add_flag("--all", options.choice.all, "every environment that the tree offers");
}

void add_tree_options(CLI::App& command, Options& options) {
  InGroup group(command, "Tree");
  command
      .add_option("-C,--tree", options.tree,
                  "the distribution's folder (default: the nearest parent folder with build/pkgs)")
      ->type_name("DIR");
  command.add_flag("--strict-metadata", options.strict_metadata,
                   "treat faulty metadata of any package as an error, even if nothing needs that package");
}

void add_host_shell_option(CLI::App& command, Options& options) {
  InGroup group(command, "Tree");
  command
      .add_option_function<std::string>(
          "--host-shell", [&options](const std::string& word) { options.host_shell = word == "yes"; },
          "let a shell on this machine evaluate text in tox.ini that stagemake cannot (default: yes; no for "
          "pull requests in CI) [$STAGEMAKE_HOST_SHELL]")
      ->type_name("yes|no")
      ->check(CLI::IsMember({"yes", "no"}));
}

void add_stages_options(CLI::App& command, Options& options) {
  InGroup group(command, "Tree");
  command
      .add_option("--stages", options.stages,
                  "stage table (default: the tree's ci-docker.toml, else the built-in one)")
      ->type_name("FILE");
}

void add_engine_options(CLI::App& command, Options& options) {
  InGroup group(command, "Engine");
  command
      .add_option_function<std::string>(
          "--engine",
          [&options](const std::string& word) {
            std::optional<EngineKind> kind = engine_kind(word);
            if (!kind) throw CLI::ValidationError("--engine", "is auto, docker, podman or buildah");
            options.engine = *kind;
            options.engine_given = true;
          },
          "container engine [$STAGEMAKE_ENGINE]")
      ->type_name("auto|docker|podman|buildah");
  command.add_option("--state", options.state, "folder for logs and caches [$STAGEMAKE_STATE]")
      ->type_name("DIR");
}

void add_hosts_option(CLI::App& command, Options& options) {
  InGroup group(command, "Engine");
  command
      .add_option("--hosts", options.hosts,
                  "docker hosts instead of one engine: big=ssh://builder1,small=tcp://builder2:2376; after a "
                  "host, slots=N, jobs=N and memory=SIZE limit it [$STAGEMAKE_HOSTS]")
      ->type_name("NAME=PLACE,…|@FILE");
}

void add_images_options(CLI::App& command, Options& options) {
  InGroup group(command, "Image names");
  command
      .add_option("--repository", options.repository,
                  "prefix of image names (default: the value of --push-to)")
      ->type_name("NAME");
  command
      .add_option("--tag", options.tag,
                  "tag of images (default: output of `git describe --dirty --always`) [$DOCKER_TAG]")
      ->type_name("TAG");
  command.add_option("--extra-tag", options.extra_tags, "additional tag; repeatable [$EXTRA_DOCKER_TAGS]")
      ->type_name("TAG")
      ->allow_extra_args(false);
  command.add_flag("--take-names", options.take_names,
                   "also take over names of images that stagemake did not make [$STAGEMAKE_TAKE_NAMES]");
}

void add_registries_options(CLI::App& command, Options& options) {
  InGroup group(command, "Registries");
  command
      .add_option(
          "--from", options.from,
          "also look for images in this repository; repeatable (the one of --push-to is always searched) "
          "[$EXTRA_CACHE_FROM_REPOSITORIES]")
      ->type_name("REPOSITORY")
      ->allow_extra_args(false);
  command
      .add_option("--push-to", options.push_to,
                  "push images, finished or not, while the next stage runs [$DOCKER_PUSH_REPOSITORY]")
      ->type_name("REPOSITORY");
  add_registry_hosts_options(command, options);
}

void add_registry_hosts_options(CLI::App& command, Options& options) {
  InGroup group(command, "Registries");
  command
      .add_option(
          "--plain-http", options.plain_http,
          "contact this registry without TLS, like those on this machine; repeatable [$STAGEMAKE_PLAIN_HTTP]")
      ->type_name("HOST[:PORT]")
      ->allow_extra_args(false);
  command
      .add_option("--token-host", options.token_hosts,
                  "token server on another host that may receive a registry's login; repeatable "
                  "[$STAGEMAKE_TOKEN_HOSTS]")
      ->type_name("HOST[:PORT]")
      ->allow_extra_args(false);
}

void add_trust_option(CLI::App& command, Options& options) {
  InGroup group(command, "Signatures");
  command
      .add_option(
          "--trust", options.trust,
          "public keys (PEM); images signed with them count as your own; repeatable [$STAGEMAKE_TRUST]")
      ->type_name("FILE|KEY")
      ->allow_extra_args(false);
}

void add_signing_options(CLI::App& command, Options& options) {
  InGroup group(command, "Signatures");
  command
      .add_option(
          "--sign-with", options.sign_with,
          "private key (PEM) to sign pushed images with, in cosign's format; implies trust in its public key "
          "[$STAGEMAKE_SIGNING_KEY]")
      ->type_name("FILE");
  command.add_flag("--push-fetched", options.push_fetched,
                   "also push fetched images that no trusted key has signed [$STAGEMAKE_PUSH_FETCHED]");
}

void add_restore_options(CLI::App& command, Options& options) {
  add_trust_option(command, options);
  InGroup group(command, "Where to start");
  command.add_option("--restore", options.restore, "start from this image and no other")
      ->type_name("IMAGE")
      ->check(CLI::Validator(
          [](std::string& name) { return name.empty() ? "an image's name must not be empty" : ""; }, ""));
  command.add_flag(
      "--clean-only", options.clean_only,
      "for releases: use only images that were built in one go from the base image, and that this "
      "machine made or a trusted key signed");
  command.add_flag("--strict", options.strict,
                   "fail instead of building from the base image if images of the stage exist");
  command
      .add_option_function<std::string>(
          "--base-policy",
          [&options](const std::string& word) {
            options.base_policy = word == "pin"    ? BasePolicy::Pin
                                  : word == "warn" ? BasePolicy::Warn
                                                   : BasePolicy::Follow;
          },
          "if the base image's name now refers to new content: rebuild (follow, the default), continue from "
          "images built on the old content (warn), or keep building on the old content (pin)")
      ->type_name("pin|follow|warn")
      ->check(CLI::IsMember({"pin", "follow", "warn"}));
}

void add_deadline_options(CLI::App& command, Options& options) {
  InGroup group(command, "Limits");
  command
      .add_option_function<std::string>(
          "--deadline",
          [&options](const std::string& text) {
            std::optional<double> seconds = duration_in(text);
            if (!seconds) throw CLI::ValidationError("--deadline", "is a duration: 5h40m, 90m, 45s");
            options.deadline = seconds_now() + *seconds;
          },
          "stop in time to have everything saved and pushed by then; exit status 75 if work is left "
          "[$STAGEMAKE_DEADLINE]")
      ->type_name("DURATION");
  command
      .add_option_function<std::string>(
          "--deadline-at",
          [&options](const std::string& text) {
            options.deadline = time_in(text, seconds_now());
            if (!options.deadline)
              throw CLI::ValidationError("--deadline-at",
                                         "is 17:30, 2026-11-22T17:30:00Z, or @SECONDS since 1970");
          },
          "the same as a time of day or date")
      ->type_name("TIME");
}

void add_limits_options(CLI::App& command, Options& options) {
  add_deadline_options(command, options);
  InGroup group(command, "Limits");
  command
      .add_option_function<std::string>(
          "--stall",
          [&options](const std::string& text) {
            options.stall =
                duration_in(text.find_first_not_of("0123456789.") == std::string::npos ? text + "min" : text);
            if (!options.stall || *options.stall <= 0)
              throw CLI::ValidationError("--stall", "is a number of minutes, or a duration: 45s");
          },
          "stop a stage that prints nothing and uses no CPU for this long (default: never)")
      ->type_name("MINUTES");
  command
      .add_option_function<std::string>(
          "--checkpoint",
          [&options](const std::string& text) {
            options.checkpoint = duration_in(text);
            if (!options.checkpoint || *options.checkpoint <= 0)
              throw CLI::ValidationError("--checkpoint", "is a duration: 30m, 1h, 90s");
          },
          "save a running stage this often, and push it if images are pushed; the stage is paused meanwhile "
          "(default: never) [$STAGEMAKE_CHECKPOINT]")
      ->type_name("DURATION");
  add_size_option(command, "--min-free", options.min_free,
                  "start no stage that would leave less free disk space than this for the engine");
  add_memory_option(command, options);
}

void add_memory_option(CLI::App& command, Options& options) {
  InGroup group(command, "Limits");
  add_size_option(
      command, "--memory", options.memory,
      "memory for all running stages, judged by what each used before (default: free memory; 0: no limit)");
}

void add_to_option(CLI::App& command, Options& options, const char* what) {
  InGroup group(command, "Stages");
  command.add_option("--to", options.to, what)->type_name("STAGE")->allow_extra_args(false);
}

void add_targets_options(CLI::App& command, Options& options) {
  add_to_option(command, options,
                "last stage to build; repeatable (default: with-targets) [$DOCKER_TARGETS]");
  InGroup group(command, "Where to start");
  command.add_flag(
      "--fresh", options.fresh,
      "start from the base image and ignore existing images; an unfinished build of this kind is continued");
  command
      .add_option(
          "--rebuild", options.rebuild,
          "build this stage and those after it again, from the image of the stage before; repeatable; an "
          "unfinished build of this kind is continued")
      ->type_name("STAGE")
      ->allow_extra_args(false);
  command.add_flag("--start-over", options.start_over,
                   "like --fresh, or with --rebuild, without continuing an unfinished build of that kind");
}

void add_json_options(CLI::App& command, Options& options) {
  InGroup group(command, "Output");
  command.add_flag("--json", options.json, "print JSON");
}

void add_color_option(CLI::App& command, Options& options) {
  InGroup group(command, "Output");
  command.add_option("--color", options.color, "when to use colors")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

void add_whole_lists_option(CLI::App& command, Options& options) {
  InGroup group(command, "Output");
  command.add_flag("-v,--verbose", options.verbose, "print lists as a whole");
}

void add_size_option(CLI::App& command, const char* name, std::optional<std::uint64_t>& size,
                     const char* what) {
  command
      .add_option_function<std::string>(
          name,
          [name, &size](const std::string& text) {
            std::optional<unsigned long long> said = size_said(text);
            if (!said) throw CLI::ValidationError(name, "is a size, as 500M or 12G");
            size = *said;
          },
          what)
      ->type_name("SIZE");
}

}  // namespace stagemake
