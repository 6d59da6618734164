#include "engine/docker/attached_run.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/files/descriptor.h"
#include "base/process/sleep.h"
#include "base/process/subprocess.h"
#include "base/text/json_values.h"
#include "base/text/text.h"
#include "engine/docker/attached_frames.h"
#include "engine/engine_program.h"
#include "engine/script_input.h"

namespace stagemake {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kAskPause = 50ms;
constexpr milliseconds kStartPause = 200ms;
constexpr unsigned kStartAttempts = 50;
constexpr milliseconds kLongestLook = 200ms;    // between two looks whether a container still runs
constexpr std::size_t kErrorsKept = 64u << 10;  // bytes of what the shell says before it runs the script
constexpr std::string_view kEndOfScript =
    "exit\n";  // works where a connection cannot be closed in one direction

// Wakes a poll() when a request comes.
class Alarm {
 public:
  explicit Alarm(const StopRequest& request)
      : bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        stop_(request.stop, Ring{bell_.get()}),
        kill_(request.kill, Ring{bell_.get()}) {
    if (!bell_.is_open()) throw EngineError("docker start: too many open files");
  }
  int descriptor() const { return bell_.get(); }
  void quiet() const {
    std::uint64_t count = 0;
    (void)!::read(bell_.get(), &count, sizeof count);
  }

 private:
  struct Ring {
    int bell;
    void operator()() const {
      std::uint64_t one = 1;
      (void)!::write(bell, &one, sizeof one);
    }
  };
  Descriptor bell_;
  std::stop_callback<Ring> stop_;
  std::stop_callback<Ring> kill_;
};

class AttachedRun {
 public:
  AttachedRun(const DockerApi& api, const std::string& container, const std::string& script,
              const OutputSink& sink, const StopRequest& request)
      : api_(api), container_(container), sink_(sink), request_(request), input_(script), alarm_(request) {}

  // False if the container is not free yet: nothing of the script has run.
  bool begin();
  RunOutcome finish();

 private:
  void serve();
  void heard(AttachedFrames::Stream stream, std::string_view piece);
  void feed();
  void obey();
  void wait_until_idle();
  bool is_running() const;
  milliseconds until_next_duty() const;

  const DockerApi& api_;
  const std::string& container_;
  const OutputSink& sink_;
  const StopRequest& request_;
  const milliseconds silence_ =
      api_.patience().silence;  // then the daemon is asked whether the container runs
  ScriptInput input_;
  Alarm alarm_;
  std::optional<DockerStream> stream_;
  AttachedFrames frames_;
  std::string errors_;   // of the shell, before the script
  std::string to_send_;  // read from input_, not yet sent
  bool input_ended_ = false;
  bool stopped_ = false;
  bool killed_ = false;
  std::optional<Clock::time_point> kill_at_;  // the end of the grace, or of the patience after a kill
  Clock::time_point last_ = Clock::now();     // when something came
};

bool AttachedRun::begin() {
  stream_.emplace(api_, DockerRequest{.verb = "attach",
                                      .method = "POST",
                                      .path = docker_path("/containers/", container_, "/attach") +
                                              "?stream=1&stdin=1&stdout=1&stderr=1"});
  DockerAnswer started = api_.call(
      {.verb = "start", .method = "POST", .path = docker_path("/containers/", container_, "/start")});
  if (started.ok()) return true;
  // On a busy machine, containerd may still remember what ran in the container before. No status says so.
  std::string words = started.message();
  bool is_too_early =
      words.find("task ") != std::string::npos && words.find(": already exists") != std::string::npos;
  if (!is_too_early) throw api_.error("start", started);
  return false;
}

void AttachedRun::heard(AttachedFrames::Stream stream, std::string_view piece) {
  if (stream == AttachedFrames::Stream::Engine) throw api_.error("attach", shown_words(piece));
  if (stream != AttachedFrames::Stream::Errors || input_.released()) {
    if (stream == AttachedFrames::Stream::Output && sink_) sink_(piece);
    return;
  }
  errors_ += piece.substr(0, kErrorsKept - std::min(kErrorsKept, errors_.size()));
  if (input_.hear(piece)) input_.release();
}

// Takes what the shell is to read, and sends as much as goes at once.
void AttachedRun::feed() {
  std::array<char, 65536> piece;
  if (to_send_.empty() && !input_ended_) {
    ssize_t bytes = 0;
    do bytes = ::read(input_.descriptor(), piece.data(), piece.size());
    while (bytes < 0 && errno == EINTR);
    if (bytes > 0) {
      to_send_.assign(piece.data(), static_cast<std::size_t>(bytes));
    } else {
      input_ended_ = true;
      to_send_ = kEndOfScript;
    }
  }
  to_send_.erase(0, stream_->send(to_send_));
}

// Carries out a request to stop, and what follows from it in time.
void AttachedRun::obey() {
  alarm_.quiet();
  bool at_once = request_.kill.stop_requested();
  if (!stopped_ && (at_once || request_.stop.stop_requested())) {
    stopped_ = true;
    input_.withhold();
    kill_at_ = Clock::now() + request_.grace;
    if (!at_once && input_.released())
      ask_to_end(api_, container_, std::min(request_.grace, kAskPatience), request_.kill);
  }
  if (!stopped_ || killed_ || !(at_once || Clock::now() >= *kill_at_)) return;
  killed_ = true;
  kill_container(api_, container_);
  kill_at_ = Clock::now() + Command::kAfterKill;
}

milliseconds AttachedRun::until_next_duty() const {
  Clock::time_point next = last_ + silence_;
  if (kill_at_) next = std::min(next, *kill_at_);
  return std::clamp(std::chrono::ceil<milliseconds>(next - Clock::now()), 0ms, silence_);
}

bool AttachedRun::is_running() const {
  std::optional<json> found = api_.find_container(container_, "inspect");
  return found && member(member(*found, "State"), "Running") == true;
}

// Until the connection ends.
void AttachedRun::serve() {
  while (!stream_->has_ended()) {
    bool any = stream_->receive([&](std::string_view piece) {
      frames_.take(piece, [&](auto stream, std::string_view content) { heard(stream, content); });
    });
    if (any) last_ = Clock::now();
    obey();
    if (any || stream_->has_ended()) continue;
    if (killed_ && Clock::now() >= *kill_at_) return;
    if (Clock::now() - last_ >= silence_) {
      if (!is_running()) return;  // the connection's end was lost
      last_ = Clock::now();
    }
    std::array<pollfd, 3> watched{{{stream_->descriptor(), POLLIN, 0},
                                   {alarm_.descriptor(), POLLIN, 0},
                                   {input_.descriptor(), POLLIN, 0}}};
    if (!to_send_.empty()) watched[0].events |= POLLOUT;
    bool takes = to_send_.empty() && !input_ended_;
    ::poll(watched.data(), takes ? 3 : 2, static_cast<int>(until_next_duty().count()));
    bool has_more = takes && watched[2].revents != 0;
    bool can_send = !to_send_.empty() && (watched[0].revents & POLLOUT) != 0;
    if (has_more || can_send) feed();
  }
}

// The connection may end a moment before the container, and long before it if the script closed its output.
void AttachedRun::wait_until_idle() {
  for (milliseconds pause = 2ms;; pause = std::min(2 * pause, kLongestLook)) {
    if (!is_running()) return;
    // Without its whole script, the shell waits for what nobody sends.
    bool is_lost = !to_send_.empty() || !input_ended_ || !frames_.is_whole();
    if (is_lost || (killed_ && Clock::now() >= *kill_at_)) {
      kill_container(api_, container_);
      if (!stopped_) throw api_.error("attach", "the connection to the running container was lost");
    }
    obey();
    pollfd bell{alarm_.descriptor(), POLLIN, 0};
    ::poll(&bell, 1, static_cast<int>(pause.count()));
  }
}

RunOutcome AttachedRun::finish() {
  try {
    serve();
    wait_until_idle();
  } catch (...) {
    try {
      kill_container(api_, container_);
    } catch (const EngineError&) {
      // The first error says more.
    }
    throw;
  }
  std::optional<json> found = api_.find_container(container_, "inspect");
  if (!found) throw api_.error("inspect", "no such container: " + container_);
  json state = member(*found, "State");
  bool started = input_.released();
  if (!started && !stopped_) {
    std::string words = shown_words(without_greeting(errors_));
    if (words.empty()) words = text_at(state, "Error");
    throw api_.error("start", words.empty() ? "the container's shell ended at once" : shown_words(words));
  }
  RunOutcome outcome;
  outcome.exit_code = started ? state.value("ExitCode", 0) : 128 + SIGTERM;
  outcome.stopped = stopped_;
  outcome.out_of_memory = started && state.value("OOMKilled", false);
  return outcome;
}

}  // namespace

