#include "base/process/subprocess.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/files/files.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

using Clock = std::chrono::steady_clock;

Command shell(const std::string& script) {
  Command command;
  command.argv = {"sh", "-c", script};
  return command;
}

bool lives(pid_t process) {
  // A process that was not reaped yet still has a number, but no command line.
  std::optional<std::string> line = read_file("/proc/" + std::to_string(process) + "/cmdline");
  return line && !line->empty();
}

TEST(Subprocess, CollectsOutputErrorsAndTheExitCode) {
  Finished finished = run_command(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(finished.output, "out\n");
  EXPECT_EQ(finished.errors, "err\n");
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_FALSE(finished.ok());
  EXPECT_TRUE(run_command(shell("true")).ok());
}

TEST(Subprocess, ASignalIsNotAnExitStatus) {
  EXPECT_EQ(run_command(shell("exit 9")).exit_code, 9);
  EXPECT_EQ(run_command(shell("kill -KILL $$")).exit_code, 137);
  EXPECT_EQ(run_command(shell("kill -TERM $$")).exit_code, 143);
  EXPECT_EQ(run_command(shell("exit 255")).exit_code, 255);
}

TEST(Subprocess, ArgumentsAndVariablesArriveAsTheyAre) {
  Command command;
  command.argv = {"printf", "%s|", "a b", "", "$x", "\"'\\\n", "*"};
  EXPECT_EQ(run_command(command).output, "a b||$x|\"'\\\n|*|");
  command = shell("printf '%s|' \"$STAGEMAKE_TEST_A\" \"$STAGEMAKE_TEST_B\" \"$HOME\"");
  ::setenv("STAGEMAKE_TEST_A", "caller's", 1);
  ::setenv("STAGEMAKE_TEST_B", "caller's", 1);
  command.environment = {{"STAGEMAKE_TEST_B", "a=b\nc"}};
  EXPECT_EQ(run_command(command).output, "caller's|a=b\nc|" + std::string(::getenv("HOME")) + "|");
}

TEST(Subprocess, InputIsEmptyOrGiven) {
  EXPECT_EQ(run_command(shell("cat")).output, "");
  TemporaryFolder folder(fs::temp_directory_path());
  write_file(folder.path() / "in", "content");
  Command command = shell("cat");
  command.standard_input = ::open((folder.path() / "in").c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(run_command(command).output, "content");
  EXPECT_EQ(::close(command.standard_input), 0) << "it stays ours";
}

TEST(Subprocess, OutputGoesElsewhereWhereAsked) {
  TemporaryFolder folder(fs::temp_directory_path());
  Command command = shell("echo out; echo err >&2");
  command.standard_output = ::open((folder.path() / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  Finished finished = run_command(command);
  ::close(command.standard_output);
  EXPECT_EQ(finished.output, "");
  EXPECT_EQ(finished.errors, "err\n");
  EXPECT_EQ(read_file(folder.path() / "out"), "out\n");
}

TEST(Subprocess, ASinkGetsBothStreamsInOrder) {
  std::string all;
  Command command = shell("for i in 1 2 3; do echo o$i; echo e$i >&2; done");
  command.on_output = [&](std::string_view piece) { all += piece; };
  Finished finished = run_command(command);
  EXPECT_EQ(all, "o1\ne1\no2\ne2\no3\ne3\n");
  EXPECT_EQ(finished.output + finished.errors, "");
  std::string errors;
  all.clear();
  command.on_errors = [&](std::string_view piece) { errors += piece; };
  finished = run_command(command);
  EXPECT_EQ(all, "o1\no2\no3\n");
  EXPECT_EQ(errors, "e1\ne2\ne3\n");
  EXPECT_EQ(finished.errors, errors);
}

TEST(Subprocess, OutputComesAsItIsWritten) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path seen = folder.path() / "seen";
  // It ends well only once its first line was seen.
  Command command = shell("echo now; for i in $(seq 1000); do if [ -e " + seen.string() +
                          " ]; then exit 0; fi; sleep 0.1; done; exit 1");
  command.on_output = [&](std::string_view) { std::ofstream(seen.string()) << "yes"; };
  EXPECT_TRUE(run_command(command).ok());
}

TEST(Subprocess, ManyBytesInBothStreams) {
  Finished finished = run_command(
      shell("head -c 3000000 /dev/zero & head -c 3000000 /dev/zero >&2; wait; printf 'the end' >&2"));
  EXPECT_EQ(finished.output.size(), 3'000'000u);
  EXPECT_EQ(finished.errors.size(), 65'536u);
  EXPECT_THAT(finished.errors, ::testing::EndsWith("the end"));
}

TEST(Subprocess, TooMuchOutputEndsTheChild) {
  Command command = shell("yes");
  command.output_limit = 1'000'000;
  try {
    run_command(command);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::EngineUnusable);
    EXPECT_THAT(error.what(), HasSubstr("sh: printed more than 1.0 MB"));
  }
}

TEST(Subprocess, AProgramThatCannotBeStartedIsAnError) {
  for (const char* program : {"no-such-program", "/not/there", "/etc/passwd", "/"}) {
    Command command;
    command.argv = {program};
    EXPECT_THROW(run_command(command), Error) << program;
  }
  // Found and executable, but not a program.
  TemporaryFolder folder(fs::temp_directory_path());
  write_file(folder.path() / "faulty", "#!/not/there\n");
  fs::permissions(folder.path() / "faulty", fs::owner_all);
  Command command;
  command.argv = {(folder.path() / "faulty").string()};
  try {
    run_command(command);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot be started: No such file or directory"));
  }
  siginfo_t child{};
  EXPECT_EQ(::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT), -1) << "nothing is left of it";
}

TEST(Subprocess, FindsProgramsAsAShellDoes) {
  EXPECT_EQ(find_program("/bin/sh"), "/bin/sh");
  EXPECT_THAT(find_program("sh"), ::testing::EndsWith("/sh"));
  EXPECT_EQ(find_program("no-such-program"), "");
  EXPECT_EQ(find_program("/etc/passwd"), "");
  EXPECT_EQ(find_program("/etc"), "") << "a folder is no program";
  EXPECT_EQ(find_program(""), "");
}

TEST(Subprocess, AHundredAtOnce) {
  // Pipes that leak into siblings would keep a short child's output open until the long ones end.
  std::atomic<int> right = 0;
  Clock::duration slowest{};
  std::mutex mutex;
  std::stop_source stop;
  std::vector<std::jthread> long_ones;
  for (int i = 0; i < 10; ++i)
    long_ones.emplace_back([&] {
      Command command = shell("sleep 60");
      command.stop = stop.get_token();
      run_command(command);
    });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 100; ++i)
      threads.emplace_back([&, i] {
        auto start = Clock::now();
        Finished finished = run_command(shell("echo " + std::to_string(i) + "; exit " + std::to_string(i)));
        if (finished.output == std::to_string(i) + "\n" && finished.exit_code == i) ++right;
        std::lock_guard lock(mutex);
        slowest = std::max(slowest, Clock::now() - start);
      });
  }
  EXPECT_EQ(right, 100);
  EXPECT_LT(slowest, 40s);
  stop.request_stop();
}

