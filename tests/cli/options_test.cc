#include "cli/options/options.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "base/error.h"
#include "base/text/text.h"
#include "cli/times.h"
#include "environment/environment.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

class OptionsTest : public testing::Test {
 protected:
  // The tests do not see the variables of the user who runs them.
  OptionsTest() {
    for (const std::string& name : environment_variables()) unset(name);
    for (const char* name : {"STAGEMAKE_ENGINE", "DOCKER_PUSH_REPOSITORY", "DOCKER_TAG", "EXTRA_DOCKER_TAGS",
                             "DOCKER_TARGETS", "EXTRA_DOCKER_BUILD_ARGS", "STAGEMAKE_NETWORK"})
      unset(name);
  }
  ~OptionsTest() override {
    for (const auto& [name, value] : saved_)
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
  void set(const std::string& name, const std::string& value) {
    unset(name);
    ::setenv(name.c_str(), value.c_str(), 1);
  }

  ParsedOptions parse(std::vector<std::string> words) {
    words.insert(words.begin(), "stagemake");
    std::vector<const char*> argv;
    for (const std::string& word : words) argv.push_back(word.c_str());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    // run() reports exceptions, and returns the status that they carry.
    std::string thrown;
    ParsedOptions parsed;
    try {
      parsed = parse_options(static_cast<int>(argv.size()), argv.data());
    } catch (const Error& error) {
      parsed.stop = static_cast<int>(error.status());
      thrown = error.what();
    }
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr() + thrown;
    return parsed;
  }
  Options good(std::vector<std::string> words) {
    ParsedOptions parsed = parse(std::move(words));
    EXPECT_EQ(parsed.stop, std::nullopt) << err_;
    return parsed.options;
  }
  // The message about bad usage; it must be on standard error, with status 2.
  std::string refusal(std::vector<std::string> words) {
    EXPECT_EQ(parse(std::move(words)).stop, std::optional(2));
    EXPECT_EQ(out_, "");
    EXPECT_NE(err_, "");
    return err_;
  }

  std::string out_, err_;

 private:
  void unset(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    saved_.try_emplace(name, value == nullptr ? std::nullopt : std::optional<std::string>(value));
    ::unsetenv(name.c_str());
  }
  std::map<std::string, std::optional<std::string>> saved_;
};

TEST_F(OptionsTest, ABuildHasDefaults) {
  Options options = good({"build", "debian-bookworm-minimal"});
  EXPECT_EQ(options.verb, Verb::Build);
  EXPECT_THAT(options.environments, ElementsAre("debian-bookworm-minimal"));
  EXPECT_THAT(options.given, IsEmpty());
  EXPECT_EQ(options.engine, EngineKind::Auto);
  EXPECT_EQ(options.repository, "");
  EXPECT_EQ(options.tag, std::nullopt);
  EXPECT_EQ(options.at_once, std::nullopt);
  EXPECT_TRUE(options.keep_going);
  EXPECT_FALSE(options.fresh || options.dry_run || options.quiet || options.json);
  EXPECT_THAT(options.to, IsEmpty());
}

TEST_F(OptionsTest, ABuildTakesAllThatCanBeSaidOfIt) {
  Options options =
      good({"build",        "a-minimal",   "b-minimal", "--to",         "configured", "--to",
            "with-targets", "-j",          "7",         "-n",           "--fresh",    "--stop-at-failure",
            "-s",           "--engine",    "buildah",   "--repository", "ghcr.io/me", "--tag",
            "t1",           "--extra-tag", "t2",        "--extra-tag",  "t3",         "--tree",
            "/tree",        "--stages",    "s.toml",    "--state",      "/s",         "--targets",
            "x y",          "--numproc",   "9",         "--base-image", "debian:x",   "--color",
            "never"});
  EXPECT_THAT(options.environments, ElementsAre("a-minimal", "b-minimal"));
  EXPECT_THAT(options.to, ElementsAre("configured", "with-targets"));
  EXPECT_EQ(options.at_once, 7u);
  EXPECT_TRUE(options.dry_run && options.fresh && options.quiet);
  EXPECT_FALSE(options.keep_going);
  EXPECT_EQ(options.engine, EngineKind::Buildah);
  EXPECT_EQ(options.repository, "ghcr.io/me/") << "with the `/` that stands before names";
  EXPECT_EQ(options.tag, "t1");
  EXPECT_THAT(options.extra_tags, ElementsAre("t2", "t3"));
  EXPECT_EQ(options.tree->string(), "/tree");
  EXPECT_EQ(options.stages->string(), "s.toml");
  EXPECT_EQ(options.state->string(), "/s");
  EXPECT_THAT(options.given, UnorderedElementsAre(Pair("TARGETS", "x y"), Pair("NUMPROC", "9"),
                                                  Pair("BASE_IMAGE", "debian:x")));
  EXPECT_EQ(options.color, "never");
}

TEST_F(OptionsTest, JobSlotsAreANumberOrOff) {
  EXPECT_EQ(good({"build", "a-minimal"}).slots, std::nullopt);
  EXPECT_EQ(good({"build", "a-minimal", "--slots", "7"}).slots, 7u);
  EXPECT_EQ(good({"build", "a-minimal", "--slots", "off"}).slots, 0u);
  EXPECT_EQ(good({"build", "a-minimal", "--slots", "0"}).slots, 0u);
  EXPECT_EQ(good({"jobs", "3"}).slots, 3u);
  for (const char* bad : {"-1", "many", "100001", ""})
    EXPECT_EQ(parse({"build", "a-minimal", "--slots", bad}).stop, 2) << bad;
  EXPECT_EQ(parse({"jobs", "0"}).stop, 2);
  EXPECT_EQ(parse({"simulate", "a-minimal", "--slots", "off"}).stop, 2);
}

TEST_F(OptionsTest, VariablesSayWhatOptionsDoNot) {
  set("TARGETS", "from-variable");
  set("TARGETS_PRE", "pre");
  set("NUMPROC", "3");
  set("STAGEMAKE_ENGINE", "podman");
  set("DOCKER_PUSH_REPOSITORY", "me");
  set("DOCKER_TAG", "vt");
  set("EXTRA_DOCKER_TAGS", "latest  dev");
  set("DOCKER_TARGETS", "configured with-targets");
  Options options = good({"build", "a-minimal", "--targets", "from-option"});
  EXPECT_EQ(options.given.at("TARGETS"), "from-option");
  EXPECT_EQ(options.given.size(), 1u) << "the tree's table comes before the caller's variables";
  EXPECT_EQ(options.engine, EngineKind::Podman);
  EXPECT_EQ(options.repository, "me/");
  EXPECT_EQ(options.tag, "vt");
  EXPECT_THAT(options.extra_tags, ElementsAre("latest", "dev"));
  EXPECT_THAT(options.to, ElementsAre("configured", "with-targets"));

  options = good({"build", "a-minimal", "--engine", "docker", "--repository", "you/", "--tag", "ot",
                  "--extra-tag", "one", "--to", "bootstrapped"});
  EXPECT_EQ(options.engine, EngineKind::Docker);
  EXPECT_EQ(options.repository, "you/");
  EXPECT_EQ(options.tag, "ot");
  EXPECT_THAT(options.extra_tags, ElementsAre("one"));
  EXPECT_THAT(options.to, ElementsAre("bootstrapped"));
}

TEST_F(OptionsTest, AnEmptyVariableIsAsGoodAsNone) {
  for (const char* name : {"TARGETS", "STAGEMAKE_ENGINE", "DOCKER_PUSH_REPOSITORY", "DOCKER_TAG",
                           "EXTRA_DOCKER_TAGS", "DOCKER_TARGETS"})
    set(name, "");
  Options options = good({"build", "a-minimal"});
  EXPECT_THAT(options.given, IsEmpty());
  EXPECT_EQ(options.engine, EngineKind::Auto);
  EXPECT_EQ(options.repository, "");
  EXPECT_EQ(options.tag, std::nullopt);
  EXPECT_THAT(options.to, IsEmpty());
}

TEST_F(OptionsTest, BadUsageHasStatusTwo) {
  refusal({});
  EXPECT_THAT(refusal({"biuld"}), HasSubstr("build"));
  refusal({"build"});
  EXPECT_THAT(refusal({"build", "a", "--no-such-option"}), HasSubstr("--no-such-option"));
  EXPECT_THAT(refusal({"build", "a", "--engine", "rkt"}), HasSubstr("docker, podman or buildah"));
  for (const char* number : {"0", "-1", "x", "1001", "1.5", ""}) refusal({"build", "a", "-j", number});
  refusal({"build", "a", "--color", "sometimes"});
  refusal({"build", "a", "--tag"});
  refusal({"packages"});
  refusal({"shell"});
}

TEST_F(OptionsTest, BadVariablesHaveStatusTwo) {
  set("STAGEMAKE_ENGINE", "rkt");
  EXPECT_THAT(refusal({"build", "a"}), HasSubstr("STAGEMAKE_ENGINE"));
  set("STAGEMAKE_ENGINE", "");
  set("STAGEMAKE_DEADLINE", "soon");
  EXPECT_THAT(refusal({"build", "a"}), HasSubstr("\"soon\" is neither a duration (5h40m) nor a time"));
  set("STAGEMAKE_DEADLINE", "");
  set("EXTRA_CACHE_FROM_REPOSITORIES", "ghcr.io/me b@d");
  EXPECT_THAT(refusal({"build", "a"}), HasSubstr("b@d"));
}

TEST_F(OptionsTest, EnvironmentsAreChosenByNamesPatternsSystemsAndSets) {
  TemporaryFolder folder(fs::temp_directory_path());
  write_file(folder.path() / "systems", "debian-* # all of them\nfedora-40,fedora-41\n");
  Options options =
      good({"simulate", "arch*", "--systems", "@" + (folder.path() / "systems").string(), "--packages",
            "minimal,standard", "--exclude", "debian-sid", "--exclude", "x,y", "--first", "fedora-*"});
  EXPECT_THAT(options.environments, ElementsAre("arch*"));
  EXPECT_THAT(options.choice.systems, ElementsAre("debian-*", "fedora-40", "fedora-41"));
  EXPECT_THAT(options.choice.package_sets, ElementsAre("minimal", "standard"));
  EXPECT_THAT(options.choice.exclude, ElementsAre("debian-sid", "x", "y"));
  EXPECT_THAT(options.first, ElementsAre("fedora-*"));
  EXPECT_TRUE(good({"build", "--all"}).choice.all);
  EXPECT_EQ(good({"build", "a", "--jobs", "7"}).at_once, 7u);
  EXPECT_THAT(refusal({"simulate"}), HasSubstr("--systems or --all"));
  EXPECT_THAT(refusal({"explain", "--systems", "@/nowhere/list"}), HasSubstr("/nowhere/list"));
}

TEST_F(OptionsTest, TagsAreWhatRegistriesTake) {
  for (const std::string& tag : {std::string("9.8.rc0-3-gabc"), std::string("_x"), std::string(120, 'a')})
    EXPECT_EQ(good({"build", "a", "--tag", tag}).tag, tag);
  using Pair = std::pair<std::string, std::string>;
  for (const auto& [tag, clean] :
       {Pair("feature/x", "feature-x"), Pair("a:b", "a-b"), Pair(".a", "_a"), Pair("a b", "a-b"),
        Pair(std::string(121, 'a'), std::string(120, 'a')), Pair("\xc3\xa9", "_-")}) {
    EXPECT_EQ(good({"build", "a", "--tag", tag}).tag, clean);
    EXPECT_THAT(good({"build", "a", "--extra-tag", tag}).extra_tags, ElementsAre(clean));
  }
}

TEST_F(OptionsTest, RepositoriesAreWhatRegistriesTake) {
  for (const char* name :
       {"me", "ghcr.io/me/project/", "localhost:5000/x", "Registry.Example.org:443/a_b/c--d"})
    EXPECT_THAT(good({"build", "a", "--repository", name}).repository, testing::EndsWith("/"));
  EXPECT_EQ(good({"build", "a", "--push-to", "ghcr.io/Me/Project"}).push_to, "ghcr.io/me/project/");
  for (const char* name : {"a b", "a//b", "/a", "x/-y", "a:tag/b@c"})
    EXPECT_THAT(refusal({"build", "a", "--repository", name}), HasSubstr("image's name")) << name;
}

TEST_F(OptionsTest, DeadlinesAreDurationsOrTimes) {
  double now = seconds_now();
  EXPECT_NEAR(*good({"build", "a", "--deadline", "5h40m"}).deadline, now + 20400, 5);
  EXPECT_EQ(good({"build", "a", "--deadline-at", "@1763800000"}).deadline, 1763800000);
  EXPECT_EQ(good({"build", "a", "--deadline-at", "2026-11-22T17:30:00Z"}).deadline, 1795368600);
  EXPECT_EQ(good({"build", "a", "--stall", "5"}).stall, 300);
  EXPECT_EQ(good({"build", "a", "--stall", "45s"}).stall, 45);
  for (const char* text : {"", "5", "h", "-3h", "5x", "1h 2", "later"})
    EXPECT_THAT(refusal({"build", "a", "--deadline", text}), HasSubstr("--deadline")) << text;
  for (const char* text : {"", "25:00", "17", "@", "@x", "2026-11-22", "2026-11-22T17:30:00X"})
    EXPECT_THAT(refusal({"build", "a", "--deadline-at", text}), HasSubstr("--deadline-at")) << text;
  set("STAGEMAKE_DEADLINE", "90 min");
  EXPECT_NEAR(*good({"build", "a"}).deadline, now + 5400, 5);
  EXPECT_EQ(good({"explain", "a"}).deadline, std::nullopt);
}

TEST_F(OptionsTest, CheckpointsNeedAnInterval) {
  EXPECT_EQ(good({"build", "a"}).checkpoint, std::nullopt);
  EXPECT_EQ(good({"build", "a", "--checkpoint", "30m"}).checkpoint, 1800);
  for (const char* text : {"", "30", "-1h", "often", "0s"})
    EXPECT_THAT(refusal({"build", "a", "--checkpoint", text}), HasSubstr("--checkpoint")) << text;
  set("STAGEMAKE_CHECKPOINT", "1h");
  EXPECT_EQ(good({"build", "a"}).checkpoint, 3600);
  EXPECT_EQ(good({"build", "a", "--checkpoint", "90s"}).checkpoint, 90);
  EXPECT_EQ(good({"explain", "a"}).checkpoint, std::nullopt);
  set("STAGEMAKE_CHECKPOINT", "sometimes");
  EXPECT_THAT(refusal({"build", "a"}), HasSubstr("STAGEMAKE_CHECKPOINT: \"sometimes\" is no duration"));
}

TEST_F(OptionsTest, AFreshBuildAsksForNoImage) {
  EXPECT_THAT(refusal({"build", "a", "--fresh", "--strict"}), HasSubstr("--fresh"));
  EXPECT_THAT(refusal({"build", "a", "--fresh", "--restore", "x:1"}), HasSubstr("--fresh"));
  refusal({"build", "a", "--base-policy", "move"});
  refusal({"build", "a", "--push", "maybe"});
}

TEST_F(OptionsTest, ARebuildNamesStages) {
  Options options =
      good({"build", "a", "--rebuild", "configured", "--rebuild", "with-targets", "--start-over"});
  EXPECT_THAT(options.rebuild, ElementsAre("configured", "with-targets"));
  EXPECT_TRUE(options.start_over);
  EXPECT_FALSE(options.fresh) << "it starts the rebuild over, from the image of the stage before";
  EXPECT_THAT(good({"explain", "a", "--rebuild", "configured"}).rebuild, ElementsAre("configured"));
  for (const char* other : {"--fresh", "--restore=x:1"})
    EXPECT_THAT(refusal({"build", "a", "--rebuild", "configured", other}), HasSubstr("--rebuild"));
}

TEST_F(OptionsTest, WhatFollowsTwoDashesIsTheCommandOfAShell) {
  Options options = good({"shell", "a", "--", "make", "-k", "--", "check"});
  EXPECT_EQ(options.stage, "");
  EXPECT_THAT(options.arguments, ElementsAre("make", "-k", "--", "check"));
  options = good({"-C", "/tree", "shell", "a", "configured", "-n", "--", "--version"});
  EXPECT_EQ(options.stage, "configured");
  EXPECT_TRUE(options.dry_run);
  EXPECT_THAT(options.arguments, ElementsAre("--version"));
  EXPECT_THAT(good({"shell", "a", "configured"}).arguments, IsEmpty());
}

TEST_F(OptionsTest, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(parse({"--version"}).stop, std::optional(0));
  EXPECT_THAT(out_, HasSubstr("stagemake " STAGEMAKE_VERSION));
  EXPECT_EQ(parse({"--help"}).stop, std::optional(0));
  for (const char* command :
       {"build", "explain", "plan", "list", "packages", "snapshots", "shell", "clean", "doctor"}) {
    EXPECT_THAT(out_, HasSubstr(command));
  }
  EXPECT_EQ(parse({"build", "--help"}).stop, std::optional(0));
  EXPECT_THAT(out_, HasSubstr("--targets-pre"));
}

TEST_F(OptionsTest, HelpFitsATerminalOf80Columns) {
  std::vector<std::string> commands = {""};
  with_command_line([&](const CLI::App& app) {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
      commands.push_back(command->get_name());
  });
  ASSERT_GT(commands.size(), 20u);
  for (const std::string& command : commands) {
    std::vector<std::string> words = {"--help"};
    if (!command.empty()) words.insert(words.begin(), command);
    ASSERT_EQ(parse(words).stop, std::optional(0)) << command;
    for (std::string_view line : lines(std::string_view(out_)))
      EXPECT_LE(line.size(), 80u) << command << ": " << line;
    words.assign({"help", command});
    if (command.empty()) words.pop_back();
    std::string help = out_;
    ASSERT_EQ(parse(words).stop, std::optional(0)) << "help " << command;
    EXPECT_EQ(out_, help);
    if (command.empty()) continue;
    EXPECT_EQ(parse({command, "--version"}).stop, std::optional(0)) << command;
  }
}

TEST_F(OptionsTest, HelpIsInGroups) {
  parse({"--help"});
  std::size_t at = 0;
  for (const char* heading : {"\nEvery day:", " build ", "\nLook at a tree", " plan ", "\nUnderstand:",
                              " why ", "\nCI and other tools:", " tox ", "\nMaintain:", " gc "}) {
    std::size_t next = out_.find(heading, at);
    ASSERT_NE(next, std::string::npos) << heading << " in " << out_;
    at = next;
  }
  EXPECT_THAT(out_, Not(HasSubstr("\nSubcommands:"))) << "each command is in a group";
  parse({"build", "--help"});
  for (const char* heading :
       {"Environments", "Settings of environments", "Stages", "Where to start", "Running", "Output",
        "Image names", "Registries", "Signatures", "Limits", "Engine", "Tree"})
    EXPECT_THAT(out_, HasSubstr(std::string("\n") + heading + ":")) << heading;
}

TEST_F(OptionsTest, OptionsMayStandBeforeTheCommand) {
  Options options = good({"-C", "/tree", "--engine", "buildah", "--json", "explain", "a-minimal"});
  EXPECT_EQ(options.verb, Verb::Explain);
  EXPECT_EQ(options.tree->string(), "/tree");
  EXPECT_EQ(options.engine, EngineKind::Buildah);
  EXPECT_TRUE(options.json);
  EXPECT_THAT(options.environments, ElementsAre("a-minimal"));
  EXPECT_EQ(good({"build", "-C", "/tree", "a-minimal"}).tree->string(), "/tree");
  refusal({"-C", "/tree"});
  refusal({"--json"});
}

TEST_F(OptionsTest, HabitsOfOtherToolsAreAnswered) {
  EXPECT_THAT(refusal({"ls"}), HasSubstr("did you mean envs or snapshots?"));
  EXPECT_THAT(refusal({"bake", "a"}), HasSubstr("did you mean build?"));
  for (auto [theirs, ours] : {std::pair("-q", "--quiet"),
                              {"--progress=plain", "--verbose"},
                              {"--print", "--dry-run"},
                              {"--target", "--to"},
                              {"--no-cache", "--fresh"},
                              {"--cache-from=x", "--from"}})
    EXPECT_THAT(refusal({"build", "a-minimal", theirs}), HasSubstr(std::string("did you mean ") + ours + "?"))
        << theirs;
  EXPECT_THAT(refusal({"list", "--no-cache"}), Not(HasSubstr("--fresh"))) << "it has no such option";
}

TEST_F(OptionsTest, UnknownOptionsAreReported) {
  EXPECT_THAT(refusal({"plan", "a", "--jsn"}),
              AllOf(HasSubstr("`stagemake plan` does not take --jsn; did you mean --json"),
                    HasSubstr("`stagemake plan --help` lists the options")));
  EXPECT_THAT(refusal({"status", "now"}), HasSubstr("`stagemake status` does not take now\n"));
  EXPECT_THAT(refusal({"-C", "plan", "debian-bookworm-minimal"}),
              HasSubstr("no command is named debian-bookworm-minimal"));
  EXPECT_THAT(refusal({"build", "a", "--restore", ""}), HasSubstr("--restore"));
}

TEST_F(OptionsTest, CommandsOfMetadata) {
  Options options = good({"list", ":standard:", "zlib", "--has-file", "a|b", "--has-file", "c", "--no-file",
                          "d", "--exclude", "e", "--json"});
  EXPECT_EQ(options.verb, Verb::List);
  EXPECT_THAT(options.query.selectors, ElementsAre(":standard:", "zlib"));
  EXPECT_THAT(options.query.has_file, ElementsAre("a|b", "c"));
  EXPECT_THAT(options.query.no_file, ElementsAre("d"));
  EXPECT_THAT(options.query.exclude, ElementsAre("e"));
  EXPECT_TRUE(options.json);
  options = good({"packages", "build", "zlib", "--dummy", "a,b", "--installed", "@file"});
  EXPECT_EQ(options.verb, Verb::Packages);
  EXPECT_THAT(options.make_targets, ElementsAre("build", "zlib"));
  EXPECT_THAT(options.dummies, ElementsAre("a,b"));
  EXPECT_THAT(options.installed, ElementsAre("@file"));
  EXPECT_EQ(good({"plan"}).verb, Verb::Plan);
  EXPECT_EQ(good({"snapshots"}).verb, Verb::Snapshots);
  EXPECT_EQ(good({"doctor"}).verb, Verb::Doctor);
  options = good({"shell", "a-minimal", "configured", "-n"});
  EXPECT_EQ(options.verb, Verb::Shell);
  EXPECT_EQ(options.stage, "configured");
  EXPECT_EQ(good({"clean", "a", "b"}).environments.size(), 2u);
  EXPECT_EQ(good({"explain", "a-minimal", "--targets", "x"}).given.at("TARGETS"), "x");
}

TEST_F(OptionsTest, GcOptionsSetThePolicy) {
  Options options = good({"gc"});
  EXPECT_EQ(options.verb, Verb::Gc);
  EXPECT_THAT(options.environments, IsEmpty());
  EXPECT_FALSE(options.eviction.has_limit() || options.eviction.keep_days || options.dry_run);
  options = good({"gc", "a-minimal", "b", "--keep-days", "7", "--keep", "2", "--max-size", "12G",
                  "--min-free", "1.5 GB", "-n", "--json"});
  EXPECT_THAT(options.environments, ElementsAre("a-minimal", "b"));
  EXPECT_EQ(options.eviction.keep_days, 7u);
  EXPECT_EQ(options.eviction.keep, 2u);
  EXPECT_EQ(options.eviction.max_size, 12'000'000'000u);
  EXPECT_EQ(options.eviction.min_free, 1'500'000'000u);
  EXPECT_TRUE(options.dry_run && options.json);
  EXPECT_THAT(refusal({"gc", "--max-size", "many"}), HasSubstr("is a size, as 500M or 12G"));
  for (const char* number : {"-1", "x", "1.5", ""}) refusal({"gc", "--keep", number});
  for (const char* size : {"-1G", "1GiB", ""}) refusal({"gc", "--min-free", size});
}

TEST_F(OptionsTest, RepeatableOptionsLeaveWhatFollowsAlone) {
  Options options = good({"list", "--exclude", "a", "b", "--has-file", "c", "d", "--no-file", "e", "f"});
  EXPECT_THAT(options.query.selectors, ElementsAre("b", "d", "f"));
  EXPECT_THAT(options.query.exclude, ElementsAre("a"));
  EXPECT_THAT(options.query.has_file, ElementsAre("c"));
  EXPECT_THAT(options.query.no_file, ElementsAre("e"));
  options = good({"build", "--to", "X", "--to", "Y", "--extra-tag", "t", "a-minimal"});
  EXPECT_THAT(options.environments, ElementsAre("a-minimal"));
  EXPECT_THAT(options.to, ElementsAre("X", "Y"));
  EXPECT_THAT(options.extra_tags, ElementsAre("t"));
  options = good({"plan", "--set", "A=b", "a-minimal", "--set", "C=d"});
  EXPECT_THAT(options.environments, ElementsAre("a-minimal"));
  EXPECT_THAT(options.given, UnorderedElementsAre(Pair("A", "b"), Pair("C", "d")));
  options = good({"packages", "--dummy", "a", "build", "--installed", "b", "zlib"});
  EXPECT_THAT(options.make_targets, ElementsAre("build", "zlib"));
}

TEST_F(OptionsTest, SettingsAreNamesAndValues) {
  Options options = good({"env", "a-minimal", "--set", "A=b=c", "--set", "EMPTY=", "--set", "A=last"});
  EXPECT_THAT(options.given, UnorderedElementsAre(Pair("A", "last"), Pair("EMPTY", "")));
  for (const char* setting : {"A", "=b", "", "="})
    EXPECT_THAT(refusal({"env", "a-minimal", "--set", setting}), HasSubstr("is not NAME=VALUE")) << setting;
  EXPECT_THAT(refusal({"env", "a-minimal", "--set", "\x1b[2J"}), testing::Not(HasSubstr("\x1b")));
  refusal({"env", "a-minimal", "--set"});
  refusal({"status", "--set", "A=b"});
}

TEST_F(OptionsTest, DockersBuildArgumentsAreTakenWhereNoOptionSaysOther) {
  set("EXTRA_DOCKER_BUILD_ARGS", "--build-arg NUMPROC=8 --build-arg TARGETS=docker --no-cache");
  Options options = good({"build", "a-minimal", "--targets", "option"});
  EXPECT_THAT(options.given, UnorderedElementsAre(Pair("NUMPROC", "8"), Pair("TARGETS", "option")));
  EXPECT_TRUE(options.fresh);
  EXPECT_EQ(err_, "");
}

TEST_F(OptionsTest, IgnoredDockerOptionsAreReportedInBuilds) {
  set("EXTRA_DOCKER_BUILD_ARGS", "--memory 4g");
  good({"build", "a-minimal"});
  EXPECT_THAT(err_, HasSubstr("--memory 4g is for `docker build`, and ignored"));
  good({"tox"});
  EXPECT_THAT(err_, HasSubstr("ignored"));
  good({"env", "a-minimal"});
  EXPECT_EQ(err_, "");
  set("EXTRA_DOCKER_BUILD_ARGS", "--build-arg X=$(id)");
  EXPECT_THAT(refusal({"build", "a-minimal"}), HasSubstr("EXTRA_DOCKER_BUILD_ARGS"));
}

TEST_F(OptionsTest, WordsBehindTwoDashesAreToxsArguments) {
  EXPECT_THAT(good({"tox", "--", "build", "--option", "-k"}).arguments,
              ElementsAre("build", "--option", "-k"));
  EXPECT_THAT(good({"tox"}).arguments, IsEmpty());
}

TEST_F(OptionsTest, UsageErrorsCannotDriveATerminal) {
  EXPECT_THAT(refusal({"build", "a", "--repository", "\x1b[31m"}), testing::Not(HasSubstr("\x1b")));
  EXPECT_THAT(refusal({"\x1b[31m"}), testing::Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace stagemake
