// Running scripts, and stopping them.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "base/files/descriptor.h"
#include "base/files/files.h"
#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "engine/conformance.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(Conformance, AMountedPipeIsTheOneOutside) {
  if (GetParam() == "fake") GTEST_SKIP() << "its containers have no files of this machine";
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path fifo = folder.path() / "a, \"pipe\"", other = folder.path() / "12:30=now/of \"pipes\"";
  fs::create_directory(other.parent_path());
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0666), 0);
  ASSERT_EQ(::mkfifo(other.c_str(), 0666), 0);
  int descriptor = -1;
  std::string image = kBase;
  for (int round = 0; round < 2; ++round) {
    if (descriptor >= 0) ::close(descriptor);
    if (round == 1) fifo = other;
    descriptor = ::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    std::string container = unique("mounted");
    containers_.push_back(container);
    engine().create(
        {.name = container, .image = image, .mounts = {{.from = fifo, .to = "/.stagemake/slots"}}});
    ASSERT_EQ(::write(descriptor, "ab", 2), 2);
    EXPECT_EQ(
        run(container, "exec 8<> /.stagemake/slots; dd bs=1 count=1 <&8 2>/dev/null; printf c >&8").output,
        "a");
    char bytes[8] = {};
    EXPECT_EQ(::read(descriptor, bytes, sizeof bytes), 2);
    EXPECT_STREQ(bytes, "bc");
    image = commit(container);
  }
  EXPECT_EQ(run(create(image), "[ -p /.stagemake/slots ] && echo there").output, "") << "images have none";
  ::close(descriptor);
}

TEST_P(Conformance, ExitCodesAreTheScripts) {
  std::string container = create();
  for (int code : {0, 1, 3, 125, 126, 127, 137, 143, 255}) {
    Ran ran = run(container, fmt::format("echo before; exit {}", code));
    EXPECT_EQ(ran.outcome.exit_code, code);
    EXPECT_EQ(ran.outcome.ok(), code == 0);
    EXPECT_FALSE(ran.outcome.stopped);
    EXPECT_EQ(ran.output, "before\n");
  }
  EXPECT_EQ(run(container, "no-such-program 2>/dev/null").outcome.exit_code, 127);
  EXPECT_NE(run(container, "if then").outcome.exit_code, 0) << "a syntax error";
  EXPECT_NE(run(container, "set -e; false; exit 0").outcome.exit_code, 0);
}

TEST_P(Conformance, AContainerRunsOftenAndKeepsItsFiles) {
  std::string container = create();
  EXPECT_TRUE(run(container, "echo one >/work").outcome.ok());
  EXPECT_TRUE(run(container, "echo two >>/work").outcome.ok());
  EXPECT_EQ(run(container, "cat /work").output, "one\ntwo\n");
}

TEST_P(Conformance, ScriptsAreTakenLiterally) {
  std::string container = create();
  EXPECT_EQ(run(container, R"(x='it'"'"'s'; printf '%s|' "$x" "\$HOME" 'a  b')").output, "it's|$HOME|a  b|");
  EXPECT_EQ(run(container, "cat; echo end").output, "end\n") << "standard input is empty";
  EXPECT_EQ(run(container, "cat <<'X'\n$here\nX\n").output, "$here\n");
  EXPECT_EQ(run(container, "echo a; echo b >&2; echo c").output, "a\nb\nc\n") << "one stream, in order";
  if (GetParam() == "fake") return;  // its script is an argument
  std::string longer = ": " + std::string(300'000, 'x') + "\necho end";
  EXPECT_EQ(run(container, longer).output, "end\n") << "longer than an argument may be";
}

TEST_P(Conformance, AMegabyteInOneLineSurvives) {
  Ran ran = run(create(), "head -c 1000000 /dev/zero | tr '\\000' x; echo; echo end");
  EXPECT_EQ(ran.output.size(), 1'000'005u);
  EXPECT_EQ(ran.output.find_first_not_of('x'), 1'000'000u);
  EXPECT_THAT(ran.output.substr(1'000'000), "\nend\n");
}

TEST_P(Conformance, AFailedRunCanBeCommitted) {
  std::string container = create();
  EXPECT_EQ(run(container, "mkdir -p /made/deep; echo half >/made/deep/file; exit 3").outcome.exit_code, 3);
  std::string image = commit(container, {{"t.complete", "false"}});
  EXPECT_EQ(content(image, "/made/deep/file"), "half\n");
  EXPECT_EQ(engine().find_image(image)->labels["t.complete"], "false");
}

TEST_P(Conformance, FourContainersRunAtOnce) {
  std::vector<std::string> names;
  for (int i = 0; i < 4; ++i) names.push_back(create());
  std::vector<Ran> ran(4);
  std::atomic<int> begun = 0;
  std::stop_source all_run;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        auto sink = [&, i](std::string_view piece) {
          bool first = ran[i].output.empty();
          ran[i].output += piece;
          if (first && ++begun == 4) all_run.request_stop();
        };
        ran[i].outcome = engine().run(names[i], fmt::format("echo {0} >/mine; cat /mine; sleep 60", i), sink,
                                      {.stop = all_run.get_token(), .grace = kShortGrace});
        commit(names[i]);
      });
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(ran[i].output, ::testing::StartsWith(fmt::format("{}\n", i)));
    EXPECT_TRUE(ran[i].outcome.stopped) << "it ended before all four ran";
  }
}

