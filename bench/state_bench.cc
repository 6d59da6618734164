// What a state folder at its bounds adds to the start of a build: a journal of 32 MiB and 30 kept runs, whose
// events are as long together, compared with an empty folder; and with its journal read as JSON in general.
//
// A start reads the journal (only if something is to be built), learns durations from it, and makes the
// folder of its run, which removes the oldest one.
#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/files.h"
#include "base/text/json_text.h"
#include "base/text/text.h"
#include "run/state/journal.h"
#include "run/state/learned.h"
#include "run/state/run_folder.h"
#include "run/state/state_folder.h"

namespace stagemake {
namespace {

constexpr std::int64_t kBegin = 1'790'000'000;  // seconds since the epoch
constexpr std::size_t kPackages = 300, kEnvironments = 150;

// The lines are the journal's own: one of each package is written by it and then repeated with other values.
void fill_journal(const StateFolder& state, std::size_t bytes) {
  fs::create_directories(state.journal().parent_path());
  Journal journal(state.journal());
  journal.add(
      PackageBuilt{.when = kBegin, .environment = "ENVIRONMENT", .package = "PACKAGE", .version = "1.2.3"});
  journal.add(JournalStage{
      .when = kBegin, .environment = "ENVIRONMENT", .stage = "with-targets", .key = std::string(64, 'a')});
  std::string text = read_file(state.journal(), 1u << 20).value_or("");
  std::vector<std::string_view> models = lines(text);
  std::ofstream out(state.journal().string(), std::ios::binary);
  auto write = [&](std::string line, std::size_t environment, std::size_t package) {
    auto put = [&](std::string_view what, const std::string& value) {
      if (std::size_t at = line.find(what); at != std::string::npos) line.replace(at, what.size(), value);
    };
    put("ENVIRONMENT", fmt::format("system-{}-standard-sitepackages", environment));
    put("PACKAGE", fmt::format("package_{}", package));
    put(R"("seconds":0.0)", fmt::format(R"("seconds":{}.25)", package));
    out << line << '\n';
    return line.size() + 1;
  };
  for (std::size_t written = 0, number = 0; written < bytes; ++number) {
    std::size_t environment = number / kPackages % kEnvironments, package = number % kPackages;
    written += write(std::string(models.at(0)), environment, package);
    if (package == 0) written += write(std::string(models.at(1)), environment, package);
  }
}

void fill_runs(const StateFolder& state, std::size_t bytes) {
  for (std::size_t i = 0; i < kKeptRuns; ++i) {
    RunFolder run(state, kBegin + static_cast<std::int64_t>(i));
    std::ofstream(run.events().string()) << std::string(bytes / kKeptRuns, '\n');
  }
}

// Milliseconds, the median.
double median(int runs, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    auto began = std::chrono::steady_clock::now();
    work();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// The same lines, read as a start did before usual lines had a reader of their own, but for the copies of
// their values.
std::size_t read_as_json(const StateFolder& state) {
  std::ifstream file(state.journal().string(), std::ios::binary | std::ios::ate);
  auto size = static_cast<std::size_t>(file.tellg());
  std::string text(std::min(size, Journal::kMostRead), '\0');
  file.seekg(static_cast<std::streamoff>(size - text.size()));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  std::size_t right = 0;
  for (std::string_view line : lines(text)) right += json_in(line, 64u << 10).has_value() ? 1 : 0;
  return right;
}

struct Times {
  double read = 0, learn = 0, folder = 0;
};
Times start(const StateFolder& state, int runs) {
  JournalContents contents;
  Times times;
  times.read = median(runs, [&] { contents = Journal(state.journal()).read(); });
  times.learn = median(runs, [&] { learned(contents, {}); });
  std::int64_t now = kBegin + 1000;
  times.folder = median(runs, [&] { RunFolder(state, now++); });
  return times;
}

void show(const char* label, const Times& times) {
  fmt::print("  {:<28} {:8.1f} ms {:8.1f} ms {:8.1f} ms\n", label, times.read, times.learn, times.folder);
}

void compare(const fs::path& work, std::size_t bytes, int runs) {
  StateFolder empty(work / "empty", work), full(work / "full", work);
  fs::create_directories(empty.journal().parent_path());
  fill_journal(full, bytes);
  fill_runs(full, bytes);
  fmt::print("{} of journal, {} kept runs; medians of {}\n", size_text(bytes), kKeptRuns, runs);
  fmt::print("  {:<28} {:>11} {:>11} {:>11}\n", "", "journal", "learning", "run folder");
  show("an empty state folder", start(empty, runs));
  double json = median(runs, [&] { read_as_json(full); });
  Times times = start(full, runs);
  show("a full one", times);
  fmt::print("  the journal as JSON in general: {:.1f} ms; ratio {:.2f}\n", json, times.read / json);
}

}  // namespace
}  // namespace stagemake

int main(int argc, char** argv) {
  CLI::App app("The start of a build with a state folder at its bounds");
  double megabytes = 32;
  int runs = 5;
  app.add_option("--megabytes", megabytes, "size of the journal, and of all kept runs")
      ->check(CLI::Range(0.01, 32.0));
  app.add_option("--runs", runs, "how often each step is measured")->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  std::string work = "/tmp/stagemake-bench.XXXXXX";
  if (::mkdtemp(work.data()) == nullptr) return 1;
  int status = 0;
  try {
    stagemake::compare(work, static_cast<std::size_t>(megabytes * 1024 * 1024), runs);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    status = 1;
  }
  boost::system::error_code ignored;
  stagemake::fs::remove_all(work, ignored);
  return status;
}
