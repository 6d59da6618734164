#include "report/terminal/live_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text/text.h"
#include "report/terminal/colors.h"

namespace stagemake {
namespace {

constexpr std::size_t kTimesWidth = 23;  // "12 min 05 s / 20 min"
constexpr std::size_t kLeastPackages = 10;
constexpr std::size_t kWide = 70;  // columns; narrower terminals do not show packages in progress

const StageRecord& at(const RunRecord& run, StageAddress place) {
  return run.environments[place.environment].stages[place.stage];
}

// "debian-bookworm-minimal" in less space: its beginning and end are the most informative parts.
std::string shortened(const std::string& text, std::size_t width) {
  if (text.size() <= width) return text;
  if (width < 5) return text.substr(0, width);
  std::size_t tail = (width - 2) / 2;
  return text.substr(0, width - 2 - tail) + ".." + text.substr(text.size() - tail);
}

std::string padded(const std::string& text, std::size_t width) {
  return fmt::format("{:<{}}", shortened(text, width), width);
}

// Whole seconds.
std::string elapsed(double seconds) {
  seconds = std::floor(std::max(0.0, seconds));
  return seconds < 60 ? fmt::format("{} s", seconds) : duration_text(seconds);
}

// A predicted time is not exact: whole minutes above ten.
std::string about(double seconds) {
  if (seconds >= 600 && seconds < 3570) return fmt::format("{:.0f} min", seconds / 60);
  return elapsed(std::max(1.0, std::round(seconds)));
}

// Nothing: it is not running yet, or there is no pool; 0: it is waiting for its first slot.
std::optional<unsigned> slots_of(const RunRecord& run, StageAddress place) {
  if (run.samples.empty() || run.samples.back().machine.slots == 0) return std::nullopt;
  for (const MachineSample::StageUse& one : run.samples.back().machine.stages)
    if (one.at == place) return one.slots;
  return std::nullopt;
}

std::string packages_in_flight(const StageRecord& stage) {
  std::vector<std::string> names;
  for (const PackageRecord& package : stage.packages)
    if (package.state == PackageState::Building) names.push_back(printable(package.name));
  return join(names, " ");
}

class Block {
 public:
  Block(const RunRecord& run, double now, const LiveOptions& options)
      : run_(run),
        now_(now),
        progress_(progress_of(run, now)),
        options_(options),
        width_(std::max(20u, options.columns) - 1) {}

  std::vector<std::string> draw() {
    headline();
    if (options_.log)
      log();
    else
      running();
    machine();
    if (options_.help) help();
    return std::move(lines_);
  }

 private:
  void add(const std::string& text, int color = 0) {
    lines_.push_back(painted(printable(text).substr(0, width_), color, options_.color));
  }

  std::size_t most_rows() const { return std::max(4u, options_.rows * 2 / 3) - 3 - (options_.help ? 2 : 0); }

  void headline() {
    const Progress& progress = progress_;
    std::string left = fmt::format("{} of {}", progress.stages_done, counted(progress.stages, "stage"));
    if (progress.packages > 0)
      left += fmt::format(", {} of {}", progress.packages_done, counted(progress.packages, "package"));
    if (progress.failed > 0) left += fmt::format(", {} failed", progress.failed);
    std::string right = elapsed(now_ - run_.began);
    if (progress.is_overdue)
      right += ", longer than expected";
    else if (progress.seconds_left > 0)
      right += fmt::format(", about {} left", about(progress.seconds_left));
    if (left.size() + right.size() + 2 > width_) {
      add(left);
      left.clear();
    }
    add(fmt::format("{}{:>{}}", left, right, width_ - std::min(left.size(), width_)));
    std::size_t room = width_ - 8;
    auto filled = static_cast<std::size_t>(std::floor(progress.fraction * static_cast<double>(room)));
    add(fmt::format("[{}{}] {:>3.0f} %", std::string(filled, '#'), std::string(room - filled, '.'),
                    std::floor(progress.fraction * 100)),
        progress.failed > 0 ? 33 : 32);
  }

