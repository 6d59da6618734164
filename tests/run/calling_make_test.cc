// The jobserver of a calling make: the words in MAKEFLAGS, real pipes, and a real make.
#include "run/slots/calling_make.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <random>
#include <thread>

#include "base/files/files.h"
#include "base/holds_soon.h"
#include "base/process/subprocess.h"
#include "run/container/pooled_make.h"
#include "run/slots/job_slots.h"

namespace stagemake {
namespace {

using Kind = JobserverWords::Kind;
using testing::HasSubstr;

std::string said(std::string_view makeflags) {
  JobserverWords words = jobserver_words(makeflags);
  std::string jobs = words.jobs ? " of " + std::to_string(*words.jobs) : "";
  if (words.kind == Kind::None) return "none" + jobs;
  if (words.kind == Kind::Fifo) return words.fifo + jobs;
  return std::to_string(words.read) + " " + std::to_string(words.write) + jobs;
}

TEST(JobserverWords, AreThoseOfEachMake) {
  EXPECT_EQ(said(" -j8 --jobserver-auth=3,4"), "3 4 of 8") << "4.3";
  EXPECT_EQ(said("ks -j --jobserver-auth=3,4 -- A=b"), "3 4") << "4.2";
  EXPECT_EQ(said(" --jobserver-fds=3,4 -j"), "3 4") << "4.0, 4.1";
  EXPECT_EQ(said("n -j2 --jobserver-auth=fifo:/tmp/GMfifo17"), "/tmp/GMfifo17 of 2") << "4.4";
  EXPECT_EQ(said(" -j2 --jobserver-auth=-2,-2"), "-2 -2 of 2") << "4.4, a recipe without `+`";
  EXPECT_EQ(said("-j2 --jobserver-auth=3,4 -j5 --jobserver-auth=5,6"), "5 6 of 5") << "the last one counts";
  EXPECT_EQ(said("-j2 --jobserver-auth=fifo:/tmp/a\\ b\\\\c"), "/tmp/a b\\c of 2");
}

TEST(JobserverWords, AreNoneWhereNoneCanBeUnderstood) {
  for (const char* flags : {"",
                            " ",
                            "--",
                            "k",
                            "-j",
                            " -j",
                            "-- --jobserver-auth=3,4",
                            "A=--jobserver-auth=3,4",
                            "--jobserver-auth",
                            "--jobserver-auth=",
                            "--jobserver-auth=3",
                            "--jobserver-auth=3,",
                            "--jobserver-auth=,4",
                            "--jobserver-auth=3,4x",
                            "--jobserver-auth=3,4,5",
                            "--jobserver-auth=fifo:",
                            "--jobserver-auth=99999999999,4",
                            "--jobserver-auth=3,4 --jobserver-auth=x",
                            "\\",
                            "\xff\x01"})
    EXPECT_EQ(said(flags), "none") << flags;
  EXPECT_EQ(said("-j0 -j-3"), "none");
  EXPECT_EQ(said("-j99999999999"), "none");
  EXPECT_EQ(said("-j2000000000"), "none of 100000");
  EXPECT_EQ(said(std::string(1 << 20, '-')), "none");
}

class Calling : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe(ends_), 0); }
  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void put(std::string_view bytes) {
    ASSERT_EQ(::write(ends_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  // The content of the pipe, sorted by byte value.
  std::string content() {
    int count = 0;
    ::ioctl(ends_[0], FIONREAD, &count);
    std::string bytes(static_cast<std::size_t>(count), '\0');
    if (count > 0 && ::read(ends_[0], bytes.data(), bytes.size()) != count) return "?";
    std::sort(bytes.begin(), bytes.end());
    return bytes;
  }
  std::unique_ptr<CallingMake> join(unsigned jobs = 4) {
    return CallingMake::join({.kind = Kind::Descriptors, .read = ends_[0], .write = ends_[1], .jobs = jobs},
                             why_not_);
  }

  int ends_[2] = {-1, -1};
  std::string why_not_;
};

TEST_F(Calling, GetsBackTheVeryBytes) {
  put("abc");
  std::unique_ptr<CallingMake> make = join();
  ASSERT_TRUE(make) << why_not_;
  EXPECT_EQ(make->held(), 0u) << "nothing is taken by joining";
  EXPECT_TRUE(make->take() && make->take() && make->take());
  EXPECT_FALSE(make->take()) << "and it does not wait";
  EXPECT_EQ(make->held(), 3u);
  EXPECT_TRUE(make->give_back());
  EXPECT_EQ(make->held(), 2u);
  make->leave();
  EXPECT_FALSE(make->take()) << "it has left";
  EXPECT_FALSE(make->give_back()) << "there are no more";
  EXPECT_EQ(content(), "abc");
}

TEST_F(Calling, GivesBackAtItsEnd) {
  put("xy");
  {
    std::unique_ptr<CallingMake> make = join();
    ASSERT_TRUE(make && make->take());
  }
  EXPECT_EQ(content(), "xy");
}

TEST_F(Calling, ItsDescriptorsKeepBlockingAndReachNoChild) {
  std::unique_ptr<CallingMake> make = join();
  ASSERT_TRUE(make);
  for (int end : ends_) {
    EXPECT_EQ(::fcntl(end, F_GETFL) & O_NONBLOCK, 0) << "make shares this";
    EXPECT_EQ(::fcntl(end, F_GETFD), FD_CLOEXEC);
  }
  EXPECT_EQ(::fcntl(make->descriptor(), F_GETFD), FD_CLOEXEC);
}

TEST_F(Calling, ClosedDescriptorsAreReported) {
  int others[2];
  ASSERT_EQ(::pipe(others), 0);
  int file = ::open("/dev/null", O_RDWR);
  auto refusal = [&](int read, int write) {
    why_not_.clear();
    EXPECT_FALSE(
        CallingMake::join({.kind = Kind::Descriptors, .read = read, .write = write, .jobs = {}}, why_not_))
        << read << " " << write;
    return why_not_;
  };
  EXPECT_EQ(
      refusal(-2, -2),
      "make's job slots do not reach stagemake: the recipe line must start with `+` or contain $(MAKE) in "
      "it");
  for (auto [read, write] : {std::pair(1000, 1001),
                             {ends_[0], 1001},
                             {ends_[1], ends_[0]},
                             {ends_[0], others[1]},
                             {file, file},
                             {ends_[0], file}})
    EXPECT_THAT(refusal(read, write), HasSubstr("must start with `+`"));
  ::close(others[0]), ::close(others[1]), ::close(file);
}

TEST_F(Calling, MayNameAFifo) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path fifo = folder.path() / "a b", plain = folder.path() / "plain";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  int own = ::open(fifo.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::write(own, "q", 1), 1);
  std::unique_ptr<CallingMake> make = CallingMake::join(
      jobserver_words("-j2 --jobserver-auth=fifo:" + folder.path().string() + "/a\\ b"), why_not_);
  ASSERT_TRUE(make) << why_not_;
  EXPECT_TRUE(make->take());
  EXPECT_FALSE(make->take());
  make.reset();
  char byte = 0;
  EXPECT_TRUE(::read(own, &byte, 1) == 1 && byte == 'q');
  ::close(own);

  write_file(plain, "");
  for (const fs::path& path : {plain, folder.path(), fs::path("/nowhere/\x1b")}) {
    EXPECT_FALSE(CallingMake::join({.kind = Kind::Fifo, .fifo = path.string(), .jobs = {}}, why_not_));
    EXPECT_THAT(why_not_, HasSubstr(" is not a pipe"));
    EXPECT_EQ(why_not_.find('\x1b'), std::string::npos);
  }
}

TEST_F(Calling, WithoutAJobserverNothingIsReported) {
  EXPECT_FALSE(CallingMake::join(jobserver_words("k -j"), why_not_));
  EXPECT_EQ(why_not_, "");
}

// --- A pool of its slots.

class Borrowed : public Calling {
 protected:
  fs::path fifo() { return folder_.path() / std::to_string(++made_); }

  TemporaryFolder folder_{fs::temp_directory_path()};
  unsigned made_ = 0;
};

TEST_F(Borrowed, OneIsThereAndMoreAreTakenWhereTheyAreWanted) {
  put("abc");
  std::unique_ptr<CallingMake> make = join();
  JobSlots pool(*make, 4);
  EXPECT_TRUE(pool.are_borrowed());
  auto one = pool.share(fifo()), other = pool.share(fifo());
  ASSERT_TRUE(one->begin({}));
  ASSERT_TRUE(other->begin({})) << "waits for a byte";
  int client = ::open(one->fifo().c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  char byte = 0;
  unsigned held = 0;
  EXPECT_TRUE(test::holds_soon([&] { return held += ::read(client, &byte, 1) == 1, held == 2; }));
  EXPECT_EQ(make->held(), 3u);
  EXPECT_EQ(content(), "");
  ::close(client);
  one->end();
  EXPECT_TRUE(test::holds_soon([&] { return make->held() <= 1; })) << "back before the end of all";
  other->end();
  EXPECT_TRUE(test::holds_soon([&] { return make->held() == 0; }));
  EXPECT_EQ(content(), "abc");
}

TEST_F(Borrowed, UnusedSlotsAreReturned) {
  put("abc");
  std::unique_ptr<CallingMake> make = join();
  JobSlots pool(*make, 4);
  auto one = pool.share(fifo());
  ASSERT_TRUE(one->begin({}));
  // The pool wants no second slot: make has all of them most of the time.
  int there = 0, looks = 0;
  for (; looks < 100; ++looks) {
    int count = 0;
    ::ioctl(ends_[0], FIONREAD, &count);
    there += count == 3 ? 1 : 0;
    EXPECT_GE(count, 2) << "one at most is offered";
    std::this_thread::sleep_for(std::chrono::milliseconds(6));
  }
  EXPECT_GE(there, 60) << "of 100 looks";
  one->end();
  EXPECT_TRUE(test::holds_soon([&] { return make->held() == 0; }));
}

TEST_F(Borrowed, StartingStagesWaitForReturnedSlots) {
  std::unique_ptr<CallingMake> make = join();
  JobSlots pool(*make, 4);
  auto one = pool.share(fifo()), other = pool.share(fifo());
  ASSERT_TRUE(one->begin({}));
  std::atomic<bool> began{false};
  std::jthread second([&] { began = other->begin({}); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(began);
  put("z");
  EXPECT_TRUE(test::holds_soon([&] { return began.load(); }));
  EXPECT_EQ(pool.free(), 2u);
}

TEST_F(Borrowed, NeverMoreThanTheBound) {
  put("abcdef");
  std::unique_ptr<CallingMake> make = join(7);
  JobSlots pool(*make, 2);
  auto one = pool.share(fifo());
  ASSERT_TRUE(one->begin({}));
  int client = ::open(one->fifo().c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  char byte = 0;
  unsigned held = 0;
  auto take_until = [&](unsigned wanted) {
    return test::holds_soon([&] { return held += ::read(client, &byte, 1) == 1, held >= wanted; });
  };
  EXPECT_TRUE(take_until(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LE(::read(client, &byte, 1), 0);
  pool.set_count(4);
  EXPECT_TRUE(take_until(3));
  pool.set_count(1);
  while (held > 0) held -= ::write(client, "+", 1) == 1 ? 1 : 0;
  EXPECT_TRUE(test::holds_soon([&] { return make->held() == 0; }));
  ::close(client);
}

// Containers that are killed while they hold slots, beside another job of make that takes and returns slots.
TEST_F(Borrowed, AfterAHundredKillsMakeHasTheVeryBytes) {
  const std::string all = "abcdef";
  put(all);
  std::unique_ptr<CallingMake> make = join(7);
  {
    JobSlots pool(*make, 7);
    std::vector<std::jthread> lanes;
    for (unsigned lane = 0; lane < 4; ++lane)
      lanes.emplace_back([&, lane, path = fifo()] {
        std::mt19937 random(lane);
        for (int i = 0; i < 25; ++i) {
          auto one = pool.share(path);
          if (!one->begin({})) return;
          int client = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
          char byte = 0;
          for (unsigned step = 0, steps = static_cast<unsigned>(random() % 10); step < steps; ++step) {
            bool goes_back = ::read(client, &byte, 1) == 1 && random() % 3 == 0;
            EXPECT_TRUE(!goes_back || ::write(client, "+", 1) == 1);
            EXPECT_LE(make->held(), 6u);
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
          }
          ::close(client);
          if (random() % 2 == 0) one->end();
        }
      });
    std::jthread other([&](const std::stop_token& stop) {
      std::string why_not;
      auto beside = CallingMake::join(
          {.kind = Kind::Descriptors, .read = ends_[0], .write = ends_[1], .jobs = {}}, why_not);
      while (!stop.stop_requested()) {
        beside->take();
        std::this_thread::sleep_for(std::chrono::microseconds(700));
        beside->give_back();
      }
    });
    lanes.clear();
  }
  EXPECT_EQ(make->held(), 0u);
  EXPECT_EQ(content(), all);
}

// Two recipes of a make -j3: one is a make outside, the other a driver with two makes in containers.
TEST_F(Borrowed, RealMakesStayWithinTheCallersSlots) {
  put("+");
  int outside[2] = {::dup(ends_[0]), ::dup(ends_[1])};  // the driver's makes end with an exec
  std::unique_ptr<CallingMake> make = join(3);
  JobSlots pool(*make, 3);
  fs::create_directories(folder_.path() / "run");
  auto command = [&](const std::string& name) {
    std::string makefile = "all:";
    for (int i = 0; i < 10; ++i) makefile += " " + name + std::to_string(i);
    makefile += "\n" + name + "%:\n\t@touch run/$@; ls run | wc -l >> most; sleep 0.05; rm run/$@\n";
    write_file(folder_.path() / name, makefile);
    return "cd " + folder_.path().string() + "\nexec ${MAKE:-make} --silent -f " + name +
           " 2>&1 | tee -a said";
  };
  std::vector<std::unique_ptr<JobSlots::Share>> shares;
  std::vector<std::jthread> makes;
  for (const char* name : {"x", "y"}) {
    shares.push_back(pool.share(fifo()));
    makes.emplace_back([one = shares.back().get(), text = command(name)] {
      ASSERT_TRUE(one->begin({}));
      std::string setup = pooled_make_setup({.fifo = one->fifo().string(),
                                             .program = one->fifo().string() + "-make",
                                             .slots = 3,
                                             .fair_share = 1});
      run_command({.argv = {"sh", "-c", setup + text}});
      one->end();
    });
  }
  makes.emplace_back([&, text = command("z")] {
    std::string flags = "export MAKEFLAGS=' -j3 --jobserver-auth=" + std::to_string(outside[0]) + "," +
                        std::to_string(outside[1]) + "'\n";
    EXPECT_EQ(std::system((flags + text).c_str()), 0);
  });
  makes.clear();
  ::close(outside[0]), ::close(outside[1]);
  EXPECT_EQ(read_file(folder_.path() / "said").value_or(""), "");
  std::string counts = read_file(folder_.path() / "most").value_or("");
  unsigned most = 0, jobs = 0;
  for (std::size_t at = 0; at < counts.size(); at = counts.find('\n', at) + 1, ++jobs)
    most = std::max(most, static_cast<unsigned>(std::stoul(counts.substr(at))));
  EXPECT_EQ(jobs, 30u);
  EXPECT_EQ(most, 3u) << "all are used, and never more";
  EXPECT_TRUE(test::holds_soon([&] { return make->held() == 0; }));
  EXPECT_EQ(content(), "+");
}

}  // namespace
}  // namespace stagemake
