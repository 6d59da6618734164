// The cost of reports: stages that run at once and report to everything that shows and keeps a run, compared
// with the same stages without reports.
//
// A stage is a thread that makes one package and prints twenty pieces of output per second, and otherwise
// waits, as the driver does for containers; for ten seconds. The reports go to the recorder, a file of
// events, a second one that is a pipe whose reader takes nothing, and a terminal of 80 columns and 24 rows.
#include <fcntl.h>
#include <fmt/format.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/process/output_queue.h"
#include "report/events/event_log.h"
#include "report/events/reporter_group.h"
#include "report/terminal/terminal_reporter.h"
#include "run/control/flow_executor.h"

namespace stagemake {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPieces = 20;  // of output, per second

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

double processor_seconds() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

std::vector<EnvironmentStatus> environments(std::size_t count, unsigned seconds) {
  std::vector<EnvironmentStatus> all;
  for (std::size_t e = 0; e < count; ++e) {
    all.push_back(
        {.name = fmt::format("system-{}-minimal", e), .stage_names = {"configured", "with-targets"}});
    all.back().stages = {{.state = StageState::Reused}, {}};
    all.back().expected = {{}, {.seconds = static_cast<double>(seconds), .packages = seconds}};
  }
  return all;
}

struct Cost {
  double seconds = 0, processor = 0, longest = 0;  // longest: a single call
};

class Build {
 public:
  Build(std::size_t stages, unsigned seconds, Reporter& reporter)
      : seconds_(seconds), all_(environments(stages, seconds)), reporter_(reporter) {}

  Cost run() {
    std::vector<FlowStep> steps;
    for (std::size_t e = 0; e < all_.size(); ++e)
      steps.push_back({.task = {}, .work = [this, e](auto) { stage(e); }});
    double processor = processor_seconds();
    auto began = Clock::now();
    reporter_.begins(all_);
    execute_flow(steps, {.at_once = static_cast<unsigned>(all_.size())});
    reporter_.ends(all_, {.all = static_cast<double>(seconds_)});
    return {.seconds = std::chrono::duration<double>(Clock::now() - began).count(),
            .processor = processor_seconds() - processor,
            .longest = static_cast<double>(longest_) * 1e-9};
  }

 private:
  template <class Call>
  void timed(const Call& call) {
    auto began = Clock::now();
    call();
    std::int64_t took = (Clock::now() - began).count();
    for (std::int64_t seen = longest_; took > seen && !longest_.compare_exchange_weak(seen, took);) {
    }
  }

  void change(std::size_t e, StageState state) {
    timed([&] {
      std::lock_guard lock(mutex_);
      all_[e].stages[1].state = state;
      reporter_.changed(all_, {e, 1});
    });
  }

  void stage(std::size_t e) {
    const std::string line(80, 'x');
    auto next = Clock::now();
    change(e, StageState::Running);
    for (unsigned p = 0; p < seconds_; ++p) {
      PackageStatus package{.name = "package-" + std::to_string(p)};
      timed([&] { reporter_.package({e, 1}, package); });
      for (int i = 0; i < kPieces; ++i) {
        timed([&] { reporter_.printed({e, 1}, line + "\n"); });
        std::this_thread::sleep_until(next += std::chrono::milliseconds(1000 / kPieces));
      }
      package.state = PackageState::Built;
      timed([&] { reporter_.package({e, 1}, package); });
    }
    change(e, StageState::Built);
  }

  const unsigned seconds_;
  std::mutex mutex_;
  std::vector<EnvironmentStatus> all_;
  Reporter& reporter_;
  std::atomic<std::int64_t> longest_{0};
};

// A terminal whose output is read and discarded.
class Terminal {
 public:
  Terminal() {
    winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    if (::openpty(&ours_, &theirs_, nullptr, nullptr, &size) != 0) throw std::runtime_error("no terminal");
    reader_ = std::jthread([this] {
      char block[65536];
      while (::read(ours_, block, sizeof block) > 0) {
      }
    });
  }
  ~Terminal() {
    ::close(theirs_);
    reader_ = {};
    ::close(ours_);
  }
  int descriptor() const { return theirs_; }

 private:
  int ours_ = -1, theirs_ = -1;
  std::jthread reader_;
};

Cost seen(std::size_t stages, unsigned seconds, const fs::path& folder) {
  fs::path pipe = folder / "pipe";
  if (::mkfifo(pipe.c_str(), 0600) != 0) throw std::runtime_error("no pipe");
  int nobody = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  Terminal terminal;
  Cost cost;
  {
    RunRecorder recorder(now);
    EventLog log(now);
    log.add_file(folder / "events");
    log.add_file(pipe);
    log.facts({});
    OutputQueue out(terminal.descriptor());
    TerminalReporter shown({.out = &out, .in = terminal.descriptor()}, recorder);
    ReporterGroup group({&recorder, &log, &shown});
    cost = Build(stages, seconds, group).run();
  }
  ::close(nobody);
  return cost;
}

}  // namespace
}  // namespace stagemake

int main(int argc, char** argv) {
  using namespace stagemake;
  CLI::App app("what it costs to be seen");
  std::size_t stages = 1000;
  unsigned seconds = 10;
  app.add_option("--stages", stages, "that run at once (default: 1000)");
  app.add_option("--seconds", seconds, "that they take (default: 10)")->check(CLI::Range(1u, 3600u));
  CLI11_PARSE(app, argc, argv);
  ReporterGroup nobody({});
  double load = 0;
  ::getloadavg(&load, 1);
  fmt::print("load {:.1f}; {} stages at once, {} s\n", load, stages, seconds);
  fmt::print("{:>16}  {:>9}  {:>6}  {:>14}  {:>12}\n", "told of to", "seconds", "ratio", "processor time",
             "longest call");
  TemporaryFolder folder(fs::temp_directory_path());
  Cost plain = Build(stages, seconds, nobody).run();
  Cost all = seen(stages, seconds, folder.path());
  for (const auto& [name, cost] : {std::pair("nobody", plain), std::pair("all", all)})
    fmt::print("{:>16}  {:>9.2f}  {:>6.3f}  {:>12.2f} s  {:>9.1f} ms\n", name, cost.seconds,
               cost.seconds / plain.seconds, cost.processor, cost.longest * 1e3);
  double events = static_cast<double>(stages) * seconds * (kPieces + 2);
  fmt::print("{:.0f} events, {:.1f} us of processor time each\n", events,
             1e6 * (all.processor - plain.processor) / events);
  return 0;
}
