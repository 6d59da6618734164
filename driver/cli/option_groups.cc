#include "cli/option_groups.h"

#include <CLI/CLI.hpp>

#include "base/text.h"
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

void add_choice_options(CLI::App& command, Options& options) {
  add_which_options(command, options);
  add_words_option(command, "--first", options.first, "what must be known soon: these begin before others",
                   "PATTERN,…|@FILE");
}

void add_which_options(CLI::App& command, Options& options) {
  auto add = [&](const char* name, std::vector<std::string>& words, const char* what, const char* type) {
    add_words_option(command, name, words, what, type);
  };
  add("--systems", options.choice.systems, "all of these systems' environments; repeatable",
      "PATTERN,…|@FILE");
  add("--packages", options.choice.package_sets,
      "of names and patterns that say none, only these sets of packages", "minimal,…");
  add("--exclude", options.choice.exclude, "not these environments or systems; repeatable",
      "PATTERN,…|@FILE");
  command.add_flag("--all", options.choice.all, "all environments that the tree offers");
}

void add_tree_options(CLI::App& command, Options& options) {
  command
      .add_option("--tree", options.tree,
                  "the distribution's folder (default: the nearest upwards with build/pkgs)")
      ->type_name("DIR");
  command.add_flag("--strict-metadata", options.strict_metadata,
                   "a fault in any package's files is an error, also where nothing needs that package");
}

void add_host_shell_option(CLI::App& command, Options& options) {
  command
      .add_option_function<std::string>(
          "--host-shell", [&options](const std::string& word) { options.host_shell = word == "yes"; },
          "whether a shell of this machine evaluates text of tox.ini that stagemake cannot (default: yes, but no in "
          "CI for pull requests) [$STAGEMAKE_HOST_SHELL]")
      ->type_name("yes|no")
      ->check(CLI::IsMember({"yes", "no"}));
}

void add_stages_options(CLI::App& command, Options& options) {
  command
      .add_option("--stages", options.stages,
                  "table of stages (default: ci-docker.toml in the tree, else built in)")
      ->type_name("FILE");
}

void add_engine_options(CLI::App& command, Options& options) {
  command
      .add_option_function<std::string>(
          "--engine",
          [&options](const std::string& word) {
            std::optional<EngineKind> kind = engine_kind(word);
            if (!kind) throw CLI::ValidationError("--engine", "is auto, docker, podman or buildah");
            options.engine = *kind;
            options.engine_given = true;
          },
          "what runs containers [$STAGEMAKE_ENGINE]")
      ->type_name("auto|docker|podman|buildah");
  command.add_option("--state", options.state, "folder for logs and caches [$STAGEMAKE_STATE]")
      ->type_name("DIR");
}

void add_images_options(CLI::App& command, Options& options) {
  command
      .add_option("--repository", options.repository,
                  "what stands in front of image names (default: that of --push-to)")
      ->type_name("NAME");
  command
      .add_option("--tag", options.tag,
                  "tag of images (default: what `git describe --dirty --always` says) [$DOCKER_TAG]")
      ->type_name("TAG");
  command.add_option("--extra-tag", options.extra_tags, "one more tag, repeatable [$EXTRA_DOCKER_TAGS]")
      ->type_name("TAG")
      ->allow_extra_args(false);
  command.add_flag("--take-names", options.take_names,
                   "also move names that images have which stagemake did not make [$STAGEMAKE_TAKE_NAMES]");
}

void add_registries_options(CLI::App& command, Options& options) {
  command
      .add_option("--from", options.from,
                  "look for images in this repository too, repeatable (that of --push-to is always looked "
                  "into) [$EXTRA_CACHE_FROM_REPOSITORIES]")
      ->type_name("REPOSITORY")
      ->allow_extra_args(false);
  command
      .add_option("--push-to", options.push_to,
                  "push what is finished, and what is left unfinished, while the next stage runs "
                  "[$DOCKER_PUSH_REPOSITORY]")
      ->type_name("REPOSITORY");
  command
      .add_option("--plain-http", options.plain_http,
                  "a registry that is spoken to without TLS, as those of this machine are; repeatable "
                  "[$STAGEMAKE_PLAIN_HTTP]")
      ->type_name("HOST[:PORT]")
      ->allow_extra_args(false);
  command
      .add_option("--token-host", options.token_hosts,
                  "a token server that may have a registry's login, though it is another host; repeatable "
                  "[$STAGEMAKE_TOKEN_HOSTS]")
      ->type_name("HOST[:PORT]")
      ->allow_extra_args(false);
}

