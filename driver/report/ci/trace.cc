#include "report/ci/trace.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "report/events/run_figures.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMachine = 1;
constexpr std::size_t kFirstEnvironment = 2;

long long microseconds(double seconds) {
  return std::llround(seconds * 1e6);
}

struct Slice {
  std::string name;
  std::string_view category;
  Span span;
  ordered_json arguments;
};

class Trace {
 public:
  // `id` of the process is also its position from the top.
  void add_process(std::size_t id, const std::string& name) {
    add_name("process_name", id, 0, {{"name", name}});
    add_name("process_sort_index", id, 0, {{"sort_index", id}});
  }

  // Adds lanes of their own, beginning with thread `first`; returns the first thread after them.
  std::size_t add_lanes(std::size_t process, std::size_t first, std::string_view name,
                        std::vector<Slice> slices) {
    std::vector<Span> spans;
    for (const Slice& slice : slices) spans.push_back(slice.span);
    std::vector<std::size_t> lanes = packed_lanes(spans);
    std::size_t end = first;
    for (std::size_t i = 0; i < slices.size(); ++i) {
      end = std::max(end, first + lanes[i] + 1);
      long long from = microseconds(spans[i].from);
      events_.push_back({{"name", std::move(slices[i].name)},
                         {"cat", slices[i].category},
                         {"ph", "X"},
                         {"ts", from},
                         {"dur", microseconds(spans[i].to) - from},
                         {"pid", process},
                         {"tid", first + lanes[i]},
                         {"args", std::move(slices[i].arguments)}});
    }
    for (std::size_t lane = first; lane < end; ++lane) {
      std::string numbered =
          end - first == 1 ? std::string(name) : fmt::format("{} {}", name, lane - first + 1);
      add_name("thread_name", process, lane, {{"name", numbered}});
      add_name("thread_sort_index", process, lane, {{"sort_index", lane}});
    }
    return end;
  }

  void add_counter(std::string_view name, double time, std::string_view what, double value) {
    if (!std::isfinite(value)) return;
    events_.push_back({{"name", name},
                       {"ph", "C"},
                       {"ts", microseconds(time)},
                       {"pid", kMachine},
                       {"args", {{what, value}}}});
  }

  void add_instant(const std::string& name, double time) {
    events_.push_back({{"name", name},
                       {"cat", "note"},
                       {"ph", "i"},
                       {"s", "g"},
                       {"ts", microseconds(time)},
                       {"pid", kMachine},
                       {"tid", 0}});
  }

  ordered_json take_events() { return std::move(events_); }

 private:
  void add_name(std::string_view what, std::size_t process, std::size_t thread, ordered_json arguments) {
    events_.push_back(
        {{"name", what}, {"ph", "M"}, {"pid", process}, {"tid", thread}, {"args", std::move(arguments)}});
  }

  ordered_json events_ = ordered_json::array();
};

ordered_json arguments_of(const StageRecord& stage) {
  ordered_json result{{"state", word(stage.status.state)}};
  auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) result[name] = text;
  };
  add("detail", stage.status.detail);
  add("image", stage.status.image);
  add("log", stage.status.log);
  if (stage.expected.seconds > 0) result["expected_seconds"] = stage.expected.seconds;
  if (!stage.expected.reasons.empty()) result["reasons"] = stage.expected.reasons;
  if (!stage.status.findings.empty()) add("says", stage.status.findings.front().message);
  return result;
}

// The name contains the state if it did not succeed, because viewers show little else.
template <class State>
std::string named(const std::string& name, State state, State well) {
  return state == well ? name : fmt::format("{} ({})", name, word(state));
}

std::vector<Slice> stage_slices(const RunRecord& run, const EnvironmentRecord& environment,
                                const std::string& prefix) {
  std::vector<Slice> slices;
  for (const StageRecord& stage : environment.stages) {
    Span span = span_of(run, stage);
    if (span.to > span.from)
      slices.push_back({named(prefix + stage.name, stage.status.state, StageState::Built), "stage", span,
                        arguments_of(stage)});
  }
  return slices;
}

std::vector<Slice> package_slices(const RunRecord& run, const EnvironmentRecord& environment) {
  std::vector<Slice> slices;
  for (const StageRecord& stage : environment.stages)
    for (const PackageRecord& package : stage.packages) {
      Span span = span_of(run, stage, package);
      if (span.to > span.from)
        slices.push_back({named(package.name, package.state, PackageState::Built),
                          "package",
                          span,
                          {{"state", word(package.state)}, {"stage", stage.name}}});
    }
  return slices;
}

void add_machine(Trace& trace, const RunRecord& run) {
  trace.add_process(kMachine, run.facts.machine.empty() ? "machine" : "machine " + run.facts.machine);
  std::vector<Slice> all;
  for (const EnvironmentRecord& environment : run.environments)
    for (Slice& slice : stage_slices(run, environment, environment.name + " "))
      all.push_back(std::move(slice));
  trace.add_lanes(kMachine, 1, "stages", std::move(all));
  for (const RunRecord::Sample& sample : run.samples) {
    double time = sane_seconds(sample.time - run.began);
    trace.add_counter("processors busy, %", time, "busy", 100 * sample.machine.busy);
    trace.add_counter("memory in use, %", time, "memory", 100 * sample.machine.memory);
    if (sample.machine.slots > 0)
      trace.add_counter("job slots in use", time, "slots", sample.machine.slots_used);
    if (sample.machine.free > 0)
      trace.add_counter("free for images, GB", time, "free", static_cast<double>(sample.machine.free) / 1e9);
  }
  for (const RunRecord::Note& note : run.notes)
    trace.add_instant(note.text, sane_seconds(note.time - run.began));
}

}  // namespace

std::string chrome_trace(const RunRecord& run) {
  Trace trace;
  add_machine(trace, run);
  for (std::size_t e = 0; e < run.environments.size(); ++e) {
    const EnvironmentRecord& environment = run.environments[e];
    std::vector<Slice> stages = stage_slices(run, environment, "");
    std::vector<Slice> packages = package_slices(run, environment);
    if (stages.empty() && packages.empty()) continue;
    trace.add_process(kFirstEnvironment + e, environment.name);
    std::size_t next = trace.add_lanes(kFirstEnvironment + e, 1, "stages", std::move(stages));
    trace.add_lanes(kFirstEnvironment + e, next, "packages", std::move(packages));
  }
  ordered_json result{{"traceEvents", trace.take_events()},
                      {"displayTimeUnit", "ms"},
                      {"otherData",
                       {{"distribution", run.facts.distribution},
                        {"revision", run.facts.revision},
                        {"machine", run.facts.machine},
                        {"engine", run.facts.engine},
                        {"stagemake", run.facts.version},
                        {"began", utc_time(run.began)}}}};
  return result.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace stagemake
