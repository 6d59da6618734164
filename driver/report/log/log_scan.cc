#include "report/log/log_scan.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "base/text/text.h"
#include "report/log/log_context.h"
#include "report/log/log_lines.h"
#include "report/log/log_rules.h"

namespace stagemake {
namespace {

constexpr std::size_t kErrorWindow = 100;        // number of last lines in which Sage's CI looks for errors
constexpr std::size_t kTestWindow = 20;          // the same for test failures
constexpr std::size_t kBlock = 2000;             // lines; earlier messages count less
constexpr std::size_t kMostParts = 2000;         // packages in a log; Sage has 400
constexpr std::size_t kLongestMessage = 500;     // bytes, as for a line of an excerpt
constexpr std::size_t kLinesBefore = 5;          // in an excerpt
constexpr std::size_t kExcerptReach = 64 << 10;  // bytes to search for its lines, in each direction

// A line of the log that may be reported.
struct Place {
  int weight = 0;
  std::size_t number = 0;  // 0: there is none
  std::size_t offset = 0;
  std::size_t position = 0;  // number among the lines of its part
};

// The lines of one package, or of the stage itself (those without a package).
struct Part {
  // Refused: the guard (run/container/guard.h) did not let it start for lack of time.
  enum class Outcome { Unknown, Built, Failed, TestsFailed, Refused } outcome = Outcome::Unknown;
  std::string mark, name, version;
  std::size_t lines = 0, block = 0;
  // The most informative line of the current block of lines, of the previous one, and of all earlier ones.
  Place now, before, long_before;
  Place last;        // the last one that is not empty
  Place error_word;  // the last one that matches Sage's pattern
  Place tests;       // the last test failure
  LogContext context;
  bool tests_told = false;  // … in a line of sage-spkg for that purpose

  // A new attempt begins: earlier messages belong to the previous one.
  void restart() {
    now = before = long_before = error_word = tests = {};
    context = {};
  }
  Place telling() const;
};

void take_heavier(Place& best, const Place& other, bool later) {
  if (other.weight > best.weight || (later && other.weight == best.weight && other.weight > 0)) best = other;
}

// If a package continues for thousands of lines after an error, that error did not make it fail, unless there
// is no better message.
Place Part::telling() const {
  Place best = before;
  take_heavier(best, now, false);
  if (best.weight < kCause && long_before.weight >= kCause) best = long_before;
  if (best.number == 0) take_heavier(best, long_before, false);
  return best.number == 0 ? last : best;
}

// An entry of the lists at the end of a build: packages whose logs look like a failure, of this run or an
// earlier one.
struct Listed {
  bool tests = false;
  std::string mark, file;
  std::size_t number = 0;
};

struct Scan {
  Part own;
  std::vector<Part> parts;  // in the order of their beginning
  std::vector<Listed> listed;
  Place make_stop;
};

bool follows(std::string_view text, std::string_view before, std::string_view after) {
  std::size_t at = text.find(before);
  return at != std::string_view::npos && text.find(after, at) != std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string_view log) : reader_(log) {}

  Scan read() {
    for (LogLine line; reader_.next(line);) {
      Part* part = line.mark.empty() ? nullptr : part_of(line.mark);
      if (part == nullptr)
        add_own(line);
      else
        add(*part, line);
    }
    return std::move(scan_);
  }

 private:
  // Null if there are too many.
  Part* part_of(std::string_view mark) {
    MarkedPackage package = marked_package(mark);
    auto [found, is_new] = index_.try_emplace(std::string(package.name), scan_.parts.size());
    if (is_new && scan_.parts.size() >= kMostParts) {
      index_.erase(found);
      return nullptr;
    }
    if (is_new) scan_.parts.push_back({.name = std::string(package.name)});
    Part& part = scan_.parts[found->second];
    if (part.mark != mark && (part.version.empty() || !package.version.empty())) {
      part.mark = mark;
      part.version = package.version;
    }
    return &part;
  }

