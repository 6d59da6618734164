#include "report/terminal/terminal_reporter.h"

#include <algorithm>
#include <utility>

namespace stagemake {
namespace {

// Lines in quick succession are written together, because a terminal takes milliseconds for a frame.
constexpr std::chrono::milliseconds kBetweenFrames{40};
constexpr std::chrono::milliseconds kRedraw{500};  // if only the clock has moved
constexpr std::size_t kMostAbove = 4u << 20;       // bytes: must fit into the queue at the end

PlainReporterOptions lines_of(const TerminalReporterOptions& options,
                              std::function<void(std::string_view)> print) {
  PlainReporterOptions lines = options.lines;
  lines.print = std::move(print);
  lines.heartbeat = std::chrono::milliseconds(0);
  return lines;
}

}  // namespace

TerminalReporter::TerminalReporter(TerminalReporterOptions options, const RunRecorder& recorder)
    : options_(std::move(options)),
      recorder_(recorder),
      screen_(*options_.out, options_.in),
      lines_(std::make_unique<PlainReporter>(
          lines_of(options_, [this](std::string_view lines) { print(lines); }))),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

TerminalReporter::~TerminalReporter() {
  thread_ = {};
  lines_.reset();
  live_ = false;
  draw(true);
}

void TerminalReporter::begins(const std::vector<EnvironmentStatus>& all) {
  {
    std::lock_guard lock(mutex_);
    live_ = true;
  }
  lines_->begins(all);
}

void TerminalReporter::changed(const std::vector<EnvironmentStatus>& all, StageAddress at) {
  // The block shows running stages.
  if (all[at.environment].stages[at.stage].state == StageState::Running) return;
  lines_->changed(all, at);
}

void TerminalReporter::printed(StageAddress at, std::string_view piece) {
  lines_->printed(at, piece);
}

void TerminalReporter::note(const std::string& text) {
  lines_->note(text);
}

void TerminalReporter::ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) {
  {
    std::lock_guard lock(mutex_);
    live_ = false;
    draw(true);
  }
  lines_->ends(all, seconds);
}

void TerminalReporter::print(std::string_view lines) {
  std::lock_guard lock(mutex_);
  if (above_.size() + lines.size() > (lost_ > 0 ? kMostAbove / 2 : kMostAbove)) {
    auto more = static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
    lost_ += more;
    options_.out->lose(more);
    return;
  }
  above_ += lines;
  if (!live_ || Clock::now() - drawn_ >= kBetweenFrames) draw(!live_);
}

void TerminalReporter::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::optional<char> key = screen_.key(static_cast<int>(options_.tick.count()));
    if (key && live_) press(*key);
    std::lock_guard lock(mutex_);
    if (live_ && (key || !above_.empty() || Clock::now() - drawn_ >= kRedraw)) draw(false);
  }
}

void TerminalReporter::press(char key) {
  switch (key) {
    case '?':
    case 'h':
    case 'l':
    case '\x1b':
      look(key);
      break;
    case '+':
    case '-':
      if (options_.change_slots)
        options_.change_slots(key == '+' ? 1 : -1);
      else
        lines_->note("there is no pool of job slots to change");
      break;
    case 'q':
      if (options_.stop) options_.stop();
      break;
    default:
      break;
  }
}

// Switches what the block shows.
void TerminalReporter::look(char key) {
  std::lock_guard lock(mutex_);
  if (key == 'l') {
    next_log();
  } else if (key == '\x1b') {
    log_.reset();
    help_ = false;
  } else {
    help_ = !help_;
  }
}

// Shows the log of the next running stage; after the last one, no log.
void TerminalReporter::next_log() {
  recorder_.with([this](const RunRecord& run, double) {
    std::vector<StageAddress> all = running_stages(run);
    auto found = log_ ? std::find(all.begin(), all.end(), *log_) : all.end();
    if (!log_ || (found == all.end() && !all.empty()))
      found = all.begin();
    else if (found != all.end())
      ++found;
    log_ = found == all.end() ? std::nullopt : std::optional(*found);
  });
}

// `must`: draw even if the terminal has not taken the previous frame.
void TerminalReporter::draw(bool must) {
  if (!must && !screen_.is_idle()) return;
  std::vector<std::string> block;
  TerminalScreen::Size size = screen_.size();
  recorder_.with([&](const RunRecord& run, double now) {
    if (!live_ || !run.has_begun() || options_.lines.quiet) return;
    LiveOptions live{.columns = size.columns,
                     .rows = size.rows,
                     .color = options_.lines.color,
                     .keys = screen_.has_keys(),
                     .help = help_,
                     .log = log_};
    if (log_)
      live.tail = last_lines(run.environments[log_->environment].stages[log_->stage].status.log, size.rows);
    block = live_block(run, now, live);
  });
  if (lost_ > 0) above_ += lost_lines_marker(std::exchange(lost_, 0), kReadTooLate);
  screen_.show(std::exchange(above_, {}), block);
  drawn_ = Clock::now();
}

}  // namespace stagemake
