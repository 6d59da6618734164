// Inspecting what runs in a container, and ending it at once or after its driver.
#include <signal.h>

#include <algorithm>
#include <thread>

#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "engine/conformance.h"
#include "engine/engine_finder.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Clock = std::chrono::steady_clock;

constexpr const char* kStubborn = "trap '' TERM; echo ready; while true; do sleep {}; done";

// A separate driver that a test can kill: this program, running a script as the function below says.
class OtherDriver {
 public:
  OtherDriver(const std::string& engine, const std::string& container, const std::string& script) {
    command_.argv = {"/proc/self/exe", "--gtest_also_run_disabled_tests",
                     "--gtest_filter=DISABLED_OtherDriver.Runs"};
    bool by_program = engine == "docker_cli";
    command_.environment = {{"STAGEMAKE_TEST_ENGINE", by_program ? "docker" : engine},
                            {"STAGEMAKE_DOCKER", by_program ? "docker" : ""},
                            {"STAGEMAKE_TEST_CONTAINER", container},
                            {"STAGEMAKE_TEST_SCRIPT", script}};
  }
  // Returns when the script has printed "ready" and the driver was killed, and, if requested, also the
  // engine's programs with `mark` in their arguments.
  void run_and_kill(const std::string& mark) {
    std::string all;
    command_.on_output = [&](std::string_view piece) {
      all += piece;
      std::size_t at = all.find("driver ");
      if (at != std::string::npos && all.find("ready") != std::string::npos)
        ::kill(std::stoi(all.substr(at + 7)), SIGKILL);
    };
    Finished finished = run_command(command_);
    EXPECT_EQ(finished.exit_code, 137) << all;
    if (mark.empty()) return;
    for (pid_t process : processes_with(mark)) ::kill(process, SIGKILL);
  }

 private:
  Command command_;
};

std::string setting(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? "" : value;
}

TEST(DISABLED_OtherDriver, Runs) {
  std::unique_ptr<ContainerEngine> engine =
      open_engine(engine_kind(setting("STAGEMAKE_TEST_ENGINE")).value());
  fmt::print("driver {}\n", ::getpid());
  auto print = [](std::string_view piece) {
    fmt::print("{}", piece);
    std::fflush(stdout);
  };
  engine->run(setting("STAGEMAKE_TEST_CONTAINER"), setting("STAGEMAKE_TEST_SCRIPT"), print, {});
}

std::vector<std::string> commands(const std::vector<ContainerProcess>& processes) {
  std::vector<std::string> all;
  for (const ContainerProcess& process : processes) all.push_back(process.command);
  return all;
}

double seconds(const std::vector<ContainerProcess>& processes) {
  double sum = 0;
  for (const ContainerProcess& process : processes) sum += process.cpu_seconds;
  return sum;
}

TEST_P(Conformance, ProcessesAreThoseThatRunInside) {
  std::string container = create();
  EXPECT_THAT(engine().processes(container), IsEmpty());
  EXPECT_THAT(engine().processes("not-there"), IsEmpty());
  std::string number = fmt::format("92{}", ::getpid() * 10);
  std::stop_source stop;
  std::vector<ContainerProcess> first;
  std::vector<ContainerProcess> second;
  std::jthread looks;
  auto look = [&] {
    for (int i = 0; i < 50 && first.size() < 2; ++i) first = engine().processes(container);
    // As another driver sees it. Docker counts whole seconds.
    std::unique_ptr<ContainerEngine> other = bench_->second_engine();
    auto give_up = Clock::now() + (bench_->runs_processes() ? 20s : 0s);
    do {
      std::this_thread::sleep_for(100ms);
      second = (other ? *other : engine()).processes(container);
    } while (seconds(second) <= seconds(first) && Clock::now() < give_up);
    stop.request_stop();
  };
  engine().run(container, "echo ready; sleep " + number + " & while true; do true; done",
               [&](std::string_view) {
                 if (!looks.joinable()) looks = std::jthread(look);
               },
               {.stop = stop.get_token(), .grace = kShortGrace});
  looks.join();
  EXPECT_THAT(engine().processes(container), IsEmpty());
  ASSERT_THAT(second, Not(IsEmpty()));
  if (!bench_->runs_processes()) return;
  EXPECT_THAT(commands(second), ::testing::UnorderedElementsAre(HasSubstr("sh"), "sleep " + number));
  EXPECT_GT(seconds(second), seconds(first));
  auto sleep = std::find_if(second.begin(), second.end(), [](const ContainerProcess& process) {
    return process.command.starts_with("sleep");
  });
  ASSERT_NE(sleep, second.end());
  EXPECT_TRUE(std::any_of(second.begin(), second.end(),
                          [&](const ContainerProcess& process) { return process.pid == sleep->parent; }));
}

