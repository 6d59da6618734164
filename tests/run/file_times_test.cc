// Future file times, as the script changes them: in real shells, on files of the test.
#include "run/container/file_times.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>
#include <tuple>

#include "base/files/files.h"
#include "base/process/subprocess.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using testing::HasSubstr;

// A shell, with or without perl.
class FileTimes : public testing::TestWithParam<std::tuple<const char*, bool>> {
 protected:
  void SetUp() override {
    fs::create_directories(root());
    if (!std::get<bool>(GetParam()))
      programs({"sh", "find", "head", "mkdir", "rm", "stat", "sort", "awk", "tr", "xargs", "touch"});
  }
  // The script finds only these programs.
  void programs(const std::vector<const char*>& names) {
    bin_ = (folder_.path() / "bin").string();
    fs::remove_all(bin_);
    fs::create_directories(bin_);
    for (const char* name : names) fs::create_symlink(find_program(name), fs::path(bin_) / name);
  }

  fs::path root() const { return folder_.path() / "the root"; }
  void write(const std::string& name, std::int64_t time, const std::string& text = "x") const {
    fs::create_directories((root() / name).parent_path());
    write_file(root() / name, text);
    set_time(name, time);
  }
  void set_time(const std::string& name, std::int64_t time) const {
    struct timespec times[2] = {{time, 0}, {time, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (root() / name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0) << name;
  }
  std::int64_t time(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::lstat((root() / name).c_str(), &status), 0) << name;
    return status.st_mtime;
  }
  static std::int64_t now() { return static_cast<std::int64_t>(std::time(nullptr)); }

  // Sets the root's own time to that of an old file: tests do not count the root.
  std::optional<TimesBrought> run() {
    if (fs::exists(root())) set_time(".", 1'000'000'000);
    std::string text = present_times_script(root().string());
    std::string folder = (folder_.path() / "own").string();
    for (std::size_t at = text.find("/.stagemake"); at != std::string::npos;
         at = text.find("/.stagemake", at + folder.size()))
      text.replace(at, 11, folder);
    Command command;
    command.argv = {shell(), "-c", text};
    if (!bin_.empty()) command.environment["PATH"] = bin_;
    Finished finished = run_command(command);
    output_ = finished.output + finished.errors;
    why_.clear();
    return times_brought(finished.exit_code, finished.output, why_);
  }
  static std::string shell() { return find_program(std::get<const char*>(GetParam())); }
  // The targets that make would rebuild.
  std::string make(const std::string& target) const {
    Command command;
    command.argv = {"make", "-C", root().string(), "--no-print-directory", target};
    Finished finished = run_command(command);
    EXPECT_EQ(finished.exit_code, 0) << finished.output << finished.errors;
    return finished.output + finished.errors;
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  std::string bin_, output_, why_;
};

INSTANTIATE_TEST_SUITE_P(, FileTimes, testing::Combine(testing::Values("bash", "dash"), testing::Bool()));

TEST_P(FileTimes, NothingIsTouchedWhereNothingLiesInTheFuture) {
  write("old", 1'000'000'000);
  write("young", now() - 1);
  std::optional<TimesBrought> brought = run();
  ASSERT_TRUE(brought) << why_ << output_;
  EXPECT_EQ(brought->files, 0u);
  EXPECT_EQ(time("old"), 1'000'000'000);
  fs::remove_all(root());
  ASSERT_TRUE(run()) << "a tree that is not there yet is no fault: " << why_;
}

TEST_P(FileTimes, TheFutureEndsBeforeThePresentInItsOrder) {
  std::int64_t began = now();
  write("old", began - 5000);
  write("a", began + 100);
  write("b", began + 100);
  write("c", began + 7);
  write("folder/d", began + 90'000);
  set_time("folder", began + 50);
  std::optional<TimesBrought> brought = run();
  ASSERT_TRUE(brought) << why_ << output_;
  EXPECT_EQ(brought->files, 5u) << output_;
  EXPECT_NEAR(static_cast<double>(brought->ahead), 90'000, 5);
  EXPECT_GE(brought->bytes, 4u);
  EXPECT_EQ(time("old"), began - 5000);
  EXPECT_LT(time("folder/d"), now());
  EXPECT_GE(time("folder/d"), began - 1);
  EXPECT_EQ(time("a"), time("b"));
  EXPECT_EQ(time("a"), time("folder/d") - 1);
  EXPECT_EQ(time("folder"), time("a") - 1);
  EXPECT_EQ(time("c"), time("folder") - 1);
}

TEST_P(FileTimes, OlderFilesMoveDownIfThereIsNoRoom) {
  std::int64_t began = now();
  for (int i = 1; i <= 6; ++i) write(fmt::format("future{}", i), began + 1000 * i);
  for (int i = 1; i <= 4; ++i) write(fmt::format("past{}", i), began - i);  // one per second
  write("below", began - 60);
  ASSERT_TRUE(run()) << why_ << output_;
  std::vector<std::string> order = {"below",   "past4",   "past3",   "past2",   "past1",  "future1",
                                    "future2", "future3", "future4", "future5", "future6"};
  for (std::size_t i = 1; i < order.size(); ++i)
    EXPECT_LT(time(order[i - 1]), time(order[i])) << order[i - 1] << " " << order[i];
  EXPECT_LT(time("future6"), now());
  EXPECT_EQ(time("below"), began - 60);
}

TEST_P(FileTimes, NamesAndKindsOfAllSorts) {
  std::int64_t later = now() + 1000;
  std::vector<std::string> names = {" blank",   "quo'te\"", "$HOME", "back\\slash",
                                    "tab\tbed", "-dash",    "ümlaut"};
  for (const std::string& name : names) write(name, later);
  write("line\nfeed", later);  // make cannot name it
  fs::create_symlink("nowhere", root() / "link");
  set_time("link", later);
  std::optional<TimesBrought> brought = run();
  ASSERT_TRUE(brought) << why_ << output_;
  EXPECT_EQ(brought->files, names.size());
  for (const std::string& name : names) EXPECT_LT(time(name), now()) << name;
  EXPECT_EQ(time("line\nfeed"), later);
  EXPECT_EQ(time("link"), later);
}

TEST_P(FileTimes, MakeBuildsWhatItWouldHaveSkipped) {
  std::string makefile =
      "program: part other\n\tcat part other > program\n"
      "part: source\n\tcp source part\nother: source2\n\tcp source2 other\n";
  std::int64_t ahead = now() + 3600;
  write("Makefile", ahead - 30, makefile);
  write("source", ahead - 20);
  write("source2", ahead - 20);
  write("part", ahead - 2);
  write("other", ahead - 3);
  write("program", ahead);
  write("source", now(), "changed");
  EXPECT_THAT(make("program"), HasSubstr("up to date"))
      << "make itself is not fooled, so that this shows nothing";
  ASSERT_TRUE(run()) << why_ << output_;
  EXPECT_THAT(make("program"), HasSubstr("up to date")) << "the change came before";
  write("source", now(), "changed again");
  std::string made = make("program");
  EXPECT_THAT(made, HasSubstr("cp source part\n"));
  EXPECT_THAT(made, HasSubstr("cat part other"));
  EXPECT_THAT(made, testing::Not(HasSubstr("cp source2")));
}

TEST_P(FileTimes, MissingToolsAreReported) {
  write("a", now() + 100);
  programs({"sh", "find", "head", "mkdir", "rm", "stat", "sort", "tr", "xargs", "touch"});
  EXPECT_FALSE(run());
  EXPECT_EQ(why_, "there is no awk in it");
  programs({});
  EXPECT_FALSE(run());
  EXPECT_EQ(why_, "there is no find in it");
}

TEST_P(FileTimes, AFileThatCannotBeTouchedIsAFailure) {
  write("a", now() + 100);
  programs({"sh", "find", "head", "mkdir", "rm", "stat", "sort", "tr", "xargs", "awk"});
  write_file(fs::path(bin_) / "touch", "#!/bin/sh\nexit 1\n");
  fs::permissions(fs::path(bin_) / "touch", fs::perms::owner_all);
  EXPECT_FALSE(run());
  EXPECT_THAT(why_, HasSubstr("its file times could not be changed"));
}

}  // namespace
}  // namespace stagemake
