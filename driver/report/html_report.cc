#include "report/html_report.h"

#include <fmt/format.h>

#include "base/text.h"
#include "report/html_sections.h"
#include "report/run_figures.h"

namespace stagemake {
namespace {

constexpr std::size_t kExcerptBytes = 600 << 10;  // in the whole page

// Nothing is loaded and nothing runs, even if some text had got around the escaping.
constexpr std::string_view kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

std::string title(const RunFacts& facts) {
  std::string name = facts.distribution.empty() ? "run" : facts.distribution;
  return facts.revision.empty() ? name : name + " " + facts.revision;
}

void add_fact(std::string& list, std::string_view name, const std::string& html) {
  if (!html.empty()) list += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, html);
}

std::string machine_html(const RunFacts& facts) {
  std::string text = facts.machine.empty() ? "" : code(facts.machine);
  if (facts.processors > 0) text += (text.empty() ? "" : ", ") + counted(facts.processors, "processor");
  return text;
}

std::string facts_html(const RunRecord& run) {
  const RunFacts& facts = run.facts;
  std::string list;
  add_fact(list, "tree", facts.tree.empty() ? "" : code(facts.tree));
  add_fact(list, "machine", machine_html(facts));
  add_fact(list, "engine", escaped(facts.engine, 100));
  add_fact(list, "at once", facts.at_once == 0 ? "" : counted(facts.at_once, "stage"));
  add_fact(list, "began", time_html(run.began));
  if (run.ended > 0)
    add_fact(list, "ended", time_html(run.ended));
  else
    add_fact(list, "not ended; last heard of", time_html(run.last_event));
  add_fact(list, "took", duration_html(run.seconds()));
  add_fact(list, "expected", run.expected_seconds > 0 ? duration_html(run.expected_seconds) : "");
  return list.empty() ? "" : "<dl class=\"facts\">\n" + list + "</dl>\n";
}

std::string_view outcome(const Verdict& verdict) {
  if (count(verdict, FailureGroup::Kind::New) + count(verdict, FailureGroup::Kind::Again) > 0)
    return "failed";
  return verdict.environments_well < verdict.environments ? "interrupted" : "built";
}

std::string header_html(const ReportInput& input) {
  const RunFacts& facts = input.run.facts;
  std::string line = escaped(result_line(input));
  std::size_t first = line.find(';');
  line = "<strong>" + line.substr(0, first) + "</strong>" +
         (first == std::string::npos ? "" : line.substr(first));
  return fmt::format("<header>\n<h1>{}{}</h1>\n<p class=\"result {}\">{}{}</p>\n{}</header>\n",
                     escaped(facts.distribution.empty() ? "run" : facts.distribution, 100),
                     facts.revision.empty() ? "" : " " + code(facts.revision, 100), outcome(input.verdict),
                     input.run.ended > 0 ? "" : "So far: ", line, facts_html(input.run));
}

std::string navigation_html(const std::string& body) {
  constexpr std::pair<std::string_view, std::string_view> kSections[] = {
      {"failures", "Failures"}, {"environments", "Environments"},
      {"timeline", "Timeline"}, {"slowest", "Slowest"},
      {"cache", "Cache"},       {"notes", "Notes"}};
  std::string list;
  for (const auto& [id, name] : kSections)
    if (body.find(fmt::format("<section id=\"{}\"", id)) != std::string::npos)
      list += fmt::format("<a href=\"#{}\">{}</a>\n", id, name);
  return "<nav aria-label=\"Sections\">\n" + list + "</nav>\n";
}

std::string footer_html(const RunFacts& facts) {
  std::string text = "stagemake" + (facts.version.empty() ? "" : " " + escaped(facts.version, 100));
  if (!facts.command.empty()) text += ": " + code(shell_quoted(facts.command), 1000);
  return "<footer><p>" + text + "</p></footer>\n";
}

}  // namespace

std::string html_report(const ReportInput& input) {
  Space space(kExcerptBytes);
  std::string body = html_verdict(input, space) + html_matrix(input, space) + html_timeline(input) +
                     html_slowest(input) + html_cache(input) + html_notes(input);
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}: {}</title>\n<style>\n{}</style>\n",
      kPolicy, escaped(title(input.run.facts), 200), escaped(result_line(input)), html_style());
  page += "</head>\n<body>\n" + header_html(input) + navigation_html(body) + "<main>\n" + body + "</main>\n";
  return page + footer_html(input.run.facts) + "</body>\n</html>\n";
}

}  // namespace stagemake