  void running() {
    std::vector<StageAddress> all = running_stages(run_);
    std::size_t name = 0, stage = 0, slots = 0;
    for (StageAddress place : all) {
      name = std::max(name, run_.environments[place.environment].name.size());
      stage = std::max(stage, at(run_, place).name.size());
      if (slots_of(run_, place).value_or(0) > 0) slots = 4;
    }
    // Packages in progress get the space that names and times leave, if any; names are shortened first.
    std::size_t fixed = 2 + kTimesWidth + slots;
    std::size_t least = width_ >= kWide ? kLeastPackages : 0;
    if (name + stage + fixed + least + 1 > width_) {
      std::size_t room = width_ > fixed + least + 1 ? width_ - fixed - least - 1 : 20;
      stage = std::min(stage, std::max<std::size_t>(8, room * 2 / 5));
      name = std::min(name, room > stage ? room - stage : 8);
    }
    std::size_t packages =
        least > 0 && width_ > name + stage + fixed + 1 ? width_ - name - stage - fixed - 1 : 0;
    std::size_t most = most_rows();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i + 1 == most && all.size() > most) {
        add(fmt::format("and {} more", all.size() - i));
        break;
      }
      const StageRecord& record = at(run_, all[i]);
      std::string line = padded(printable(run_.environments[all[i].environment].name), name) + " " +
                         padded(printable(record.name), stage) + " ";
      if (packages > 0)
        line += padded(slots_of(run_, all[i]) == 0u ? "waits for a job slot" : packages_in_flight(record),
                       packages);
      if (slots > 0) line += fmt::format("{:>4}", jobs_of(all[i]));
      StageLeft left = stage_left(run_, all[i], now_);
      std::string time = elapsed(now_ - record.began);
      if (left.is_overdue)
        time += ", overdue";
      else if (record.expected.seconds >= 1)
        time += " / " + about(now_ - record.began + left.seconds);
      line += fmt::format(" {:>{}}", time, kTimesWidth);
      add(line, now_ - record.began > 3 * record.expected.seconds + 60 ? 33 : 0);
    }
  }

  std::string jobs_of(StageAddress place) const {
    unsigned slots = slots_of(run_, place).value_or(0);
    return slots == 0 ? "" : fmt::format("-j{}", slots);
  }

  void log() {
    const StageRecord& record = at(run_, *options_.log);
    add(fmt::format("log of {} {}", run_.environments[options_.log->environment].name, record.name), 1);
    std::size_t most = most_rows();
    std::size_t first = options_.tail.size() > most ? options_.tail.size() - most : 0;
    for (std::size_t i = first; i < options_.tail.size(); ++i) add("| " + options_.tail[i]);
  }

  void machine() {
    std::vector<std::string> parts;
    if (progress_.waiting > 0) parts.push_back(counted(progress_.waiting, "stage") + " waiting");
    if (!run_.samples.empty()) {
      const MachineSample& sample = run_.samples.back().machine;
      if (sample.slots > 0)
        parts.push_back(fmt::format("{} of {}", sample.slots_used, counted(sample.slots, "job slot")));
      parts.push_back(fmt::format("processors {:.0f} %", sample.busy * 100));
      parts.push_back(fmt::format("memory {:.0f} %", sample.memory * 100));
    }
    if (options_.keys) parts.emplace_back("? for keys");
    std::string line = join(parts, ", ");
    if (!line.empty()) add(line, 2);
  }

  void help() {
    add("l  log of a stage (again: the next); Esc: back       +/-  job slots");
    add("q  stop what runs and save it                        ?    help");
  }

  const RunRecord& run_;
  const double now_;
  const Progress progress_;
  const LiveOptions& options_;
  const std::size_t width_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> live_block(const RunRecord& run, double now, const LiveOptions& options) {
  return Block(run, now, options).draw();
}

std::size_t shown_width(std::string_view line) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      i = std::min(line.find('m', i), line.size());
      continue;
    }
    bool continues = (static_cast<unsigned char>(line[i]) & 0xc0) == 0x80;  // byte of a letter in UTF-8
    width += continues ? 0 : 1;
  }
  return width;
}

}  // namespace stagemake