TEST_P(Conformance, ABusyMachineLosesNothingOfShortScripts) {
  std::atomic<bool> busy = true;
  std::vector<std::jthread> load;
  for (int i = 0; i < 6; ++i)
    load.emplace_back([&] {
      while (busy) continue;
    });
  std::vector<std::string> names;
  for (int i = 0; i < 8; ++i) names.push_back(create());
  std::atomic<int> right = 0;
  std::vector<std::jthread> threads;
  for (const std::string& name : names)
    threads.emplace_back([&, name] {
      for (int i = 0; i < 5; ++i) {
        Ran ran = run(name, "echo before; echo error >&2; exit 3");
        if (ran.output == "before\nerror\n" && ran.outcome.exit_code == 3) ++right;
      }
    });
  threads.clear();
  busy = false;
  EXPECT_EQ(right, 40);
}

TEST_P(Conformance, AUserMayOpenItsOutputByName) {
  if (GetParam() == "fake") GTEST_SKIP() << "the fake has no /proc";
  std::string image = unique("configured") + ":1";
  bench_->add_image(image, {.command = {"/bin/sh"}, .user = "user"});
  EXPECT_EQ(run(create(image), "echo a; echo b >/proc/self/fd/1; echo c >/proc/self/fd/2").output,
            "a\nb\nc\n");
}

TEST_P(Conformance, ExceptionsOfTheSinkPropagate) {
  std::string container = create();
  std::string mark = fmt::format("98{}", ::getpid() * 10 + 1);
  EXPECT_THROW(engine().run(container, "echo x; sleep " + mark,
                            [](std::string_view) { throw std::length_error("full"); }, {.grace = kGrace}),
               std::length_error);
  EXPECT_THAT(processes_with(mark), IsEmpty());
}

TEST_P(Conformance, AStopEndsTheCommandButNotTheScript) {
  if (!bench_->runs_processes()) GTEST_SKIP() << "the fake's shell is stopped as well";
  std::string container = create();
  Ran ran = run_and_stop(container, "echo ready; sleep 1000; code=$?; echo $code >/code; exit 9", kGrace);
  EXPECT_TRUE(ran.outcome.stopped);
  EXPECT_FALSE(ran.outcome.ok());
  EXPECT_EQ(ran.outcome.exit_code, 9);
  EXPECT_EQ(content_in(container, "/code"), "143\n");
}

TEST_P(Conformance, AStopEndsEverythingInside) {
  std::string container = create();
  // The numbers identify the processes from outside.
  std::string number = fmt::format("97{}", ::getpid() * 10);
  std::string script = fmt::format(
      "setsid sleep {0}1 & (setsid env -i /bin/sleep {0}2 >/dev/null 2>&1 &) ; nohup sleep {0}3 >/dev/null "
      "2>&1 & "
      "(trap '' TERM; sleep {0}4; sleep {0}5) & sh -c 'trap \"\" TERM; echo ready; while true; do sleep "
      "{0}6; done'; "
      "sleep {0}7",
      number);
  if (!bench_->runs_processes()) script = "echo ready; sleep " + number + "8";
  auto begin = std::chrono::steady_clock::now();
  Ran ran = run_and_stop(container, script, kShortGrace);
  EXPECT_TRUE(ran.outcome.stopped);
  EXPECT_NE(ran.outcome.exit_code, 0);
  EXPECT_THAT(processes_with(number), IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 100s);
  EXPECT_TRUE(run(container, "true").outcome.ok()) << "it can run again";
  EXPECT_TRUE(engine().find_image(commit(container)));
}

