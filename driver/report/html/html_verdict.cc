#include "report/html/html_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text/text.h"
#include "report/events/run_figures.h"
#include "report/html/html_matrix.h"

namespace stagemake {
namespace {

constexpr std::size_t kGroups = 200;      // shown groups
constexpr std::size_t kOpenGroups = 3;    // groups whose log excerpts are unfolded
constexpr std::size_t kPlacesAtOnce = 6;  // places that are always visible
constexpr std::size_t kPlacesInPage = 5000;
constexpr std::size_t kCommandsOfGroup = 20;

struct Tag {
  std::string_view css, word, what;
};

Tag tag_of(FailureGroup::Kind kind) {
  switch (kind) {
    case FailureGroup::Kind::New:
      return {"new", "new", "fails"};
    case FailureGroup::Kind::Again:
      return {"again", "as before", "fails"};
    case FailureGroup::Kind::Expected:
      return {"expected", "expected", "fails"};
  }
  return {};
}

constexpr Tag kTests = {"tests", "tests", "fails its tests"};

class Cards {
 public:
  Cards(const ReportInput& input, Space& space) : input_(input), run_(input.run), space_(space) {}

  void fill(const FailureGroup& group, const Tag& tag, HtmlPart card) {
    std::vector<FailurePlace> known = known_places(group);
    card.set({{"KIND", tag.css},
              {"WORD", tag.word},
              {"PACKAGE", group.name, 200},
              {"WHAT", tag.what},
              {"MESSAGE", group.message, 400},
              {"ORIGIN", !group.since.empty() || !group.why.empty()},
              {"SINCE", group.since, 100},
              {"WHY", group.why, 400}});
    fill_extent(group, known, card);
    fill_places(known, card);
    if (known.empty()) return;
    fill_evidence(known[0], tag.css == "new" && shown_++ < kOpenGroups, card);
    fill_others(known, card);
  }

 private:
  std::vector<FailurePlace> known_places(const FailureGroup& group) const {
    std::vector<FailurePlace> known;
    for (const FailurePlace& place : group.places)
      if (stage_at(run_, place) != nullptr) known.push_back(place);
    return known;
  }

  void fill_extent(const FailureGroup& group, const std::vector<FailurePlace>& known, HtmlPart card) const {
    std::set<std::size_t> environments;
    std::set<std::string> stages;
    for (const FailurePlace& place : known)
      environments.insert(place.environment), stages.insert(stage_at(run_, place)->name);
    bool one = stages.size() == 1 && *stages.begin() != group.name;
    card.set({{"ENVIRONMENTS", counted(environments.size(), "environment")},
              {"STAGE", one ? *stages.begin() : "", 200}});
  }

  const std::string& environment_at(const FailurePlace& place) const {
    return run_.environments[place.environment].name;
  }

  // An environment's name; a button if there are details.
  void add_chip(const FailurePlace& place, HtmlPart list) const {
    bool has_box = has_cell(run_, place);
    list.add("PLACE", {{"ENVIRONMENT", environment_at(place), 120},
                       {"STATE", word(stage_at(run_, place)->status.state)},
                       {"BOX", has_box ? cell_id(place.environment, place.stage) : ""},
                       {"NO_BOX", !has_box}});
  }

  void fill_places(const std::vector<FailurePlace>& known, HtmlPart card) {
    std::vector<FailurePlace> places;
    std::set<std::pair<std::size_t, std::size_t>> listed;
    for (const FailurePlace& place : known)
      if (listed.emplace(place.environment, place.stage).second) places.push_back(place);
    std::size_t shown = std::min(places.size(), kPlacesInPage - places_);
    std::size_t unfolded = places.size() <= kPlacesAtOnce + 2 ? shown : std::min(shown, kPlacesAtOnce);
    places_ += shown;
    for (auto [from, to] : {std::pair{std::size_t{0}, unfolded}, std::pair{unfolded, shown}}) {
      if (from == to) continue;
      HtmlPart list = card.add("PLACES", {{"FOLDED", from > 0 ? to - from : 0}});
      for (std::size_t i = from; i < to; ++i) add_chip(places[i], list);
    }
    std::size_t rest = places.size() - shown;
    card.set({{"NOT_LISTED", rest > 0 ? counted(rest, "more is", "more are") : ""}});
  }