TEST_P(Conformance, ReportsMemoryOfRunningProcesses) {
  std::string container = create();
  std::vector<std::string> all = {"not-there", container, create()};
  EXPECT_THAT(engine().memory_in_use({}), IsEmpty());
  EXPECT_THAT(engine().memory_in_use(all), IsEmpty()) << "nothing runs";
  if (!bench_->runs_processes()) return;
  constexpr std::uint64_t kHeld = 60'000'000;
  std::map<std::string, std::uint64_t> held;
  std::jthread looks;
  std::stop_source stop;
  auto look = [&] {
    held = engine().memory_in_use(all);
    stop.request_stop();
  };
  engine().run(container,
               fmt::format("held=$(head -c {} /dev/zero | tr '\\0' x); echo ready; sleep 100", kHeld),
               [&](std::string_view) {
                 if (!looks.joinable()) looks = std::jthread(look);
               },
               {.stop = stop.get_token(), .grace = kShortGrace});
  looks.join();
  ASSERT_THAT(held, testing::ElementsAre(testing::Pair(container, testing::Gt(kHeld))));
  EXPECT_LT(held[container], 5 * kHeld);
  EXPECT_THAT(engine().memory_in_use(all), IsEmpty()) << "it has ended";
}

TEST_P(Conformance, AKillRequestDoesNotWait) {
  std::string number = fmt::format("91{}", ::getpid() * 10);
  for (bool asked_before : {true, false}) {
    std::string container = create();
    std::stop_source stop;
    std::stop_source kill;
    std::jthread kills;
    Clock::time_point killed;
    auto end = [&] {
      if (asked_before) stop.request_stop();
      std::this_thread::sleep_for(500ms);
      killed = Clock::now();
      kill.request_stop();
    };
    RunOutcome outcome = engine().run(container, fmt::format(fmt::runtime(kStubborn), number),
                                      [&](std::string_view) {
                                        if (!kills.joinable()) kills = std::jthread(end);
                                      },
                                      {.stop = stop.get_token(), .grace = 1000s, .kill = kill.get_token()});
    kills.join();
    EXPECT_LT(Clock::now() - killed, 100s) << asked_before;
    EXPECT_TRUE(outcome.stopped);
    EXPECT_NE(outcome.exit_code, 0);
    EXPECT_THAT(processes_with(number), IsEmpty());
    EXPECT_TRUE(run(container, "true").outcome.ok()) << "it can run again";
  }
}

TEST_P(Conformance, AKillBeforeTheStartIsAStop) {
  std::stop_source kill;
  kill.request_stop();
  std::string container = create();
  auto begin = Clock::now();
  RunOutcome outcome = engine().run(container, "echo x >/file; sleep 1000", {}, {.kill = kill.get_token()});
  EXPECT_LT(Clock::now() - begin, 100s);
  EXPECT_TRUE(outcome.stopped);
  EXPECT_NE(outcome.exit_code, 0);
  if (bench_->runs_processes()) {
    EXPECT_EQ(content_in(container, "/file"), "absent");
  }
}

