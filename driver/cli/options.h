// The command line: what a person can say, as a value. Everything a person may say in a variable is read here
// too.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "engine/container_engine.h"
#include "plan/candidate.h"
#include "plan/environment_choice.h"
#include "plan/eviction.h"
#include "plan/network_choice.h"
#include "plan/package_list.h"

namespace CLI {
class App;
}

namespace stagemake {

enum class Verb {
  List,
  Packages,
  Plan,
  Stages,
  Envs,
  Build,
  Explain,
  Simulate,
  Jobs,
  Status,
  Report,
  Logs,
  Snapshots,
  Shell,
  Clean,
  Gc,
  Doctor,
  Completion,
  Env,
  SystemPackages,
  Dockerfile,
  Tox,
  Why,
  Graph,
  Diff,
  Repro
};

struct Options {
  Verb verb = Verb::Doctor;
  bool json = false;
  std::vector<std::string> command_line;  // as it was given

  // The tree and how to read it.
  std::optional<fs::path> tree;
  std::optional<fs::path> stages;
  bool strict_metadata = false;

  // list, packages
  PackageListQuery query;
  std::vector<std::string> make_targets;
  std::vector<std::string> dummies;    // names, or @FILE
  std::vector<std::string> installed;  // names, or @FILE
  std::string sage_check = "no";       // as the variable SAGE_CHECK: no, warn or yes

  // Environments, and what is said of all of them by options (plan/environment.h). What the caller's
  // variables say of them is not here: the tree's tox.ini comes before it.
  std::vector<std::string> environments;
  EnvironmentChoice choice;        // what else is said of which ones; its names are `environments`
  std::vector<std::string> first;  // patterns: what must be known soon
  std::map<std::string, std::string> given;
  std::optional<bool> host_shell;  // whether a build may let a shell evaluate the tree's text; cli/host_shell.h
  // http_proxy and the like, for what runs in containers.
  std::map<std::string, std::string> proxies;
  std::vector<NetworkChoice> networks;               // by options
  std::vector<NetworkChoice> networks_of_variables;  // these are weaker

  // envs
  bool systems = false;
  bool package_factors = false;
  bool by_system = false;
  bool check = false;
  std::string prefix;

  // dockerfile
  std::optional<fs::path> output;

  // tox
  std::vector<std::string> arguments;
  std::optional<std::string> envdir;

  // Engine, images, state.
  EngineKind engine = EngineKind::Auto;
  bool engine_given = false;  // by --engine
  std::string repository;
  std::optional<std::string> tag;
  std::vector<std::string> extra_tags;
  std::string push_to;  // in front of the names that are pushed; empty: nothing is
  enum class Push { No, Try, Required } push = Push::Try;
  std::vector<std::string> from;        // repositories in which images are looked for
  std::vector<std::string> plain_http;  // registries that are spoken to without TLS, beside this machine's
  std::vector<std::string> token_hosts;  // token servers that may have logins, beside registries' own hosts
  std::optional<fs::path> state;
  bool take_names = false;  // also those of images that stagemake did not make

  // clean
  bool containers = false;            // those with unsaved work instead of images
  std::optional<fs::path> export_to;  // their files, first

  // build, explain
  std::vector<std::string> to;      // stages; empty: the table's default
  std::optional<unsigned> at_once;  // stages; absent: cli/slot_choice.h
  bool dry_run = false;
  bool fresh = false;
  bool start_over = false;  // implies fresh
  bool clean_only = false;
  bool strict = false;
  std::string restore;
  BasePolicy base_policy = BasePolicy::Follow;
  std::optional<double> deadline;         // seconds since the epoch
  std::optional<double> stall;            // seconds
  std::optional<double> checkpoint;       // seconds
  std::optional<std::uint64_t> min_free;  // bytes that a build leaves free
  std::optional<std::uint64_t> memory;    // bytes for all stages at once; absent: what is free
  bool discard_unsaved = false;           // what an earlier run left and cannot be saved
  bool keep_going = true;
  bool quiet = false;
  bool verbose = false;
  bool count_calls = false;
  std::string color = "auto";
  std::optional<fs::path> events;             // where lines of events go, beside the state folder
  std::optional<fs::path> expected_failures;  // report/verdict.h

  // build, simulate
  std::optional<unsigned>
      slots;  // job slots for all makes together; 0: each has its own; absent: slot_choice.h

  // simulate
  std::optional<unsigned> machines;
  std::optional<fs::path> durations;

  // gc
  EvictionPolicy eviction;

  // shell, graph, repro
  std::string stage;

  // status, report, logs
  std::string run;  // of the kept ones; empty: the youngest
  std::optional<fs::path> html, junit, trace;
  std::string package;
  bool follow = false;

  // why, graph, diff
  struct Inspection {
    std::string package;
    enum class Form { Text, Dot, Svg } form = Form::Text;
    std::vector<std::string> revisions;
  } inspection;

  // completion
  std::string shell;
};

// Parses. `stop` is set where there is nothing more to do (--help, --version, or a usage error, which has
// been told); the int is then the exit status.
struct ParsedOptions {
  Options options;
  std::optional<int> stop;
};
ParsedOptions parse_options(int argc, const char* const* argv);

// Options win over variables; a variable that is set and empty is as good as unset. Throws Error (BadInput)
// for a variable, a repository or a tag that cannot be used.
void complete_options(Options& options);

// Shows the definitions themselves: which commands there are, and what each takes.
void with_command_line(const std::function<void(const CLI::App&)>& look);

}  // namespace stagemake
