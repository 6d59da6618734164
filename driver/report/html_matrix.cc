// Environment × stage: a table that scrolls in a box of its own, and the boxes that its cells open.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/text.h"
#include "report/html_sections.h"
#include "report/run_figures.h"

namespace stagemake {
namespace {

constexpr std::size_t kReasons = 8;
constexpr std::size_t kFindings = 5;
constexpr std::size_t kPackages = 12;

constexpr std::array kStates = {StageState::Failed,  StageState::Interrupted, StageState::Skipped,
                                StageState::Running, StageState::Waiting,     StageState::Built,
                                StageState::Reused};  // the worst first

std::size_t badness(const EnvironmentRecord& environment) {
  for (std::size_t i = 0; i < kStates.size(); ++i)
    for (const StageRecord& stage : environment.stages)
      if (stage.status.state == kStates[i]) return i;
  return kStates.size();
}

bool is_well(const EnvironmentRecord& environment) {
  return badness(environment) > 2;  // neither failed nor interrupted nor skipped
}

std::vector<std::size_t> failures_first(const RunRecord& run) {
  std::vector<std::size_t> order(run.environments.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return badness(run.environments[a]) < badness(run.environments[b]);
  });
  return order;
}

// The names of all stages that some environment wants, in the order in which environments have them.
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

std::string legend(const RunRecord& run) {
  std::string list;
  for (auto state = kStates.rbegin(); state != kStates.rend(); ++state)
    if (std::size_t number = run.count(*state); number > 0)
      list +=
          fmt::format("<li class=\"{} key\">{} <b>{}</b></li>\n", css_class(*state), number, word(*state));
  return list.empty() ? "" : "<ul class=\"legend\" aria-label=\"Stages by state\">\n" + list + "</ul>\n";
}

double seconds_of(const RunRecord& run, const StageRecord& stage) {
  if (stage.status.state == StageState::Running) {
    Span span = span_of(run, stage);
    return span.to - span.from;
  }
  return did_run(stage.status.state) ? sane_seconds(stage.status.seconds) : 0;
}

std::string cell(const RunRecord& run, std::size_t environment, const std::string& column) {
  const std::vector<StageRecord>& stages = run.environments[environment].stages;
  auto found =
      std::find_if(stages.begin(), stages.end(), [&](const StageRecord& one) { return one.name == column; });
  if (found == stages.end()) return "<td class=\"none\"><abbr title=\"no such stage\">–</abbr></td>";
  StageState state = found->status.state;
  if (state == StageState::NotWanted) return "<td class=\"none\"><abbr title=\"not asked for\">–</abbr></td>";
  double seconds = seconds_of(run, *found);
  return fmt::format(
      "<td class=\"{}\"><button type=\"button\" popovertarget=\"{}\"><b>{}</b>{}</button></td>",
      css_class(state), cell_id(environment, static_cast<std::size_t>(found - stages.begin())), word(state),
      seconds > 0 ? " <i>" + duration_text(seconds) + "</i>" : "");
}

std::string table(const RunRecord& run, const std::vector<std::size_t>& order) {
  std::vector<std::string> columns = columns_of(run);
  std::string text =
      "<div class=\"scroll matrix\" tabindex=\"0\" role=\"region\" "
      "aria-labelledby=\"h-environments\">\n<table>\n"
      "<thead><tr><th scope=\"col\">environment</th>";
  for (const std::string& column : columns) text += "<th scope=\"col\">" + escaped(column, 100) + "</th>";
  text += "</tr></thead>\n<tbody>\n";
  for (std::size_t e : order) {
    text +=
        fmt::format("<tr{}><th scope=\"row\">{}</th>", is_well(run.environments[e]) ? " class=\"well\"" : "",
                    escaped(run.environments[e].name, 120));
    for (const std::string& column : columns) text += cell(run, e, column);
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table>\n</div>\n";
}

std::string list_of(const std::vector<std::string>& lines, std::size_t most) {
  std::string text = "<ul>\n";
  for (std::size_t i = 0; i < lines.size() && i < most; ++i)
    text += "<li>" + escaped(lines[i], 300) + "</li>\n";
  if (lines.size() > most) text += fmt::format("<li>and {} more</li>\n", lines.size() - most);
  return text + "</ul>\n";
}

std::string packages_html(const RunRecord& run, const StageRecord& stage) {
  if (stage.packages.empty()) return {};
  std::string text;
  for (PackageState state : {PackageState::Built, PackageState::Failed, PackageState::Interrupted,
                             PackageState::Refused, PackageState::Building}) {
    std::vector<std::string> names;
    double seconds = 0;
    for (const PackageRecord& package : stage.packages) {
      if (package.state != state) continue;
      names.push_back(package.name);
      Span span = span_of(run, stage, package);
      seconds += span.to - span.from;
    }
    if (names.empty()) continue;
    std::string took = seconds > 0 ? " in " + duration_html(seconds) : "";
    if (!took.empty() && names.size() > 1) took += " together";
    text += fmt::format("<li>{} {}{}: {}</li>\n", names.size(), word(state), took,
                        escaped(some_of(names, kPackages), 600));
  }
  return "<h4>Packages</h4>\n<ul>\n" + text + "</ul>\n";
}

std::string message_html(const StageRecord& stage, const LogFinding& finding) {
  std::string text = finding.kind == LogFinding::Kind::TestFailure ? "tests of " : "";
  if (!finding.package.empty()) text += "<b>" + escaped(finding.package, 100) + "</b>: ";
  text = "<p class=\"message\">" + text + code(finding.message, 200) + "</p>\n";
  if (!finding.file.empty() && finding.file != stage.status.log)
    text += "<p class=\"path\">" + code(finding.file, 300) +
            (finding.line > 0 ? fmt::format(", line {}", finding.line) : "") + "</p>\n";
  return text;
}

std::string findings_html(const StageRecord& stage, Space& space) {
  const std::vector<LogFinding>& all = stage.status.findings;
  if (all.empty()) return {};
  std::string text = message_html(stage, all[0]) + space.excerpt(all[0]);
  std::size_t shown = 1;
  for (; shown < all.size() && shown < kFindings; ++shown) {
    std::string next = space.if_fits(message_html(stage, all[shown]));
    if (next.empty()) break;
    text += next + space.excerpt(all[shown]);
  }
  if (all.size() > shown) text += fmt::format("<p>and {} more in the log</p>\n", all.size() - shown);
  return "<h4>What its log says</h4>\n" + text;
}

// All that is to be said of one stage.
std::string box(const ReportInput& input, std::size_t e, std::size_t s, Space& space) {
  const StageRecord& stage = input.run.environments[e].stages[s];
  std::string id = cell_id(e, s);
  double seconds = seconds_of(input.run, stage);
  std::string text = fmt::format(
      "<article id=\"{0}\" popover class=\"box\" aria-labelledby=\"h{0}\">\n<button type=\"button\" "
      "class=\"close\" "
      "popovertarget=\"{0}\" popovertargetaction=\"hide\">close</button>\n<h3 id=\"h{0}\">{1} "
      "<span>{2}</span></h3>\n"
      "<p><span class=\"key {3}\"><b>{4}</b></span>",
      id, escaped(input.run.environments[e].name, 120), escaped(stage.name, 100),
      css_class(stage.status.state), word(stage.status.state));
  if (seconds > 0) text += " after " + duration_html(seconds);
  if (stage.expected.seconds > 0) text += "; expected: " + duration_html(stage.expected.seconds);
  if (stage.status.memory > 0) text += "; memory: " + size_text(stage.status.memory) + " at most";
  text += "</p>\n";
  if (!stage.status.detail.empty() && stage.status.detail != stage.status.image)
    text += "<p>" + escaped(stage.status.detail, 600) + "</p>\n";
  if (!stage.expected.reasons.empty())
    text += "<h4>Why it was to be built</h4>\n" + list_of(stage.expected.reasons, kReasons);
  text += findings_html(stage, space) + packages_html(input.run, stage);
  if (!stage.status.image.empty())
    text += "<p class=\"path\">image: " + code(stage.status.image, 500) + "</p>\n";
  if (!stage.status.log.empty()) text += "<p class=\"path\">log: " + code(stage.status.log, 1000) + "</p>\n";
  if (stage.status.state == StageState::Failed || stage.status.state == StageState::Interrupted)
    text += command_html(reproduce_command(input, {.environment = e, .stage = s}));
  return text + "</article>\n";
}

}  // namespace

std::string cell_id(std::size_t environment, std::size_t stage) {
  return fmt::format("s{}-{}", environment, stage);
}

bool has_cell(const RunRecord& run, const FailurePlace& place) {
  const StageRecord* stage = stage_at(run, place);
  return stage != nullptr && stage->status.state != StageState::NotWanted;
}

std::string html_matrix(const ReportInput& input, Space& space) {
  const RunRecord& run = input.run;
  if (run.environments.empty()) return {};
  std::vector<std::size_t> order = failures_first(run);
  auto well =
      static_cast<std::size_t>(std::count_if(run.environments.begin(), run.environments.end(), is_well));
  std::string text =
      "<section id=\"environments\" aria-labelledby=\"h-environments\">\n<h2 "
      "id=\"h-environments\">Environments</h2>\n" +
      legend(run);
  if (well > 0 && well < run.environments.size())
    text +=
        fmt::format("<label class=\"only\"><input type=\"checkbox\"> only the {} that are not well</label>\n",
                    run.environments.size() - well);
  text += table(run, order) + "<div class=\"boxes\">\n";
  for (std::size_t e : order)
    for (std::size_t s = 0; s < run.environments[e].stages.size(); ++s)
      if (has_cell(run, {.environment = e, .stage = s})) text += box(input, e, s, space);
  return text + "</div>\n</section>\n";
}

}  // namespace stagemake
