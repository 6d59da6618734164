#include "run/control/checkpointer.h"

#include <fmt/format.h>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr int kResumeTries = 5;
constexpr double kBetweenTries = 0.2;  // seconds

}  // namespace

Checkpointer::Checkpointer(ContainerEngine& engine, Clock& clock, const CheckpointSettings& settings,
                           std::string container, CommitSpec spec, std::stop_token stop, Describe describe)
    : engine_(engine),
      clock_(clock),
      settings_(settings),
      container_(std::move(container)),
      spec_(std::move(spec)),
      stop_(std::move(stop)),
      describe_(std::move(describe)) {
  arm();
}

Checkpointer::~Checkpointer() {
  std::vector<std::unique_ptr<Clock::Alarm>> alarms;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    alarms = std::move(alarms_);
  }
  alarms.clear();  // waits
  resuming_.reset();
}

// A new alarm each time: an alarm cannot be cancelled from within itself.
void Checkpointer::arm() {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  alarms_.push_back(clock_.at(clock_.now() + settings_.every, [this] { make(); }));
}

void Checkpointer::tell(const std::string& problem) noexcept {
  try {
    if (settings_.failed) settings_.failed(problem);
  } catch (...) {
  }
}

void Checkpointer::make() noexcept {
  try {
    if (!stop_.stop_requested() && (!settings_.may || settings_.may()))
      if (std::optional<Checkpoint> checkpoint = saved(); checkpoint && settings_.made)
        settings_.made(*checkpoint);
  } catch (const std::exception& error) {
    tell(error.what());
  } catch (...) {
    tell("for a reason that nobody knows");
  }
  try {
    arm();
  } catch (...) {
    tell("no more are made: there is no thread for an alarm");
  }
}

// The stop's own thread must not wait for an engine, so an alarm of the clock resumes the container.
std::optional<Checkpoint> Checkpointer::saved() {
  {
    std::lock_guard lock(mutex_);
    paused_since_ = clock_.now();
    paused_for_.reset();
    cut_off_ = false;
  }
  std::stop_callback on_stop(stop_, [this] {
    try {
      std::lock_guard lock(mutex_);
      resuming_ = clock_.at(clock_.now(), [this] { resume(); });
    } catch (...) {  // it continues when the image is made
    }
  });
  Checkpoint checkpoint;
  std::exception_ptr failed;
  bool is_paused = true;  // even if that failed halfway
  if (settings_.paused) settings_.paused(true);
  try {
    is_paused = engine_.pause(container_);
    std::optional<Snapshot> snapshot = is_paused ? describe_() : std::nullopt;
    if (snapshot && !stop_.stop_requested()) {
      CommitSpec spec = spec_;
      spec.labels = to_labels(*snapshot);
      checkpoint.image = engine_.commit(container_, spec);
      checkpoint.snapshot = *std::move(snapshot);
    }
  } catch (...) {
    failed = std::current_exception();
  }
  // Even if a stop has resumed it: that may have happened before the pause.
  if (is_paused) resume();
  if (settings_.paused) settings_.paused(false);
  if (failed) std::rethrow_exception(failed);
  if (checkpoint.image.empty()) return std::nullopt;
  std::lock_guard lock(mutex_);
  checkpoint.paused = paused_for_.value_or(0);
  if (!cut_off_ && !stop_.stop_requested()) return checkpoint;
  // The processes continued while the image was made, so its content is unknown.
  engine_.remove_image(checkpoint.image);
  return std::nullopt;
}

void Checkpointer::resume() {
  for (int tries = 1;; ++tries) {
    try {
      engine_.resume(container_);
      break;
    } catch (const std::exception& error) {
      if (tries == kResumeTries) {
        tell(fmt::format("what runs in container {} is paused and cannot be resumed: {}", container_,
                         error.what()));
        break;
      }
    }
    clock_.sleep(kBetweenTries);
  }
  std::lock_guard lock(mutex_);
  if (!paused_for_) paused_for_ = clock_.now() - paused_since_;
  cut_off_ = cut_off_ || stop_.stop_requested();
}

}  // namespace stagemake
