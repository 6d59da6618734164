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

double seconds_since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

// "✓" and the like are left to later displays: these words read well in a pipe, in CI and aloud.
std::string stage_line(const EnvironmentStatus& environment, std::size_t stage) {
  const StageStatus& status = environment.stages[stage];
  std::string line =
      fmt::format("{}  {}: {}", environment.name, environment.stage_names[stage], word(status.state));
  bool ran = status.state == StageState::Built || status.state == StageState::Failed ||
             status.state == StageState::Interrupted;
  if (ran) line += fmt::format(" after {}", duration_text(status.seconds));
  if (!status.detail.empty()) line += ", " + printable(status.detail.substr(0, status.detail.find('\n')));
  return line;
}

}  // namespace

PlainReporter::PlainReporter(PlainReporterOptions options)
    : options_(std::move(options)), ticker_([this](std::stop_token stop) { tick(stop); }) {}

PlainReporter::~PlainReporter() {
  ticker_.request_stop();
  wake_.notify_all();
}

void PlainReporter::begins(const std::vector<EnvironmentStatus>& all) {
  std::lock_guard lock(mutex_);
  several_ = all.size() > 1;
  if (options_.quiet || all.size() > kFewEnvironments) return;
  for (const EnvironmentStatus& environment : all) {
    std::size_t reused = 0;
    std::size_t to_build = 0;
    for (const StageStatus& stage : environment.stages) {
      if (stage.state == StageState::Reused) ++reused;
      if (stage.state == StageState::Waiting) ++to_build;
    }
    print_line(
        to_build == 0
            ? fmt::format("{}: nothing to do, all {} stages have their images", environment.name, reused)
            : fmt::format("{}: {} stages to build, {} reused", environment.name, to_build, reused));
  }
}

void PlainReporter::changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
                            std::size_t stage) {
  std::lock_guard lock(mutex_);
  const EnvironmentStatus& where = all[environment];
  const StageStatus& status = where.stages[stage];
  if (status.state == StageState::Running)
    running_[{environment, stage}] = {where.name, where.stage_names[stage], Clock::now()};
  else
    running_.erase({environment, stage});
  auto rest = unfinished_.extract({where.name, where.stage_names[stage]});
  if (rest && !rest.mapped().empty()) print_output(where.name, rest.mapped());
  bool bad = status.state == StageState::Failed || status.state == StageState::Interrupted;
  if (!options_.quiet || bad) print_line(painted(stage_line(where, stage), status.state));
  if (std::size_t first = status.detail.find('\n');
      bad && first != std::string::npos)  // engines say more than a line
    for (std::string_view line : lines(std::string_view(status.detail).substr(first + 1)))
      print_line("    " + printable(line));
  if (status.state == StageState::Failed && !status.log.empty())
    for (const std::string& line : last_lines(status.log, kLogTail)) print_line("    | " + harmless(line));
  draw_status();
}

void PlainReporter::printed(const std::string& environment, const std::string& stage,
                            std::string_view piece) {
  if (!options_.verbose) return;
  std::lock_guard lock(mutex_);
  std::string& line = unfinished_[{environment, stage}];
  line += piece;
  std::size_t end = line.rfind('\n');
  if (end == std::string::npos) return;
  std::string finished = line.substr(0, end + 1);
  line.erase(0, end + 1);
  for (std::string_view one : lines(finished)) print_output(environment, one);
  draw_status();
}

// A line of a stage. Scripts look for words at its beginning, so that nothing stands before it where it can
// be no other environment's.
void PlainReporter::print_output(const std::string& environment, std::string_view line) {
  line = line.substr(line.rfind('\r') + 1);  // of a line that draws over itself, the last state
  std::string text;
  for (std::string_view part : split(line, '\t')) text += (text.empty() ? "" : "\t") + printable(part);
  print_line(several_ ? environment + " | " + harmless(text) : harmless(text));
}

void PlainReporter::note(const std::string& text) {
  std::lock_guard lock(mutex_);
  if (!options_.quiet) print_line(harmless(printable(text)));
  draw_status();
}

void PlainReporter::ends(const std::vector<EnvironmentStatus>& all, double seconds) {
  std::lock_guard lock(mutex_);
  ended_ = true;
  erase_status();
  std::string table = status_table(all, options_.quiet);
  if (!table.empty()) fmt::print(options_.out, "\n{}", table);
  if (!table.empty()) fmt::print(options_.out, "\n");
  for (const EnvironmentStatus& environment : all) print_places(environment);
  if (!options_.quiet) fmt::print(options_.out, "in {}\n", duration_text(seconds));
  std::fflush(options_.out);
}

// Where the logs of what ran are, and how to look into what was kept of what did not end well.
void PlainReporter::print_places(const EnvironmentStatus& environment) {
  std::string folder;
  for (std::size_t i = 0; i < environment.stages.size(); ++i) {
    const StageStatus& status = environment.stages[i];
    if (!status.log.empty()) folder = status.log.substr(0, status.log.rfind('/'));
    if (status.state != StageState::Failed && status.state != StageState::Interrupted) continue;
    fmt::print(options_.out, "{} {}\n", environment.name, environment.stage_names[i]);
    if (!status.log.empty()) fmt::print(options_.out, "  log:   {}\n", status.log);
    if (!status.image.empty() && options_.shell_command)
      fmt::print(options_.out, "  shell: {}\n",
                 options_.shell_command(environment.name, environment.stage_names[i]));
  }
  if (!folder.empty() && !options_.quiet)
    fmt::print(options_.out, "logs of {}: {}\n", environment.name, folder);
}

void PlainReporter::tick(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, options_.tick, [] { return false; });
    if (stop.stop_requested() || ended_ || running_.empty()) continue;
    if (options_.terminal) {
      draw_status();
    } else if (Clock::now() - last_heartbeat_ >= options_.heartbeat && !options_.quiet) {
      std::string line = "still running:";
      for (const auto& [key, one] : running_)
        line +=
            fmt::format(" {} {} ({})", one.environment, one.stage, duration_text(seconds_since(one.since)));
      print_line(line);
    }
  }
}

void PlainReporter::print_line(const std::string& line) {
  erase_status();
  fmt::print(options_.out, "{}\n", line);
  std::fflush(options_.out);
  last_heartbeat_ = Clock::now();
}

void PlainReporter::draw_status() {
  if (!options_.terminal || options_.quiet || ended_) return;
  erase_status();
  if (running_.empty()) return;
  auto oldest = std::min_element(running_.begin(), running_.end(), [](const auto& a, const auto& b) {
    return a.second.since < b.second.since;
  });
  const Running& one = oldest->second;
  std::string line =
      fmt::format("… {} {} {}", one.environment, one.stage, duration_text(seconds_since(one.since)));
  if (running_.size() > 1) line += fmt::format(", and {} more", running_.size() - 1);
  if (line.size() >= options_.columns) line = line.substr(0, options_.columns - 1);
  fmt::print(options_.out, "{}", line);
  std::fflush(options_.out);
  status_shown_ = true;
}

void PlainReporter::erase_status() {
  if (status_shown_) fmt::print(options_.out, "\r\x1b[K");
  status_shown_ = false;
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
      rows.push_back({environment.name, environment.stage_names[i], std::string(word(status.state)),
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
