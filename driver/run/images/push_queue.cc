#include "run/images/push_queue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/caught_error.h"
#include "base/text/text.h"
#include "engine/engine_program.h"
#include "registry/transfer_failure.h"

namespace stagemake {

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
      on_stop_(options_.stop, [this] { give_up_later(); }),
      on_kill_(options_.kill, [this] { give_up(); }),
      thread_([this] { serve(); }) {
  if (options_.deadline) deadline_alarm_ = clock_.at(*options_.deadline, [this] { give_up(); });
}

PushQueue::~PushQueue() {
  finish();
}

void PushQueue::add(const std::vector<std::string>& names, std::uint64_t bytes, bool required) {
  {
    std::lock_guard lock(mutex_);
    for (const std::string& name : names) {
      auto is_same = [&](const Item& item) { return item.name == name; };
      std::erase_if(waiting_, is_same);
      waiting_.push_back({name, bytes, required});
      bytes = 0;  // its layers are already there when the next name is sent
    }
  }
  changed_.notify_all();
}

bool PushQueue::is_sending(const std::string& name) {
  std::lock_guard lock(mutex_);
  return sending_ && sent_now_ == name;
}

bool PushQueue::forget(const std::vector<std::string>& names) {
  std::lock_guard lock(mutex_);
  auto is_one = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::erase_if(waiting_, [&](const Item& item) { return is_one(item.name); });
  return !sending_ || !is_one(sent_now_);
}

PushResults PushQueue::finish() {
  if (options_.on_finish) options_.on_finish();
  std::size_t left = 0;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    left = waiting_.size() + (sending_ ? 1 : 0);
  }
  changed_.notify_all();
  if (left > 0 && options_.stop.stop_requested() && !options_.kill.stop_requested())
    reporter_.note(fmt::format("pushing {} for at most {}; another signal stops that",
                               counted(left, "image", "images"), duration_text(options_.patience)));
  if (thread_.joinable()) thread_.join();
  return results_;
}

void PushQueue::serve() {
  while (true) {
    Item item;
    {
      std::unique_lock lock(mutex_);
      sending_ = false;
      changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      item = std::move(waiting_.front());
      waiting_.pop_front();
      sending_ = true;
      sent_now_ = item.name;
    }
    try {
      send(item);
    } catch (...) {  // the engine is gone: that is reported where it matters
      try {
        add_failed({item.name}, caught_text(), item.required);
      } catch (...) {
      }
    }
  }
}

void PushQueue::add_failed(const std::vector<std::string>& names, const std::string& why, bool required) {
  for (const std::string& name : names) {
    if (required) note_result(&PushResults::failed, name);
    reporter_.note(fmt::format("{} is not pushed: {}", name, why));
  }
}

void PushQueue::note_result(std::vector<std::string> PushResults::*list, const std::string& name) {
  std::lock_guard lock(mutex_);
  (results_.*list).push_back(name);
}

void PushQueue::give_up() {
  in_haste_.request_stop();
  given_up_.request_stop();
}

void PushQueue::give_up_later() {
  in_haste_.request_stop();
  try {
    patience_alarm_ = clock_.at(clock_.now() + options_.patience, [this] { give_up(); });
  } catch (...) {  // no thread for an alarm: act now
    give_up();
  }
}

void PushQueue::pause(double seconds) {
  clock_.sleep(seconds, in_haste_.get_token());
}

// Retries until it is sent, or no attempt is left; `tries` gets the number of attempts.
Transfer PushQueue::tried(const Item& item, unsigned& tries) {
  double pause_seconds = options_.first_pause;
  while (!given_up_.stop_requested()) {
    double began = clock_.now();
    ++tries;
    Transfer sent = engine_.push(item.name, given_up_.get_token());
    double now = clock_.now();
    if (item.bytes > 0 || !sent.ok)
      journal_.add(TransferRecord{.kind = TransferRecord::Kind::Push,
                                  .when = static_cast<std::int64_t>(now),
                                  .host = registry_of(item.name),
                                  .bytes = item.bytes,
                                  .seconds = now - began,
                                  .ok = sent.ok});
    if (sent.ok || !is_transient_failure(sent.why, item.name) || tries == options_.tries) return sent;
    pause(pause_seconds);
    if (options_.stop.stop_requested() || given_up_.stop_requested()) return sent;
    pause_seconds *= 2;
  }
  return {.ok = false, .why = "the run ended"};
}

std::string PushQueue::image_to_sign(const Item& item) {
  try {
    return options_.signed_image ? options_.signed_image(item.name) : std::string();
  } catch (...) {
    reporter_.note(fmt::format("{} will not be signed: {}", item.name, caught_text()));
    return {};
  }
}

// An image without a signature is as good as before, but others trust it less.
void PushQueue::sign(const Item& item, const std::string& image, const std::string& digest) {
  if (image.empty() || !options_.signs) return;
  std::string why;
  try {
    why = options_.signed_image(item.name) == image ? options_.signs(item.name, digest)
                                                    : "another image has taken its name in the meantime";
  } catch (...) {  // it is pushed all the same
    why = caught_text();
  }
  if (!why.empty()) reporter_.note(fmt::format("{} was pushed but could not be signed: {}", item.name, why));
}

void PushQueue::send(const Item& item) {
  if (options_.keeps && !given_up_.stop_requested())
    if (std::string why = options_.keeps(item.name, given_up_.get_token()); !why.empty()) {
      if (why != kAlreadyThere) reporter_.note(fmt::format("{} is not pushed: {}", item.name, why));
      note_result(&PushResults::kept, item.name);
      return;
    }
  unsigned tries = 0;
  std::string image = image_to_sign(item);
  if (Transfer sent = tried(item, tries); sent.ok) {
    sign(item, image, sent.digest);
    note_result(&PushResults::pushed, item.name);
    reporter_.note(
        fmt::format("pushed {}{}", item.name, tries > 1 ? fmt::format(" on attempt {}", tries) : ""));
  } else {
    if (item.required) note_result(&PushResults::failed, item.name);
    reporter_.note(fmt::format("{} could not be pushed{}: {}", item.name,
                               tries > 1 ? " in " + counted(tries, "attempt") : "", trimmed(sent.why)));
  }
}

}  // namespace stagemake
