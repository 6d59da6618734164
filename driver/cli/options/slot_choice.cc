#include "cli/options/slot_choice.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/error.h"
#include "base/process/callers_environment.h"
#include "run/slots/job_slots.h"

namespace stagemake {
namespace {

unsigned processors() {
  return std::max(1u, std::thread::hardware_concurrency());
}

bool is_anything_built(const Session& session) {
  return std::any_of(session.builds.begin(), session.builds.end(), [](const EnvironmentBuild& build) {
    return std::any_of(build.decisions.begin(), build.decisions.end(),
                       [](const StageDecision& one) { return one.action == StageDecision::Action::Build; });
  });
}

}  // namespace

unsigned slots_of_a_build(const Options& options, const std::vector<Environment>& environments,
                          const JobserverWords& words) {
  if (options.slots && *options.slots > 0) return *options.slots;
  if (!options.slots && words.kind != JobserverWords::Kind::None) return words.jobs.value_or(processors());
  unsigned most = 0;
  for (const Environment& environment : environments) most = std::max(most, environment.jobs);
  return most > 0 && !options.slots ? most : processors();
}

unsigned stages_at_once(const Options& options, unsigned slots) {
  return options.at_once.value_or(std::max(2u, slots / 2));
}

std::vector<DispatchLimits> host_limits(const Options& options, const std::vector<ChosenEngine>& hosts) {
  constexpr unsigned kUnknownProcessors = 2;
  std::vector<DispatchLimits> all;
  if (hosts.size() == 1 && hosts.front().host.name.empty()) return all;
  for (const ChosenEngine& one : hosts) {
    unsigned processors = one.machine.processors > 0 ? one.machine.processors : kUnknownProcessors;
    DispatchLimits limits{.slots = one.host.slots.value_or(processors)};
    limits.at_once = one.host.at_once.value_or(stages_at_once(options, limits.slots));
    limits.memory = one.host.memory.value_or(options.memory.value_or(one.machine.memory));
    all.push_back(limits);
  }
  return all;
}

SlotChoice choose_slots(const Options& options, const std::vector<Environment>& environments) {
  SlotChoice choice{.pool = options.slots != 0u, .is_asked = options.slots > 0u};
  JobserverWords words;
  if (!options.slots) {
    words = jobserver_words(callers_variable("MAKEFLAGS"));
    choice.make = CallingMake::join(words, choice.note);
    if (!choice.make) words = {};
  }
  choice.count = slots_of_a_build(options, environments, words);
  if (choice.make)
    choice.note = words.jobs ? fmt::format("job slots are those of the calling make -j{}", *words.jobs)
                             : "job slots are those of the calling make";
  return choice;
}

SlotChoice slots_of_hosts(const std::vector<DispatchLimits>& hosts) {
  SlotChoice choice{.pool = false, .count = 0};
  for (const DispatchLimits& host : hosts) choice.count += host.slots;
  return choice;
}

std::string why_no_slots(Session& session, ContainerEngine& engine) {
  if (!is_anything_built(session)) return {};
  try {
    if (!engine.storage_folder()) return "the engine is not on this machine";
    JobSlots trial(1);
    fs::path fifo = session.state.job_slots(fmt::format("trial-{}", ::getpid()));
    trial.share(fifo);
    ::unlink(fifo.c_str());
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

void give_fair_shares(std::vector<EnvironmentBuild>& builds, unsigned at_once) {
  auto count = static_cast<unsigned>(std::clamp<std::size_t>(builds.size(), 1, std::max(1u, at_once)));
  for (EnvironmentBuild& build : builds)
    if (build.plan.environment.jobs == 0)
      build.plan.environment.values["MAKE"] = fmt::format("make -j{}", std::max(1u, processors() / count));
}

}  // namespace stagemake