  void add(Part& part, const LogLine& line) {
    using Outcome = Part::Outcome;
    std::string_view text = line.text;
    if (line.by_logger) {
      if (text.starts_with("successfully ")) {
        part.outcome = text.starts_with("successfully check") ? part.outcome : Outcome::Built;
      } else if (text.starts_with("error ") && follows(text, "ing, exit status", "")) {
        part.outcome = text.starts_with("error check") ? Outcome::TestsFailed : Outcome::Failed;
        if (text.find("exit status 75.") != std::string_view::npos) part.outcome = Outcome::Refused;
      } else {
        return;  // "Full log file: …"
      }
    } else if (text.starts_with("installing. Log file: ")) {
      part.restart();
      part.outcome = Outcome::Unknown;
    }
    if (text == part.mark) part.restart();  // sage-spkg's first line
    if (text.starts_with("Successfully installed ") && text.substr(23) == part.mark)
      part.outcome = Outcome::Built;
    if (is_spkg_error(text, part.mark)) part.outcome = Outcome::Failed;
    take(part, line);
  }

  // "Error installing package gmp-6.2.1"
  static bool is_spkg_error(std::string_view text, std::string_view mark) {
    return text.starts_with("Error ") && text.ends_with(mark) && follows(text, "ing package ", mark);
  }

  static void begin_block(Part& part, std::size_t block) {
    take_heavier(part.long_before, part.before, true);
    part.before = part.now;
    part.now = {};
    if (block != part.block + 1) {
      take_heavier(part.long_before, part.before, true);
      part.before = {};
    }
    part.block = block;
  }

  void take(Part& part, const LogLine& line) {
    std::size_t position = part.lines++;
    LogContext::Weighed weighed = part.context.weigh(line.text);
    if (line.text.empty()) return;
    if (position / kBlock != part.block) begin_block(part, position / kBlock);
    if (weighed.begins_usage) take_complaint(part, position);
    if (weighed.is_quoted) {
      if (part.last.number == 0) part.last = {0, line.number, line.offset, position};
      return;
    }
    Place place{weighed.weight.weight, line.number, line.offset, position};
    take_heavier(part.now, place, weighed.weight.later);
    if (place.weight > 0 || !is_chatter(line.text)) part.last = place;
    if (is_error_word(line.text)) part.error_word = place;
    if (is_test_failure(line.text)) {
      part.tests = place;
      part.tests_told = line.text.starts_with("Warning: ");
    }
  }

  // A program prints its usage: the line before says what was wrong with its call.
  static void take_complaint(Part& part, std::size_t position) {
    constexpr int kComplaint = 45;
    Place before = part.last;
    if (before.number == 0 || position - before.position > 2 || before.weight > 0) return;
    before.weight = kComplaint;
    take_heavier(part.now, before, true);
  }

  void add_own(const LogLine& line) {
    if (std::string_view target = failed_target(line.text); !target.empty()) fail_target(target, line);
    if (is_make_stop(line.text)) scan_.make_stop = {70, line.number, line.offset, scan_.own.lines};
    add_listed(line);
    name_own(line.text);
    take(scan_.own, line);
  }

  // The log is that of a single package: "gmp-6.2.1", "=======", …, and the result. Some begin several times.
  void name_own(std::string_view text) {
    Part& own = scan_.own;
    if (text.starts_with("=====") && is_mark(own_before_) && own_before_.find('-') != std::string::npos) {
      MarkedPackage package = marked_package(own_before_);
      own.restart();
      own.outcome = Part::Outcome::Unknown;
      own.mark = own_before_;
      own.name = package.name;
      own.version = package.version;
    }
    own_before_ = text.substr(0, kLongestMark + 1);
    if (own.mark.empty()) return;
    if (text.starts_with("Successfully installed ") && text.substr(23) == own.mark)
      own.outcome = Part::Outcome::Built;
    if (is_spkg_error(text, own.mark)) own.outcome = Part::Outcome::Failed;
  }

  // make reports that building a package failed.
  void fail_target(std::string_view target, const LogLine& line) {
    bool is_record = target.find("/var/lib/sage/installed/") != std::string_view::npos;
    bool is_recipe = target.ends_with("-no-deps");
    std::string_view name = target.substr(target.rfind('/') + 1);
    if (is_recipe) name.remove_suffix(8);
    if (std::size_t tree = name.find("-SAGE_"); tree != std::string_view::npos) name = name.substr(0, tree);
    bool known = index_.contains(std::string(marked_package(name).name));
    if (name.empty() || !(known || is_record || is_recipe)) return;
    Part* part = part_of(name);
    if (part == nullptr || part->outcome == Part::Outcome::Refused) return;
    part->outcome = line.text.ends_with(" Error 75") ? Part::Outcome::Refused : Part::Outcome::Failed;
    if (part->lines > 0) return;
    // It printed nothing under its mark. The line just before is from its recipe.
    const Place& said = scan_.own.last;
    bool close = said.weight > kConsequence && line.number - said.number <= 2;
    part->last = close ? said : Place{1, line.number, line.offset, 0};
  }

