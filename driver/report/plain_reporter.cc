#include "report/plain_reporter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "report/ci_output.h"

namespace stagemake {
namespace {

constexpr std::size_t kFewEnvironments = 8;  // each of which gets a line at the beginning
constexpr std::size_t kLogTail = 10;         // lines of a failed stage's log that are shown
constexpr std::size_t kShownFindings = 3;    // that are shown of a failed stage
constexpr std::size_t kLongestRunning = 3;   // stages that a heartbeat names

double seconds_since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

// "✓" and the like are left to later displays: these words read well in a pipe, in CI and aloud.
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

}  // namespace

PlainReporter::PlainReporter(PlainReporterOptions options)
    : options_(std::move(options)), heart_([this](std::stop_token stop) { beat(stop); }) {}

PlainReporter::~PlainReporter() {
  heart_.request_stop();
  wake_.notify_all();
}

void PlainReporter::begins(const std::vector<EnvironmentStatus>& all) {
  std::lock_guard lock(mutex_);
  several_ = all.size() > 1;
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

void PlainReporter::changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
                            std::size_t stage) {
  std::lock_guard lock(mutex_);
  const EnvironmentStatus& where = all[environment];
  const StageStatus& status = where.stages[stage];
  if (status.state == StageState::Running)
    running_[{environment, stage}] = {where.name, where.stage_names[stage], Clock::now()};
  else if (running_.erase({environment, stage}) > 0)
    ++done_;
  auto rest = unfinished_.extract({where.name, where.stage_names[stage]});
  if (rest) rest.mapped().rest([&](std::string_view line) { print_output(where.name, line); });
  bool bad = status.state == StageState::Failed || status.state == StageState::Interrupted;
  bool news = !(options_.brief && status.state == StageState::Reused);
  if ((!options_.quiet && news) || bad)
    print(painted(stage_line(where, stage, options_.brief), status.state) + "\n");
  if (std::size_t first = status.detail.find('\n');
      bad && first != std::string::npos)  // engines say more than a line
    for (std::string_view line : lines(std::string_view(status.detail).substr(first + 1)))
      print_line("    " + std::string(line));
  if (status.state == StageState::Failed) print_failure(status);
}

// What its log says; the end of the log where that is nothing.
void PlainReporter::print_failure(const StageStatus& status) {
  std::size_t told = 0;
  for (const LogFinding& finding : status.findings) {
    if (finding.kind != LogFinding::Kind::Error || ++told > kShownFindings) continue;
    std::string name = finding.package.empty() ? "" : finding.package + ": ";
    print_line("    " + name + harmless(shown(finding.message)));
    if (finding.line > 0) print_line(fmt::format("      {}:{}", finding.file, finding.line));
    for (const std::string& line : finding.excerpt) print_line("    | " + harmless(printable(line)));
  }
  if (told > kShownFindings) print_line(fmt::format("    and {} more", told - kShownFindings));
  if (told == 0 && !status.log.empty())
    for (const std::string& line : last_lines(status.log, kLogTail)) print_line("    | " + harmless(line));
}

void PlainReporter::package(std::size_t environment, std::size_t stage, const PackageStatus& package) {
  std::lock_guard lock(mutex_);
  auto place = running_.find({environment, stage});
  if (place == running_.end()) return;
  std::erase(place->second.packages, package.name);
  if (package.state == PackageState::Building) place->second.packages.push_back(package.name);
}

void PlainReporter::printed(const std::string& environment, const std::string& stage,
                            std::string_view piece) {
  if (!options_.verbose) return;
  std::lock_guard lock(mutex_);
  unfinished_[{environment, stage}].take(piece,
                                         [&](std::string_view line) { print_output(environment, line); });
}

// A line of a stage. Scripts look for words at its beginning, so that nothing stands before it where it can
// be no other environment's.
void PlainReporter::print_output(const std::string& environment, std::string_view line) {
  std::string text = harmless(printable(line));
  print_line(several_ ? environment + " | " + text : text);
}

void PlainReporter::note(const std::string& text) {
  std::lock_guard lock(mutex_);
  if (!options_.quiet) print_line(harmless(printable(text)));
}

void PlainReporter::ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) {
  std::lock_guard lock(mutex_);
  ended_ = true;
  std::string table = status_table(all, options_.quiet);
  if (!table.empty()) print("\n" + table + "\n");
  std::string folder;
  for (const EnvironmentStatus& environment : all)
    if (std::string own = print_places(environment); !own.empty()) folder = own;
  if (several_) folder = folder.substr(0, folder.rfind('/'));
  if (!folder.empty() && !options_.quiet)
    print_line(several_ ? "logs: " + folder : fmt::format("logs of {}: {}", all.front().name, folder));
  if (!options_.quiet) print_line("in " + run_seconds_text(seconds));
}

// How to look into what was kept of what did not end well. The folder with the logs of what ran; empty where
// nothing did.
std::string PlainReporter::print_places(const EnvironmentStatus& environment) {
  std::string folder;
  for (std::size_t i = 0; i < environment.stages.size(); ++i) {
    const StageStatus& status = environment.stages[i];
    if (!status.log.empty()) folder = status.log.substr(0, status.log.rfind('/'));
    if (status.state != StageState::Failed && status.state != StageState::Interrupted) continue;
    print_line(environment.name + " " + environment.stage_names[i]);
    if (!status.log.empty()) print_line("  log:   " + status.log);
    if (!status.image.empty() && options_.shell_command)
      print_line("  shell: " + options_.shell_command(environment.name, environment.stage_names[i]));
  }
  return folder;
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

// The longest running first.
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

std::string PlainReporter::painted(std::string_view text, StageState state) const {
  if (!options_.color) return std::string(text);
  int color = state == StageState::Failed || state == StageState::Interrupted ? 31
              : state == StageState::Built                                    ? 32
              : state == StageState::Reused || state == StageState::Skipped   ? 2
                                                                              : 0;
  return color == 0 ? std::string(text) : fmt::format("\x1b[{}m{}\x1b[0m", color, text);
}

std::string status_table(const std::vector<EnvironmentStatus>& all, bool failures_only) {
  struct Row {
    std::string environment, stage, state, seconds;
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
                      status.seconds > 0 ? duration_text(status.seconds) : ""});
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
    text += fmt::format("{:<{}}  {:<{}}  {:<11}  {:>12}\n", row.environment, environment_width, row.stage,
                        stage_width, row.state, row.seconds);
  return text;
}

std::vector<std::string> last_lines(const std::string& file, std::size_t most) {
  constexpr off_t kWindow = 16 << 10;
  int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  off_t size = ::lseek(fd, 0, SEEK_END);
  off_t from = size > kWindow ? size - kWindow : 0;
  std::string tail(static_cast<std::size_t>(size - from), '\0');
  ssize_t n = ::pread(fd, tail.data(), tail.size(), from);
  ::close(fd);
  tail.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  std::vector<std::string_view> all = lines(tail);
  std::size_t first = all.size() > most ? all.size() - most : 0;
  std::vector<std::string> result;
  for (std::size_t i = first; i < all.size(); ++i) result.push_back(printable(all[i].substr(0, 300)));
  return result;
}

}  // namespace stagemake
