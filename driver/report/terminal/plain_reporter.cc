#include "report/terminal/plain_reporter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/files/descriptor.h"
#include "base/text/text.h"
#include "report/ci/ci_output.h"
#include "report/terminal/colors.h"

namespace stagemake {
namespace {

constexpr std::size_t kFewEnvironments = 8;  // up to here, each gets a line at the beginning
constexpr std::size_t kLogTail = 10;         // shown lines of a failed stage's log
constexpr std::size_t kShownFindings = 3;    // shown per failed stage
constexpr std::size_t kLongestRunning = 3;   // stages in a heartbeat

double seconds_since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

// "✓" and the like are for other displays: words are easy to read in a pipe and in CI, and for screen
// readers.
std::string stage_line(const EnvironmentStatus& environment, std::size_t stage, bool brief) {
  const StageStatus& status = environment.stages[stage];
  std::string line =
      fmt::format("{}  {}: {}", environment.name, environment.stage_names[stage], word(status.state));
  bool ran = status.state == StageState::Built || status.state == StageState::Failed ||
             status.state == StageState::Interrupted;
  if (ran) line += fmt::format(" after {}", duration_text(status.seconds));
  if (!status.detail.empty() && !(brief && status.state == StageState::Built))
    line += ", " + status.detail.substr(0, status.detail.find('\n'));
  return printable(line);
}

// The first packages with an error of their own.
std::vector<std::string> failed_packages(const StageStatus& status) {
  std::vector<std::string> packages;
  for (const LogFinding& finding : status.findings)
    if (finding.kind == LogFinding::Kind::Error && !finding.package.empty() &&
        packages.size() < kShownFindings &&
        std::find(packages.begin(), packages.end(), finding.package) == packages.end())
      packages.push_back(finding.package);
  return packages;
}

}  // namespace

std::vector<std::string> finding_lines(const StageStatus& status, const Listing& listing) {
  std::vector<std::string> result;
  std::size_t errors = 0;
  for (const LogFinding& finding : status.findings) {
    if (finding.kind != LogFinding::Kind::Error) continue;
    ++errors;
    if (errors > listing.shown(errors, kShownFindings)) continue;
    std::string name = finding.package.empty() ? "" : finding.package + ": ";
    result.push_back(name + harmless(shown(finding.message)));
    if (finding.line > 0) result.push_back(fmt::format("  {}:{}", finding.file, finding.line));
    for (const std::string& line : finding.excerpt) result.push_back("| " + harmless(printable(line)));
  }
  if (std::size_t named = listing.shown(errors, kShownFindings); errors > named)
    result.push_back(listing.more(errors - named));
  return result;
}

PlainReporter::PlainReporter(PlainReporterOptions options)
    : options_(std::move(options)), heart_([this](std::stop_token stop) { beat(stop); }) {}

PlainReporter::~PlainReporter() {
  heart_.request_stop();
  wake_.notify_all();
}

void PlainReporter::begins(const std::vector<EnvironmentStatus>& all) {
  std::lock_guard lock(mutex_);
  several_ = all.size() > 1;
  for (const EnvironmentStatus& environment : all) names_.push_back(environment.name);
  for (const EnvironmentStatus& environment : all)
    for (const StageStatus& stage : environment.stages) wanted_ += stage.state == StageState::Waiting ? 1 : 0;
  if (options_.quiet || all.size() > kFewEnvironments) return;
  for (const EnvironmentStatus& environment : all) {
    std::size_t reused = 0;
    std::size_t to_build = 0;
    for (const StageStatus& stage : environment.stages) {
      if (stage.state == StageState::Reused) ++reused;
      if (stage.state == StageState::Waiting) ++to_build;
    }
    print_line(to_build == 0
                   ? fmt::format("{}: nothing to do, {}", environment.name,
                                 reused == 1 ? "the stage has its image"
                                             : fmt::format("all {} stages have their images", reused))
                   : fmt::format("{}: {} to build, {} reused", environment.name, counted(to_build, "stage"),
                                 reused));
  }
}

void PlainReporter::changed(const std::vector<EnvironmentStatus>& all, StageAddress at) {
  std::lock_guard lock(mutex_);
  const EnvironmentStatus& where = all[at.environment];
  const StageStatus& status = where.stages[at.stage];
  if (status.state == StageState::Running)
    running_[at] = {where.name, where.stage_names[at.stage], Clock::now()};
  else if (running_.erase(at) > 0)
    ++done_;
  auto rest = unfinished_.extract(at);
  if (rest) rest.mapped().rest([&](std::string_view line) { print_output(at.environment, line); });
  bool bad = status.state == StageState::Failed || status.state == StageState::Interrupted;
  bool news = !(options_.brief && status.state == StageState::Reused);
  if ((!options_.quiet && news) || bad)
    print(painted(stage_line(where, at.stage, options_.brief), color_of(status.state), options_.color) +
          "\n");
  if (std::size_t first = status.detail.find('\n');
      bad && first != std::string::npos)  // messages of engines have several lines
    for (std::string_view line : lines(std::string_view(status.detail).substr(first + 1)))
      print_line("    " + std::string(line));
  if (status.state == StageState::Failed) print_failure(status);
}

// Prints the findings of its log, or the end of the log if there are none.
void PlainReporter::print_failure(const StageStatus& status) {
  std::vector<std::string> findings =
      finding_lines(status, {.is_whole = options_.verbose, .how = options_.rest_command});
  for (const std::string& line : findings) print_line("    " + line);
  if (findings.empty() && !status.log.empty())
    for (const std::string& line : last_lines(status.log, kLogTail)) print_line("    | " + harmless(line));
}

void PlainReporter::package(StageAddress at, const PackageStatus& package) {
  std::lock_guard lock(mutex_);
  auto place = running_.find(at);
  if (place == running_.end()) return;
  std::erase(place->second.packages, package.name);
  if (package.state == PackageState::Building) place->second.packages.push_back(package.name);
}

void PlainReporter::printed(StageAddress at, std::string_view piece) {
  if (!options_.verbose) return;
  std::lock_guard lock(mutex_);
  unfinished_[at].take(piece, [&](std::string_view line) { print_output(at.environment, line); });
}

// Prints a line of a stage. Scripts look for words at its beginning, so there is no prefix if the run has
// only one environment.
void PlainReporter::print_output(std::size_t environment, std::string_view line) {
  std::string text = harmless(printable(line));
  print_line(several_ ? names_[environment] + " | " + text : text);
}

void PlainReporter::note(const std::string& text) {
  std::lock_guard lock(mutex_);
  if (!options_.quiet) print_line(harmless(printable(text)));
}

void PlainReporter::ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) {
  std::lock_guard lock(mutex_);
  ended_ = true;
  std::string table = status_table(all, options_.quiet, options_.color);
  if (!table.empty()) print("\n" + table + "\n");
  std::string folder;
  for (const EnvironmentStatus& environment : all)
    if (std::string own = print_places(environment); !own.empty()) folder = own;
  if (several_) folder = folder.substr(0, folder.rfind('/'));
  if (!folder.empty() && !options_.quiet)
    print_line(several_ ? "logs: " + folder : fmt::format("logs of {}: {}", all.front().name, folder));
  if (!options_.quiet) print_line("in " + run_seconds_text(seconds));
}

