// What failed: a card for each group of failures that are alike.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "report/html_sections.h"
#include "report/run_figures.h"

namespace stagemake {
namespace {

constexpr std::size_t kGroups = 200;      // shown at most
constexpr std::size_t kOpenGroups = 3;    // whose log excerpts are unfolded
constexpr std::size_t kPlacesAtOnce = 6;  // that are not folded away
constexpr std::size_t kPlacesInPage = 5000;
constexpr std::size_t kCommandsOfGroup = 20;

struct Tag {
  std::string_view css, word;
};

Tag tag_of(FailureGroup::Kind kind) {
  switch (kind) {
    case FailureGroup::Kind::New:
      return {"new", "new"};
    case FailureGroup::Kind::Again:
      return {"again", "as before"};
    case FailureGroup::Kind::Expected:
      return {"expected", "expected"};
  }
  return {};
}

class Cards {
 public:
  Cards(const ReportInput& input, Space& space) : input_(input), run_(input.run), space_(space) {}

  // `verb`: "fails".
  std::string card(const FailureGroup& group, const Tag& tag, std::string_view verb) {
    std::string text =
        fmt::format("<article class=\"card {}\">\n<h3><span class=\"tag\">{}</span> {} {} {}</h3>\n", tag.css,
                    tag.word, code(group.name), verb, extent_of(group));
    if (!group.message.empty()) text += "<p class=\"message\">" + code(group.message, 400) + "</p>\n";
    std::string origin = origin_of(group);
    if (!origin.empty()) text += "<p class=\"soft\">" + origin + "</p>\n";
    text += places(group);
    text += evidence(group, tag.css == "new" && shown_++ < kOpenGroups);
    return text + other_places(group) + "</article>\n";
  }

 private:
  std::string extent_of(const FailureGroup& group) const {
    std::set<std::size_t> environments;
    std::set<std::string> stages;
    for (const FailurePlace& place : group.places)
      if (const StageRecord* stage = stage_at(run_, place))
        environments.insert(place.environment), stages.insert(stage->name);
    std::string text = "on " + counted(environments.size(), "environment");
    if (stages.size() == 1 && *stages.begin() != group.name) text += " in " + code(*stages.begin());
    return text;
  }

  static std::string origin_of(const FailureGroup& group) {
    std::string text;
    if (!group.since.empty()) text = "since " + code(group.since, 100);
    if (!group.why.empty()) text += (text.empty() ? "" : "; ") + escaped(group.why, 400);
    return text;
  }

  // An environment's name; a button where there is more to be seen.
  std::string chip(const FailurePlace& place) const {
    const StageRecord* stage = stage_at(run_, place);
    std::string name = escaped(run_.environments[place.environment].name, 120);
    if (!has_cell(run_, place)) return "<li><span class=\"chip\">" + name + "</span></li>";
    return fmt::format(
        "<li><button type=\"button\" class=\"chip {}\" popovertarget=\"{}\">{}</button></li>\n",
        css_class(stage->status.state), cell_id(place.environment, place.stage), name);
  }

  std::string places(const FailureGroup& group) {
    std::string list, rest;
    std::size_t number = 0, folded = 0, left_out = 0;
    std::set<std::pair<std::size_t, std::size_t>> told;
    for (const FailurePlace& place : group.places) {
      if (stage_at(run_, place) == nullptr || !told.emplace(place.environment, place.stage).second) continue;
      if (places_ >= kPlacesInPage) {
        ++left_out;
        continue;
      }
      ++places_;
      if (number++ < kPlacesAtOnce || group.places.size() <= kPlacesAtOnce + 2)
        list += chip(place);
      else
        rest += chip(place), ++folded;
    }
    std::string text = list.empty() ? "" : "<ul class=\"chips\">\n" + list + "</ul>\n";
    if (folded > 0)
      text +=
          fmt::format("<details><summary>and {} more</summary>\n<ul class=\"chips\">\n{}</ul>\n</details>\n",
                      folded, rest);
    if (left_out > 0)
      text += fmt::format("<p class=\"soft\">{} not listed.</p>\n", counted(left_out, "more is", "more are"));
    return text;
  }

