// The command line as a value: everything that a user can specify, also in environment variables.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files/files.h"
#include "base/text/text.h"
#include "engine/engine_finder.h"
#include "environment/environment_choice.h"
#include "environment/network_choice.h"
#include "environment/package_list.h"
#include "schedule/eviction.h"
#include "snapshot/candidate.h"

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
  Help,
  Manual,
  Env,
  SystemPackages,
  Dockerfile,
  Adopt,
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
  std::string sage_check = "no";       // like the variable SAGE_CHECK: no, warn or yes

  // Environments, and settings from options for all of them (environment/environment.h). Settings from the
  // caller's variables are not included, because the tree's tox.ini takes precedence over them.
  std::vector<std::string> environments;
  EnvironmentChoice choice;        // patterns and exceptions; its names are `environments`
  std::vector<std::string> first;  // patterns of environments whose results are needed soon
  std::map<std::string, std::string> given;
  std::optional<bool> host_shell;  // whether a build may let a shell evaluate text of the tree
  // http_proxy and the like, for what runs in containers.
  std::map<std::string, std::string> proxies;
  std::vector<NetworkChoice> networks;               // from options
  std::vector<NetworkChoice> networks_of_variables;  // these have lower precedence

  // envs
  bool systems = false;
  bool package_factors = false;
  bool by_system = false;
  bool check = false;
  std::string prefix;

  // dockerfile
  std::optional<fs::path> output;

  // adopt
  bool adopts_by_diff = false;  // prints a patch

  // tox, shell, help, manual
  std::vector<std::string> arguments;
  std::optional<std::string> envdir;

  // Engine, images, state.
  EngineKind engine = EngineKind::Auto;
  bool engine_given = false;  // by --engine
  std::string hosts;          // --hosts, for cli/options/host_list.h; empty: one engine
  std::string repository;
  std::optional<std::string> tag;
  std::vector<std::string> extra_tags;
  std::string push_to;  // prefix for the names of pushed images; empty: nothing is pushed
  enum class Push { No, Try, Required } push = Push::Try;
  std::vector<std::string> from;         // repositories to search for images
  std::vector<std::string> plain_http;   // registries to contact without TLS, besides this machine's
  std::vector<std::string> token_hosts;  // token servers that may get logins, besides registries
  std::optional<fs::path> state;
  bool take_names = false;            // also names of images that stagemake did not make
  std::vector<std::string> trust;     // files with public keys, or keys in PEM
  std::optional<fs::path> sign_with;  // the private key that signs pushed images
  bool push_fetched = false;          // BuildWorld::push_fetched

  // clean
  bool containers = false;            // containers with unsaved work, instead of images
  std::optional<fs::path> export_to;  // export their files first

  // build, explain
  std::vector<std::string> to;      // stages; empty: the table's default
  std::optional<unsigned> at_once;  // stages; absent: cli/options/slot_choice.h
  bool dry_run = false;
  bool fresh = false;
  bool start_over = false;           // implies fresh, except with rebuild
  std::vector<std::string> rebuild;  // stages
  bool clean_only = false;
  bool strict = false;
  std::string restore;
  BasePolicy base_policy = BasePolicy::Follow;
  std::optional<double> deadline;         // seconds since the epoch
  std::optional<double> stall;            // seconds
  std::optional<double> checkpoint;       // seconds
  std::optional<std::uint64_t> min_free;  // bytes of disk space to keep free
  std::optional<std::uint64_t> memory;    // bytes for all stages together; absent: what is free
  bool discard_unsaved = false;           // work of an earlier run that cannot be saved
  bool keep_going = true;
  bool quiet = false;
  bool verbose = false;
  bool count_calls = false;
  std::string color = "auto";
  std::optional<fs::path> events;             // an additional file for events, besides the state folder
  std::optional<fs::path> expected_failures;  // report/verdict/verdict.h

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
  std::string run;         // a kept run; empty: the latest that built something or failed
  bool list_runs = false;  // all kept runs
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

// How the command abbreviates lists: --json has everything, and so has -v.
Listing listing_of(const Options& options);

// Parses. `stop` is set if nothing remains to be done (--help, --version, or a usage error, which has been
// printed); then the int is the exit status.
struct ParsedOptions {
  Options options;
  std::optional<int> stop;
};
ParsedOptions parse_options(int argc, const char* const* argv);

// Gives access to the definitions: which commands exist, and what each accepts.
void with_command_line(const std::function<void(const CLI::App&)>& look);

}  // namespace stagemake
