#include "report/ci/step_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/text/text.h"
#include "report/verdict/verdict_words.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestMessage = 300;   // bytes, before escaping
constexpr std::size_t kMostSystemsNamed = 10;  // per failure
constexpr std::size_t kNotesRoom = 512;        // bytes for the note on what is left out
constexpr std::size_t kMostColumns = 12;       // stages in the table

// Foreign text within a line of Markdown or HTML, escaped so that it has no meaning in either and cannot end
// a table cell.
std::string inert(std::string_view text) {
  constexpr std::string_view kPlain = " .,-/()=;'";
  std::string result;
  for (char c : printable(text)) {
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    auto byte = static_cast<unsigned char>(c);
    if (word || byte >= 0x80 || kPlain.find(c) != std::string_view::npos)
      result += c;
    else if (c == '\t')
      result += ' ';
    else
      result.append("&#").append(std::to_string(byte)).append(";");
  }
  return result;
}

std::string cut(std::string_view text, std::size_t most) {
  return text.size() <= most ? inert(text) : inert(text.substr(0, most)) + "…";
}

// Lines of text in a fence that is longer than any in them.
std::string fenced(const std::vector<std::string>& text) {
  std::string body;
  for (const std::string& line : text) body += printable(line) + "\n";
  std::size_t longest = 2;
  for (std::size_t at = body.find('`'); at != std::string::npos;) {
    std::size_t end = std::min(body.find_first_not_of('`', at), body.size());
    longest = std::max(longest, end - at);
    at = body.find('`', end);
  }
  std::string fence(longest + 1, '`');
  return fence + "text\n" + body + fence + "\n\n";
}

// A failure, in two parts; its excerpt goes in between.
struct Entry {
  std::string_view heading;
  std::string text;
  const LogFinding* finding = nullptr;
  bool shown = false;
  std::string excerpt;  // if it fits
};
constexpr std::string_view kEntryEnd = "</details>\n\n";

Entry entry_of(const RunRecord& run, const FailureGroup& group, std::string_view what,
               std::string_view heading) {
  LogPlace place = log_place(run, group);
  Entry entry{.heading = heading};
  entry.text = "<details><summary>" + cut(failure_title(run, group, what), kLongestMessage);
  if (!group.message.empty())
    entry.text += ": <code>" + cut(trimmed(group.message), kLongestMessage) + "</code>";
  entry.text += "</summary>\n\nOn " + inert(some_of(systems_of(run, group), kMostSystemsNamed)) + ".\n";
  if (!place.file.empty())
    entry.text += fmt::format("\n{} {}: <code>{}</code>{}\n", inert(place.environment), inert(place.stage),
                              inert(place.file), place.line > 0 ? fmt::format(", line {}", place.line) : "");
  entry.text += "\n";
  if (place.finding != nullptr && !place.finding->excerpt.empty()) entry.finding = place.finding;
  return entry;
}

std::vector<Entry> entries_of(const RunRecord& run, const Verdict& verdict) {
  std::vector<Entry> entries;
  for (const FailureGroup& group : verdict.groups) {
    std::string_view heading = group.kind == FailureGroup::Kind::New     ? "New failures"
                               : group.kind == FailureGroup::Kind::Again ? "Failures as before"
                                                                         : "Expected failures";
    entries.push_back(entry_of(run, group, kFails, heading));
  }
  for (const FailureGroup& group : verdict.test_failures)
    entries.push_back(entry_of(run, group, kTestsFail, "Failures of tests"));
  return entries;
}

// For environments that did not succeed: one column per stage name.
struct Table {
  std::string head;
  std::vector<std::string> rows;
};

std::string cell(const EnvironmentRecord& environment, const std::string& stage_name) {
  for (const StageRecord& stage : environment.stages) {
    if (stage.name != stage_name) continue;
    std::string text(word(stage.status.state));
    if (stage.status.state == StageState::Failed) text = "**" + text + "**";
    return stage.status.seconds > 0 ? text + ", " + duration_text(stage.status.seconds) : text;
  }
  return {};
}

Table table_of(const RunRecord& run) {
  Table table;
  std::vector<std::string> columns;
  for (const EnvironmentRecord& environment : run.environments) {
    if (does_well(environment)) continue;
    for (const StageRecord& stage : environment.stages)
      if (columns.size() < kMostColumns &&
          std::find(columns.begin(), columns.end(), stage.name) == columns.end())
        columns.push_back(stage.name);
  }
  if (columns.empty()) return table;
  table.head = "### Environments that did not succeed\n\n| environment |";
  for (const std::string& column : columns) table.head += " " + inert(column) + " |";
  table.head += "\n|---|";
  for (std::size_t i = 0; i < columns.size(); ++i) table.head += "---|";
  table.head += "\n";
  for (const EnvironmentRecord& environment : run.environments) {
    if (does_well(environment)) continue;
    std::string& row = table.rows.emplace_back("| " + inert(environment.name) + " |");
    for (const std::string& column : columns) row += " " + cell(environment, column) + " |";
    row += "\n";
  }
  return table;
}

