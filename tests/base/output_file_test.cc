#include "base/files/output_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/process/subprocess.h"

namespace stagemake {
namespace {

using ::testing::HasSubstr;

class OutputFiles : public ::testing::Test {
 protected:
  fs::path at(const std::string& name) const { return folder_.path() / name; }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      all.push_back(entry.path().filename().string());
    std::sort(all.begin(), all.end());
    return all;
  }
  static struct stat facts(const fs::path& path) {
    struct stat s {};
    EXPECT_EQ(::lstat(path.c_str(), &s), 0) << path;
    return s;
  }
  // The error message of write_output; "" if it succeeds.
  static std::string told(const fs::path& path, std::string_view content) {
    try {
      write_output(path, content);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }
  // The same in a separate process, which `limits` prepares.
  std::string told_by_child(const std::function<void()>& limits, const fs::path& path,
                            std::string_view content) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_t child = ::fork();
    if (child == 0) {
      limits();
      std::string words = told(path, content);
      (void)!::write(ends[1], words.data(), words.size());
      ::_exit(0);
    }
    ::close(ends[1]);
    std::string words(4096, '\0');
    ssize_t n = ::read(ends[0], words.data(), words.size());
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "ended by a signal";
    return words.substr(0, n > 0 ? static_cast<std::size_t>(n) : 0);
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

TEST_F(OutputFiles, ANewFileHasTheModeOfTheUmask) {
  mode_t before = ::umask(027);
  write_output(at("a/b/report.html"), "x");
  ::umask(before);
  EXPECT_EQ(read_file(at("a/b/report.html")), "x");
  EXPECT_EQ(facts(at("a/b/report.html")).st_mode & 07777, 0640u);
}

TEST_F(OutputFiles, AFileKeepsItsModeAndIsReplacedAsAWhole) {
  write_output(at("report"), "old");
  ASSERT_EQ(::chmod(at("report").c_str(), 0604), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(at("report").c_str(), 1234, 4321), 0);
  }
  Descriptor reader(::open(at("report").c_str(), O_RDONLY | O_CLOEXEC));
  write_output(at("report"), "new");
  EXPECT_EQ(read_file(at("report")), "new");
  EXPECT_EQ(facts(at("report")).st_mode & 07777, 0604u);
  if (::geteuid() == 0) {
    EXPECT_EQ(facts(at("report")).st_uid, 1234u);
    EXPECT_EQ(facts(at("report")).st_gid, 4321u);
  }
  char old[4] = {};
  EXPECT_EQ(::read(reader.get(), old, 3), 3);
  EXPECT_STREQ(old, "old") << "who reads the old file reads it to its end";
  EXPECT_THAT(names(), ::testing::ElementsAre("report"));
}

TEST_F(OutputFiles, AnUnfinishedFileIsUnchanged) {
  write_file(at("old"), "old");
  for (const char* name : {"old", "new"}) {
    {
      OutputFile file(at(name));
      file.write("half of i");
      EXPECT_EQ(names().size(), 2u) << "the old file, and what is half written";
    }
    EXPECT_EQ(names(), std::vector<std::string>{"old"});
    EXPECT_EQ(read_file(at("old"), 10), "old");
  }
}

// As /etc/resolv.conf is in containers.
TEST_F(OutputFiles, AMountPointIsOverwrittenInPlace) {
  write_file(at("below"), "old and longer");
  write_file(at("point"), "");
  std::string words = told_by_child(
      [&] {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount(at("below").c_str(), at("point").c_str(), nullptr, MS_BIND, nullptr) != 0)
          ::_exit(0);
        write_file(at("mounted"), "");
      },
      at("point"), "new");
  if (!fs::exists(at("mounted"))) GTEST_SKIP() << "this user may not mount";
  EXPECT_EQ(words, "");
  EXPECT_EQ(read_file(at("below"), 100), "new");
  EXPECT_EQ(read_file(at("point"), 100), "");
  EXPECT_EQ(names(), (std::vector<std::string>{"below", "mounted", "point"}));
}

TEST_F(OutputFiles, AProgramWritesToIt) {
  write_file(at("old"), std::string(100, 'x'));
  OutputFile file(at("old"));
  Command command{.argv = {"echo", "from a program"}};
  command.standard_output = file.descriptor();
  ASSERT_TRUE(run_command(command).ok());
  file.write("and more\n");
  file.finish();
  EXPECT_EQ(read_file(at("old"), 100), "from a program\nand more\n");
}

TEST_F(OutputFiles, LinksAreFollowed) {
  fs::create_directories(at("real"));
  write_output(at("real/file"), "old");
  ASSERT_EQ(::chmod(at("real/file").c_str(), 0600), 0);
  fs::create_symlink("real/file", at("relative"));
  fs::create_symlink(at("relative"), at("absolute"));
  write_output(at("absolute"), "new");
  EXPECT_TRUE(fs::is_symlink(at("absolute")));
  EXPECT_TRUE(fs::is_symlink(at("relative")));
  EXPECT_EQ(read_file(at("real/file")), "new");
  EXPECT_EQ(facts(at("real/file")).st_mode & 07777, 0600u);

  fs::create_symlink("real/deep/later", at("dangling"));
  write_output(at("dangling"), "made");
  EXPECT_TRUE(fs::is_symlink(at("dangling")));
  EXPECT_EQ(read_file(at("real/deep/later")), "made");

  fs::create_symlink("circle", at("circle"));
  EXPECT_THAT(told(at("circle"), "x"), HasSubstr("cannot be written"));
}

TEST_F(OutputFiles, ADeviceStaysADevice) {
  if (::mknod(at("null").c_str(), S_IFCHR | 0666, ::makedev(1, 3)) != 0 ||
      ::mknod(at("full").c_str(), S_IFCHR | 0666, ::makedev(1, 7)) != 0 || told(at("null"), "") != "")
    GTEST_SKIP() << "devices can be made by root alone, where the file system allows them";
  fs::create_symlink("null", at("link"));
  EXPECT_EQ(told(at("null"), "x"), "");
  EXPECT_EQ(told(at("link"), "x"), "");
  EXPECT_THAT(told(at("full"), "x"), HasSubstr("full: cannot be written: No space left on device"));
  EXPECT_TRUE(S_ISCHR(facts(at("null")).st_mode));
  EXPECT_TRUE(S_ISCHR(facts(at("full")).st_mode));
  EXPECT_EQ(facts(at("null")).st_rdev, ::makedev(1, 3));
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_EQ(names().size(), 3u);
}

TEST_F(OutputFiles, AFifoIsWrittenTo) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  std::string content(300'000, 'x');  // more than fits into the pipe
  std::string heard;
  std::jthread reader([&] {
    Descriptor file(::open(at("fifo").c_str(), O_RDONLY | O_CLOEXEC));
    std::string piece(65536, '\0');
    for (ssize_t n = 0; (n = ::read(file.get(), piece.data(), piece.size())) > 0;)
      heard.append(piece, 0, static_cast<std::size_t>(n));
  });
  write_output(at("fifo"), content);
  reader.join();
  EXPECT_EQ(heard, content);
  EXPECT_TRUE(S_ISFIFO(facts(at("fifo")).st_mode));
}

TEST_F(OutputFiles, AReaderThatGoesIsAnErrorAndNoSignal) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  std::jthread reader([&] { Descriptor(::open(at("fifo").c_str(), O_RDONLY | O_CLOEXEC)); });
  EXPECT_THAT(told(at("fifo"), std::string(300'000, 'x')),
              HasSubstr("fifo: cannot be written: its reader is gone"));
  EXPECT_TRUE(S_ISFIFO(facts(at("fifo")).st_mode));
}

TEST_F(OutputFiles, DescriptorsOfTheCallerAreWrittenToAsTheyStand) {
  Descriptor file(::open(at("log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), "before ", 7), 7);
  std::string number = std::to_string(file.get());
  for (const char* folder : {"/proc/self/fd/", "/dev/fd/"}) write_output(folder + number, "x");
  fs::create_symlink("/proc/self/fd/" + number, at("stdout"));  // like /dev/stdout
  write_output(at("stdout"), "y");
  ASSERT_EQ(::write(file.get(), " after", 6), 6);
  EXPECT_EQ(read_file(at("log")), "before xxy after");
  EXPECT_TRUE(fs::is_symlink(at("stdout")));

  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Descriptor in(ends[0]), out(ends[1]);
  write_output("/dev/fd/" + std::to_string(out.get()), "through");
  char heard[8] = {};
  EXPECT_EQ(::read(in.get(), heard, 7), 7);
  EXPECT_STREQ(heard, "through");
  EXPECT_THAT(told("/proc/self/fd/987654", "x"), HasSubstr("cannot be written"));
}

TEST_F(OutputFiles, ASocketAndAFolderAreRefused) {
  Descriptor server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string path = at("s").string();
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(::bind(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_THAT(told(at("s"), "x"), HasSubstr("is a socket"));
  EXPECT_TRUE(S_ISSOCK(facts(at("s")).st_mode));
  fs::create_directories(at("folder"));
  EXPECT_THAT(told(at("folder"), "x"), HasSubstr("is a folder"));
  EXPECT_THAT(told(at("folder/"), "x"), HasSubstr("is a folder"));
  EXPECT_TRUE(fs::is_empty(at("folder")));
}

TEST_F(OutputFiles, AFullDiskLeavesTheOldFile) {
  std::string old(5000, 'o');
  write_output(at("report"), old);
  auto small = [] {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit most{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &most);
  };
  EXPECT_THAT(told_by_child(small, at("report"), std::string(200'000, 'n')),
              HasSubstr("report: cannot be written"));
  EXPECT_EQ(read_file(at("report")), old);
  EXPECT_THAT(names(), ::testing::ElementsAre("report")) << "and nothing half written beside it";
}

TEST_F(OutputFiles, AFileInAFolderThatTakesNoOthersIsOverwrittenInPlace) {
  std::string old(5000, 'o');
  write_output(at("closed/report"), old);
  write_output(at("closed/not ours"), old);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(at("closed/report").c_str(), 0666), 0);
  ASSERT_EQ(::chmod(at("closed/not ours").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(at("closed").c_str(), 0555), 0);
  auto no_root = [] {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit most{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &most);
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
  };
  EXPECT_THAT(told_by_child(no_root, at("closed/new"), "x"),
              HasSubstr("new: cannot be written: Permission denied"));
  EXPECT_THAT(told_by_child(no_root, at("closed/not ours"), "x"),
              HasSubstr("cannot be written: Permission denied"));
  EXPECT_THAT(told_by_child(no_root, at("closed/report"), std::string(200'000, 'n')),
              HasSubstr("cannot be written"));
  EXPECT_EQ(read_file(at("closed/report")), old) << "the space is reserved before the old content goes";
  EXPECT_EQ(told_by_child(no_root, at("closed/report"), "short"), "");
  EXPECT_EQ(read_file(at("closed/report")), "short");
  EXPECT_EQ(read_file(at("closed/not ours")), old);
}

}  // namespace
}  // namespace stagemake
