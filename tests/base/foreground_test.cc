#include "base/process/foreground.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files/files.h"

namespace stagemake {
namespace {

std::vector<std::string> shell(const std::string& script) {
  return {"sh", "-c", script};
}

TEST(Foreground, GivesTheProgramsStatus) {
  Foreground foreground;
  EXPECT_EQ(foreground.run(shell("exit 7"), [] {}), 7);
  EXPECT_EQ(foreground.run(shell("kill -KILL $$"), [] {}), 128 + SIGKILL);
  EXPECT_THROW(foreground.run({"no-such-program"}, [] {}), Error);
}

TEST(Foreground, TheProgramHasOurGroupAndStreams) {
  TemporaryFolder folder(fs::temp_directory_path());
  std::string file = (folder.path() / "group").string();
  EXPECT_EQ(Foreground().run(
                shell("ps -o pgid= -p $$ > '" + file + "' && ( : >&9 ) 2> /dev/null"), [] {}, 9),
            0);
  EXPECT_EQ(std::stol(read_file(file).value()), static_cast<long>(::getpgrp()));
}

// In a separate process, because signals affect the whole process. Returns how that process ends.
int ended_with(const std::function<int(Foreground&)>& work) {
  pid_t child = ::fork();
  if (child == 0) {
    Foreground foreground;
    ::_exit(work(foreground));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(Foreground, AClosedTerminalEndsTheProgramAfterItsCallerHasClearedUp) {
  int status = ended_with([](Foreground& foreground) {
    bool cleared = false;
    int with = foreground.run(shell("kill -HUP $PPID; exec sleep 60"), [&] { cleared = true; });
    return cleared && with == 128 + SIGHUP ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

TEST(Foreground, AProgramThatIgnoresItIsKilled) {
  int status = ended_with([](Foreground& foreground) {
    int with = foreground.run(
        shell("trap '' TERM; kill -TERM $PPID; sleep 60; sleep 60"), [] {}, 0, std::chrono::milliseconds(50));
    return with == 128 + SIGKILL ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

TEST(Foreground, CtrlCIsThePrograms) {
  EXPECT_EQ(ended_with([](Foreground& foreground) {
              return foreground.run(shell("kill -INT $PPID; exit 5"), [] { ::_exit(99); });
            }),
            5);
}

TEST(Foreground, IgnoredSignalsStayIgnored) {
  ::signal(SIGHUP, SIG_IGN);  // nohup
  int status = ended_with([](Foreground& foreground) {
    return foreground.run(shell("kill -HUP $PPID; exit 6"), [] { ::_exit(99); });
  });
  ::signal(SIGHUP, SIG_DFL);
  EXPECT_EQ(status, 6);
}

}  // namespace
}  // namespace stagemake