  void add_listed(const LogLine& line) {
    constexpr std::size_t kMostListed = 500;
    if (line.text.find("package(s) may have failed") != std::string_view::npos ||
        follows(line.text, "hese packages failed", "earlier run"))
      in_list_ = true, of_tests_ = line.text.find("test suites") != std::string_view::npos;
    if (follows(line.text, "tests of these packages failed", "earlier run"))
      in_list_ = true, of_tests_ = true;
    if (!in_list_) return;
    std::string_view before, two_before;
    for (std::string_view word : words(line.text)) {
      if (before == "package:" && two_before == "*" && scan_.listed.size() < kMostListed)
        scan_.listed.push_back({of_tests_, std::string(word), "", line.number});
      if (before == "file:" && two_before == "log" && !scan_.listed.empty())
        scan_.listed.back().file = word.substr(0, kLongestLine);
      two_before = before;
      before = word;
    }
  }

  LogReader reader_;
  Scan scan_;
  std::unordered_map<std::string, std::size_t> index_;  // indices of parts, by name
  std::string own_before_;                              // the beginning of the stage's previous line
  bool in_list_ = false;
  bool of_tests_ = false;
};

std::string cut(std::string_view text) {
  return std::string(text.substr(0, kLongestMessage));
}

// Creates findings from the results of a scan.
class Findings {
 public:
  Findings(std::string_view log, const Scan& scan, RecipeEnd end)
      : log_(log), scan_(scan), failed_(end == RecipeEnd::Badly), ended_well_(end == RecipeEnd::Well) {}

  std::vector<LogFinding> all() {
    for (const Part& part : scan_.parts)
      if (has_failed(part)) add(errors_, part, part.telling());
    if (scan_.parts.empty() && scan_.listed.empty() && has_failed(scan_.own))
      add(errors_, scan_.own, scan_.own.telling());
    if (failed_) add_of_stage();
    for (const Part& part : scan_.parts) add_tests(part);
    add_tests(scan_.own);
    for (const Listed& one : scan_.listed)
      if (one.tests) add_listed(tests_, one, "Warning: Failures testing package " + one.mark);
    auto by_line = [](const Draft& a, const Draft& b) { return a.finding.line < b.finding.line; };
    std::stable_sort(errors_.begin(), errors_.end(), by_line);
    std::stable_sort(tests_.begin(), tests_.end(), by_line);
    errors_.insert(errors_.end(), tests_.begin(), tests_.end());
    std::vector<LogFinding> result;
    for (std::size_t i = 0; i < errors_.size() && i < kMostFindings; ++i)
      result.push_back(finished(std::move(errors_[i])));
    return result;
  }

 private:
  // Without text of the log, which is read again only for the findings that are kept.
  struct Draft {
    LogFinding finding;
    Place place = {};
  };

  bool has_failed(const Part& part) const {
    if (ended_well_) return false;
    if (part.outcome == Part::Outcome::Failed) return true;
    if (part.outcome != Part::Outcome::Unknown) return false;
    if (part.error_word.number != 0 && part.lines - part.error_word.position <= kErrorWindow) return true;
    return std::any_of(scan_.listed.begin(), scan_.listed.end(),
                       [&](const Listed& one) { return !one.tests && one.mark == part.mark; });
  }

  // For a stage that failed without a package at fault, or in addition to one.
  void add_of_stage() {
    if (scan_.make_stop.number != 0 && !errors_.empty()) return add(errors_, Part(), scan_.make_stop);
    if (errors_.empty())
      for (const Listed& one : scan_.listed)
        if (!one.tests) add_listed(errors_, one, "failed to build, by the end of its log");
    if (!errors_.empty()) return;
    const Part* most = &scan_.own;
    for (const Part& part : scan_.parts) {
      bool may_be = part.outcome == Part::Outcome::Unknown;
      if (may_be && part.telling().weight > std::max(most->telling().weight, kConsequence)) most = &part;
    }
    Place place = most->telling();
    if (place.number != 0) add(errors_, *most, place);
  }

