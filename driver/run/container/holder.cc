#include "run/container/holder.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/files/files.h"
#include "base/process/sleep.h"
#include "base/text/digest.h"
#include "base/text/random_word.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::string_view kBeaconName = "stagemake.sign-";  // no environment's container has this prefix
constexpr std::size_t kMostImages = 16;

std::string digest_word(const std::string& text) {
  return text.empty() ? std::string() : sha256_hex(text).substr(0, 16);
}

std::string read_or_nothing(const fs::path& file) {
  try {
    return std::string(trimmed(read_file(file).value_or("")));
  } catch (const Error&) {
    return {};
  }
}

// The start time of a process, in clock ticks since boot; empty if there is no such process, or it cannot be
// read.
std::string start_of(long process) {
  std::string facts = read_or_nothing(fmt::format("/proc/{}/stat", process));  // PID (NAME) STATE …
  std::vector<std::string_view> after =
      words(std::string_view(facts).substr(std::min(facts.size(), facts.rfind(')') + 1)));
  constexpr std::size_t kStart = 19;
  return after.size() > kStart ? std::string(after[kStart]) : std::string();
}

bool is_alive(const Holder& holder) {
  if (::kill(static_cast<pid_t>(holder.process), 0) != 0 && errno == ESRCH) return false;
  std::string started = start_of(holder.process);
  return started.empty() || started == holder.started;
}

Holder this_process() {
  boost::system::error_code failed;
  std::string boot = read_or_nothing("/proc/sys/kernel/random/boot_id");
  std::string numbers = fs::read_symlink("/proc/self/ns/pid", failed).string();
  return {.run = random_word(),
          .folder = {},
          .boot = digest_word(boot),
          .process_namespace = boot.empty() || failed ? std::string() : digest_word(boot + " " + numbers),
          .process = ::getpid(),
          .started = start_of(::getpid())};
}

double seconds_in(const ContainerInfo& container) {
  auto label = container.labels.find(std::string(kSignLabel));
  return label == container.labels.end() ? 0 : std::atof(label->second.c_str());
}

std::vector<ContainerInfo> signs_in(ContainerEngine& engine) {
  std::vector<ContainerInfo> signs = engine.list_containers(std::string(kBeaconLabel), "");
  std::erase_if(signs, [](const ContainerInfo& one) { return !one.name.starts_with(kBeaconName); });
  return signs;
}

}  // namespace

std::string to_label(const Holder& holder) {
  auto word = [](const std::string& text) { return text.empty() ? "-" : text; };
  return fmt::format("{} {} {} {} {} {}", word(holder.run), word(holder.folder), word(holder.boot),
                     word(holder.process_namespace), holder.process, word(holder.started));
}

std::optional<Holder> holder_in(const std::string& label) {
  std::vector<std::string_view> parts = words(label);
  if (parts.size() != 6) return std::nullopt;
  auto text = [&](std::size_t i) { return parts[i] == "-" ? std::string() : std::string(parts[i]); };
  return Holder{.run = text(0),
                .folder = text(1),
                .boot = text(2),
                .process_namespace = text(3),
                .process = std::atol(text(4).c_str()),
                .started = text(5)};
}

Holder this_driver(const StateFolder& state) {
  static const Holder process = this_process();
  Holder holder = process;
  holder.folder = digest_word(state.identity());
  return holder;
}

std::optional<std::string> Holders::claim(const ContainerInfo& container) {
  auto label = container.labels.find(std::string(kHolderLabel));
  if (label == container.labels.end()) return std::nullopt;  // from an earlier version: the lock decides
  std::optional<Holder> holder = holder_in(label->second);
  bool is_ours =
      holder && (holder->run == me_.run || (!holder->folder.empty() && holder->folder == me_.folder));
  if (is_ours) return std::nullopt;
  if (holder && holder->process > 0 && !holder->process_namespace.empty() && holder->boot == me_.boot &&
      holder->process_namespace == me_.process_namespace) {
    if (!is_alive(*holder)) return std::nullopt;
    return fmt::format("process {} with another state folder holds it", holder->process);
  }
  double silent = engine_.now() - last_sign(holder ? holder->run : std::string(), container);
  if (silent >= kSilence) return std::nullopt;
  return fmt::format(
      "a run with another state folder, elsewhere, gave a sign of life {} ago; without one for {} it "
      "counts as dead",
      duration_text(std::max(0.0, silent)), duration_text(kSilence));
}

double Holders::last_sign(const std::string& run, const ContainerInfo& container) {
  if (!beacons_) {
    beacons_.emplace();
    for (const ContainerInfo& sign : signs_in(engine_)) {
      double& last = (*beacons_)[sign.labels.at(std::string(kBeaconLabel))];
      last = std::max(last, seconds_in(sign));
    }
  }
  auto found = beacons_->find(run);
  return std::max(seconds_in(container), found == beacons_->end() ? 0 : found->second);
}

Heartbeat::~Heartbeat() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  try {
    if (!sign_.empty()) engine_.remove_container(sign_);
  } catch (const Error&) {
    // A later driver removes it.
  }
}

void Heartbeat::holds(const std::string& image) {
  std::lock_guard lock(mutex_);
  std::erase(images_, image);
  images_.push_back(image);
  if (images_.size() > kMostImages) images_.erase(images_.begin());
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { beat(stop); });
}

// A failed sign is retried soon: a busy engine must not make a driver look dead.
void Heartbeat::beat(const std::stop_token& stop) {
  bool given = true;
  while (sleep_for(given ? every_ : every_ / 6, stop)) given = give_sign();
}

bool Heartbeat::give_sign() {
  std::vector<std::string> images;
  {
    std::lock_guard lock(mutex_);
    images.assign(images_.rbegin(), images_.rend());
  }
  std::string name = fmt::format("{}{}-{}", kBeaconName, run_.substr(0, 16), ++number_);
  for (const std::string& image : images) try {
      engine_.create({.name = name,
                      .image = image,
                      .labels = {{std::string(kBeaconLabel), run_},
                                 {std::string(kSignLabel), fmt::format("{:.0f}", engine_.now())}},
                      .network = Network::None});
      break;
    } catch (const Error&) {
      if (image == images.back()) return false;  // otherwise that image may be gone
    }
  if (images.empty()) return false;
  std::string before = std::exchange(sign_, name);
  try {
    if (!before.empty()) engine_.remove_container(before);
    remove_old_signs(engine_);
  } catch (const Error&) {
    // It expires.
  }
  return true;
}

void remove_old_signs(ContainerEngine& engine) {
  for (const ContainerInfo& sign : signs_in(engine))
    if (engine.now() - seconds_in(sign) >= kSilence) engine.remove_container(sign.name);
}

}  // namespace stagemake
