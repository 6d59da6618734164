#include "report/html/html_report.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <future>
#include <map>
#include <set>

#include "base/files/files.h"
#include "base/text/text.h"
#include "report/ci/junit.h"
#include "report/ci/trace.h"
#include "report/events/run_json.h"
#include "report/made_run.h"
#include "report/markup.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Element read(const MadeRun& made) {
  return read_html(html_report(made.input()));
}

const Element& section(const Element& page, const std::string& id) {
  for (const Element* one : page.all("section"))
    if (one->attribute("id") == id) return *one;
  throw std::runtime_error("no section " + id);
}

// The cells of a table's rows, joined.
std::vector<std::string> rows_of(const Element& table) {
  std::vector<std::string> result;
  for (const Element* row : table.all("tr")) {
    std::string text;
    for (const Element& cell : row->children) text += (text.empty() ? "" : " | ") + cell.whole;
    result.push_back(text);
  }
  return result;
}

std::vector<std::string> texts(const Element& element, const std::string& name) {
  std::vector<std::string> result;
  for (const Element* one : element.all(name)) result.push_back(one->whole);
  return result;
}

TEST(HtmlReport, BeginsWithTheResultAndItsFacts) {
  MadeRun made = small_run();
  Element page = read(made);
  EXPECT_EQ(page.attribute("lang"), "en");
  EXPECT_EQ(page.one("title").whole, "mini v1-3-gabc: 0 of 1 environment well; 1 new failure");
  EXPECT_EQ(page.one("h1").whole, "mini v1-3-gabc");
  const Element& header = page.one("header");
  EXPECT_EQ(header.one("p").whole, "0 of 1 environment well; 1 new failure");
  EXPECT_THAT(texts(header, "dt"), ElementsAre("machine", "engine", "at once", "began", "ended", "took"));
  EXPECT_THAT(texts(header, "dd"), ElementsAre("host, 4 processors", "buildah", "1 stage",
                                               "1970-01-01 00:16 UTC", "1970-01-01 00:17 UTC", "47 s"));
  EXPECT_EQ(page.one("footer").whole, "stagemake 1.2: stagemake build 'a b'");
  made.run.ended = 0;
  page = read(made);
  EXPECT_THAT(page.one("header").one("p").whole, StartsWith("So far: 0 of 1"));
  EXPECT_THAT(texts(page, "dt"), testing::Contains("not ended; last event"));
}

TEST(HtmlReport, SectionsAreInTheOrderOfTheirWorth) {
  std::vector<std::string> ids;
  Element page = read(made_run(54));
  for (const Element* one : page.one("main").all("section")) ids.push_back(one->attribute("id"));
  EXPECT_THAT(ids, ElementsAre("failures", "environments", "timeline", "slowest", "cache", "notes"));
  EXPECT_THAT(texts(page.one("nav"), "a"),
              ElementsAre("Failures", "Environments", "Timeline", "Slowest", "Cache", "Notes"));
}

TEST(HtmlReport, AFailureSaysWhatWhereSinceWhenAndHowToHaveItAgain) {
  Element page = read(small_run());
  const Element& card = section(page, "failures").one("article");
  EXPECT_EQ(card.one("h3").whole, "new gmp fails on 1 environment in with-targets");
  EXPECT_THAT(texts(card, "p"), ElementsAre("ld: no <crt1.o>", "since v1", "log: /l/t.log, line 77"));
  EXPECT_EQ(card.one("li").whole, "debian-12.1-minimal");
  EXPECT_EQ(card.one("details").attributes.count("open"), 1u);
  EXPECT_EQ(card.one("summary").whole, "What the log says on debian-12.1-minimal");
  EXPECT_THAT(texts(card, "pre"),
              ElementsAre("cc -o \"a\" & b\nld: no <crt1.o>\n",
                          "stagemake build debian-12.1-minimal --to with-targets --tree /home/builder/sage"));
  EXPECT_EQ(card.one("pre").one("b").whole, "ld: no <crt1.o>") << "the line that says it";
}