  void add_tests(const Part& part) {
    bool by_make = part.outcome == Part::Outcome::TestsFailed;
    if (part.tests.number == 0 && !by_make) return;
    if (has_failed(part) || (failed_ && &part == &scan_.own)) return;  // already reported as an error
    Place place = part.tests.number != 0 ? part.tests : part.telling();
    // sage-spkg's warning is meant for exactly this; output of doctests counts only at the end.
    bool at_end = part.lines - place.position <= kTestWindow;
    if (at_end || by_make || part.tests_told) add(tests_, part, place, LogFinding::Kind::TestFailure);
  }

  void add_listed(std::vector<Draft>& to, const Listed& one, std::string message) {
    MarkedPackage package = marked_package(one.mark);
    auto is_it = [&](const Draft& draft) { return draft.finding.package == package.name; };
    if (std::any_of(tests_.begin(), tests_.end(), is_it) ||
        std::any_of(errors_.begin(), errors_.end(), is_it))
      return;
    to.push_back({{.kind = one.tests ? LogFinding::Kind::TestFailure : LogFinding::Kind::Error,
                   .package = std::string(package.name),
                   .version = std::string(package.version),
                   .message = std::move(message),
                   .file = one.file,
                   .line = one.file.empty() ? one.number : 0}});
  }

  void add(std::vector<Draft>& to, const Part& part, const Place& place,
           LogFinding::Kind kind = LogFinding::Kind::Error) {
    if (place.number == 0) return;
    to.push_back(
        {{.kind = kind, .package = part.name, .version = part.version, .line = place.number}, place});
  }

  LogFinding finished(Draft draft) const;

  std::string_view log_;
  const Scan& scan_;
  bool failed_;
  bool ended_well_;
  std::vector<Draft> errors_, tests_;
};

// Lines of the same part around one of its lines; `at` is its index among them.
std::vector<std::string> excerpt(std::string_view log, const Place& place, std::size_t& at) {
  std::size_t from = place.offset > kExcerptReach ? place.offset - kExcerptReach : 0;
  if (from > 0) from = std::min(log.find('\n', from) + 1, place.offset);
  LogReader here(log, place.offset, place.number);
  LogLine line;
  here.next(line);
  std::string mark(line.mark);
  std::string itself = cut(line.text);

  std::deque<std::string> result;
  LogReader reader(log.substr(0, place.offset), from);
  while (reader.next(line)) {
    if (line.mark != mark || line.text.empty()) continue;
    result.push_back(cut(line.text));
    if (result.size() > kLinesBefore) result.pop_front();
  }
  at = result.size();
  result.push_back(std::move(itself));
  std::size_t reach = std::min(log.size(), place.offset + kLongestLine + kExcerptReach);
  LogReader rest(log.substr(0, reach), place.offset);
  rest.next(line);
  while (result.size() < kExcerptLines && rest.next(line))
    if (line.mark == mark && !line.text.empty()) result.push_back(cut(line.text));
  return {result.begin(), result.end()};
}

LogFinding Findings::finished(Draft draft) const {
  LogFinding finding = std::move(draft.finding);
  if (draft.place.number == 0) return finding;
  std::size_t at = 0;
  finding.excerpt = excerpt(log_, draft.place, at);
  std::string_view text = trimmed(without_drawing(finding.excerpt[at]));
  // configure prints this in the middle of the line of the current check.
  if (std::size_t begin = text.find("configure: error:"); begin != std::string_view::npos)
    text.remove_prefix(begin);
  finding.message = text;
  if (announces_more(text) && at + 1 < finding.excerpt.size())
    finding.message = cut(finding.message + " " + std::string(trimmed(finding.excerpt[at + 1])));
  return finding;
}

}  // namespace

std::vector<LogFinding> scan_log(std::string_view log, RecipeEnd end) {
  Scan scan = Scanner(log).read();
  return Findings(log, scan, end).all();
}

}  // namespace stagemake
