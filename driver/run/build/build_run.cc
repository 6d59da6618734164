#include "run/build/build_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "base/text/text.h"
#include "run/build/fresh_build.h"
#include "run/control/machine_watch.h"

namespace stagemake {
namespace {

bool is_proxy(const std::string& variable) {
  return variable.ends_with("_proxy") || variable.ends_with("_PROXY");
}

bool names_loopback(const std::string& url) {
  std::size_t scheme = url.find("://");
  std::string_view rest = std::string_view(url).substr(scheme == std::string::npos ? 0 : scheme + 3);
  rest = rest.substr(0, rest.find('/'));
  if (std::size_t user = rest.rfind('@'); user != std::string_view::npos) rest.remove_prefix(user + 1);
  return rest.starts_with("127.") || rest.starts_with("[::1]") || rest == "localhost" ||
         rest.starts_with("localhost:");
}

}  // namespace

BuildRun::BuildRun(const BuildWorld& world, std::vector<EnvironmentBuild>& builds,
                   const BuildOptions& options, Reporter& reporter)
    : builds_(builds),
      progress_(builds, reporter),
      hosts_(world, builds, options, progress_),
      run_(hosts_[0]) {
  for (std::size_t i = 0; i < builds.size(); ++i) {
    std::optional<SharedStages> shared = shared_stages(decided(builds), i);
    environments_.emplace_back(hosts_, builds[i], i, shared ? &environments_[shared->environment] : nullptr,
                               shared ? shared->stage : 0);
  }
}

BuildResult BuildRun::run() {
  using Steady = std::chrono::steady_clock;
  auto began = Steady::now();
  for (const EnvironmentBuild& build : builds_)
    for (const std::string& note : build.notes) progress_.note(note);
  for (std::size_t h = 0; h < hosts_.size(); ++h)
    if (!hosts_.is_lost(h)) note_networks(hosts_[h]);
  note_closed_host();
  std::vector<FlowStep> flow = steps();
  progress_.begin();
  std::optional<MachineWatch> watch;
  bool anything =
      std::any_of(flow.begin(), flow.end(), [](const FlowStep& step) { return step.task.seconds > 0; });
  FlowExecutor executor(std::move(flow), hosts_.limits());
  for (EnvironmentRun& environment : environments_) environment.set_flow(executor);
  hosts_.begin(executor);
  if (run_.options.watch_every && anything)
    watch.emplace([this](MachineSample& sample) { hosts_.complete(sample); },
                  [this](const MachineSample& sample) { progress_.reporter().sampled(sample); },
                  *run_.options.watch_every);
  executor.run();
  watch.reset();
  hosts_.end();
  auto built = Steady::now();
  hosts_.finish_pushes();
  auto seconds = [](Steady::duration duration) { return std::chrono::duration<double>(duration).count(); };
  progress_.end({.all = seconds(Steady::now() - began), .pushing = seconds(Steady::now() - built)});
  progress_.show_notes_at_end();
  BuildResult& result = progress_.result();
  if (result.out_of_time || run_.options.stop.stop_requested()) note_remaining();
  if (result.all_well()) remember_finished(run_.world, builds_);
  return std::move(result);
}

// One step per wanted stage, in the order that the simulation uses.
std::vector<FlowStep> BuildRun::steps() {
  Estimate estimate = estimate_of(estimate_basis(run_.world), decided(builds_));
  std::vector<Task> tasks = tasks_of(estimate.simulated);
  std::vector<FlowStep> steps;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    StageRun& stage = environments_[estimate.stages[i].environment].stage(estimate.stages[i].stage);
    stage.plan_step(i, std::move(estimate.simulated[i]));
    steps.push_back({.task = tasks[i], .work = [&stage](auto host) { stage.step(host); }});
  }
  return steps;
}

// Reports how the networks that stages get differ from those that they should have.
void BuildRun::note_networks(const RunContext& host) {
  std::set<Network> wanted;
  for (const EnvironmentRun& environment : environments_)
    for (std::size_t s = 0; s < environment.size(); ++s)
      if (environment.stage(s).decision().action == StageDecision::Action::Build)
        wanted.insert(environment.setting().networks[s]);
  for (Network network : wanted)
    if (std::string gap = host.world.engine.network_gap(network); !gap.empty())
      progress_.note(fmt::format("{}network `{}`: {}",
                                 hosts_.are_several() ? "host " + hosts_.name(host.host) + ", " : "",
                                 name_of(network), gap));
    else if (network == Network::Default && host.host == 0)
      note_proxies();
}

// A proxy on this machine's loopback does not work from another network.
void BuildRun::note_proxies() {
  std::set<std::string> told;
  for (const EnvironmentBuild& build : builds_)
    for (const StageSpec& stage : build.plan.table.stages)
      for (const std::string& name : stage.passes)
        if (is_proxy(name) && names_loopback(build.plan.environment.value(name)) && told.insert(name).second)
          progress_.note(
              fmt::format("the proxy in {} is on this machine's loopback, which containers with the network "
                          "`default` do not reach: `--network host` gives them this machine's network",
                          name));
}

// Reports that a stage table from a pull request asks for more than it gets.
void BuildRun::note_closed_host() {
  if (run_.world.networks.table_may_open_host) return;
  for (const EnvironmentRun& environment : environments_)
    for (std::size_t s = 0; s < environment.size(); ++s)
      if (const StageSpec& stage = environment.plan().table.stages[s];
          environment.stage(s).decision().action == StageDecision::Action::Build &&
          stage.network == Network::Host && environment.setting().networks[s] == Network::Default) {
        progress_.note(
            fmt::format("{}: {} asks for this machine's network, which a pull request does not open; "
                        "`--network {}=host` does",
                        environment.name(), stage.name, stage.name));
        return;
      }
}

// The last lines of a run that did not finish.
void BuildRun::note_remaining() {
  std::vector<RemainingWork> all;
  for (const EnvironmentRun& environment : environments_)
    if (std::optional<RemainingWork> work = environment.remaining()) all.push_back(std::move(*work));
  for (const std::string& line : remaining_lines(std::move(all))) progress_.note(line);
}

}  // namespace stagemake
