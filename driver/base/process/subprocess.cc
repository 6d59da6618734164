#include "base/process/subprocess.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/files/files.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

namespace asio = boost::asio;
namespace process = boost::process::v2;

constexpr std::size_t kErrorTail = 64u << 10;
// Variables that a calling make sets for the makes below it. Its descriptors are closed in our children.
constexpr std::string_view kOfMake[] = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"};

// A child reports this if the launcher's pipe has the number of Command::output_again: start another child.
constexpr int kNumberIsBusy = EALREADY;

// Child setup that Boost does not do. (Its process_environment does not link in 1.81.)
class ChildSetup {
 public:
  ChildSetup(std::vector<std::string> environment, int output_again)
      : environment_(std::move(environment)), output_again_(output_again) {
    for (const std::string& line : environment_) pointers_.push_back(line.c_str());
    pointers_.push_back(nullptr);
  }

  template <typename Launcher>
  boost::system::error_code on_setup(Launcher& launcher, const fs::path&, const char* const*) {
    launcher.env = pointers_.data();
    if (output_again_ > 0) launcher.fd_whitelist.push_back(output_again_);
    return {};
  }

  // Runs in the child, between fork and exec. The driver may block or ignore signals; a child that inherited
  // this would not react to our SIGTERM.
  template <typename Launcher>
  boost::system::error_code on_exec_setup(Launcher& launcher, const fs::path&, const char* const*) {
    ::setpgid(0, 0);
    if (output_again_ > 0) {
      // The last entry is the launcher's own pipe, which tells the parent that the child cannot be started.
      int to_parent = launcher.fd_whitelist.back();
      if (to_parent == output_again_) {
        [[maybe_unused]] auto written = ::write(to_parent, &kNumberIsBusy, sizeof kNumberIsBusy);
        ::_exit(EXIT_FAILURE);
      }
      ::dup2(STDOUT_FILENO, output_again_);
    }
    for (int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT, SIGCHLD, SIGXFSZ})
      ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    return {};
  }

 private:
  std::vector<std::string> environment_;
  std::vector<const char*> pointers_;
  int output_again_;
};

// Keeps the launcher's own pipe off the number of Command::output_again while a child is started. This fails
// if another thread has a file with that number and closes it meanwhile (kNumberIsBusy).
class HeldNumber {
 public:
  HeldNumber(int output, int number) {
    if (number <= 0) return;
    static std::mutex one_at_a_time;
    lock_ = std::unique_lock(one_at_a_time);
    held_ =
        Descriptor(::fcntl(output, F_DUPFD_CLOEXEC, number));  // or a higher one, if that is in use anyway
    // For processes that reopen it by its name in /proc: pipes have file modes too, and this one is ours.
    ::fchmod(output, 0622);
  }

 private:
  std::unique_lock<std::mutex> lock_;
  Descriptor held_;
};

