#include "report/html/html_report.h"

#include <algorithm>

#include "base/text/text.h"
#include "report/events/run_figures.h"
#include "report/html/html_excerpt.h"
#include "report/html/html_matrix.h"
#include "report/html/html_part.h"
#include "report/html/html_tables.h"
#include "report/html/html_template.h"
#include "report/html/html_timeline.h"
#include "report/html/html_verdict.h"

namespace stagemake {
namespace {

constexpr std::size_t kExcerptBytes = 600 << 10;  // for the whole page

std::string_view outcome(const Verdict& verdict) {
  if (count(verdict, FailureGroup::Kind::New) + count(verdict, FailureGroup::Kind::Again) > 0)
    return "failed";
  return verdict.environments_well < verdict.environments ? "interrupted" : "built";
}

void fill_facts(const RunRecord& run, HtmlPart page) {
  const RunFacts& facts = run.facts;
  std::string processors = facts.processors > 0 ? counted(facts.processors, "processor") : "";
  page.add("FACTS", {{"TREE", facts.tree, 200},
                     {"MACHINE", !facts.machine.empty() || !processors.empty()},
                     {"HOST", facts.machine, 200},
                     {"PROCESSORS", processors},
                     {"ENGINE", facts.engine, 100},
                     {"AT_ONCE", facts.at_once > 0 ? counted(facts.at_once, "stage") : ""},
                     {"BEGAN", minute(run.began)},
                     {"ENDED", run.ended > 0 ? minute(run.ended) : ""},
                     {"LAST_EVENT", run.ended > 0 ? "" : minute(run.last_event)},
                     {"TOOK", duration(run.seconds())},
                     {"EXPECTED", duration_if_any(run.expected_seconds)}});
}

void fill_frame(const ReportInput& input, HtmlPart page) {
  const RunFacts& facts = input.run.facts;
  std::string result = result_line(input);
  std::size_t first = std::min(result.find(';'), result.size());
  page.set({{"DISTRIBUTION", facts.distribution.empty() ? "run" : facts.distribution, 100},
            {"REVISION", facts.revision, 100},
            {"RESULT", result.substr(0, first)},
            {"RESULT_DETAILS", result.substr(first)},
            {"OUTCOME", outcome(input.verdict)},
            {"NOT_ENDED", !(input.run.ended > 0)},
            {"VERSION", facts.version, 100},
            {"CALL", shell_quoted(facts.command), 1000}});
}

}  // namespace

std::string html_report(const ReportInput& input) {
  return filled_template([&](HtmlPart page) {
    Space space(kExcerptBytes);
    fill_frame(input, page);
    fill_facts(input.run, page);
    fill_verdict(input, page, space);
    fill_matrix(input, page, space);
    fill_timeline(input, page);
    fill_slowest(input, page);
    fill_cache(input, page);
    fill_notes(input, page);
  });
}

}  // namespace stagemake
