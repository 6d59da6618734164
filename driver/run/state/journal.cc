#include "run/state/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/process/sleep.h"
#include "base/text/json_text.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;
using json = nlohmann::json;

constexpr std::size_t kLongestText = 4096;       // bytes of one value
constexpr std::size_t kLongestLine = 64u << 10;  // bytes; no line of ours comes near it
constexpr double kMostSeconds = 1e9;             // anything longer is no duration
// The process that shortens a long journal holds the lock for seconds on a busy disk.
constexpr std::chrono::milliseconds kLockPatience{10000};

constexpr const char* kOutcomes[] = {"built", "failed", "interrupted", "partial"};

std::string bounded(const std::string& text) {
  return text.substr(0, kLongestText);
}

double sound(double seconds) {
  return std::isfinite(seconds) ? std::clamp(std::round(seconds * 1000) / 1000, 0.0, kMostSeconds) : 0;
}

ordered_json record(const char* kind, std::int64_t when) {
  return {{"schema", kJournalSchema}, {"kind", kind}, {"when", when}};
}

std::string line_of(ordered_json value, const ordered_json& members) {
  value.update(members);
  return value.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

struct Damaged : std::exception {};

// A value of a line; throws if it is missing or impossible.
std::string text_of(const json& line, const char* member) {
  std::string text = line.at(member).get<std::string>();
  if (text.size() > 4 * kLongestText) throw Damaged();
  return text;
}

double seconds_of(const json& line, const char* member) {
  double seconds = line.at(member).get<double>();
  if (!(seconds >= 0 && seconds <= kMostSeconds)) throw Damaged();
  return seconds;
}

std::uint64_t bytes_of(const json& bytes) {
  if (!bytes.is_number_unsigned()) throw Damaged();
  return bytes.get<std::uint64_t>();
}

std::int64_t time_of(const json& line) {
  const json& when = line.at("when");
  bool is_large = when.is_number_unsigned() && when.get<std::uint64_t>() > INT64_MAX;
  if (!when.is_number_integer() || is_large) throw Damaged();
  return when.get<std::int64_t>();
}

JournalStage stage_run(const json& line) {
  std::string outcome = text_of(line, "outcome");
  const auto* found = std::find(std::begin(kOutcomes), std::end(kOutcomes), outcome);
  if (found == std::end(kOutcomes)) throw Damaged();
  return {.when = time_of(line),
          .environment = text_of(line, "environment"),
          .stage = text_of(line, "stage"),
          .key = text_of(line, "key"),
          .outcome = static_cast<StageOutcome>(found - std::begin(kOutcomes)),
          .seconds = seconds_of(line, "seconds"),
          .commit_seconds = seconds_of(line, "commit_seconds"),
          .bytes = bytes_of(line.at("bytes")),
          // Lines of earlier versions have none.
          .memory = line.contains("memory") ? bytes_of(line.at("memory")) : 0,
          .engine = text_of(line, "engine"),
          // Missing in lines of earlier versions, which always used this machine's network.
          .network = network_named(line.value("network", "host")).value_or(Network::Default)};
}

PackageBuilt package_built(const json& line) {
  return {.when = time_of(line),
          .environment = text_of(line, "environment"),
          .package = text_of(line, "package"),
          .version = text_of(line, "version"),
          .seconds = seconds_of(line, "seconds")};
}

TransferRecord transfer(const json& line, TransferRecord::Kind kind) {
  return {.kind = kind,
          .when = time_of(line),
          .host = text_of(line, "host"),
          .bytes = bytes_of(line.at("bytes")),
          .seconds = seconds_of(line, "seconds"),
          .ok = line.at("ok").get<bool>()};
}

Eviction eviction(const json& line) {
  return {.when = time_of(line),
          .environment = text_of(line, "environment"),
          .stage = text_of(line, "stage"),
          .key = text_of(line, "key"),
          .complete = line.at("complete").get<bool>(),
          .image = text_of(line, "image"),
          .bytes = bytes_of(line.at("bytes")),
          .rebuild_seconds = seconds_of(line, "rebuild_seconds"),
          .why = text_of(line, "why")};
}

// Reads a line in the very form that add() writes, piece by piece. Nothing is skipped or guessed: whatever
// deviates ends the attempt.
class ExactLine {
 public:
  explicit ExactLine(std::string_view text) : rest_(text) {}

  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  // A text without escapes, up to its closing quote.
  bool take_text(std::string& text) {
    std::size_t end = rest_.find('"');
    if (end == std::string_view::npos || end > 4 * kLongestText) return false;
    std::string_view taken = rest_.substr(0, end);
    if (!std::all_of(taken.begin(), taken.end(), [](char c) { return c >= ' ' && c < 127 && c != '\\'; }))
      return false;
    text = taken;
    rest_.remove_prefix(end);
    return true;
  }
  // Not negative, and in the form of JSON, which is stricter than from_chars(): no 01, .5, 1., nan.
  template <typename Number>
  bool take_number(Number& number) {
    auto is_digit = [this](std::size_t at) {
      return at < rest_.size() && rest_[at] >= '0' && rest_[at] <= '9';
    };
    if (!is_digit(0) || (rest_[0] == '0' && is_digit(1))) return false;
    auto [end, failure] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (failure != std::errc()) return false;
    auto length = static_cast<std::size_t>(end - rest_.data());
    std::size_t point = rest_.substr(0, length).find('.');
    if (point != std::string_view::npos && !is_digit(point + 1)) return false;
    rest_.remove_prefix(length);
    return true;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// Nearly all lines of a long journal are about packages, and reading them as JSON in general takes ten times
// as long. Nothing if the line is another one; it may be right nevertheless.
std::optional<PackageBuilt> usual_package(std::string_view text) {
  static const std::string begin = fmt::format(R"({{"schema":{},"kind":"package","when":)", kJournalSchema);
  ExactLine line(text);
  PackageBuilt built;
  bool is_usual = line.take(begin) && line.take_number(built.when) && line.take(R"(,"environment":")") &&
                  line.take_text(built.environment) && line.take(R"(","package":")") &&
                  line.take_text(built.package) && line.take(R"(","version":")") &&
                  line.take_text(built.version) && line.take(R"(","seconds":)") &&
                  line.take_number(built.seconds) && line.take("}") && line.at_end();
  if (!is_usual || !(built.seconds >= 0 && built.seconds <= kMostSeconds)) return std::nullopt;
  return built;
}

void read_line(std::string_view text, JournalContents& contents) {
  if (std::optional<PackageBuilt> built = usual_package(text))
    return contents.packages.push_back(*std::move(built));
  json line = json_in(text, kLongestLine).value_or(nullptr);
  if (!line.is_object()) return;
  try {
    if (line.at("schema") != kJournalSchema) return;
    std::string kind = text_of(line, "kind");
    if (kind == "stage") contents.stages.push_back(stage_run(line));
    if (kind == "package") contents.packages.push_back(package_built(line));
    if (kind == "pull") contents.transfers.push_back(transfer(line, TransferRecord::Kind::Pull));
    if (kind == "push") contents.transfers.push_back(transfer(line, TransferRecord::Kind::Push));
    if (kind == "eviction") contents.evictions.push_back(eviction(line));
  } catch (const std::exception&) {
    // from a later version, or damaged
  }
}

class OpenFile {
 public:
  explicit OpenFile(const fs::path& file)
      : file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    struct stat facts {};
    if (file_.is_open() && ::fstat(file_.get(), &facts) == 0 && S_ISREG(facts.st_mode))
      size_ = static_cast<std::size_t>(facts.st_size);
  }

  // Also 0 if there is no file.
  std::size_t size() const { return size_; }

  // Its last bytes, at most `most`.
  std::string end(std::size_t most) const {
    std::string text(std::min(size_, most), '\0');
    std::size_t got = 0;
    while (got < text.size()) {
      ssize_t n = ::pread(file_.get(), text.data() + got, text.size() - got,
                          static_cast<off_t>(size_ - text.size() + got));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    text.resize(got);
    return text;
  }

  // The complete lines among its last `most` bytes.
  std::string last_lines(std::size_t most) const {
    std::string text = end(most);
    if (size_ > most) text.erase(0, text.find('\n') == std::string::npos ? text.size() : text.find('\n') + 1);
    return text;
  }

 private:
  Descriptor file_;
  std::size_t size_ = 0;
};

// Waits a while for another process that adds a line. Nothing if that takes too long (it was stopped
// halfway): then lines are added anyway, but the file is not shortened.
std::optional<FileLock> lock(const fs::path& file, std::chrono::milliseconds patience,
                             const std::stop_token& stop) {
  auto give_up = std::chrono::steady_clock::now() + patience;
  while (true) {
    if (std::optional<FileLock> taken = FileLock::try_take(file)) return taken;
    if (std::chrono::steady_clock::now() > give_up || !sleep_for(std::chrono::milliseconds(2), stop))
      return std::nullopt;
  }
}

}  // namespace

bool Journal::add(const JournalStage& run) {
  return add_line(line_of(record("stage", run.when), {{"environment", bounded(run.environment)},
                                                      {"stage", bounded(run.stage)},
                                                      {"key", bounded(run.key)},
                                                      {"outcome", kOutcomes[static_cast<int>(run.outcome)]},
                                                      {"seconds", sound(run.seconds)},
                                                      {"commit_seconds", sound(run.commit_seconds)},
                                                      {"bytes", run.bytes},
                                                      {"memory", run.memory},
                                                      {"engine", bounded(run.engine)},
                                                      {"network", name_of(run.network)}}));
}

bool Journal::add(const PackageBuilt& package) {
  return add_line(line_of(record("package", package.when), {{"environment", bounded(package.environment)},
                                                            {"package", bounded(package.package)},
                                                            {"version", bounded(package.version)},
                                                            {"seconds", sound(package.seconds)}}));
}

bool Journal::add(const TransferRecord& transfer) {
  return add_line(
      line_of(record(transfer.kind == TransferRecord::Kind::Pull ? "pull" : "push", transfer.when),
              {{"host", bounded(transfer.host)},
               {"bytes", transfer.bytes},
               {"seconds", sound(transfer.seconds)},
               {"ok", transfer.ok}}));
}

bool Journal::add(const Eviction& eviction) {
  return add_line(
      line_of(record("eviction", eviction.when), {{"environment", bounded(eviction.environment)},
                                                  {"stage", bounded(eviction.stage)},
                                                  {"key", bounded(eviction.key)},
                                                  {"complete", eviction.complete},
                                                  {"image", bounded(eviction.image)},
                                                  {"bytes", eviction.bytes},
                                                  {"rebuild_seconds", sound(eviction.rebuild_seconds)},
                                                  {"why", bounded(eviction.why)}}));
}

void Journal::hurry_on(std::stop_token stop) {
  std::lock_guard guard(mutex_);
  stop_ = std::move(stop);
}

bool Journal::add_line(const std::string& line) {
  std::lock_guard guard(mutex_);
  try {
    std::optional<FileLock> held =
        lock(file_.string() + ".lock", has_waited_ ? std::chrono::milliseconds(0) : kLockPatience, stop_);
    has_waited_ = !held;
    if (held && OpenFile(file_).size() > kMostKept) drop_older_half();
    // A truncated line, for example from a full disk, must not spoil this one.
    std::string last = OpenFile(file_).end(1);
    append_line(file_, (last.empty() || last == "\n" ? "" : "\n") + line);
    return true;
  } catch (const std::exception& error) {
    if (problem_.empty()) problem_ = error.what();
    return false;
  }
}

void Journal::drop_older_half() const {
  OpenFile file(file_);
  write_file(file_, file.last_lines(std::min(file.size() / 2, kMostRead)));
}

std::optional<std::string> Journal::untold_problem() {
  std::lock_guard guard(mutex_);
  if (problem_.empty() || told_) return std::nullopt;
  told_ = true;
  return problem_;
}

JournalContents Journal::read() const {
  const std::string text = OpenFile(file_).last_lines(kMostRead);
  JournalContents contents;
  for (std::string_view line : lines(text)) read_line(line, contents);
  return contents;
}

std::optional<Eviction> evicted(const JournalContents& journal, const std::string& environment,
                                const std::string& stage, const std::string& key) {
  auto is_it = [&](const auto& entry) {
    return entry.environment == environment && entry.stage == stage && entry.key == key;
  };
  auto found = std::find_if(journal.evictions.rbegin(), journal.evictions.rend(), is_it);
  if (found == journal.evictions.rend()) return std::nullopt;
  bool built_since = std::any_of(journal.stages.begin(), journal.stages.end(), [&](const JournalStage& run) {
    return is_it(run) && run.outcome == StageOutcome::Built && run.when > found->when;
  });
  return built_since ? std::nullopt : std::optional(*found);
}

}  // namespace stagemake
