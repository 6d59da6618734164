#include "base/process/standard_streams.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "base/files/files.h"

namespace stagemake {
namespace {

// The exit status of a process that runs `body`: it has its own standard descriptors.
int status_of(const std::function<int()>& body) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void make_full(int number) {
  ::dup2(::open("/dev/full", O_WRONLY | O_CLOEXEC), number);
}

int finished(int status, bool out, bool err) {
  StandardStreams streams;
  if (out) streams.out.add("a line\n");
  if (err) streams.err.add("a line\n");
  return streams.finish(status);
}

TEST(StandardStreams, LostLinesMakeASuccessAFailureAndLeaveAFailureAsItIs) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path said = folder.path() / "said";
  auto say_there = [&] {
    ::dup2(::open(said.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), STDERR_FILENO);
  };
  auto with_full_output = [&](int status, bool prints) {
    return status_of([&] {
      say_there();
      make_full(STDOUT_FILENO);
      return finished(status, prints, false);
    });
  };
  EXPECT_EQ(with_full_output(0, true), 1);
  EXPECT_EQ(read_file(said),
            "stagemake: standard output: 1 line of output is lost: No space left on device; see `stagemake "
            "report` and `stagemake logs`\n");
  EXPECT_EQ(with_full_output(75, true), 75);
  EXPECT_EQ(with_full_output(0, false), 0) << "nothing was printed";
  EXPECT_EQ(read_file(said), "");
  EXPECT_EQ(status_of([] {
              make_full(STDERR_FILENO);
              return finished(0, false, true);
            }),
            1);
}

TEST(StandardStreams, NoFileTakesTheNumberOfAClosedDescriptor) {
  EXPECT_EQ(status_of([] {
              for (int number : {0, 1, 2}) ::close(number);
              fill_standard_descriptors();
              char byte = 0;
              bool fails = ::write(1, "x", 1) < 0 && ::write(2, "x", 1) < 0 && ::read(0, &byte, 1) == 0;
              bool is_above = ::open("/dev/null", O_WRONLY | O_CLOEXEC) > 2;
              return fails && is_above ? 42 : 1;
            }),
            42);
  EXPECT_EQ(status_of([] {
              ::close(1);
              fill_standard_descriptors();
              return finished(0, true, false);
            }),
            1);
  EXPECT_EQ(status_of([] {
              int before = ::fcntl(1, F_GETFL);
              fill_standard_descriptors();
              return ::fcntl(1, F_GETFL) == before ? 42 : 1;
            }),
            42)
      << "what is open stays";
}

}  // namespace
}  // namespace stagemake