std::string head_of(const RunRecord& run, const Verdict& verdict) {
  std::string text = "## ";
  if (verdict.environments_well == verdict.environments)
    text += fmt::format("{}{} succeeded\n\n", verdict.environments > 1 ? "All " : "",
                        counted(verdict.environments, "environment"));
  else
    text += fmt::format("{} of {} did not succeed\n\n", verdict.environments - verdict.environments_well,
                        counted(verdict.environments, "environment"));
  std::vector<std::string> facts;
  for (const std::string* fact : {&run.facts.distribution, &run.facts.revision, &run.facts.engine})
    if (!fact->empty()) facts.push_back(cut(*fact, 60));
  for (StageState state : {StageState::Built, StageState::Reused, StageState::Failed, StageState::Interrupted,
                           StageState::Skipped})
    if (std::size_t count = run.count(state); count > 0)
      facts.push_back(fmt::format("{} {}", counted(count, "stage"), word(state)));
  if (run.seconds() > 0) facts.push_back("in " + duration_text(run.seconds()));
  if (!facts.empty()) text += join(facts, ", ") + "\n\n";
  std::vector<std::string> well;
  for (const ExpectedFailure& one : verdict.unexpectedly_well) well.push_back(cut(one.name, 60));
  if (!well.empty()) text += "Expected to fail but succeeded: " + some_of(well, 10) + "\n\n";
  return text;
}

// Counts the remaining bytes.
class Room {
 public:
  explicit Room(std::size_t bytes) : left_(bytes) {}
  bool take(std::size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }
  std::size_t left() const { return left_; }

 private:
  std::size_t left_;
};

// A lower bound for the size of their output.
std::size_t size_of(const std::vector<std::string>& text) {
  return std::accumulate(text.begin(), text.end(), std::size_t{0},
                         [](std::size_t sum, const std::string& line) { return sum + line.size(); });
}

std::string joined_entries(const std::vector<Entry>& entries) {
  std::string text;
  std::string_view heading;
  for (const Entry& entry : entries) {
    if (!entry.shown) break;
    if (entry.heading != heading) text += fmt::format("### {}\n\n", entry.heading);
    heading = entry.heading;
    text.append(entry.text).append(entry.excerpt).append(kEntryEnd);
  }
  return text;
}

std::string notes_on(std::size_t excerpts, std::size_t failures, std::size_t rows) {
  std::vector<std::string> left_out;
  if (excerpts > 0) left_out.push_back("the lines of the logs of " + counted(excerpts, "failure"));
  if (failures > 0) left_out.push_back(counted(failures, "failure"));
  if (rows > 0) left_out.push_back(counted(rows, "environment"));
  return left_out.empty() ? "" : "Left out for lack of space: " + join(left_out, ", ") + ".\n";
}

}  // namespace

std::string github_step_summary(const RunRecord& run, const Verdict& verdict, std::size_t most) {
  constexpr std::size_t kHeadingRoom = 40;  // for "### …" and its line ends, at the beginning of each section
  std::string head = head_of(run, verdict);
  if (head.size() + kNotesRoom > most) return {};
  Room room(most - head.size() - kNotesRoom);
  std::vector<Entry> entries = entries_of(run, verdict);
  Table table = table_of(run);

  // Three quarters for failures, if there are so many; the rest is for the table, and then for logs.
  Room for_entries(room.left() / 4 * 3);
  std::size_t failures = 0;
  for (; failures < entries.size(); ++failures) {
    std::size_t size = entries[failures].text.size() + kEntryEnd.size() + kHeadingRoom;
    if (!for_entries.take(size) || !room.take(size)) break;
    entries[failures].shown = true;
  }
  std::string table_text;
  std::size_t rows = 0;
  if (!table.rows.empty() && room.take(table.head.size() + 1)) {
    table_text = table.head;
    for (; rows < table.rows.size() && room.take(table.rows[rows].size()); ++rows)
      table_text += table.rows[rows];
    table_text += "\n";
  }
  std::size_t excerpts_left_out = 0;
  for (std::size_t i = 0; i < failures; ++i) {
    if (entries[i].finding == nullptr) continue;
    std::string excerpt =
        size_of(entries[i].finding->excerpt) < room.left() ? fenced(entries[i].finding->excerpt) : "";
    if (!excerpt.empty() && room.take(excerpt.size()))
      entries[i].excerpt = std::move(excerpt);
    else
      ++excerpts_left_out;
  }
  return head + joined_entries(entries) + table_text +
         notes_on(excerpts_left_out, entries.size() - failures, table.rows.size() - rows);
}

bool add_step_summary(const fs::path& file, const RunRecord& run, const Verdict& verdict) {
  boost::system::error_code failed;
  std::uintmax_t held = fs::file_size(file, failed);
  if (failed) held = 0;  // it does not exist yet; other errors appear when writing
  if (held >= kLargestStepSummary) return false;
  // An end of line is written after each line.
  std::string text =
      github_step_summary(run, verdict, kLargestStepSummary - static_cast<std::size_t>(held) - 1);
  if (text.empty()) return false;
  append_line(file, text);
  return true;
}

}  // namespace stagemake