void kill_container(const DockerApi& api, const std::string& container) {
  DockerAnswer answer = api.call({.verb = "kill",
                                  .method = "POST",
                                  .path = docker_path("/containers/", container, "/kill"),
                                  .query = {{"signal", "KILL"}}});
  if (!answer.ok() && !answer.is_absent() && !answer.is_conflict()) throw api.error("kill", answer);
}

void ask_to_end(const DockerApi& api, const std::string& container, milliseconds patience,
                const std::stop_token& now) {
  // From inside, -1 means every process except the first, which is the script's shell; kill fails if there is
  // none.
  const json command = {{"Cmd", {"/bin/sh", "-c", "kill -TERM -1"}},
                        {"User", "0"},
                        {"AttachStdout", true},
                        {"AttachStderr", true}};
  auto give_up = Clock::now() + patience;
  while (true) {
    DockerAnswer made = api.call({.verb = "exec",
                                  .method = "POST",
                                  .path = docker_path("/containers/", container, "/exec"),
                                  .content = command.dump()});
    if (made.is_absent()) return;
    if (made.ok()) {
      std::string id = text_at(parsed_answer("docker exec", made.content), "Id");
      // Its answer ends when it ends.
      api.call({.verb = "exec",
                .method = "POST",
                .path = docker_path("/exec/", id, "/start"),
                .content = R"({"Detach":false,"Tty":false})",
                .sink = [](std::string_view) {},
                .stop = now});
      DockerAnswer ended = api.call({.verb = "exec", .path = docker_path("/exec/", id, "/json")});
      if (ended.ok()) {
        json status = parsed_answer("docker exec", ended.content);
        if (member(status, "ExitCode") == 0) return;
      }
    }
    if (Clock::now() > give_up) return;
    std::optional<json> found = api.find_container(container, "inspect");
    if (!found || text_at(member(*found, "State"), "Status") != "running") return;
    if (!sleep_for(kAskPause, now)) return;
  }
}

RunOutcome run_attached(const DockerApi& api, const std::string& container, const std::string& script,
                        const OutputSink& sink, const StopRequest& stop) {
  for (unsigned attempt = 1;; ++attempt) {
    AttachedRun run(api, container, script, sink, stop);
    if (run.begin()) return run.finish();
    if (attempt == kStartAttempts)
      throw api.error("start", "what ran in the container before does not go away");
    if (!sleep_for(kStartPause, stop.stop)) return {.exit_code = 128 + SIGTERM, .stopped = true};
  }
}

}  // namespace stagemake
