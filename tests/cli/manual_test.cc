// The manual in driver/manual agrees with the program, and its examples can be typed.
#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/files/files.h"
#include "base/text/json_text.h"
#include "base/text/text.h"
#include "base/text/wrap.h"
#include "cli/called.h"
#include "cli/options/command_line.h"
#include "cli/options/options.h"
#include "emit/manual/manual_texts.h"
#include "emit/manual/topics.h"
#include "report/events/event_log.h"
#include "report/events/run_json.h"
#include "report/events/run_reader.h"
#include "tree/stage_table.h"
#include "tree/stage_table_toml.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;
using test::call_stagemake;
using test::Called;
using testing::AllOf;
using testing::HasSubstr;
using Kind = MarkdownBlock::Kind;
using Span = MarkdownSpan::Kind;

ManualTopic topic(const std::string& name) {
  for (const ManualTopic& one : manual_topics("stagemake"))
    if (one.name == name) return one;
  throw std::runtime_error("no topic " + name);
}

// The blocks below each heading or subheading, by its text.
std::map<std::string, std::vector<MarkdownBlock>> sections_of(const ManualTopic& topic) {
  std::map<std::string, std::vector<MarkdownBlock>> sections;
  std::string at;
  for (const MarkdownBlock& block : topic.blocks) {
    if (block.kind == Kind::Heading || block.kind == Kind::Subheading)
      sections[at = plain(block.text)];
    else
      sections[at].push_back(block);
  }
  return sections;
}

std::set<std::string> code_in(const MarkdownText& text) {
  std::set<std::string> all;
  for (const MarkdownSpan& span : text)
    if (span.kind == Span::Code) all.insert(span.text);
  return all;
}

// The words set as code in the first cells of the tables, or anywhere.
std::set<std::string> first_cells(const std::vector<MarkdownBlock>& blocks) {
  std::set<std::string> all;
  for (const MarkdownBlock& block : blocks)
    for (std::size_t r = 1; r < block.rows.size(); ++r) all.merge(code_in(block.rows[r][0]));
  return all;
}
std::set<std::string> code_in(const std::vector<MarkdownBlock>& blocks) {
  std::set<std::string> all;
  for (const MarkdownBlock& block : blocks) {
    all.merge(code_in(block.text));
    for (const std::vector<MarkdownText>& row : block.rows)
      for (const MarkdownText& cell : row) all.merge(code_in(cell));
  }
  return all;
}

