#include "report/html/html_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/text/text.h"
#include "report/events/run_figures.h"

namespace stagemake {
namespace {

constexpr std::size_t kReasons = 8;
constexpr std::size_t kFindings = 5;
constexpr std::size_t kPackages = 12;
constexpr std::size_t kFindingTags = 100;  // bytes, about

constexpr std::array kStates = {StageState::Failed,  StageState::Interrupted, StageState::Skipped,
                                StageState::Running, StageState::Waiting,     StageState::Built,
                                StageState::Reused};  // worst first

std::size_t badness(const EnvironmentRecord& environment) {
  for (std::size_t i = 0; i < kStates.size(); ++i)
    for (const StageRecord& stage : environment.stages)
      if (stage.status.state == kStates[i]) return i;
  return kStates.size();
}

bool is_well(const EnvironmentRecord& environment) {
  return badness(environment) > 2;  // nothing failed, was interrupted or skipped
}

std::vector<std::size_t> failures_first(const RunRecord& run) {
  std::vector<std::size_t> order(run.environments.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return badness(run.environments[a]) < badness(run.environments[b]);
  });
  return order;
}

// The names of all stages that some environment wants, in the order of the environments.
std::vector<std::string> columns_of(const RunRecord& run) {
  std::vector<std::string> columns;
  for (const EnvironmentRecord& environment : run.environments) {
    std::size_t after = 0;
    for (const StageRecord& stage : environment.stages) {
      auto found = std::find(columns.begin(), columns.end(), stage.name);
      if (found == columns.end() && stage.status.state != StageState::NotWanted)
        found = columns.insert(columns.begin() + static_cast<std::ptrdiff_t>(after), stage.name);
      if (found != columns.end()) after = static_cast<std::size_t>(found - columns.begin()) + 1;
    }
  }
  return columns;
}

void fill_legend(const RunRecord& run, HtmlPart section) {
  for (auto state = kStates.rbegin(); state != kStates.rend(); ++state)
    if (std::size_t number = run.count(*state); number > 0)
      section.add("KEY", {{"STATE", word(*state)}, {"COUNT", number}});
}

double seconds_of(const RunRecord& run, const StageRecord& stage) {
  if (stage.status.state == StageState::Running) {
    Span span = span_of(run, stage);
    return span.to - span.from;
  }
  return did_run(stage.status.state) ? sane_seconds(stage.status.seconds) : 0;
}

void add_cell(const RunRecord& run, std::size_t environment, const std::string& column, HtmlPart row) {
  const std::vector<StageRecord>& stages = run.environments[environment].stages;
  auto found =
      std::find_if(stages.begin(), stages.end(), [&](const StageRecord& one) { return one.name == column; });
  bool exists = found != stages.end();
  if (!exists || found->status.state == StageState::NotWanted)
    row.add("CELL", {{"ABSENT", exists ? "not asked for" : "no such stage"}});
  else
    row.add("CELL", {{"BOX", cell_id(environment, static_cast<std::size_t>(found - stages.begin()))},
                     {"STATE", word(found->status.state)},
                     {"TOOK", duration_if_any(seconds_of(run, *found))}});
}

void fill_table(const RunRecord& run, const std::vector<std::size_t>& order, HtmlPart section) {
  std::vector<std::string> columns = columns_of(run);
  for (const std::string& column : columns) section.add("COLUMN", {{"STAGE", column, 100}});
  for (std::size_t e : order) {
    const EnvironmentRecord& environment = run.environments[e];
    HtmlPart row =
        section.add("ROW", {{"WELL", is_well(environment)}, {"ENVIRONMENT", environment.name, 120}});
    for (const std::string& column : columns) add_cell(run, e, column, row);
  }
}

void fill_reasons(const std::vector<std::string>& reasons, HtmlPart box) {
  if (reasons.empty()) return;
  std::size_t shown = std::min(reasons.size(), kReasons);
  HtmlPart list = box.add("REASONS", {{"MORE", reasons.size() - shown}});
  for (std::size_t i = 0; i < shown; ++i) list.add("REASON", {{"TEXT", reasons[i], 300}});
}

void add_packages(const RunRecord& run, const StageRecord& stage, PackageState state, HtmlPart list) {
  std::vector<std::string> names;
  double seconds = 0;
  for (const PackageRecord& package : stage.packages) {
    if (package.state != state) continue;
    names.push_back(package.name);
    Span span = span_of(run, stage, package);
    seconds += span.to - span.from;
  }
  if (names.empty()) return;
  list.add("GROUP", {{"COUNT", names.size()},
                     {"WORD", word(state)},
                     {"SECONDS", duration_if_any(seconds)},
                     {"SEVERAL", names.size() > 1},
                     {"NAMES", some_of(names, kPackages), 600}});
}

void fill_packages(const RunRecord& run, const StageRecord& stage, HtmlPart box) {
  if (stage.packages.empty()) return;
  HtmlPart list = box.add("PACKAGES");
  for (PackageState state : {PackageState::Built, PackageState::Failed, PackageState::Interrupted,
                             PackageState::Refused, PackageState::Building})
    add_packages(run, stage, state, list);
}

bool add_finding(const StageRecord& stage, const LogFinding& finding, bool must, Space& space,
                 HtmlPart list) {
  HtmlValue package("PACKAGE", finding.package, 100), message("MESSAGE", finding.message, 200);
  HtmlValue file("FILE", finding.file == stage.status.log ? "" : finding.file, 300);
  std::size_t size = html_size(package.text) + html_size(message.text) + html_size(file.text);
  if (!must && !space.take(size + kFindingTags)) return false;
  bool of_tests = finding.kind == LogFinding::Kind::TestFailure;
  show_excerpt(list.add("FINDING", {{"OF_TESTS", of_tests}, package, message, file, {"LINE", finding.line}}),
               finding, space);
  return true;
}

void fill_findings(const StageRecord& stage, Space& space, HtmlPart box) {
  const std::vector<LogFinding>& all = stage.status.findings;
  if (all.empty()) return;
  HtmlPart list = box.add("FINDINGS");
  std::size_t shown = 0;
  while (shown < std::min(all.size(), kFindings) && add_finding(stage, all[shown], shown == 0, space, list))
    ++shown;
  list.set({{"MORE", all.size() - shown}});
}

// All details of one stage.
void add_box(const ReportInput& input, std::size_t e, std::size_t s, Space& space, HtmlPart section) {
  const StageRecord& stage = input.run.environments[e].stages[s];
  const StageStatus& status = stage.status;
  bool stopped = status.state == StageState::Failed || status.state == StageState::Interrupted;
  HtmlPart box = section.add(
      "DETAILS",
      {{"BOX", cell_id(e, s)},
       {"ENVIRONMENT", input.run.environments[e].name, 120},
       {"STAGE", stage.name, 100},
       {"STATE", word(status.state)},
       {"TOOK", duration_if_any(seconds_of(input.run, stage))},
       {"EXPECTED", duration_if_any(stage.expected.seconds)},
       {"MEMORY", status.memory > 0 ? size_text(status.memory) : ""},
       {"DETAIL", status.detail == status.image ? "" : status.detail, 600},
       {"IMAGE", status.image, 500},
       {"LOG", status.log, 1000},
       {"COMMAND", stopped ? reproduce_command(input, {.environment = e, .stage = s}) : "", 2000}});
  fill_reasons(stage.expected.reasons, box);
  fill_findings(stage, space, box);
  fill_packages(input.run, stage, box);
}

}  // namespace

std::string cell_id(std::size_t environment, std::size_t stage) {
  return fmt::format("s{}-{}", environment, stage);
}

bool has_cell(const RunRecord& run, const FailurePlace& place) {
  const StageRecord* stage = stage_at(run, place);
  return stage != nullptr && stage->status.state != StageState::NotWanted;
}

void fill_matrix(const ReportInput& input, HtmlPart page, Space& space) {
  const RunRecord& run = input.run;
  if (run.environments.empty()) return;
  std::vector<std::size_t> order = failures_first(run);
  auto well =
      static_cast<std::size_t>(std::count_if(run.environments.begin(), run.environments.end(), is_well));
  HtmlPart section =
      page.add("ENVIRONMENTS", {{"NOT_WELL", well > 0 ? run.environments.size() - well : std::size_t{0}}});
  fill_legend(run, section);
  fill_table(run, order, section);
  for (std::size_t e : order)
    for (std::size_t s = 0; s < run.environments[e].stages.size(); ++s)
      if (has_cell(run, {.environment = e, .stage = s})) add_box(input, e, s, space, section);
}

}  // namespace stagemake