class Pipe {
 public:
  explicit Pipe(asio::io_context& loop) : read_end_(loop) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw engine_unusable("cannot create a pipe: too many open files");
    read_end_.assign(ends[0]);
    write_end_ = Descriptor(ends[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int write_end() const { return write_end_.get(); }
  void close_write_end() { write_end_ = Descriptor(); }
  // Calls `sink` with every piece, and `closed` once at the end.
  void read_all(std::function<void(std::string_view)> sink, std::function<void()> closed) {
    sink_ = std::move(sink);
    closed_ = std::move(closed);
    read_some();
  }
  void drop() {
    boost::system::error_code ignored;
    read_end_.close(ignored);
  }
  // Reads what is available now, and then stops.
  void finish() {
    finishing_ = true;
    boost::system::error_code ignored;
    if (read_end_.is_open()) read_end_.cancel(ignored);
  }

 private:
  void read_some() {
    read_end_.async_read_some(asio::buffer(buffer_), [this](boost::system::error_code failed, std::size_t n) {
      if (n > 0) sink_({buffer_.data(), n});
      if (finishing_) take_the_rest();
      if (failed || finishing_)
        closed_();
      else
        read_some();
    });
  }
  // Not "until it is empty": an endless writer would keep us here forever.
  void take_the_rest() {
    int left = 0;
    if (!read_end_.is_open() || ::ioctl(read_end_.native_handle(), FIONREAD, &left) != 0) return;
    while (left > 0) {
      std::size_t most = std::min(buffer_.size(), static_cast<std::size_t>(left));
      ssize_t n = ::read(read_end_.native_handle(), buffer_.data(), most);
      if (n <= 0) return;
      sink_({buffer_.data(), static_cast<std::size_t>(n)});
      left -= static_cast<int>(n);
    }
  }

  asio::readable_pipe read_end_;
  Descriptor write_end_;
  bool finishing_ = false;
  std::array<char, 65536> buffer_;
  std::function<void(std::string_view)> sink_;
  std::function<void()> closed_;
};

// The event loop of one child: its pipes, its end, and stop requests.
class Child {
 public:
  explicit Child(const Command& command) : command_(command), output_(loop_), errors_(loop_), timer_(loop_) {}

  Finished run() {
    start();
    std::stop_callback on_stop(command_.stop, [this] { asio::post(loop_, [this] { ask(); }); });
    std::stop_callback on_hurry(command_.hurry, [this] { asio::post(loop_, [this] { hurry(); }); });
    loop_.run();
    child_->detach();  // already reaped: the destructor must not wait for or kill this number
    if (thrown_) std::rethrow_exception(thrown_);
    if (too_much_)
      throw engine_unusable(
          fmt::format("{}: printed more than {}", command_.argv[0], size_text(command_.output_limit)));
    if (finished_.errors.size() > kErrorTail) finished_.errors.erase(0, finished_.errors.size() - kErrorTail);
    return std::move(finished_);
  }

 private:
  void start() {
    std::string program = find_program(command_.argv.at(0));
    if (program.empty()) throw engine_unusable(fmt::format("{}: no such program in PATH", command_.argv[0]));
    int input = command_.standard_input >= 0
                    ? command_.standard_input
                    : (null_ = Descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC))).get();
    if (input < 0) throw engine_unusable(fmt::format("cannot open /dev/null: {}", std::strerror(errno)));
    int output = command_.standard_output >= 0 ? command_.standard_output : output_.write_end();
    int errors = command_.on_output && !command_.on_errors ? output_.write_end() : errors_.write_end();
    std::vector<std::string> arguments(command_.argv.begin() + 1, command_.argv.end());
    boost::system::error_code failed;
    do {
      HeldNumber held(output, command_.output_again);
      ChildSetup setup(environment_lines(), command_.output_again);
      process::default_process_launcher launcher;
      failed.clear();
      child_.emplace(launcher(loop_.get_executor(), failed, program, arguments,
                              process::process_stdio{input, output, errors}, setup));
      if (failed && launcher.pid > 0) {  // the launcher abandons it, perhaps while it runs exit handlers
        ::kill(launcher.pid, SIGKILL);
        ::waitpid(launcher.pid, nullptr, 0);
      }
    } while (failed.value() == kNumberIsBusy);
    null_ = Descriptor();
    output_.close_write_end();
    errors_.close_write_end();
    if (failed) throw engine_unusable(fmt::format("{}: cannot be started: {}", program, failed.message()));
    auto closed = [this] {
      --open_streams_;
      finish_if_done();
    };
    output_.read_all([this](std::string_view piece) { guarded([&] { take_output(piece); }); }, closed);
    errors_.read_all([this](std::string_view piece) { guarded([&] { take_errors(piece); }); }, closed);
    child_->async_wait([this](boost::system::error_code unknown, int) { ended(unknown); });
  }

  std::vector<std::string> environment_lines() const {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      std::string_view line = *entry;
      std::string name(line.substr(0, line.find('=')));
      bool is_makes = std::find(std::begin(kOfMake), std::end(kOfMake), name) != std::end(kOfMake);
      if (!is_makes && !command_.environment.contains(name)) all.emplace_back(line);
    }
    for (const auto& [key, value] : command_.environment) all.push_back(key + "=" + value);
    return all;
  }

  // Calls one of the caller's functions. Its exception ends the child and is rethrown once the child is gone.
  template <typename Call>
  void guarded(const Call& call) {
    if (thrown_) return;
    try {
      call();
    } catch (...) {
      thrown_ = std::current_exception();
      signal_group(SIGKILL);
    }
  }

  void take_output(std::string_view piece) {
    if (command_.on_output) return command_.on_output(piece);
    if (too_much_) return;
    finished_.output += piece;
    if (finished_.output.size() > command_.output_limit && !too_much_) {
      too_much_ = true;
      signal_group(SIGKILL);
      output_.drop();
    }
  }

  void take_errors(std::string_view piece) {
    if (command_.on_errors) command_.on_errors(piece);
    finished_.errors += piece;
    if (finished_.errors.size() > 2 * kErrorTail)
      finished_.errors.erase(0, finished_.errors.size() - kErrorTail);
  }

  void ended(boost::system::error_code unknown) {
    alive_ = false;
    timer_.cancel();
    // Not the value that Boost passes on: it does not distinguish exit status 9 from signal 9.
    int status = child_->native_exit_code();
    finished_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    // If our parent made us ignore SIGCHLD, the kernel keeps no exit status for us.
    if (unknown && !thrown_)
      thrown_ = std::make_exception_ptr(engine_unusable(
          fmt::format("{}: its exit status is lost: {}", command_.argv[0], unknown.message())));
    // A grandchild that keeps our pipe open must not block us: its output is awaited no longer than this. The
    // child's own output is in the pipe already, and is read to its end however late we are.
    timer_.expires_after(std::chrono::milliseconds(500));
    timer_.async_wait([this](boost::system::error_code cancelled) {
      if (cancelled) return;
      output_.finish();
      errors_.finish();
    });
    finish_if_done();
  }

  void finish_if_done() {
    if (!alive_ && open_streams_ == 0) timer_.cancel();
  }

  void signal_group(int number) {
    if (alive_) ::kill(-child_->id(), number);
  }

  void ask() {
    if (!alive_ || finished_.stopped) return;
    finished_.stopped = true;
    if (command_.ask)
      guarded(command_.ask);
    else
      signal_group(SIGTERM);
    after(command_.grace, [this] { end(); });
  }

  void hurry() {
    if (!alive_ || ended_) return;
    finished_.stopped = true;
    end();
  }

  void end() {
    ended_ = true;
    if (!command_.kill) return signal_group(SIGKILL);
    guarded(command_.kill);
    after(Command::kAfterKill, [this] { signal_group(SIGKILL); });
  }

  void after(std::chrono::milliseconds time, std::function<void()> call) {
    timer_.expires_after(time);
    timer_.async_wait([this, call = std::move(call)](boost::system::error_code cancelled) {
      if (!cancelled && alive_) call();
    });
  }

  const Command& command_;
  asio::io_context loop_;
  Pipe output_;
  Pipe errors_;
  asio::steady_timer timer_;
  std::optional<process::process> child_;
  Finished finished_;
  std::exception_ptr thrown_;
  Descriptor null_;
  bool alive_ = true;
  bool too_much_ = false;
  bool ended_ = false;  // `kill` was called
  int open_streams_ = 2;
};

}  // namespace

Finished run_command(const Command& command) {
  return Child(command).run();
}

std::string find_program(std::string_view name) {
  auto runs = [](const std::string& candidate) {
    boost::system::error_code ignored;
    return fs::is_regular_file(candidate, ignored) && ::access(candidate.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string_view::npos)
    return runs(std::string(name)) ? std::string(name) : std::string();
  const char* path = std::getenv("PATH");
  for (std::string_view folder : split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
    std::string candidate = fmt::format("{}/{}", folder.empty() ? "." : folder, name);
    if (runs(candidate)) return candidate;
  }
  return {};
}

}  // namespace stagemake