  // The first log finding, its place, and how to reproduce it.
  void fill_evidence(const FailurePlace& first, bool open, HtmlPart card) {
    HtmlPart part = add_log("FIRST", first, card);
    part.set({{"OPEN", open}});
    if (const LogFinding* finding = finding_at(run_, first)) show_excerpt(part, *finding, space_);
  }

  HtmlPart add_log(const char* name, const FailurePlace& place, HtmlPart part) const {
    const LogFinding* finding = finding_at(run_, place);
    return part.add(name, {{"ENVIRONMENT", environment_at(place), 120},
                           {"LOG", log_of(*stage_at(run_, place), finding), 1000},
                           {"LINE", finding == nullptr ? 0 : finding->line},
                           {"COMMAND", reproduce_command(input_, place), 2000}});
  }

  bool has_log_or_command(const FailurePlace& place) const {
    return !log_of(*stage_at(run_, place), finding_at(run_, place)).empty() ||
           !reproduce_command(input_, place).empty();
  }

  void fill_others(const std::vector<FailurePlace>& known, HtmlPart card) const {
    std::vector<FailurePlace> listed;
    for (std::size_t i = 1; i < known.size() && listed.size() < kCommandsOfGroup; ++i)
      if (has_log_or_command(known[i])) listed.push_back(known[i]);
    if (listed.empty()) return;
    std::string_view which = known.size() - 1 > listed.size() ? "the next" : "the other";
    HtmlPart others = card.add("OTHERS", {{"OTHERS", fmt::format("{} {}", which, listed.size())}});
    for (const FailurePlace& place : listed) add_log("OTHER", place, others);
  }

  const ReportInput& input_;
  const RunRecord& run_;
  Space& space_;
  std::size_t shown_ = 0;
  std::size_t places_ = 0;
};

void fill_unexpectedly_well(const Verdict& verdict, HtmlPart page) {
  if (verdict.unexpectedly_well.empty()) return;
  HtmlPart list = page.add("UNEXPECTEDLY_WELL");
  for (const ExpectedFailure& one : verdict.unexpectedly_well)
    list.add("ONE", {{"PACKAGE", one.name, 200},
                     {"WHERE", one.environments.empty() ? "" : some_of(one.environments), 300},
                     {"WHY", one.why, 400},
                     {"LINE", one.line}});
}

}  // namespace

void fill_verdict(const ReportInput& input, HtmlPart page, Space& space) {
  const Verdict& verdict = input.verdict;
  Cards cards(input, space);
  page.set({{"NOTHING_FAILED", verdict.groups.empty()}});
  for (std::size_t i = 0; i < verdict.groups.size() && i < kGroups; ++i)
    cards.fill(verdict.groups[i], tag_of(verdict.groups[i].kind), page.include("FAILURE", "failure.html"));
  if (verdict.groups.size() > kGroups)
    page.set(
        {{"MORE_FAILURES", counted(verdict.groups.size() - kGroups, "more group is", "more groups are")}});
  fill_unexpectedly_well(verdict, page);
  std::size_t number = verdict.test_failures.size();
  if (number == 0) return;
  HtmlPart tests = page.add("FAILED_TESTS", {{"PACKAGES", counted(number, "package was", "packages were")},
                                             {"WHOSE", number == 1 ? "its" : "their"}});
  for (std::size_t i = 0; i < number && i < kGroups; ++i)
    cards.fill(verdict.test_failures[i], kTests, tests.include("FAILED_TEST", "failure.html"));
}

}  // namespace stagemake