  // What the first log of them says, where it is, and how to have it again.
  std::string evidence(const FailureGroup& group, bool open) {
    auto first = std::find_if(group.places.begin(), group.places.end(),
                              [&](const FailurePlace& place) { return stage_at(run_, place) != nullptr; });
    if (first == group.places.end()) return {};
    const LogFinding* finding = finding_at(run_, *first);
    const std::string& environment = run_.environments[first->environment].name;
    std::string text = finding == nullptr ? "" : space_.excerpt(*finding);
    if (!text.empty())
      text = fmt::format("<details{}><summary>What the log says on {}</summary>\n{}</details>\n",
                         open ? " open" : "", escaped(environment, 120), text);
    return text + log_line(*first) + command_html(reproduce_command(input_, *first));
  }

  std::string log_line(const FailurePlace& place) const {
    const LogFinding* finding = finding_at(run_, place);
    std::string log = log_of(*stage_at(run_, place), finding);
    if (log.empty()) return {};
    std::string line = finding != nullptr && finding->line > 0 ? fmt::format(", line {}", finding->line) : "";
    return "<p class=\"path\">log: " + code(log, 1000) + line + "</p>\n";
  }

  std::string other_places(const FailureGroup& group) const {
    std::string text;
    std::size_t known = 0, listed = 0;
    for (const FailurePlace& place : group.places) {
      if (stage_at(run_, place) == nullptr || ++known == 1 || listed >= kCommandsOfGroup) continue;
      std::string one = log_line(place) + command_html(reproduce_command(input_, place));
      if (one.empty()) continue;
      ++listed;
      text += "<h4>" + escaped(run_.environments[place.environment].name, 120) + "</h4>\n" + one;
    }
    if (text.empty()) return {};
    std::string_view which = known - 1 > listed ? "the next" : "the other";
    return fmt::format("<details><summary>Logs and commands of {} {}</summary>\n{}</details>\n", which,
                       listed, text);
  }

  const ReportInput& input_;
  const RunRecord& run_;
  Space& space_;
  std::size_t shown_ = 0;
  std::size_t places_ = 0;
};

std::string unexpectedly_well_html(const Verdict& verdict) {
  if (verdict.unexpectedly_well.empty()) return {};
  std::string list;
  for (const ExpectedFailure& one : verdict.unexpectedly_well) {
    std::string where = one.environments.empty() ? "" : " on " + escaped(some_of(one.environments), 300);
    std::string why = one.why.empty() ? "" : ": " + escaped(one.why, 400);
    list += fmt::format("<li>{}{}{} <span class=\"soft\">(line {} of the list)</span></li>\n", code(one.name),
                        where, why, one.line);
  }
  return "<article class=\"card well\">\n<h3><span class=\"tag\">well</span> Expected to fail, but did "
         "not</h3>\n"
         "<ul>\n" +
         list + "</ul>\n</article>\n";
}

}  // namespace

std::string html_verdict(const ReportInput& input, Space& space) {
  const Verdict& verdict = input.verdict;
  Cards cards(input, space);
  std::string text =
      "<section id=\"failures\" aria-labelledby=\"h-failures\">\n<h2 id=\"h-failures\">Failures</h2>\n";
  if (verdict.groups.empty())
    text += fmt::format("<p>Nothing failed{}.</p>\n", input.run.ended > 0 ? "" : " so far");
  for (std::size_t i = 0; i < verdict.groups.size() && i < kGroups; ++i)
    text += cards.card(verdict.groups[i], tag_of(verdict.groups[i].kind), "fails");
  if (verdict.groups.size() > kGroups)
    text += fmt::format("<p>{} not shown.</p>\n",
                        counted(verdict.groups.size() - kGroups, "more group is", "more groups are"));
  text += unexpectedly_well_html(verdict);
  if (!verdict.test_failures.empty()) {
    std::size_t number = verdict.test_failures.size();
    text +=
        fmt::format("<details class=\"more\"><summary>{} built, with failures of {} own tests</summary>\n",
                    counted(number, "package was", "packages were"), number == 1 ? "its" : "their");
    for (std::size_t i = 0; i < number && i < kGroups; ++i)
      text += cards.card(verdict.test_failures[i], {"tests", "tests"}, "fails its tests");
    text += "</details>\n";
  }
  return text + "</section>\n";
}

}  // namespace stagemake
