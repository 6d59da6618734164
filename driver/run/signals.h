// Signals as requests: the first SIGINT, SIGTERM or SIGHUP asks the run to end with its work saved, the
// second to do so at once; what a third one means is its hearer's affair.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

namespace stagemake {

class SignalWatch {
 public:
  // `told` is called once per signal that arrives, from a thread of the watch.
  explicit SignalWatch(std::function<void(int number, unsigned count)> told);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  std::stop_token token() const;
  std::stop_token kill_token() const;
  // The first signal that arrived; 0 where none did.
  int first() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagemake
