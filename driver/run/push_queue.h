// Images on their way to a registry, in the background while stages run.
//
// One thread sends them, one after the other (an engine sends an image's layers side by side). A push that
// fails is tried again after 1, 2, 4, … seconds, unless the answer is a permanent one
// (engine/transfer_failure.h). An image that waits under a name that a newer one has taken goes once. Who was
// asked to end still sends what waits, once and for a while; by the deadline of the run all is given up that
// is not sent.
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
#include "report/isolated_reporter.h"
#include "run/clock.h"
#include "run/journal.h"

namespace stagemake {

// A reason for `keeps` that needs no telling.
inline constexpr std::string_view kAlreadyThere = "it is there already";

struct PushOptions {
  unsigned tries = 5;
  double first_pause = 1;  // seconds; doubled with each try
  // Why what the registry has under this name must stay: it is worth more than what would replace it. Empty:
  // it may go. Called from the queue's thread.
  // The look ends on a request to stop.
  std::function<std::string(const std::string& name, const std::stop_token& stop)> keeps = {};
  // Called by finish() before it waits: nothing more is built then.
  std::function<void()> on_finish = {};
  // After a request nothing is tried again, and what is not sent `patience` seconds later is given up.
  std::stop_token stop = {};
  double patience = 120;
  // A request gives up at once what is not sent.
  std::stop_token kill = {};
  std::optional<double> deadline = {};  // seconds since the epoch: likewise
};

struct PushResults {
  std::vector<std::string> pushed;  // names
  std::vector<std::string> kept;    // names that the registry has for something better, or the very same
  std::vector<std::string> failed;
};

class PushQueue {
 public:
  PushQueue(ContainerEngine& engine, Clock& clock, Journal& journal, Reporter& reporter, PushOptions options);
  ~PushQueue();

  // `bytes`: about what is to be sent, for predictions; 0: not known.
  // `required`: it counts as failed where it cannot be pushed.
  void add(const std::vector<std::string>& names, std::uint64_t bytes, bool required = true);

  bool is_sending(const std::string& name);
  // They need not be sent any more. False where one of them is being sent now.
  bool forget(const std::vector<std::string>& names);

  // Notes that these could not even be sent on their way.
  void add_failed(const std::vector<std::string>& names, const std::string& why, bool required = true);

  // Waits until all are sent, or given up. What is given up is told as failed. Says the same when it is
  // called again.
  PushResults finish();

 private:
  struct Item {
    std::string name;
    std::uint64_t bytes = 0;
    bool required = true;
  };

  void serve();
  void send(const Item& item);
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
  std::stop_source in_haste_;  // nothing is tried again
  std::unique_ptr<Clock::Alarm> deadline_alarm_;
  std::unique_ptr<Clock::Alarm> patience_alarm_;
  std::stop_callback<std::function<void()>> on_stop_;  // may call at once
  std::stop_callback<std::function<void()>> on_kill_;
  std::jthread thread_;  // last: it uses all of the above
};

// The host and port of the registry in an image's name; empty where it names none.
std::string registry_host(const std::string& image);

}  // namespace stagemake
