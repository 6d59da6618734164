#include "run/build/stage_log.h"

#include <fmt/format.h>

#include "base/caught_error.h"
#include "base/files/file_tail.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kLogLimit = 256u << 20;  // bytes; only the end of a longer log is searched

}  // namespace

std::string last_line_with(const std::string& log, std::string_view beginning) {
  std::string text;
  try {
    if (std::optional<FileTail> tail = read_tail(log, kLogLimit)) text = std::move(tail->text);
  } catch (...) {
    return {};
  }
  std::size_t at = text.rfind("\n" + std::string(beginning));
  if (at == std::string::npos && text.starts_with(beginning)) return text.substr(0, text.find('\n'));
  return at == std::string::npos ? std::string() : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
}

std::vector<LogFinding> findings_in(const std::string& log, RecipeEnd end,
                                    const std::function<void(const std::string&)>& tell) {
  try {
    std::optional<FileTail> tail = read_tail(log, kLogLimit);
    if (!tail) return {};
    if (tail->skipped_bytes > 0)
      tell(
          fmt::format("the log {} is longer than {}: only its end, from line {} on, is searched for failures",
                      printable(log), size_text(kLogLimit), tail->skipped_lines + 1));
    std::vector<LogFinding> findings = scan_log(tail->text, end);
    for (LogFinding& finding : findings) {
      if (!finding.file.empty()) continue;
      finding.file = log;
      if (finding.line > 0) finding.line += tail->skipped_lines;
    }
    return findings;
  } catch (...) {
    tell(fmt::format("cannot search the log for failures: {}", caught_text()));
    return {};
  }
}

}  // namespace stagemake
