#include "cli/run.h"

#include <cstdio>
#include <new>

#include "base/error.h"
#include "base/files/files.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/commands/adopt_command.h"
#include "cli/commands/build_command.h"
#include "cli/commands/diff_command.h"
#include "cli/commands/doctor_command.h"
#include "cli/commands/environment_commands.h"
#include "cli/commands/gc_command.h"
#include "cli/commands/graph_command.h"
#include "cli/commands/image_commands.h"
#include "cli/commands/inside_commands.h"
#include "cli/commands/manual_commands.h"
#include "cli/commands/metadata_commands.h"
#include "cli/commands/report_command.h"
#include "cli/commands/repro_command.h"
#include "cli/commands/simulate_command.h"
#include "cli/commands/tox_command.h"
#include "cli/commands/watching_commands.h"
#include "cli/commands/why_command.h"

namespace stagemake {
namespace {

int run_verb(const Options& options) {
  switch (options.verb) {
    case Verb::List:
      return list_command(options);
    case Verb::Packages:
      return packages_command(options);
    case Verb::Plan:
      return plan_command(options);
    case Verb::Stages:
      return stages_command(options);
    case Verb::Envs:
      return envs_command(options);
    case Verb::Build:
      return build_command(options);
    case Verb::Explain:
      return explain_command(options);
    case Verb::Jobs:
      return jobs_command(options);
    case Verb::Status:
      return status_command(options);
    case Verb::Report:
      return report_command(options);
    case Verb::Logs:
      return logs_command(options);
    case Verb::Simulate:
      return simulate_command(options);
    case Verb::Snapshots:
      return snapshots_command(options);
    case Verb::Shell:
      return shell_command(options);
    case Verb::Clean:
      return clean_command(options);
    case Verb::Gc:
      return gc_command(options);
    case Verb::Doctor:
      return doctor_command(options);
    case Verb::Env:
      return env_command(options);
    case Verb::SystemPackages:
      return system_packages_command(options);
    case Verb::Dockerfile:
      return dockerfile_command(options);
    case Verb::Adopt:
      return adopt_command(options);
    case Verb::Tox:
      return tox_command(options);
    case Verb::Why:
      return why_command(options);
    case Verb::Graph:
      return graph_command(options);
    case Verb::Diff:
      return diff_command(options);
    case Verb::Repro:
      return repro_command(options);
    case Verb::Completion:
      return completion_command(options);
    case Verb::Help:
      return help_command(options);
    case Verb::Manual:
      return manual_command(options);
  }
  return static_cast<int>(ExitStatus::BadInput);
}

}  // namespace

int run(int argc, const char* const* argv) {
  fill_standard_descriptors();
  try {
    ParsedOptions parsed = parse_options(argc, argv);
    int status = parsed.stop ? *parsed.stop : run_verb(parsed.options);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      throw Error(ExitStatus::EngineUnusable, "standard output cannot be written");
    return status;
  } catch (const Error& error) {
    std::string text;
    for (const Fault& fault : error.faults())
      text += (text.empty() ? "stagemake: " : "\nstagemake: ") + fault.text();
    say(text);
    return static_cast<int>(error.status());
  } catch (const fs::filesystem_error& error) {
    say("stagemake: " + printable(error.path1().empty() ? std::string("a file") : error.path1().string()) +
        ": " + error.code().message());
  } catch (const std::bad_alloc&) {
    say("stagemake: out of memory");
  } catch (const std::exception& error) {
    // Usually the output: fmt only reports that a file cannot be written.
    if (std::ferror(stdout) != 0) {
      say("stagemake: standard output cannot be written");
      return static_cast<int>(ExitStatus::EngineUnusable);
    }
    say(std::string("stagemake: ") + error.what());
  }
  return static_cast<int>(ExitStatus::EngineUnusable);
}

}  // namespace stagemake