void add_restore_options(CLI::App& command, Options& options) {
  command.add_option("--restore", options.restore, "begin in this image and no other")
      ->type_name("IMAGE")
      ->check(CLI::Validator(
          [](std::string& name) { return name.empty() ? "an image's name must not be empty" : ""; }, ""));
  command.add_flag("--clean-only", options.clean_only,
                   "use only images that were built from the base image in one line, for releases");
  command.add_flag("--strict", options.strict,
                   "fail instead of building from the base image where there are images");
  command
      .add_option_function<std::string>(
          "--base-policy",
          [&options](const std::string& word) {
            options.base_policy = word == "pin"    ? BasePolicy::Pin
                                  : word == "warn" ? BasePolicy::Warn
                                                   : BasePolicy::Follow;
          },
          "where the base image's name means another content now: build anew (follow, the default), go on "
          "in "
          "what was built on the old one (warn), stay on the old one (pin)")
      ->type_name("pin|follow|warn")
      ->check(CLI::IsMember({"pin", "follow", "warn"}));
}

void add_deadline_options(CLI::App& command, Options& options) {
  command
      .add_option_function<std::string>(
          "--deadline",
          [&options](const std::string& text) {
            std::optional<double> seconds = duration_in(text);
            if (!seconds) throw CLI::ValidationError("--deadline", "is a duration: 5h40m, 90m, 45s");
            options.deadline = seconds_now() + *seconds;
          },
          "be over by then, with all saved and pushed; status 75 where something is left "
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
          "the same, as a time")
      ->type_name("TIME");
}

void add_limits_options(CLI::App& command, Options& options) {
  add_deadline_options(command, options);
  command
      .add_option_function<std::string>(
          "--stall",
          [&options](const std::string& text) {
            options.stall =
                duration_in(text.find_first_not_of("0123456789.") == std::string::npos ? text + "min" : text);
            if (!options.stall || *options.stall <= 0)
              throw CLI::ValidationError("--stall", "is a number of minutes, or a duration: 45s");
          },
          "stop a stage that for so long says nothing and uses no processor (default: never)")
      ->type_name("MINUTES");
  command
      .add_option_function<std::string>(
          "--checkpoint",
          [&options](const std::string& text) {
            options.checkpoint = duration_in(text);
            if (!options.checkpoint || *options.checkpoint <= 0)
              throw CLI::ValidationError("--checkpoint", "is a duration: 30m, 1h, 90s");
          },
          "save a stage that makes packages so often while it runs, and push that where images are pushed; "
          "what "
          "runs is paused meanwhile (default: never) [$STAGEMAKE_CHECKPOINT]")
      ->type_name("DURATION");
  add_size_option(command, "--min-free", options.min_free,
                  "begin no stage that would leave less than that free where the engine keeps images");
  add_memory_option(command, options);
}

void add_memory_option(CLI::App& command, Options& options) {
  add_size_option(
      command, "--memory", options.memory,
      "memory for all stages at once, by what each held before (default: what is free now; 0: any)");
}

void add_to_option(CLI::App& command, Options& options, const char* what) {
  command.add_option("--to", options.to, what)->type_name("STAGE")->allow_extra_args(false);
}

void add_targets_options(CLI::App& command, Options& options) {
  add_to_option(command, options,
                "build up to this stage, repeatable (default: with-targets) [$DOCKER_TARGETS]");
  command.add_flag("--fresh", options.fresh,
                   "start from the base image, whatever images there are; continue such a build that is not "
                   "finished");
  command.add_flag("--start-over", options.start_over,
                   "the same, and leave an unfinished build of --fresh alone");
}

void add_json_options(CLI::App& command, Options& options) {
  command.add_flag("--json", options.json, "for programs");
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
