#include "run/push_queue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "engine/engine_program.h"

namespace stagemake {
namespace {

// What no waiting mends.
bool is_refused(const std::string& why) {
  for (std::string_view word :
       {"denied", "unauthorized", "authentication required", "no basic auth", "forbidden",
        "invalid reference", "does not exist locally", "image not known"})
    if (why.find(word) != std::string::npos) return true;
  return false;
}

}  // namespace

std::string registry_host(const std::string& image) {
  return registry_of(image);
}

PushQueue::PushQueue(ContainerEngine& engine, Clock& clock, Journal& journal, Reporter& reporter,
                     PushOptions options)
    : engine_(engine),
      clock_(clock),
      journal_(journal),
      reporter_(reporter),
      options_(std::move(options)),
      thread_([this] { serve(); }) {}

PushQueue::~PushQueue() {
  finish();
}

void PushQueue::add(const std::vector<std::string>& names, std::uint64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    for (const std::string& name : names) {
      auto is_same = [&](const Item& item) { return item.name == name; };
      std::erase_if(waiting_, is_same);
      waiting_.push_back({name, bytes});
      bytes = 0;  // its layers are there when the next name is sent
    }
  }
  changed_.notify_all();
}

PushResults PushQueue::finish() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  return results_;
}

void PushQueue::serve() {
  while (true) {
    Item item;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      item = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      send(item);
    } catch (const std::exception& error) {  // the engine went away: that is told where it matters
      results_.failed.push_back(item.name);
      reporter_.note(fmt::format("{} is not pushed: {}", item.name, error.what()));
    }
  }
}

// False where a stop was requested meanwhile.
bool PushQueue::pause(double seconds) {
  std::unique_lock lock(mutex_);
  double until = clock_.now() + seconds;
  while (clock_.now() < until && !options_.stop.stop_requested()) {
    lock.unlock();
    clock_.sleep(std::min(0.1, seconds));
    lock.lock();
  }
  return !options_.stop.stop_requested();
}

void PushQueue::send(const Item& item) {
  if (options_.keeps)
    if (std::string why = options_.keeps(item.name); !why.empty()) {
      if (why != kAlreadyThere) reporter_.note(fmt::format("{} is not pushed: {}", item.name, why));
      results_.kept.push_back(item.name);
      return;
    }
  Transfer sent{.ok = false, .why = "the run ended"};
  double pause_seconds = options_.first_pause;
  unsigned tries = 0;
  while (tries < options_.tries && !options_.stop.stop_requested()) {
    double began = clock_.now();
    ++tries;
    sent = engine_.push(item.name, options_.stop);
    double now = clock_.now();
    if (item.bytes > 0 || !sent.ok)
      journal_.add(TransferRecord{.kind = TransferRecord::Kind::Push,
                                  .when = static_cast<std::int64_t>(now),
                                  .host = registry_of(item.name),
                                  .bytes = item.bytes,
                                  .seconds = now - began,
                                  .ok = sent.ok});
    if (sent.ok) {
      results_.pushed.push_back(item.name);
      reporter_.note(
          fmt::format("pushed {}{}", item.name, tries > 1 ? fmt::format(" at the {}. try", tries) : ""));
      return;
    }
    if (is_refused(sent.why) || tries == options_.tries || !pause(pause_seconds)) break;
    pause_seconds *= 2;
  }
  results_.failed.push_back(item.name);
  reporter_.note(fmt::format("{} could not be pushed{}: {}", item.name,
                             tries > 1 ? fmt::format(" in {} tries", tries) : "", trimmed(sent.why)));
}

}  // namespace stagemake