TEST(HtmlReport, ManyPlacesAreFolded) {
  MadeRun made = made_run(200);
  const FailureGroup& group = made.verdict.groups[0];
  ASSERT_EQ(group.places.size(), 22u);
  Element page = read(made);
  const Element& card = section(page, "failures").one("article");
  EXPECT_EQ(card.one("h3").whole, "new giac fails on 22 environments in with-targets");
  EXPECT_EQ(card.one("ul").all("li").size(), 6u);
  EXPECT_THAT(texts(card, "summary"), ElementsAre("and 16 more", "What the log says on ubuntu-jammy-minimal",
                                                  "Logs and commands of the next 20"));
  EXPECT_EQ(card.all("li").size(), 22u);
}

TEST(HtmlReport, KindsOfFailuresHaveWords) {
  Element page = read(made_run(54));
  std::vector<std::string> headings = texts(section(page, "failures"), "h3");
  EXPECT_THAT(headings, ElementsAre("new giac fails on 6 environments in with-targets",
                                    "new numpy fails on 1 environment in with-targets",
                                    "as before pari fails on 2 environments in with-targets",
                                    "expected openblas fails on 2 environments in with-targets",
                                    "well Expected to fail, but did not",
                                    StartsWith("tests scipy fails its tests on ")));
  EXPECT_THAT(section(page, "failures").whole,
              HasSubstr("since 10.4.beta3-17-g5d1cb2e; gcc 13.1, bug 110273"));
  MadeRun well = small_run();
  well.verdict = {.environments = 1, .environments_well = 1};
  EXPECT_THAT(section(read(well), "failures").whole, HasSubstr("Nothing failed."));
}

TEST(HtmlReport, TheTableSaysEachStateInAWord) {
  MadeRun made = small_run();
  made.run.environments.push_back({.name = "first", .stages = {{.name = "configured"}, {.name = "more"}}});
  std::vector<StageRecord>& stages = made.run.environments[1].stages;
  stages[0].status = {.state = StageState::Reused};
  stages[1].status = {.state = StageState::NotWanted};
  stages.push_back({.name = "docs", .status = {.state = StageState::Waiting}});
  Element page = read(made);
  EXPECT_THAT(
      rows_of(section(page, "environments").one("table")),
      ElementsAre("environment | configured | docs | with-targets",
                  "debian-12.1-minimal | built 10 s | – | failed 34 s", "first | reused | waiting | –"));
  for (const Element* head : page.all("th")) EXPECT_THAT(head->attribute("scope"), Not(IsEmpty()));
  EXPECT_EQ(section(page, "environments").one("tbody").one("td").attribute("class"), "built");
}

TEST(HtmlReport, EnvironmentsThatAreNotWellComeFirst) {
  MadeRun made;
  for (StageState state : {StageState::Reused, StageState::Built, StageState::Skipped, StageState::Running,
                           StageState::Interrupted, StageState::Failed, StageState::Failed}) {
    std::string name = std::string(word(state)) + std::to_string(made.run.environments.size());
    made.run.environments.push_back({.name = name, .stages = {{.name = "a", .status = {.state = state}}}});
  }
  Element page = read(made);
  EXPECT_THAT(texts(section(page, "environments").one("tbody"), "th"),
              ElementsAre("failed5", "failed6", "interrupted4", "skipped2", "running3", "built1", "reused0"));
  EXPECT_THAT(section(page, "environments").one("label").whole, " only the 4 that are not well");
}

TEST(HtmlReport, ACellOpensABoxWithAllOfItsStage) {
  Element page = read(small_run());
  std::vector<const Element*> buttons = section(page, "environments").one("table").all("button");
  ASSERT_EQ(buttons.size(), 2u);
  std::string id = buttons[1]->attribute("popovertarget");
  const Element* box = nullptr;
  for (const Element* one : page.all("article"))
    if (one->attribute("id") == id) box = one;
  ASSERT_NE(box, nullptr);
  EXPECT_EQ(box->attributes.count("popover"), 1u);
  EXPECT_EQ(box->one("h3").whole, "debian-12.1-minimal with-targets");
  EXPECT_THAT(texts(*box, "p"), ElementsAre("failed after 34 s; expected: 3 min 20 s", "exit status 2",
                                            "gmp: ld: no <crt1.o>", "image: i:2-failed", "log: /l/t.log"));
  EXPECT_THAT(texts(*box, "li"),
              ElementsAre("1 built in 10 s: zlib", "1 failed in 30 s: gmp", "1 not begun: mpfr"));
  const Element* first = page.all("article")[1];
  EXPECT_THAT(first->whole, HasSubstr("Why it was built\n\nm4/x.m4 differs"));
}

