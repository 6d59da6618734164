#include "base/files/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using ::testing::HasSubstr;

class Files : public ::testing::Test {
 protected:
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }
  fs::path at(const std::string& name) const { return folder_.path() / name; }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

ExitStatus status_of(const std::function<void()>& call, std::string& words) {
  try {
    call();
  } catch (const Error& error) {
    words = error.what();
    return error.status();
  }
  return ExitStatus::Ok;
}

TEST_F(Files, ReadsBackWrittenFiles) {
  std::string content("a\0b\n\xff", 5);
  write_file(at("deep/er/file"), content);
  EXPECT_EQ(read_file(at("deep/er/file")), content);
  write_file(at("deep/er/file"), "");
  EXPECT_EQ(read_file(at("deep/er/file")), "");
  struct stat facts {};
  ASSERT_EQ(::stat(at("deep/er/file").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);
}

TEST_F(Files, AbsenceIsAnAnswer) {
  EXPECT_EQ(read_file(at("not there")), std::nullopt);
  EXPECT_EQ(read_file(at("not/there")), std::nullopt);
  write_file(at("file"), "x");
  EXPECT_EQ(read_file(at("file/below")), std::nullopt);
}

TEST_F(Files, RefusesFilesThatAreNotMetadata) {
  std::string words;
  write_file(at("ten"), "0123456789");
  EXPECT_EQ(read_file(at("ten"), 10), "0123456789");
  EXPECT_EQ(status_of([&] { read_file(at("ten"), 9); }, words), ExitStatus::BadInput);
  EXPECT_THAT(words, HasSubstr("larger than"));
  EXPECT_EQ(status_of([&] { read_file(folder_.path()); }, words), ExitStatus::BadInput);
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_EQ(status_of([&] { read_file(at("fifo")); }, words), ExitStatus::BadInput)
      << "and does not wait for it";
  EXPECT_EQ(status_of([&] { read_file("/dev/zero"); }, words), ExitStatus::BadInput);
  // A sparse file of 1 TB takes no memory.
  write_file(at("huge"), "");
  ASSERT_EQ(::truncate(at("huge").c_str(), off_t{1} << 40), 0);
  EXPECT_EQ(status_of([&] { read_file(at("huge")); }, words), ExitStatus::BadInput);
  EXPECT_THAT(words, HasSubstr(at("huge").string()));
}

TEST_F(Files, AFileWithoutASizeIsRead) {
  EXPECT_THAT(read_file("/proc/self/status").value(), HasSubstr("Pid:"));
}

TEST_F(Files, ANameWithoutAFolderIsInTheCurrentOne) {
  fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  write_file("plain", "x");
  append_line("lines", "y");
  fs::current_path(before);
  EXPECT_EQ(read_file(at("plain")), "x");
  EXPECT_EQ(read_file(at("lines")), "y\n");
}

// A full disk, simulated by a limit on the size of files. The limit applies to a whole process.
TEST_F(Files, AFullDiskLeavesTheOldContent) {
  write_file(at("file"), "old");
  pid_t child = ::fork();
  if (child == 0) {
    rlimit limit{8192, 8192};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    std::string words;
    ExitStatus status = status_of([&] { write_file(at("file"), std::string(100'000, 'x')); }, words);
    ::_exit(status == ExitStatus::EngineUnusable && words.find("cannot be written") != std::string::npos ? 0
                                                                                                         : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_file(at("file")), "old");
  EXPECT_EQ(entries(), 1u) << "and nothing temporary";
}

TEST_F(Files, ADeviceWithoutSpaceIsAnError) {
  std::string words;
  EXPECT_EQ(status_of([] { append_line("/dev/full", "x"); }, words), ExitStatus::EngineUnusable);
  EXPECT_THAT(words, HasSubstr("/dev/full: cannot be written: No space left on device"));
  EXPECT_EQ(status_of([] { write_file("/proc/not/there", "x"); }, words), ExitStatus::EngineUnusable);
  EXPECT_THAT(words, HasSubstr("/proc/not"));
}

TEST_F(Files, AFifoThatNobodyReadsIsAnError) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  std::string words;
  EXPECT_EQ(status_of([&] { append_line(at("fifo"), "x"); }, words), ExitStatus::EngineUnusable);
  EXPECT_THAT(words, HasSubstr("fifo: cannot be written: no program has it open for reading"));
  // A reader that has opened it and does not read.
  Descriptor reader(::open(at("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::string long_line(1 << 20, 'x');  // more than fits into a pipe
  EXPECT_EQ(status_of([&] { append_line(at("fifo"), long_line, std::chrono::milliseconds(1)); }, words),
            ExitStatus::EngineUnusable);
  EXPECT_THAT(words, HasSubstr("fifo: cannot be written: its reader has stopped reading"));
}

TEST_F(Files, LinesOfManyWritersNeverMix) {
  {
    std::vector<std::jthread> threads;
    for (char c = 'a'; c < 'i'; ++c)
      threads.emplace_back([this, c] {
        for (int i = 0; i < 100; ++i) append_line(at("journal"), std::string(500, c));
      });
  }
  std::string all = read_file(at("journal")).value();
  std::vector<std::string_view> each = lines(all);
  EXPECT_EQ(each.size(), 800u);
  for (std::string_view line : each) {
    ASSERT_EQ(line.size(), 500u);
    ASSERT_EQ(line.find_first_not_of(line[0]), std::string_view::npos);
  }
}

TEST_F(Files, ReadersNeverSeeHalfAFile) {
  write_file(at("file"), std::string(50'000, 'a'));
  std::jthread writer([this](std::stop_token stop) {
    for (char c = 'a'; !stop.stop_requested(); c = c == 'z' ? 'a' : static_cast<char>(c + 1))
      write_file(at("file"), std::string(50'000, c));
  });
  for (int i = 0; i < 200; ++i) {
    std::string content = read_file(at("file")).value();
    ASSERT_EQ(content.size(), 50'000u);
    ASSERT_EQ(content.find_first_not_of(content[0]), std::string::npos);
  }
}

TEST_F(Files, ATemporaryFolderGoesWithAllItHolds) {
  fs::path path;
  {
    TemporaryFolder inner(at("new/parent"));
    path = inner.path();
    write_file(path / "a/b/c", "x");
    EXPECT_NE(TemporaryFolder(at("new/parent")).path(), path);
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(fs::exists(at("new/parent")));
}

TEST_F(Files, ALockIsHeldOnceAndDiesWithItsHolder) {
  std::optional<FileLock> lock = FileLock::try_take(at("state/lock"));
  ASSERT_TRUE(lock);
  EXPECT_FALSE(FileLock::try_take(at("state/lock")));
  EXPECT_EQ(FileLock::holder(at("state/lock")), "process " + std::to_string(::getpid()));
  EXPECT_EQ(FileLock::holder(at("state/other")), "");
  lock.reset();
  EXPECT_TRUE(FileLock::try_take(at("state/lock")));

  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  pid_t child = ::fork();
  if (child == 0) {
    std::optional<FileLock> held = FileLock::try_take(at("state/lock"));
    (void)!::write(ready[1], held ? "y" : "n", 1);
    ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(FileLock::try_take(at("state/lock")));
  EXPECT_EQ(FileLock::holder(at("state/lock")), "process " + std::to_string(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_TRUE(FileLock::try_take(at("state/lock")));
}

TEST_F(Files, FreeSpaceIsThatOfTheFileSystem) {
  EXPECT_GT(free_bytes(folder_.path()).value_or(0), 0u);
  EXPECT_EQ(free_bytes(at("not there")), std::nullopt);
}

TEST_F(Files, AMovedLockIsReleasedOnce) {
  std::optional<FileLock> first = FileLock::try_take(at("one"));
  std::optional<FileLock> second = FileLock::try_take(at("two"));
  ASSERT_TRUE(first && second);
  FileLock moved = std::move(*first);
  first.reset();
  EXPECT_FALSE(FileLock::try_take(at("one")));
  moved = std::move(*second);
  second.reset();
  EXPECT_TRUE(FileLock::try_take(at("one")));
  EXPECT_FALSE(FileLock::try_take(at("two")));
}

TEST_F(Files, ANameThatCannotBeReadIsFitForATerminal) {
  fs::path name = fs::temp_directory_path() / std::string(300, '\x83');
  try {
    read_file(name);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(printable(error.what()), error.what());
  }
}

}  // namespace
}  // namespace stagemake