TEST(Subprocess, AGrandchildWithThePipeDoesNotKeepUs) {
  auto begin = Clock::now();
  Finished finished = run_command(shell("echo $$; sleep 30 & echo $!; exit 5"));
  EXPECT_LT(Clock::now() - begin, 20s);
  EXPECT_EQ(finished.exit_code, 5);
  ASSERT_EQ(lines(finished.output).size(), 2u);
  ::kill(std::stoi(std::string(lines(finished.output)[1])), SIGKILL);
}

TEST(Subprocess, OutputWrittenBeforeExitIsReadLate) {
  // When the child has ended, its last output is in the pipe, and reading it takes longer than the wait for
  // other writers.
  for (const char* beside : {"", "sleep 30 & echo $! >&2; ", "sh -c 'echo $$ >&2; exec yes >&2' & "}) {
    std::string all;
    Command command = shell(std::string(beside) +
                            "head -c 1000000 /dev/zero | tr '\\000' x; head -c 30000 /dev/zero; printf end");
    command.on_output = [&](std::string_view piece) {
      all += piece;
      if (all.size() > 900'000) std::this_thread::sleep_for(600ms);
    };
    std::string errors;
    command.on_errors = [&](std::string_view piece) {
      if (errors.size() < 100) errors += piece;
    };
    auto begin = Clock::now();
    run_command(command);
    EXPECT_EQ(all.size(), 1'030'003u) << beside;
    EXPECT_THAT(all, ::testing::EndsWith("end")) << beside;
    EXPECT_LT(Clock::now() - begin, 20s);
    if (*beside != '\0') ::kill(std::stoi(errors), SIGKILL);
  }
}

TEST(Subprocess, OutputIsThereOnceMoreWhileOthersUseItsNumber) {
  constexpr int kNumber = 20;
  std::vector<Descriptor> taken;  // so that the writing end of the next pipe has that number
  while (taken.empty() || taken.back().get() < kNumber - 2)
    taken.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::jthread other([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Descriptor reading(::fcntl(taken[0].get(), F_DUPFD_CLOEXEC, kNumber - 1));
      Descriptor writing(::fcntl(taken[0].get(), F_DUPFD_CLOEXEC, kNumber));
    }
  });
  for (int i = 0; i < 600; ++i) {
    Command command = shell(fmt::format("echo kept >/proc/self/fd/{}", kNumber));
    command.output_again = kNumber;
    ASSERT_EQ(run_command(command).output, "kept\n") << i;
  }
}