TEST_P(Conformance, AStopBeforeTheStartIsAStop) {
  std::stop_source stop;
  stop.request_stop();
  Ran ran = run(create(), "sleep 1000", stop.get_token(), kShortGrace);
  EXPECT_TRUE(ran.outcome.stopped);
  EXPECT_NE(ran.outcome.exit_code, 0);
}

TEST_P(Conformance, BackgroundProcessesEndWithTheScript) {
  if (!bench_->runs_processes()) GTEST_SKIP() << "the fake runs no processes of its own";
  std::string number = fmt::format("96{}", ::getpid() * 10);
  std::string container = create();
  Ran ran =
      run(container, fmt::format("setsid sleep {0}1 & (env -i setsid /bin/sleep {0}2 &) ; exit 4", number));
  EXPECT_EQ(ran.outcome.exit_code, 4);
  EXPECT_FALSE(ran.outcome.stopped);
  EXPECT_THAT(processes_with(number), IsEmpty());
}

TEST_P(Conformance, ARunningContainerIsListedSoAndCanBeRemoved) {
  std::string key = unique("t.run");
  std::string number = fmt::format("95{}", ::getpid() * 10);
  std::string container = create(kBase, {{key, "1"}});
  std::atomic<bool> ready = false;
  std::jthread runs([&] {
    try {
      engine().run(container, "echo ready; sleep " + number + "1; sleep " + number + "2",
                   [&](std::string_view) { ready = true; }, {.grace = kGrace});
    } catch (const EngineError&) {
      // The container disappeared during the run: either an engine error, or the exit code of the killed
      // shell.
    }
  });
  while (!ready) std::this_thread::sleep_for(10ms);
  std::vector<ContainerInfo> found = engine().list_containers(key, "1");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_TRUE(found[0].running);
  // By another driver, which knows the container only from its labels.
  std::unique_ptr<ContainerEngine> other = bench_->second_engine();
  (other ? *other : engine()).remove_container(container);
  runs.join();
  EXPECT_THAT(engine().list_containers(key, ""), IsEmpty());
  EXPECT_THAT(processes_with(number), IsEmpty());
}

TEST_P(Conformance, AShellReadsItsCommandsAndGivesTheirStatus) {
  if (GetParam() == "fake") GTEST_SKIP() << "its commands are no programs";
  std::string name = unique("shell");
  containers_.push_back(name);
  std::vector<std::string> argv = engine().open_shell({.name = name, .image = kBase}, {"/bin/sh"}, false);
  TemporaryFolder folder(fs::temp_directory_path());
  write_file(folder.path() / "commands", "echo \"in here\"; exit 7\n");
  Descriptor commands(::open((folder.path() / "commands").c_str(), O_RDONLY | O_CLOEXEC));
  Command command{.argv = argv, .standard_input = commands.get()};
  Finished finished = run_command(command);
  EXPECT_EQ(finished.exit_code, 7) << finished.errors;
  EXPECT_EQ(finished.output, "in here\n");
  engine().remove_container(name);
  for (const ContainerInfo& container : engine().list_containers("", "")) EXPECT_NE(container.name, name);
}

TEST_P(Conformance, RemovingAShellsContainerEndsTheShell) {
  if (GetParam() == "fake") GTEST_SKIP() << "its commands are no programs";
  std::string name = unique("shell");
  containers_.push_back(name);
  std::vector<std::string> argv =
      engine().open_shell({.name = name, .image = kBase}, {"/bin/sh", "-c", "echo ready; sleep 300"}, false);
  Command command{.argv = argv};
  std::string output;
  bool removed = false;
  command.on_output = [&](std::string_view piece) {
    output += piece;
    if (removed || output.find("ready") == std::string::npos) return;
    removed = true;
    engine().remove_container(name);
  };
  EXPECT_NE(run_command(command).exit_code, 0);
  EXPECT_TRUE(removed) << output;
}

}  // namespace
}  // namespace stagemake::test
