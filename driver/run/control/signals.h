// Signals as requests: the first SIGINT, SIGTERM or SIGHUP asks the run to end and save its work, the second
// asks it to end at once, the third ends the process.
//
// A signal that was ignored when the command started stays ignored: SIGHUP under nohup, SIGINT for a script's
// background jobs.
//
// The request comes first and its report second, each from its own thread, and a third thread receives
// signals. So a report that blocks delays neither a request nor the end.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

namespace stagemake {

class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // Callbacks on a request must not block.
  std::stop_token token() const;
  std::stop_token kill_token() const;
  // The first signal that arrived; 0 if none did.
  int first() const;
  // Acts as if this signal had arrived. From any thread.
  void request(int number);

  struct Actions {
    // Called for the first and the second signal, after the request.
    std::function<void(int number, unsigned count)> report = {};
    // Called for the third, even while `report` runs. It must not block.
    std::function<void(int number)> end = {};
  };
  // Signals are reported while this object exists, including one that came before it. One at a time.
  class Hearing {
   public:
    Hearing(SignalWatch& watch, Actions actions);
    ~Hearing();  // waits for a running action
    Hearing(const Hearing&) = delete;
    Hearing& operator=(const Hearing&) = delete;

   private:
    SignalWatch& watch_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagemake
