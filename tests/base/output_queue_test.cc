#include "base/process/output_queue.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "base/files/files.h"
#include "base/process/sleep.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using testing::EndsWith;
using namespace std::chrono_literals;

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~Pipe() {
    close_reader();
    ::close(ends[1]);
  }
  void close_reader() {
    if (ends[0] >= 0) ::close(ends[0]);
    ends[0] = -1;
  }
  // Writes dots until the pipe is full.
  void fill() const {
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (::write(ends[1], ".", 1) == 1) {
    }
    ::fcntl(ends[1], F_SETFL, 0);
  }
  bool has_something() const {
    pollfd ready{.fd = ends[0], .events = POLLIN, .revents = 0};
    return ::poll(&ready, 1, 60'000) == 1;
  }
  // What it contains now.
  std::string take() const {
    std::string all;
    char bytes[65536];
    pollfd ready{.fd = ends[0], .events = POLLIN, .revents = 0};
    while (::poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0)
      all.append(bytes, static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends[0], bytes, sizeof bytes))));
    return all;
  }
  int ends[2] = {-1, -1};
};

TEST(OutputQueue, TextArrivesInOrder) {
  Pipe pipe;
  OutputQueue queue(pipe.ends[1]);
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    std::string line = "line " + std::to_string(i) + "\n";
    queue.add(line);
    all += line;
  }
  EXPECT_FALSE(queue.finish());
  EXPECT_EQ(pipe.take(), all);
}

TEST(OutputQueue, APipeThatNobodyReadsHoldsUpNobodyAndCostsBoundedMemory) {
  Pipe pipe;
  OutputQueue queue(pipe.ends[1], {.most = 100'000});
  std::string line(99, 'x');
  line += '\n';
  for (int i = 0; i < 100'000; ++i) queue.add(line);  // 10 MB; a blocking write would hang here
  EXPECT_FALSE(queue.is_idle());
  OutputLoss loss = queue.finish(1ms);
  // A pipe holds 64 KB. What the queue still held is lost too.
  EXPECT_GT(loss.lines, 98'000u);
  EXPECT_LT(loss.lines, 100'000u);
  EXPECT_EQ(loss.why, kReadTooLate);
  queue.add("late\n");
  EXPECT_EQ(queue.loss().lines, loss.lines + 1);
}

TEST(OutputQueue, AMarkerStandsWhereLinesAreMissing) {
  Pipe pipe;
  OutputQueue queue(pipe.ends[1], {.most = 100'000});
  std::string line(99, 'x');
  line += '\n';
  for (int i = 0; i < 10'000; ++i) queue.add(line);
  std::size_t lost = queue.loss().lines;
  ASSERT_GT(lost, 0u);
  std::string read;
  while (!queue.is_idle()) read += pipe.take();
  queue.add("after\n");
  EXPECT_EQ(queue.finish().lines, lost);
  read += pipe.take();
  // The thread writes at the same time, so there may be room now and then, and several markers.
  std::size_t whole = 0;
  for (std::string_view one : stagemake::lines(read)) {
    if (one == std::string_view(line).substr(0, 99)) ++whole;
    if (!one.starts_with("stagemake: ")) continue;
    std::size_t told = std::stoul(std::string(one.substr(11)));
    EXPECT_EQ(std::string(one) + "\n", lost_lines_marker(told, kReadTooLate));
    whole += told;
  }
  EXPECT_EQ(whole, 10'000u);
  EXPECT_THAT(read, EndsWith("\nafter\n"));
}

TEST(OutputQueue, LinesAtTheEndThatAreLostHaveAMarkerToo) {
  Pipe pipe;
  pipe.fill();
  OutputQueue queue(pipe.ends[1], {.most = 100'000});
  std::string line(99, 'x');
  line += '\n';
  for (int i = 0; i < 10'000; ++i) queue.add(line);
  std::string read;
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) read += pipe.take();
  });
  EXPECT_EQ(queue.finish(60s).lines, 9'000u);
  reader = {};
  read += pipe.take();
  EXPECT_THAT(read, EndsWith(line + lost_lines_marker(9'000, kReadTooLate)));
}

TEST(OutputQueue, ExitedReadersAndClosedDescriptors) {
  Pipe pipe;
  pipe.close_reader();
  OutputQueue queue(pipe.ends[1]);
  queue.add("one\ntwo\n");
  OutputLoss loss = queue.finish();
  EXPECT_EQ(loss.lines, 2u);
  EXPECT_EQ(loss.why, "its reader is gone");
  OutputQueue closed(::open("/dev/null", O_RDONLY | O_CLOEXEC), {.owns_descriptor = true});
  closed.add("one\n");
  EXPECT_EQ(closed.finish().why, "it is closed");
}

TEST(OutputQueue, AFullDiskThatHasRoomAgain) {
  // A file that may not grow, as with `ulimit -f`, fails like a full disk; /dev/full always does.
  int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "there is no /dev/full";
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "out";
  OutputQueue queue(full, {.owns_descriptor = true});
  queue.add("one\ntwo\n");
  while (queue.loss().lines < 2) sleep_for(1ms);
  // Now there is room: the descriptor is another file.
  int other = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  ASSERT_GE(::dup3(other, full, O_CLOEXEC), 0);
  ::close(other);
  queue.add("three\n");
  OutputLoss loss = queue.finish();
  EXPECT_EQ(loss.lines, 2u);
  EXPECT_EQ(loss.why, "No space left on device");
  EXPECT_EQ(read_file(file), lost_lines_marker(2, loss.why) + "three\n");
}

TEST(OutputQueue, NothingIsLostWhereNothingIsSaid) {
  OutputQueue queue(-1);
  EXPECT_FALSE(queue.finish());
}

// It takes 4096 bytes now and then: as long as it takes anything, it gets everything.
TEST(OutputQueue, ASlowReaderGetsAllAtTheEnd) {
  Pipe pipe;
  ASSERT_GT(::fcntl(pipe.ends[1], F_SETPIPE_SZ, 4096), 0);
  OutputQueue queue(pipe.ends[1]);
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "a line of output\n";
  queue.add(text);
  std::string read;
  std::jthread reader([&] {
    char bytes[4096];
    while (read.size() < text.size()) {
      ssize_t n = ::read(pipe.ends[0], bytes, sizeof bytes);
      if (n <= 0) return;
      read.append(bytes, static_cast<std::size_t>(n));
      sleep_for(2ms);
    }
  });
  EXPECT_FALSE(queue.finish(60s));
  reader.join();
  EXPECT_EQ(read, text);
}

// Ctrl-S: the terminal takes nothing until Ctrl-Q.
TEST(OutputQueue, AStoppedTerminal) {
  int master = -1, slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  ASSERT_EQ(::tcflow(slave, TCOOFF), 0);
  {
    OutputQueue queue(slave);
    queue.add("one\n");
    EXPECT_EQ(queue.finish(20ms).lines, 1u);
  }
  {
    OutputQueue queue(slave);
    queue.add("two\n");
    EXPECT_FALSE(queue.is_idle());
    ASSERT_EQ(::tcflow(slave, TCOON), 0);
    EXPECT_FALSE(queue.finish(60s));
  }
  char bytes[64] = {};
  ASSERT_GT(::read(master, bytes, sizeof bytes - 1), 0);
  EXPECT_STREQ(bytes, "two\r\n");
  ::close(master);
  ::close(slave);
}

// Another process may fill a pipe between the check and the write. Then the thread is stuck, and nothing
// waits for it.
TEST(OutputQueue, AStuckWriterIsAbandoned) {
  Pipe pipe;
  ASSERT_GT(::fcntl(pipe.ends[1], F_SETPIPE_SZ, 4096), 0);
  std::string text(4000, 'x');
  text += '\n';
  OutputQueue queue(pipe.ends[1]);
  queue.add(text);
  queue.add(text);
  ASSERT_TRUE(pipe.has_something());
  auto done = std::async(std::launch::async, [&] { return queue.finish(1ms); });
  ASSERT_EQ(done.wait_for(60s), std::future_status::ready);
  EXPECT_EQ(done.get().lines, 1u);
}

TEST(Sleep, ARequestEndsIt) {
  EXPECT_TRUE(sleep_for(1ms));
  std::stop_source stop;
  std::jthread later([&] { stop.request_stop(); });
  EXPECT_FALSE(sleep_for(1h, stop.get_token()));
}

}  // namespace
}  // namespace stagemake
