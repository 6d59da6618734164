#include "report/ci/ci_output.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.h"
#include "report/terminal/plain_reporter.h"
#include "report/verdict/verdict_words.h"

namespace stagemake {
namespace {

constexpr std::size_t kLogTail = 100;          // of a failed stage's log
constexpr std::size_t kLongestText = 4096;     // bytes in an annotation
constexpr std::size_t kMostSystemsNamed = 20;  // in an annotation

// Escapes the text after a command's second `::`.
std::string escaped_data(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '%')
      result += "%25";
    else if (c == '\r')
      result += "%0D";
    else if (c == '\n')
      result += "%0A";
    else
      result += c;
  }
  return result;
}

// Escapes a property's value.
std::string escaped_property(std::string_view text) {
  std::string result;
  for (char c : escaped_data(text)) {
    if (c == ':')
      result += "%3A";
    else if (c == ',')
      result += "%2C";
    else
      result += c;
  }
  return result;
}

std::string annotation(std::string_view kind, const RunRecord& run, const FailureGroup& group,
                       std::string_view what, std::string_view workspace) {
  LogPlace place = log_place(run, group);
  std::string_view file = place.file;
  if (!workspace.empty() && file.starts_with(workspace)) {
    file.remove_prefix(workspace.size());
    if (file.starts_with("/")) file.remove_prefix(1);
  }
  std::string properties = "title=" + escaped_property(failure_title(run, group, what));
  if (!file.empty()) properties += ",file=" + escaped_property(printable(file));
  if (!file.empty() && place.line > 0) properties += fmt::format(",line={}", place.line);
  std::string text = printable(std::string_view(group.message).substr(0, kLongestText));
  std::vector<std::string> systems = systems_of(run, group);
  if (systems.size() > 1) text += "\non " + some_of(systems, kMostSystemsNamed);
  return fmt::format("::{} {}::{}\n", kind, properties, escaped_data(text));
}

// Names of GitLab sections cannot contain other bytes.
std::string section_name(std::string_view id) {
  std::string name = "stagemake_";
  for (char c : id) {
    bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                c == '.' || c == '-';
    name += fits ? c : '_';
  }
  return name;
}

}  // namespace

CiService ci_service(const std::function<std::string(const char*)>& variable) {
  if (variable("GITHUB_ACTIONS") == "true") return CiService::GitHub;
  if (variable("GITLAB_CI") == "true") return CiService::GitLab;
  return CiService::None;
}

std::string github_annotations(const RunRecord& run, const Verdict& verdict, std::string_view workspace) {
  std::string result;
  std::size_t errors = 0, warnings = 0;
  for (const FailureGroup& group : verdict.groups) {  // the worst are first
    bool is_new = group.kind == FailureGroup::Kind::New;
    if ((is_new ? errors : warnings)++ < kMostAnnotations)
      result += annotation(is_new ? "error" : "warning", run, group, kFails, workspace);
  }
  for (const FailureGroup& group : verdict.test_failures)
    if (warnings++ < kMostAnnotations) result += annotation("warning", run, group, kTestsFail, workspace);

  std::vector<std::string> more;
  if (errors > kMostAnnotations)
    more.push_back(counted(errors - kMostAnnotations, "more new failure", "more new failures"));
  if (warnings > kMostAnnotations)
    more.push_back(
        counted(warnings - kMostAnnotations, "more known or test failure", "more known or test failures"));
  if (!more.empty())
    result += "::notice title=Not all failures are annotated::" + join(more, ", ") +
              ": see the summary, or the end of the log\n";
  std::vector<std::string> well;
  for (const ExpectedFailure& one : verdict.unexpectedly_well) well.push_back(one.name);
  if (!well.empty())
    result += "::notice title=Expected to fail but succeeded::" + escaped_data(some_of(well)) + "\n";
  return result;
}

std::string folded(CiService service, std::string_view id, std::string_view title,
                   const std::vector<std::string>& log_lines, long long time) {
  std::string body;
  for (const std::string& line : log_lines) body += "| " + harmless(printable(line)) + "\n";
  std::string head = printable(title);
  std::string name = section_name(id);
  switch (service) {
    case CiService::None:
      return harmless(head) + "\n" + body;
    case CiService::GitHub:
      return "::group::" + escaped_data(head) + "\n" + body + "::endgroup::\n";
    case CiService::GitLab:
      return fmt::format(
          "\x1b[0Ksection_start:{0}:{1}[collapsed=true]\r\x1b[0K{2}\n{3}\x1b[0Ksection_end:{0}:{1}\r\x1b["
          "0K\n",
          time, name, head, body);
  }
  return {};
}

// GitHub's runner strips Unicode blanks and compares with the rules of a language, which ignore characters
// without width. Only ASCII is sure to be seen.
std::string harmless(std::string_view line) {
  std::string text(line);
  auto first = std::find_if(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (text.end() - first >= 2 && first[0] == ':' && first[1] == ':') text.insert(first + 1, ' ');
  for (std::size_t at = text.find("##"); at != std::string::npos; at = text.find("##", at + 2))
    text.insert(at + 1, " ");
  return text;
}

void CiReporter::changed(const std::vector<EnvironmentStatus>& all, StageAddress at) {
  const EnvironmentStatus& where = all[at.environment];
  const StageStatus& status = where.stages[at.stage];
  if (options_.service == CiService::None || status.state != StageState::Failed || status.log.empty()) return;
  const std::string& name = where.stage_names[at.stage];
  std::string text = folded(options_.service, where.name + "." + name,
                            fmt::format("{} {}: the end of {}", where.name, name, status.log),
                            last_lines(status.log, kLogTail), options_.now ? options_.now() : 0);
  options_.print(text);  // in one call, because others write there too
}

}  // namespace stagemake