TEST(Subprocess, OutputIsThereOnceMoreWhereAsked) {
  // Through a relay that drops everything, for a caller that does not own the process, and many at once.
  std::atomic<int> right = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 40; ++i)
    threads.emplace_back([&] {
      std::string all;
      Command command = shell("sh -c 'echo lost; echo kept >&9; echo again >/proc/self/fd/9' >/dev/null");
      command.on_output = [&](std::string_view piece) { all += piece; };
      command.output_again = 9;
      Finished finished = run_command(command);
      if (all == "kept\nagain\n" && finished.exit_code == 0) ++right;
    });
  threads.clear();
  EXPECT_EQ(right, 40);
  EXPECT_NE(run_command(shell("echo x >&9")).exit_code, 0) << "not unless asked";
  Command missing;
  missing.argv = {"/etc"};
  missing.output_again = 9;
  EXPECT_THROW(run_command(missing), Error);
}

TEST(Subprocess, AStopEndsTheWholeGroup) {
  std::stop_source stop;
  std::string all;
  Command command = shell("sleep 30 & echo $!; wait");
  command.on_output = [&](std::string_view piece) {
    all += piece;
    stop.request_stop();
  };
  command.stop = stop.get_token();
  auto begin = Clock::now();
  Finished finished = run_command(command);
  EXPECT_LT(Clock::now() - begin, 20s);
  EXPECT_TRUE(finished.stopped);
  EXPECT_EQ(finished.exit_code, 143);
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(lives(std::stoi(all)));
}

TEST(Subprocess, ProcessesThatIgnoreTheStopAreKilled) {
  std::stop_source stop;
  Command command = shell("trap '' TERM; echo; while true; do sleep 0.1; done");
  command.on_output = [&](std::string_view) { stop.request_stop(); };
  command.stop = stop.get_token();
  command.grace = 300ms;
  auto begin = Clock::now();
  Finished finished = run_command(command);
  EXPECT_GE(Clock::now() - begin, 300ms);
  EXPECT_LT(Clock::now() - begin, 20s);
  EXPECT_TRUE(finished.stopped);
  EXPECT_EQ(finished.exit_code, 137);
}

TEST(Subprocess, AStopFromAnotherThreadAndBeforeTheStart) {
  std::stop_source stop;
  Command command = shell("sleep 30");
  command.stop = stop.get_token();
  std::jthread asks([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  EXPECT_TRUE(run_command(command).stopped);
  EXPECT_TRUE(run_command(command).stopped) << "requested already";
  Command quick = shell("exit 3");
  std::stop_source never;
  quick.stop = never.get_token();
  EXPECT_FALSE(run_command(quick).stopped);
}

TEST(Subprocess, AskAndKillAreTheCallers) {
  TemporaryFolder folder(fs::temp_directory_path());
  std::string fifo = (folder.path() / "end").string();
  std::stop_source stop;
  std::string calls;
  Command command =
      shell("trap '' TERM; echo; while [ ! -e " + shell_quoted(fifo) + " ]; do sleep 0.05; done; exit 7");
  command.on_output = [&](std::string_view) { stop.request_stop(); };
  command.stop = stop.get_token();
  command.grace = 200ms;
  command.ask = [&] { calls += run_command(shell("echo ask")).output; };
  command.kill = [&] {
    calls += "kill\n";
    write_file(fifo, "");
  };
  Finished finished = run_command(command);
  EXPECT_EQ(calls, "ask\nkill\n");
  EXPECT_EQ(finished.exit_code, 7) << "the caller's way to end it was enough";
  EXPECT_TRUE(finished.stopped);
}

TEST(Subprocess, ExceptionsOfCallbacksPropagateAndEndTheChild) {
  pid_t child = 0;
  Command command = shell("echo $$; sleep 30");
  command.on_output = [&](std::string_view piece) {
    child = std::stoi(std::string(piece));
    throw std::length_error("sink");
  };
  EXPECT_THROW(run_command(command), std::length_error);
  EXPECT_FALSE(lives(child));
  std::stop_source stop;
  command.on_output = [&](std::string_view) { stop.request_stop(); };
  command.stop = stop.get_token();
  command.ask = [] { throw std::length_error("ask"); };
  EXPECT_THROW(run_command(command), std::length_error);
}

TEST(Subprocess, SignalsThatTheDriverBlocksAreHeardByTheChild) {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigaddset(&blocked, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  auto* old = ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(run_command(shell("kill -TERM $$; exit 1")).exit_code, 143);
  EXPECT_EQ(run_command(shell("kill -PIPE $$; exit 1")).exit_code, 141);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGPIPE, old);
}

TEST(Subprocess, AChildHasAGroupOfItsOwn) {
  std::string group(trimmed(run_command(shell("cut -d' ' -f5 /proc/self/stat")).output));
  EXPECT_NE(group, std::to_string(::getpgrp()));
}

TEST(Subprocess, LeavesNoDescriptorsOpen) {
  auto open_now = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  run_command(shell("true"));
  auto before = open_now();
  for (int i = 0; i < 20; ++i) run_command(shell("echo x"));
  Command missing;
  missing.argv = {"/etc/passwd"};
  EXPECT_THROW(run_command(missing), Error);
  EXPECT_EQ(open_now(), before);
}

}  // namespace
}  // namespace stagemake