TEST_P(Conformance, StoppingAContainerEndsWhatIgnoresTerm) {
  engine().stop_container("not-there", kShortGrace);
  std::string container = create();
  engine().stop_container(container, kShortGrace);
  std::string number = fmt::format("90{}", ::getpid() * 10);
  std::atomic<bool> ready = false;
  std::jthread runs([&] {
    try {
      engine().run(container, fmt::format(fmt::runtime(kStubborn), number),
                   [&](std::string_view) { ready = true; }, {});
    } catch (const EngineError&) {
      // Another process ended it.
    }
  });
  while (!ready) std::this_thread::sleep_for(10ms);
  auto begin = Clock::now();
  std::unique_ptr<ContainerEngine> other = bench_->second_engine();
  (other ? *other : engine()).stop_container(container, kShortGrace);
  EXPECT_LT(Clock::now() - begin, 100s);
  EXPECT_THAT(processes_with(number), IsEmpty());
  runs.join();
  EXPECT_TRUE(run(container, "true").outcome.ok()) << "it can run again";
}

TEST_P(Conformance, AKillRequestLeavesAStoppedContainerNoGrace) {
  std::string container = create();
  std::string number = fmt::format("91{}", ::getpid() * 10);
  std::atomic<bool> ready = false;
  std::jthread runs([&] {
    try {
      engine().run(container, fmt::format(fmt::runtime(kStubborn), number),
                   [&](std::string_view) { ready = true; }, {});
    } catch (const EngineError&) {
      // Another process ended it.
    }
  });
  while (!ready) std::this_thread::sleep_for(10ms);
  std::stop_source kill;
  std::jthread later([&] {
    std::this_thread::sleep_for(100ms);
    kill.request_stop();
  });
  auto begin = Clock::now();
  std::unique_ptr<ContainerEngine> other = bench_->second_engine();
  (other ? *other : engine()).stop_container(container, 1000s, kill.get_token());
  EXPECT_LT(Clock::now() - begin, 100s);
  EXPECT_THAT(processes_with(number), IsEmpty());
  runs.join();
}

TEST_P(Conformance, ContainersOfADeadDriverAreStoppedAndSaved) {
  if (!bench_->runs_processes()) GTEST_SKIP() << "the fake dies with its driver";
  for (bool client_too : {false, true}) {
    std::string key = unique("t.orphan");
    std::string container = fmt::format("orphan-{}-{}", ::getpid(), client_too);
    containers_.push_back(container);
    engine().create({container, kBase, {{key, "1"}}});
    std::string number = fmt::format("89{}", ::getpid() * 10);
    OtherDriver(GetParam(), container,
                fmt::format("echo a >/file; (env -i setsid /bin/sleep {0}1 &) ; sleep {0}2 & echo ready; "
                            "sleep {0}3; echo b >>/file; wait",
                            number))
        .run_and_kill(client_too ? container : "");
    EXPECT_TRUE(engine().list_containers(key, "1").at(0).running);
    EXPECT_THAT(commands(engine().processes(container)), ::testing::Contains("sleep " + number + "2"));
    auto begin = Clock::now();
    std::unique_ptr<ContainerEngine> other = bench_->second_engine();
    other->stop_container(container, 1000s);
    EXPECT_LT(Clock::now() - begin, 100s) << "it ended by itself";
    EXPECT_THAT(processes_with(number), IsEmpty());
    EXPECT_THAT(other->processes(container), IsEmpty());
    EXPECT_FALSE(engine().list_containers(key, "1").at(0).running);
    // Without its driver, the output of buildah's shell has no reader, and the shell ends when it writes.
    std::string saved = content(commit(container), "/file");
    EXPECT_THAT(saved, StartsWith("a\n"));
    if (GetParam().starts_with("docker")) {
      EXPECT_EQ(saved, "a\nb\n");
    }
    EXPECT_TRUE(run(container, "true").outcome.ok()) << "it can run again";
  }
}

}  // namespace
}  // namespace stagemake::test