TEST(HtmlReport, TheTimelineHasABarForWhatRan) {
  Element page = read(small_run());
  const Element& svg = section(page, "timeline").one("svg");
  EXPECT_EQ(svg.one("desc").whole, "2 stages ran within 47 s.");
  EXPECT_THAT(texts(svg, "title"),
              ElementsAre("debian-12.1-minimal, configured: built after 10 s, started after 1.0 s",
                          "debian-12.1-minimal, with-targets: failed after 34 s, started after 12 s"));
  std::vector<const Element*> bars = svg.one("g").all("rect");
  ASSERT_EQ(bars.size(), 2u);
  EXPECT_EQ(bars[1]->attribute("x"), "310.3") << "8 + 1184 × 12 / 47";
  EXPECT_EQ(bars[1]->attribute("width"), "843.9") << "1184 × 33.5 / 47";
  EXPECT_EQ(bars[0]->attribute("y"), bars[1]->attribute("y")) << "one lane is enough";
  EXPECT_THAT(texts(svg, "text"),
              ElementsAre("0:00", "0:05", "0:10", "0:15", "0:20", "0:25", "0:30", "0:35", "0:40", "0:45",
                          "debian-12.1-minimal configured", "✗ debian-12.1-minimal with-targets",
                          "processors busy of 4, 50 % on average", "memory in use, 25 % at most",
                          "job slots in use, of 4"));
  EXPECT_EQ(svg.all("path").size(), 3u);
}

TEST(HtmlReport, SlowestAndCacheUse) {
  MadeRun made = small_run();
  made.before = {made.run};
  made.before[0].facts.revision.clear();
  made.before[0].began = 0;
  made.before[0].environments[0].stages[0].status.state = StageState::Reused;
  Element page = read(made);
  std::vector<const Element*> tables = section(page, "slowest").all("table");
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_THAT(rows_of(*tables[0]),
              ElementsAre("package | longest |  | where | stage | median | times",
                          "gmp | 30 s |  | debian-12.1-minimal | with-targets | 30 s | 1",
                          "zlib | 10 s |  | debian-12.1-minimal | with-targets | 10 s | 1"));
  EXPECT_THAT(rows_of(*tables[1]),
              ElementsAre("environment | stage | took |  | expected | state",
                          "debian-12.1-minimal | with-targets | 34 s |  | 3 min 20 s | failed",
                          "debian-12.1-minimal | configured | 10 s |  | 9.0 s | built"));
  EXPECT_THAT(rows_of(section(page, "cache").one("table")),
              ElementsAre("run | revision | reused | built | failed |  | packages built | took",
                          "1970-01-01 00:16 UTC (this run) | v1-3-gabc | 0 | 1 | 1 |  | 1 | 47 s",
                          "not known | – | 1 | 0 | 1 |  | 1 | 17 min 27 s"));
  EXPECT_THAT(texts(section(page, "notes"), "li"), ElementsAre("46 s a note"));
}

// No text of a run may become an element, an attribute or a script of the page.
TEST(HtmlReport, ForeignTextIsEscaped) {
  MadeRun made = hostile_run();
  std::string text = html_report(made.input());
  Element page = read_html(text);
  EXPECT_THAT(page.all("script"), IsEmpty());
  EXPECT_THAT(text, Not(HasSubstr("<script")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  EXPECT_THAT(page.one("h1").whole,
              StartsWith("\"'><script>alert(1)</script><!-- ]]> &amp; </svg></style>{} %s \\x1b"));
  EXPECT_LT(text.size(), 1u << 20) << "long texts are cut";
}

// A run with something in each of its text fields that the page shows.
MadeRun full_run() {
  MadeRun made = small_run();
  made.run.facts.tree = "/tree";
  made.run.environments[0].stages[1].status.findings[0].file = "/l/gmp.log";
  made.run.environments[0].stages[1].expected.reasons = {"a reason"};
  made.verdict.groups[0].why = "why";
  made.verdict.groups[0].places.push_back({0, 0, FailurePlace::npos});
  made.verdict.test_failures = {{.name = "scipy", .message = "1 failed", .places = {{0, 0, 0}}}};
  made.verdict.unexpectedly_well = {{.name = "gap", .environments = {"fedora-*"}, .why = "fixed", .line = 7}};
  made.before = {made.run};
  return made;
}

// Its text fields.
std::map<std::string, std::string*> text_fields(MadeRun& made) {
  RunFacts& facts = made.run.facts;
  StageRecord& stage = made.run.environments[0].stages[1];
  LogFinding& finding = stage.status.findings[0];
  FailureGroup& group = made.verdict.groups[0];
  FailureGroup& tests = made.verdict.test_failures[0];
  ExpectedFailure& well = made.verdict.unexpectedly_well[0];
  return {{"version", &facts.version},
          {"distribution", &facts.distribution},
          {"tree", &facts.tree},
          {"revision", &facts.revision},
          {"engine", &facts.engine},
          {"machine", &facts.machine},
          {"command", &facts.command[1]},
          {"note", &made.run.notes[0].text},
          {"environment", &made.run.environments[0].name},
          {"stage", &stage.name},
          {"detail", &stage.status.detail},
          {"log", &stage.status.log},
          {"image", &stage.status.image},
          {"reason", &stage.expected.reasons[0]},
          {"package", &stage.packages[0].name},
          {"finding: package", &finding.package},
          {"finding: message", &finding.message},
          {"finding: file", &finding.file},
          {"finding: excerpt", &finding.excerpt[0]},
          {"group: name", &group.name},
          {"group: message", &group.message},
          {"group: since", &group.since},
          {"group: why", &group.why},
          {"tests: name", &tests.name},
          {"tests: message", &tests.message},
          {"well: name", &well.name},
          {"well: environment", &well.environments[0]},
          {"well: why", &well.why},
          {"revision before", &made.before[0].facts.revision}};
}

// The elements and their attributes, without text; only <text> in bars depends on how long a name is.
std::string shape(const Element& element) {
  std::string text = "<" + element.name;
  for (const auto& [name, value] : element.attributes) text += " " + name;
  for (const Element& child : element.children)
    if (child.name != "text") text += shape(child);
  return text + ">";
}

TEST(HtmlReport, NoTextOfARunChangesThePagesStructure) {
  const std::string hostile = "\"'><script x=\"1\">\x01\x1b[1m\x7f\xc2\x85\u202e\u2028\xff{{A}}</p>&lt;";
  const std::string shown =
      "&quot;&#39;&gt;&lt;script "
      "x=&quot;1&quot;&gt;\\x01\\x1b[1m\\x7f\\u0085\\u202e\\u2028\\xff{{A}}&lt;/p&gt;&amp;lt;";
  MadeRun original = full_run();
  for (const auto& [name, unused] : text_fields(original)) {
    MadeRun harmless = full_run(), made = full_run();
    *text_fields(harmless)[name] = std::string(hostile.size(), 'x');
    *text_fields(made)[name] = hostile;
    std::string page = html_report(made.input());
    EXPECT_EQ(shape(read_html(page)), shape(read(harmless))) << name;
    EXPECT_THAT(page, Not(HasSubstr("<script"))) << name;
    for (const char* raw : {"\x01", "\x1b", "\x7f", "\xc2\x85", "\u202e", "\u2028"})
      EXPECT_THAT(page, Not(HasSubstr(raw))) << name;
    EXPECT_TRUE(is_utf8(page)) << name;
    if (name != "command") {  // a shell's quotes are added
      EXPECT_THAT(page, HasSubstr(shown)) << name;
    }
  }
}

TEST(HtmlReport, SeveralThreadsMayMakePages) {
  MadeRun made = made_run(3);
  std::string expected = html_report(made.input());
  std::vector<std::future<std::string>> pages;
  for (int i = 0; i < 4; ++i)
    pages.push_back(std::async(std::launch::async, [&] { return html_report(made.input()); }));
  for (std::future<std::string>& page : pages) EXPECT_TRUE(page.get() == expected);
}

TEST(HtmlReport, RefersToNothingOutside) {
  std::string text = html_report(made_run(54).input());
  EXPECT_THAT(text, Not(HasSubstr(" src=")));
  EXPECT_THAT(text, Not(HasSubstr("url(")));
  EXPECT_THAT(text, Not(HasSubstr("@import")));
  Element page = read_html(text);
  for (const Element* link : page.all("a")) EXPECT_THAT(link->attribute("href"), StartsWith("#"));
  EXPECT_THAT(page.all("link"), IsEmpty());
  std::set<std::string> ids;
  for (const char* name : {"section", "article", "h2", "h3"})
    for (const Element* one : page.all(name)) {
      std::string id = one->attribute("id");
      if (!id.empty()) {
        EXPECT_TRUE(ids.insert(id).second) << id;
      }
    }
  for (const Element* button : page.all("button"))
    EXPECT_TRUE(ids.contains(button->attribute("popovertarget")));
}

TEST(HtmlReport, StaysSmallWhereEverythingFailed) {
  MadeRun made;
  std::string line(400, 'x');
  LogFinding finding{
      .package = "gmp", .message = line, .excerpt = std::vector<std::string>(kExcerptLines, line)};
  FailureGroup group{.name = "gmp", .message = line};
  for (std::size_t e = 0; e < 200; ++e) {
    EnvironmentRecord& environment = made.run.environments.emplace_back();
    environment.name = "an-environment-with-a-name-" + std::to_string(e);
    for (std::size_t s = 0; s < 7; ++s) {
      environment.stages.push_back({.name = "stage" + std::to_string(s),
                                    .status = {.state = StageState::Failed,
                                               .seconds = 1,
                                               .detail = "status 2",
                                               .log = "/var/lib/logs/" + environment.name,
                                               .image = "image:of-" + environment.name,
                                               .findings = {finding, finding, finding}},
                                    .expected = {.seconds = 5, .reasons = {"it is new"}},
                                    .began = 1,
                                    .ended = 2});
      group.places.push_back({e, s, 0});
    }
  }
  made.verdict = {.groups = {group}, .environments = 200};
  std::string text = html_report(made.input());
  EXPECT_LT(text.size(), 3'200'000u);
  EXPECT_GT(read_html(text).all("pre").size(), 200u);
}

TEST(HtmlReport, OfARunThatHasNotBegunIsAPage) {
  Element page = read(MadeRun());
  EXPECT_EQ(page.one("h1").whole, "run");
  EXPECT_EQ(page.all("table").size(), 0u);
}

// To look at, and for tests/e2e/report_browser.py: STAGEMAKE_TEST_REPORTS names a folder.
TEST(HtmlReport, SamplePagesAreWrittenOnRequest) {
  const char* folder = std::getenv("STAGEMAKE_TEST_REPORTS");
  if (folder == nullptr) GTEST_SKIP() << "STAGEMAKE_TEST_REPORTS names no folder";
  for (std::size_t environments : {1, 54, 200}) {
    MadeRun made = made_run(environments);
    std::string path = (fs::path(folder) / std::to_string(environments)).string();
    write_file(path + ".html", html_report(made.input()));
    write_file(path + ".xml", junit_report(made.input()));
    write_file(path + ".json", run_json(made.input()).dump(2));
    write_file(path + ".trace.json", chrome_trace(made.run));
  }
  write_file(fs::path(folder) / "hostile.html", html_report(hostile_run().input()));
}

}  // namespace
}  // namespace stagemake