// Prints how to inspect what was kept of stages that did not succeed. Returns the folder with the logs; empty
// if nothing ran.
std::string PlainReporter::print_places(const EnvironmentStatus& environment) {
  std::string folder;
  for (std::size_t i = 0; i < environment.stages.size(); ++i) {
    const StageStatus& status = environment.stages[i];
    if (has_log(status)) folder = status.log.substr(0, status.log.rfind('/'));
    if (status.state != StageState::Failed && status.state != StageState::Interrupted) continue;
    std::vector<std::string> places;
    if (has_log(status)) places.push_back("  log:   " + status.log);
    if (options_.logs_command)
      for (const std::string& package : failed_packages(status))
        places.push_back("  logs:  " +
                         options_.logs_command(environment.name, environment.stage_names[i], package));
    if (!status.image.empty() && options_.shell_command)
      places.push_back("  shell: " + options_.shell_command(environment.name, environment.stage_names[i]));
    if (places.empty()) continue;
    print_line(environment.name + " " + environment.stage_names[i]);
    for (const std::string& place : places) print_line(place);
  }
  return folder;
}

bool PlainReporter::has_log(const StageStatus& status) const {
  return !status.log.empty() && (!options_.has_log || options_.has_log(status.log));
}

void PlainReporter::beat(std::stop_token stop) {
  if (options_.heartbeat.count() == 0 || options_.quiet) return;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    wake_.wait_until(lock, stop, last_line_ + options_.heartbeat, [] { return false; });
    if (stop.stop_requested() || Clock::now() < last_line_ + options_.heartbeat) continue;
    if (ended_ || running_.empty())
      last_line_ = Clock::now();
    else
      print_line(still_running());
  }
}

