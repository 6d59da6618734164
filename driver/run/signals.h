// Signals as requests: the first SIGINT, SIGTERM or SIGHUP asks the run to end with its work saved, the second
// to do so at once, the third ends the process.
//
// A signal that was ignored when the command started stays ignored: SIGHUP under nohup, SIGINT in a script's
// background.
//
// The request comes first and its report second, each from a thread of its own, and a third thread receives:
// whatever a report waits for delays neither a request nor the end.
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

  // What is called back on a request must not wait.
  std::stop_token token() const;
  std::stop_token kill_token() const;
  // The first signal that arrived; 0 where none did.
  int first() const;
  // As though this signal had arrived. From any thread.
  void request(int number);

  struct Actions {
    // Called for the first and the second signal, after its request.
    std::function<void(int number, unsigned count)> report = {};
    // Called for the third, whatever `report` does meanwhile. It must not wait.
    std::function<void(int number)> end = {};
  };
  // As long as it lives, signals are reported; also one that came before it. One at a time.
  class Hearing {
   public:
    Hearing(SignalWatch& watch, Actions actions);
    ~Hearing();  // waits while an action is carried out
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