std::set<std::string> set_of(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

// The lines of code of a topic that begin with "$ ", without that; a line that ends in a backslash continues.
std::vector<std::string> commands_of(const ManualTopic& topic) {
  std::vector<std::string> commands;
  for (const MarkdownBlock& block : topic.blocks)
    for (std::size_t i = 0; i < block.lines.size(); ++i) {
      if (!block.lines[i].starts_with("$ ")) continue;
      std::string command = block.lines[i].substr(2);
      while (command.ends_with('\\') && i + 1 < block.lines.size()) {
        command.pop_back();
        command += trimmed(block.lines[++i]);
      }
      commands.push_back(command);
    }
  return commands;
}

TEST(Manual, EveryPageIsPartOfTheProgramAndFitsATerminal) {
  std::vector<ManualTopic> topics = manual_topics("stagemake");
  ASSERT_GE(topics.size(), 9u);
  CommandLine line = described_command_line();
  std::string list = call_stagemake({"help"}).output;
  for (const ManualTopic& one : topics) {
    for (const CompletionCommand& command : line.commands) EXPECT_NE(one.name, command.name);
    EXPECT_THAT(list, HasSubstr("\n  " + one.name + " ")) << "in `stagemake help`";
    EXPECT_LE(one.what.size(), 62u) << one.name;
    Called called = call_stagemake({"help", one.name});
    EXPECT_EQ(called.status, 0) << called.errors;
    EXPECT_EQ(called.output, topic_text(one, "stagemake"));
    for (std::string_view text : lines(std::string_view(called.output)))
      EXPECT_LE(columns(text), kTerminalColumns) << one.name << ": " << text;
    std::string page = call_stagemake({"manual", one.name}).output;
    EXPECT_EQ(page, topic_page(one, "stagemake", STAGEMAKE_VERSION));
    for (char c : page) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << one.name << ": not ASCII";
  }
}

TEST(Manual, LinksLeadSomewhere) {
  std::set<std::string> names;
  for (const ManualTopic& one : manual_topics("stagemake")) names.insert(one.name + ".md");
  auto check = [&](const MarkdownText& text, const std::string& name) {
    for (const MarkdownSpan& span : text)
      if (span.kind == Span::Link)
        EXPECT_TRUE(span.target.starts_with("https://") || names.contains(span.target))
            << name << ": " << span.target;
  };
  for (const ManualTopic& one : manual_topics("stagemake"))
    for (const MarkdownBlock& block : one.blocks) {
      check(block.text, one.name);
      for (const std::vector<MarkdownText>& row : block.rows)
        for (const MarkdownText& cell : row) check(cell, one.name);
    }
}

TEST(Manual, HelpKnowsCommandsAndTopicsAndSuggestsOthers) {
  EXPECT_EQ(call_stagemake({"help", "build"}).output, call_stagemake({"build", "--help"}).output);
  Called wrong = call_stagemake({"help", "evnts"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.errors, HasSubstr("no command or topic is named evnts; did you mean events"));
  wrong = call_stagemake({"help", "biuld"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.errors, HasSubstr("did you mean build?"));
  EXPECT_THAT(call_stagemake({"help", "ci-docker"}).errors, HasSubstr("did you mean ci-docker.toml?"));
  wrong = call_stagemake({"events"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.errors, HasSubstr("`stagemake help events`"));
  EXPECT_EQ(call_stagemake({"help", "events", "nonsense"}).status, 2);
  EXPECT_EQ(call_stagemake({"help"}).output, call_stagemake({"--help"}).output);
}

TEST(Manual, ExitStatusesAreThoseOfTheProgram) {
  std::map<std::string, std::string> documented;
  std::vector<MarkdownBlock> section = sections_of(topic("ci"))["Exit status"];
  for (const MarkdownBlock& block : section)
    for (std::size_t r = 1; r < block.rows.size(); ++r)
      documented[plain(block.rows[r][0])] = plain(block.rows[r][1]);
  std::map<std::string, std::string> known;
  const std::string wrapped = call_stagemake({"--help"}).output;
  std::string help;
  for (std::string_view word : words(std::string_view(wrapped))) help += std::string(word) + " ";
  std::string page = call_stagemake({"manual", "build"}).output;
  for (const ExitStatusText& one : exit_statuses()) {
    known[std::to_string(one.status)] = plain(parse_markdown_text(one.text, ""));
    EXPECT_THAT(help, HasSubstr(std::to_string(one.status) + " " + std::string(one.brief)));
    EXPECT_THAT(page, HasSubstr("\n.TP\n" + std::to_string(one.status) + "\n"));
  }
  EXPECT_EQ(documented, known) << "driver/manual/ci.md and base/error.cc differ";
}

TEST(Manual, EveryKeyOfTheStageTableIsDocumented) {
  auto sections = sections_of(topic("ci-docker.toml"));
  EXPECT_EQ(first_cells(sections["Keys of the file"]), set_of(stage_table_keys()));
  EXPECT_EQ(first_cells(sections["Keys of a stage"]), set_of(stage_keys()));
  EXPECT_THAT(code_in(sections["Recipes"]), testing::IsSupersetOf(recipe_variables()));
}

TEST(Manual, TheStageTableOfTheManualCanBeRead) {
  std::string table;
  for (const MarkdownBlock& block : topic("ci-docker.toml").blocks)
    if (block.kind == Kind::Code) table += join(block.lines, "\n") + "\n";
  StageTable read = parse_stage_table(table, "ci-docker.toml", TreeFeatures(), std::nullopt);
  EXPECT_EQ(read.distribution, "MyDist");
  EXPECT_EQ(read.stages.size(), 4u);
}

// One event of each kind, with all fields.
std::string all_events() {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "events";
  LogFinding finding{.package = "gmp", .version = "6", .message = "bad", .file = "/l", .line = 3};
  finding.excerpt = {"a"};
  EnvironmentStatus one{.name = "a-minimal", .stage_names = {"configured"}, .stages = {{}}};
  one.stages[0] = {
      .state = StageState::Failed, .log = "/l", .image = "i", .memory = 5, .findings = {finding}};
  one.expected = {{.seconds = 1, .packages = 1, .reasons = {"new"}}};
  MachineSample sample;
  sample.stages = {{}};
  {
    EventLog log([] { return 1.0; });
    log.add_file(file);
    log.facts({});
    log.expects("text", 1);
    log.begins({one});
    log.expected({0, 0}, {.makes = {{.name = "gmp"}}});
    log.changed({one}, {0, 0});
    log.package({0, 0}, {.name = "gmp"});
    log.note("text");
    log.sampled(sample);
    log.ends({one}, {});
    log.exits(0);
  }
  return read_file(file).value_or("") + R"({"event":"lost","lines":3})" + "\n";
}

// The names of fields in a value, at any depth.
void add_fields(const ordered_json& value, std::set<std::string>& fields) {
  for (const auto& [key, field] : value.items()) {
    if (value.is_object()) fields.insert(key);
    if (field.is_structured()) add_fields(field, fields);
  }
}

void expect_fields(const std::set<std::string>& documented, const std::set<std::string>& written,
                   const std::string& what) {
  for (const std::string& field : written)
    EXPECT_TRUE(documented.contains(field))
        << "driver/manual/events.md does not document " << field << " of " << what;
}

TEST(Manual, EveryEventIsDocumented) {
  auto sections = sections_of(topic("events"));
  std::set<std::string> of_all = code_in(sections["Events"]), of_findings = code_in(sections["Findings"]);
  std::set<std::string> seen;
  std::string text = all_events();
  for (std::string_view line : lines(std::string_view(text))) {
    std::optional<nlohmann::json> event = json_in(line, 100'000);
    ASSERT_TRUE(event) << line;
    std::string kind = event->at("event");
    seen.insert(kind);
    EXPECT_TRUE(sections.contains(kind)) << "driver/manual/events.md has no heading \"### " << kind << "\"";
    std::set<std::string> documented = code_in(sections[kind]), written;
    documented.insert(of_all.begin(), of_all.end());
    if (event->contains("findings")) documented.insert(of_findings.begin(), of_findings.end());
    add_fields(*event, written);
    expect_fields(documented, written, kind);
  }
  for (std::size_t i = 0; i < kEventKinds; ++i)
    EXPECT_TRUE(seen.contains(std::string(word(static_cast<EventKind>(i)))))
        << "this test does not write the event " << word(static_cast<EventKind>(i));
}

TEST(Manual, EveryStateIsDocumented) {
  auto sections = sections_of(topic("events"));
  std::set<std::string> stages, packages;
  for (int i = 0; i < 100; ++i) {
    stages.insert(std::string(word(static_cast<StageState>(i))));
    packages.insert(std::string(word(static_cast<PackageState>(i))));
  }
  stages.erase("");
  packages.erase("");
  EXPECT_EQ(first_cells(sections["States of stages"]), stages);
  EXPECT_EQ(first_cells(sections["States of packages"]), packages);
}

TEST(Manual, EveryFieldOfAReportIsDocumented) {
  std::string events = all_events();
  std::optional<RunRecord> run = parse_run(events);
  ASSERT_TRUE(run);
  Verdict verdict;
  FailureGroup group;
  group.places = {{}};
  verdict.groups = {group};
  verdict.test_failures = {group};
  verdict.unexpectedly_well = {{.name = "gap"}};
  ordered_json report = run_json({.run = *run, .verdict = verdict, .before = {}});
  ASSERT_FALSE(report["failures"][0]["places"].empty());
  ASSERT_FALSE(report["environments"][0]["stages"][0]["findings"].empty());
  ASSERT_FALSE(report["environments"][0]["stages"][0]["packages"].empty());
  ASSERT_FALSE(report["notes"].empty());

  auto sections = sections_of(topic("events"));
  std::set<std::string> documented = code_in(sections["report --json"]);
  std::set<std::string> facts, findings, others;
  add_fields(report["facts"], facts);
  expect_fields(code_in(sections["run"]), facts, "facts");
  add_fields(report["environments"][0]["stages"][0]["findings"], findings);
  expect_fields(code_in(sections["Findings"]), findings, "findings");
  report["facts"] = nullptr;
  report["failures"][0]["places"][0]["finding"] = nullptr;
  report["test_failures"][0]["places"][0]["finding"] = nullptr;
  report["environments"][0]["stages"][0]["findings"] = nullptr;
  report["totals"]["stages"] = report["totals"]["packages"] = nullptr;  // fields are states
  add_fields(report, others);
  expect_fields(documented, others, "report --json");
}

// `$ stagemake …` in the manual: the command line is accepted. (Files that it names need not exist.)
TEST(Manual, ExamplesAreValidCommandLines) {
  std::size_t count = 0;
  TemporaryFolder folder(fs::temp_directory_path());
  write_file(folder.path() / "nightly.txt", "debian-bookworm\n");
  for (const ManualTopic& one : manual_topics("stagemake"))
    for (const std::string& command : commands_of(one)) {
      std::string text = command.substr(0, command.find(" # "));
      text = text.substr(0, text.find(" > "));
      if (!text.starts_with("stagemake ")) continue;
      std::optional<std::vector<std::string>> said = shell_words(text);
      // Patterns of environments are quoted in the manual.
      ASSERT_TRUE(said) << one.name << ": " << command;
      std::vector<const char*> argv;
      for (std::string& word : *said) {
        if (word == "@nightly.txt") word = "@" + (folder.path() / "nightly.txt").string();
        argv.push_back(word.c_str());
      }
      testing::internal::CaptureStderr();
      std::optional<int> stop;
      try {
        stop = parse_options(static_cast<int>(argv.size()), argv.data()).stop;
      } catch (const Error& error) {
        ADD_FAILURE() << one.name << ": " << command << ": " << error.what();
      }
      std::string errors = testing::internal::GetCapturedStderr();
      EXPECT_EQ(stop, std::nullopt) << one.name << ": " << command << ": " << errors;
      ++count;
    }
  EXPECT_GE(count, 30u);
}

// `--option` in the manual: some command has it.
TEST(Manual, OptionsExist) {
  std::set<std::string> known = {"--help", "--version",
                                 // of docker build and its daemon, of cosign
                                 "--build-arg", "--no-cache", "--bridge", "--insecure-ignore-tlog", "--key"};
  CommandLine line = described_command_line();
  for (const CompletionOption& option : line.options) known.insert(option.names.begin(), option.names.end());
  for (const CompletionCommand& command : line.commands)
    for (const CompletionOption& option : command.options)
      known.insert(option.names.begin(), option.names.end());
  for (const ManualTopic& one : manual_topics("stagemake"))
    for (const std::string& code : code_in(one.blocks))
      for (std::string_view word : words(std::string_view(code))) {
        if (!word.starts_with("--") || word == "--" || code.starts_with("git ")) continue;
        std::string option(word.substr(0, word.find_first_of("=[,|)")));
        EXPECT_TRUE(known.contains(option)) << one.name << ": " << code;
      }
}

}  // namespace
}  // namespace stagemake
