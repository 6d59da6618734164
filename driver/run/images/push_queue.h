// Pushes images to a registry in the background while stages run.
//
// One thread sends them, one after the other (an engine sends an image's layers in parallel). A failed push
// is tried again after 1, 2, 4, … seconds, unless the failure is permanent (registry/transfer_failure.h). If
// a newer image takes the name of a waiting one, only the newer one is sent. After a stop request, waiting
// images are still sent, with one attempt each and for a limited time; at the deadline of the run, everything
// unsent is given up.
//
// Thread rule: all calls from any thread; finish() from one at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "engine/container_engine.h"
#include "report/events/isolated_reporter.h"
#include "run/control/clock.h"
#include "run/state/journal.h"

namespace stagemake {

// A reason returned by `keeps` that is not reported.
inline constexpr std::string_view kAlreadyThere = "it is there already";

struct PushOptions {
  unsigned tries = 5;
  double first_pause = 1;  // seconds; doubled with each attempt
  // Why the image that the registry has under this name must stay: it is worth more than its replacement.
  // Empty: it may be replaced. Called from the queue's thread. A stop request ends the look-up.
  std::function<std::string(const std::string& name, const std::stop_token& stop)> keeps = {};
  // The id of the local image of this name, if it is to be signed; else empty. Called before and after a
  // push: the name may have moved meanwhile.
  std::function<std::string(const std::string& name)> signed_image = {};
  // Signs a pushed image; returns empty if that worked, else the reason.
  std::function<std::string(const std::string& name, const std::string& digest)> signs = {};
  // Called by finish() before it waits: nothing more is built then.
  std::function<void()> on_finish = {};
  // After a stop request there are no retries, and what is unsent `patience` seconds later is given up.
  std::stop_token stop = {};
  double patience = 120;
  // A kill request gives up everything unsent at once.
  std::stop_token kill = {};
  std::optional<double> deadline = {};  // seconds since the epoch: likewise
};

struct PushResults {
  std::vector<std::string> pushed;  // names
  std::vector<std::string> kept;    // names whose image in the registry is better, or the same
  std::vector<std::string> failed;
};

class PushQueue {
 public:
  PushQueue(ContainerEngine& engine, Clock& clock, Journal& journal, Reporter& reporter, PushOptions options);
  ~PushQueue();

  // `bytes`: approximate size to send, for predictions; 0: not known.
  // `required`: an image that cannot be pushed counts as failed.
  void add(const std::vector<std::string>& names, std::uint64_t bytes, bool required = true);

  bool is_sending(const std::string& name);
  // Drops these names from the queue. False if one of them is being sent now.
  bool forget(const std::vector<std::string>& names);

  // Records names that could not even be queued.
  void add_failed(const std::vector<std::string>& names, const std::string& why, bool required = true);

  // Waits until all are sent, or given up. Those given up count as failed. Returns the same if called again.
  PushResults finish();

 private:
  struct Item {
    std::string name;
    std::uint64_t bytes = 0;
    bool required = true;
  };

  void serve();
  void send(const Item& item);
  std::string image_to_sign(const Item& item);
  void sign(const Item& item, const std::string& image, const std::string& digest);
  void note_result(std::vector<std::string> PushResults::*list, const std::string& name);
  Transfer tried(const Item& item, unsigned& tries);
  void pause(double seconds);
  void give_up();
  void give_up_later();

  ContainerEngine& engine_;
  Clock& clock_;
  Journal& journal_;
  IsolatedReporter reporter_;  // the queue's thread outlives whatever it throws
  const PushOptions options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Item> waiting_;
  bool closed_ = false;
  bool sending_ = false;
  std::string sent_now_;  // while sending_
  PushResults results_;   // under mutex_
  std::stop_source given_up_;
  std::stop_source in_haste_;  // no retries any more
  std::unique_ptr<Clock::Alarm> deadline_alarm_;
  std::unique_ptr<Clock::Alarm> patience_alarm_;
  std::stop_callback<std::function<void()>> on_stop_;  // may call at once
  std::stop_callback<std::function<void()>> on_kill_;
  std::jthread thread_;  // last: it uses all of the above
};

// The host and port of the registry in an image's name; empty if it names none.
std::string registry_host(const std::string& image);

}  // namespace stagemake
