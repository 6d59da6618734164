// Where the time went, what images saved, and what was told on the way.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/html_sections.h"
#include "report/run_figures.h"

namespace stagemake {
namespace {

constexpr std::size_t kSlowest = 20;
constexpr std::size_t kRuns = 12;
constexpr std::size_t kNotes = 200;

std::string section(std::string_view id, std::string_view title, const std::string& body) {
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"h-{0}\">\n<h2 id=\"h-{0}\">{1}</h2>\n{2}</section>\n", id, title,
      body);
}

// A table in a box of its own. `head`: the cells of its first row.
std::string table(std::string_view label, std::string_view head, const std::string& rows) {
  return fmt::format(
      "<div class=\"scroll figures\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"{}\">\n<table>\n<thead><tr>{}"
      "</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
      label, head, rows);
}

std::string bar(double part, double whole) {
  return fmt::format(
      "<td aria-hidden=\"true\"><svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\">"
      "<rect class=\"wide\" width=\"{:.1f}\" height=\"8\"/></svg></td>",
      whole > 0 ? 100 * std::clamp(part / whole, 0.0, 1.0) : 0.0);
}

std::string place_html(const RunRecord& run, std::size_t e, std::size_t s) {
  return fmt::format("<td>{}</td><td>{}</td>", escaped(run.environments[e].name, 120),
                     escaped(run.environments[e].stages[s].name, 100));
}

std::string packages_table(const RunRecord& run) {
  std::vector<PackageFigures> slowest = slowest_packages(run, kSlowest);
  if (slowest.empty()) return {};
  std::string rows;
  for (const PackageFigures& one : slowest)
    rows += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td>{}{}<td class=\"number\">{}</td>"
        "<td class=\"number\">{}</td></tr>\n",
        escaped(one.name, 100), duration_html(one.longest), bar(one.longest, slowest.front().longest),
        place_html(run, one.environment, one.stage), duration_html(one.usual), one.times);
  return "<h3>Packages</h3>\n" +
         table("Slowest packages",
               "<th scope=\"col\">package</th><th scope=\"col\" class=\"number\">longest</th><td></td>"
               "<th scope=\"col\">where</th><th scope=\"col\">stage</th>"
               "<th scope=\"col\" class=\"number\">median</th><th scope=\"col\" class=\"number\">times</th>",
               rows);
}

std::string stages_table(const RunRecord& run) {
  std::vector<StageFigures> slowest = slowest_stages(run, kSlowest);
  if (slowest.empty()) return {};
  std::string rows;
  for (const StageFigures& one : slowest) {
    const StageRecord& stage = run.environments[one.environment].stages[one.stage];
    rows += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{}</td>{}<td class=\"number\">{}</td>"
        "<td>{}</td></tr>\n",
        escaped(run.environments[one.environment].name, 120), escaped(stage.name, 100),
        duration_html(one.seconds), bar(one.seconds, slowest.front().seconds),
        stage.expected.seconds > 0 ? duration_html(stage.expected.seconds) : "–", word(stage.status.state));
  }
  return "<h3>Stages</h3>\n" +
         table("Slowest stages",
               "<th scope=\"col\">environment</th><th scope=\"col\">stage</th>"
               "<th scope=\"col\" class=\"number\">took</th><td></td>"
               "<th scope=\"col\" class=\"number\">expected</th><th scope=\"col\">state</th>",
               rows);
}

std::string use_bar(const CacheUse& use) {
  auto all = static_cast<double>(use.reused + use.built + use.failed);
  if (all == 0) return "<td></td>";
  std::string rects;
  double at = 0;
  for (auto [state, number] :
       {std::pair{StageState::Reused, use.reused}, std::pair{StageState::Built, use.built},
        std::pair{StageState::Failed, use.failed}}) {
    double width = 100 * static_cast<double>(number) / all;
    if (number > 0)
      rects += fmt::format("<rect class=\"{}\" x=\"{:.2f}\" width=\"{:.2f}\" height=\"8\"/>",
                           css_class(state), at, width);
    at += width;
  }
  return "<td aria-hidden=\"true\"><svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\">" +
         rects + "</svg></td>";
}

std::string use_row(const RunRecord& run, bool this_one) {
  CacheUse use = cache_use(run);
  std::string time = time_html(run.began);
  return fmt::format(
      "<tr><th scope=\"row\">{}{}</th><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
      "<td class=\"number\">{}</td>{}<td class=\"number\">{}</td><td class=\"number\">{}{}</td></tr>\n",
      time.empty() ? "not known" : time, this_one ? " (this run)" : "",
      run.facts.revision.empty() ? "–" : code(run.facts.revision, 60), use.reused, use.built, use.failed,
      use_bar(use), use.packages, duration_html(use.seconds), run.ended > 0 ? "" : " (not ended)");
}

}  // namespace

std::string html_slowest(const ReportInput& input) {
  std::string body = packages_table(input.run);
  std::string stages = stages_table(input.run);
  if (!body.empty() && !stages.empty()) body += "<br>\n";
  body += stages;
  return body.empty() ? "" : section("slowest", "Slowest", body);
}

std::string html_cache(const ReportInput& input) {
  if (!input.run.has_begun()) return {};
  std::string rows = use_row(input.run, true);
  for (std::size_t i = 0; i < input.before.size() && i + 1 < kRuns; ++i)
    rows += use_row(input.before[i], false);
  return section(
      "cache", "Cache use",
      table("Cache use of the last runs",
            "<th scope=\"col\">run</th><th scope=\"col\">revision</th>"
            "<th scope=\"col\" class=\"number\">reused</th><th scope=\"col\" class=\"number\">built</th>"
            "<th scope=\"col\" class=\"number\">failed</th><td></td>"
            "<th scope=\"col\" class=\"number\">packages built</th>"
            "<th scope=\"col\" class=\"number\">took</th>",
            rows));
}

std::string html_notes(const ReportInput& input) {
  const std::vector<RunRecord::Note>& notes = input.run.notes;
  if (notes.empty()) return {};
  std::string list = "<ul class=\"notes\">\n";
  for (std::size_t i = 0; i < notes.size() && i < kNotes; ++i)
    list += fmt::format("<li>{} <span>{}</span></li>\n", duration_html(notes[i].time - input.run.began),
                        escaped(notes[i].text, 600));
  list += "</ul>\n";
  if (notes.size() > kNotes)
    list += fmt::format("<p class=\"soft\">and {} more</p>\n", notes.size() - kNotes);
  return section("notes", "Notes", list);
}

}  // namespace stagemake
