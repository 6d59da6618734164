#include "engine/docker/dialer.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/files/descriptor.h"
#include "base/process/sleep.h"
#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "engine/engine_program.h"

namespace stagemake {
namespace {

using std::chrono::milliseconds;

constexpr int kMoments = 20;
constexpr milliseconds kMoment{50};
constexpr milliseconds kGrace{1000};
constexpr int kWaiting = 16;  // connections

EngineError fault() {
  return EngineError(std::string("docker: no socket for a connection by a program: ") + std::strerror(errno));
}

}  // namespace

struct Dialer::State {
  explicit State(std::vector<std::string> command) : argv(std::move(command)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
      errno = ENAMETOOLONG;
      throw fault();
    }
    path.string().copy(address.sun_path, path.size());
    listener = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    bell = Descriptor(::eventfd(0, EFD_CLOEXEC));
    if (!listener.is_open() || !bell.is_open() ||
        ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener.get(), kWaiting) != 0)
      throw fault();
    accepting = std::thread([this] { accept(); });
  }
  ~State() {
    std::uint64_t one = 1;
    (void)!::write(bell.get(), &one, sizeof one);
    accepting.join();
    stop.request_stop();
    for (std::thread& thread : threads) thread.join();
  }

  void accept() {
    while (true) {
      pollfd watched[] = {{listener.get(), POLLIN, 0}, {bell.get(), POLLIN, 0}};
      if (::poll(watched, 2, -1) < 0 && errno != EINTR) return;
      if (watched[1].revents != 0) return;
      int connection = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) {
        sleep_for(kMoment);  // too many open files, for example
        continue;
      }
      threads.emplace_back([this, connection] { serve(Descriptor(connection)); });
    }
  }

  void serve(Descriptor connection) {
    Command command;
    command.argv = argv;
    command.standard_input = connection.get();
    command.standard_output = connection.get();
    command.stop = stop.get_token();
    command.grace = kGrace;
    std::string said;
    try {
      said = stagemake::last_words(run_command(command));
    } catch (const Error& error) {
      said = printable(error.what());
    }
    std::lock_guard lock(mutex);
    if (!said.empty()) words = std::move(said);
  }

  const std::vector<std::string> argv;
  TemporaryFolder folder{fs::temp_directory_path()};  // nobody else may enter it
  const fs::path path = folder.path() / "docker";
  Descriptor listener;
  Descriptor bell;  // rings at the end
  std::stop_source stop;
  mutable std::mutex mutex;  // of `words`
  std::string words;
  std::vector<std::thread> threads;  // of the accepting thread, until it has ended
  std::thread accepting;
};

Dialer::Dialer(std::vector<std::string> argv) : state_(std::make_unique<State>(std::move(argv))) {}
Dialer::~Dialer() = default;

const fs::path& Dialer::socket() const {
  return state_->path;
}

std::string Dialer::last_words() const {
  for (int i = 0; i < kMoments; ++i) {
    {
      std::lock_guard lock(state_->mutex);
      if (!state_->words.empty()) return state_->words;
    }
    sleep_for(kMoment);
  }
  return {};
}

}  // namespace stagemake
