// One pool of job slots for several makes: real pipes, and a real make.
#include "run/slots/job_slots.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <random>

#include "base/error.h"
#include "base/holds_soon.h"
#include "base/process/subprocess.h"
#include "run/container/pooled_make.h"

namespace stagemake {
namespace {

using namespace std::chrono_literals;

// What a make in a container does with its end of the pipe.
class Client {
 public:
  explicit Client(const JobSlots::Share& share)
      : descriptor_(::open(share.fifo().c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)) {}
  ~Client() { ::close(descriptor_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Takes as many slots as there are.
  void want() {
    for (char byte = 0; ::read(descriptor_, &byte, 1) == 1;) ++held_;
  }
  bool take_one() {
    char byte = 0;
    bool took = ::read(descriptor_, &byte, 1) == 1;
    held_ += took ? 1 : 0;
    return took;
  }
  void give_back() {
    if (held_ > 0 && ::write(descriptor_, "+", 1) == 1) --held_;
  }
  unsigned held() const { return held_; }

 private:
  int descriptor_;
  unsigned held_ = 0;
};

class Slots : public testing::Test {
 protected:
  std::unique_ptr<JobSlots::Share> share(JobSlots& pool) {
    return pool.share(folder_.path() / std::to_string(++made_));
  }
  bool wants_until(Client& client, unsigned held) {
    return test::holds_soon([&] { return client.want(), client.held() >= held; });
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  unsigned made_ = 0;
};

// A container's user may have any user id outside, so the pipe is open to everybody; other users outside must
// not be able to reach it.
TEST_F(Slots, OthersDoNotReachThePipe) {
  ::chmod(folder_.path().c_str(), 0755);
  fs::create_directory(folder_.path() / "slots");
  ::chmod((folder_.path() / "slots").c_str(), 0755);
  JobSlots pool(2);
  std::unique_ptr<JobSlots::Share> share = pool.share(folder_.path() / "slots/container");
  struct stat pipe {
  }, around{};
  ASSERT_EQ(::stat(share->fifo().c_str(), &pipe), 0);
  EXPECT_EQ(pipe.st_mode & 0777, 0666u);
  ASSERT_EQ(::stat(share->fifo().parent_path().c_str(), &around), 0);
  EXPECT_EQ(around.st_mode & 0777, 0700u);
  if (::geteuid() != 0) GTEST_SKIP() << "nobody else to be here";
  pid_t neighbour = ::fork();
  if (neighbour == 0) {
    bool changed = ::setgid(65534) == 0 && ::setuid(65534) == 0;
    ::_exit(changed && ::open(share->fifo().c_str(), O_RDWR | O_NONBLOCK) < 0 && errno == EACCES ? 0 : 1);
  }
  int status = 0;
  ::waitpid(neighbour, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(Slots, OneMakeGetsThemAllButTheOneOfItsFirstJob) {
  JobSlots pool(4);
  auto one = share(pool);
  EXPECT_EQ(pool.free(), 4u);
  ASSERT_TRUE(one->begin({}));
  Client make(*one);
  EXPECT_TRUE(wants_until(make, 3));
  std::this_thread::sleep_for(50ms);
  make.want();
  EXPECT_EQ(make.held(), 3u) << "never more";
  EXPECT_EQ(one->slots(), 4u);
  one->end();
  EXPECT_EQ(pool.free(), 4u);
}

TEST_F(Slots, UnusedSlotsMoveToBusyPools) {
  JobSlots pool(5);
  auto idle = share(pool), busy = share(pool);
  ASSERT_TRUE(idle->begin({}) && busy->begin({}));
  Client make(*busy);
  EXPECT_TRUE(wants_until(make, 3)) << "the idle one keeps the slot of its first job alone";
  EXPECT_TRUE(test::holds_soon([&] { return idle->slots() == 1; }));
  Client wakes(*idle);
  make.give_back(), make.give_back();
  EXPECT_TRUE(wants_until(wakes, 2));
  EXPECT_EQ(pool.free(), 0u);
}

TEST_F(Slots, StartingStagesWaitForASlotFirst) {
  JobSlots pool(2);
  auto one = share(pool), other = share(pool);
  ASSERT_TRUE(one->begin({}));
  Client make(*one);
  ASSERT_TRUE(wants_until(make, 1));
  std::atomic<bool> began{false};
  std::jthread second([&] { began = other->begin({}); });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(began) << "all are taken";
  make.give_back();
  EXPECT_TRUE(test::holds_soon([&] { return began.load(); }));
}

TEST_F(Slots, StagesStoppedWhileWaitingDoNotStart) {
  JobSlots pool(1);
  auto one = share(pool), other = share(pool);
  ASSERT_TRUE(one->begin({}));
  std::stop_source stop;
  std::atomic<int> began{-1};
  std::jthread second([&] { began = other->begin(stop.get_token()) ? 1 : 0; });
  stop.request_stop();
  EXPECT_TRUE(test::holds_soon([&] { return began == 0; }));
  EXPECT_EQ(other->slots(), 0u);
  EXPECT_EQ(one->slots(), 1u);
}

TEST_F(Slots, TheNumberMayChangeOnTheWay) {
  JobSlots pool(2);
  auto one = share(pool);
  ASSERT_TRUE(one->begin({}));
  Client make(*one);
  ASSERT_TRUE(wants_until(make, 1));
  pool.set_count(6);
  EXPECT_TRUE(wants_until(make, 5));
  pool.set_count(2);
  for (int i = 0; i < 4; ++i) make.give_back();
  EXPECT_TRUE(test::holds_soon([&] { return one->slots() <= 2; }));
}

// Containers that start, take slots, and are killed while they hold them, again and again.
TEST_F(Slots, AfterAHundredKillsAllAreThere) {
  constexpr unsigned kSlots = 7;
  JobSlots pool(kSlots);
  std::atomic<unsigned> at_once{0}, most{0};
  std::vector<std::jthread> lanes;
  for (unsigned lane = 0; lane < 4; ++lane) {
    fs::path fifo = folder_.path() / ("lane" + std::to_string(lane));
    lanes.emplace_back([&, lane, fifo] {
      std::mt19937 random(lane);
      for (int i = 0; i < 25; ++i) {
        auto one = pool.share(fifo);
        if (!one->begin({})) return;
        Client make(*one);
        unsigned mine = 1;
        auto note = [&](unsigned now) {
          unsigned all = at_once += now - mine;
          mine = now;
          for (unsigned seen = most; all > seen && !most.compare_exchange_weak(seen, all);) {
          }
        };
        at_once += 1;
        for (unsigned step = 0, steps = static_cast<unsigned>(random() % 20); step < steps; ++step) {
          if (random() % 3 == 0) {
            note(make.held() > 0 ? make.held() : 1);  // before it is returned
            make.give_back();
          } else {
            make.take_one();
          }
          note(make.held() + 1);
          std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
        }
        at_once -= mine;  // killed, with all slots that it holds
        one->end();
      }
    });
  }
  lanes.clear();
  EXPECT_EQ(pool.free(), kSlots);
  EXPECT_LE(most, kSlots);
}

// --- With a real make.

TEST_F(Slots, RealMakesRunNoMoreJobsThanSlots) {
  std::string makefile = "all:";
  for (int i = 0; i < 12; ++i) makefile += " j" + std::to_string(i);
  makefile += "\nj%:\n\t@touch run/$@; ls run | wc -l >> most; sleep 0.05; rm run/$@\n";
  JobSlots pool(3);
  std::vector<std::unique_ptr<JobSlots::Share>> shares;
  std::vector<std::jthread> makes;
  fs::create_directories(folder_.path() / "run");
  std::atomic<int> well{0};
  for (int i = 0; i < 2; ++i) {
    std::string own = makefile;
    for (std::size_t at = 0; (at = own.find(" j", at)) != std::string::npos; at += 3)
      own.insert(at + 2, i == 0 ? "a" : "b");
    write_file(folder_.path() / ("makefile" + std::to_string(i)), own);
    shares.push_back(share(pool));
    makes.emplace_back([&, i, one = shares.back().get()] {
      ASSERT_TRUE(one->begin({}));
      std::string setup = pooled_make_setup({.fifo = one->fifo().string(),
                                             .program = (folder_.path() / "make").string(),
                                             .slots = 3,
                                             .fair_share = 1});
      std::string script = setup + "cd " + folder_.path().string() + "\nexec $MAKE --silent -k -f makefile" +
                           std::to_string(i) + " 2>&1";
      Finished finished = run_command({.argv = {"sh", "-c", script}});
      EXPECT_EQ(finished.output.find("stagemake:"), std::string::npos) << finished.output;
      EXPECT_EQ(finished.output.find("jobserver"), std::string::npos) << finished.output;
      one->end();
      well += finished.ok() ? 1 : 0;
    });
  }
  makes.clear();
  EXPECT_EQ(well, 2);
  std::string said = read_file(folder_.path() / "most").value();
  unsigned most = 0, jobs = 0;
  for (std::size_t at = 0; at < said.size(); at = said.find('\n', at) + 1, ++jobs)
    most = std::max(most, static_cast<unsigned>(std::stoul(said.substr(at))));
  EXPECT_EQ(jobs, 24u);
  EXPECT_LE(most, 3u);
  EXPECT_GE(most, 2u) << "and they are used";
  EXPECT_EQ(pool.free(), 3u);
}

TEST(JobSlotsWithoutDescriptors, AreAnErrorAndNoBrokerThatSpins) {
  pid_t child = ::fork();
  if (child == 0) {
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    try {
      JobSlots slots(2);
    } catch (const Error&) {
      ::_exit(0);
    }
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace stagemake