// Longest running first.
std::string PlainReporter::still_running() const {
  std::vector<const Running*> all;
  for (const auto& [key, one] : running_) all.push_back(&one);
  std::sort(all.begin(), all.end(), [](const Running* a, const Running* b) { return a->since < b->since; });
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < all.size() && i < kLongestRunning; ++i) {
    std::string in_flight = all[i]->packages.empty() ? "" : ", " + some_of(all[i]->packages, 2);
    parts.push_back(fmt::format("{} {} ({}{})", all[i]->environment, all[i]->stage,
                                duration_text(seconds_since(all[i]->since)), in_flight));
  }
  if (all.size() > kLongestRunning) parts.push_back(fmt::format("{} more", all.size() - kLongestRunning));
  return fmt::format("{} of {} done; running: {}", done_, counted(wanted_, "stage"), join(parts, ", "));
}

void PlainReporter::print(std::string_view lines) {
  options_.print(lines);
  last_line_ = Clock::now();
}

void PlainReporter::print_line(const std::string& line) {
  print(harmless(printable(line)) + "\n");
}

std::string status_table(const std::vector<EnvironmentStatus>& all, bool failures_only, bool color) {
  struct Row {
    std::string environment, stage, state, seconds;
    int color;
  };
  std::vector<Row> rows;
  for (const EnvironmentStatus& environment : all) {
    for (std::size_t i = 0; i < environment.stages.size(); ++i) {
      const StageStatus& status = environment.stages[i];
      bool bad = status.state == StageState::Failed || status.state == StageState::Interrupted ||
                 status.state == StageState::Skipped;
      if (status.state == StageState::NotWanted || (failures_only && !bad)) continue;
      rows.push_back({printable(environment.name), printable(environment.stage_names[i]),
                      std::string(word(status.state)),
                      status.seconds > 0 ? duration_text(status.seconds) : "", color_of(status.state)});
    }
  }
  if (rows.empty()) return {};
  std::size_t environment_width = 11;
  std::size_t stage_width = 5;
  for (const Row& row : rows) {
    environment_width = std::max(environment_width, row.environment.size());
    stage_width = std::max(stage_width, row.stage.size());
  }
  std::string text = fmt::format("{:<{}}  {:<{}}  {:<11}  {:>12}\n", "environment", environment_width,
                                 "stage", stage_width, "state", "time");
  for (const Row& row : rows)
    text +=
        fmt::format("{:<{}}  {:<{}}  {}  {:>12}\n", row.environment, environment_width, row.stage,
                    stage_width, painted(fmt::format("{:<11}", row.state), row.color, color), row.seconds);
  return text;
}

std::vector<std::string> last_lines(const std::string& file, std::size_t most) {
  constexpr off_t kWindow = 16 << 10;
  Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.is_open()) return {};
  off_t size = ::lseek(opened.get(), 0, SEEK_END);
  off_t from = size > kWindow ? size - kWindow : 0;
  std::string tail(static_cast<std::size_t>(size - from), '\0');
  ssize_t n = ::pread(opened.get(), tail.data(), tail.size(), from);
  tail.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  std::vector<std::string_view> all = lines(tail);
  std::size_t first = all.size() > most ? all.size() - most : 0;
  std::vector<std::string> result;
  for (std::size_t i = first; i < all.size(); ++i) result.push_back(printable(all[i].substr(0, 300)));
  return result;
}

}  // namespace stagemake
