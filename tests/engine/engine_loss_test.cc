// The daemon dies while a container runs. (Buildah has no daemon: if a process dies, it is the run itself.)

#include <signal.h>
#include <stdlib.h>

#include <thread>

#include "engine/conformance.h"
#include "engine/docker/docker_engine.h"
#include "engine/docker_cli/docker_cli_engine.h"
#include "engine/engine_error.h"
#include "engine/engine_finder.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Sets a variable for one test.
class Setting {
 public:
  Setting(const char* variable, const std::string& value) : variable_(variable) {
    if (const char* old = ::getenv(variable)) old_ = old;
    ::setenv(variable, value.c_str(), 1);
  }
  ~Setting() {
    if (old_)
      ::setenv(variable_, old_->c_str(), 1);
    else
      ::unsetenv(variable_);
  }

 private:
  const char* variable_;
  std::optional<std::string> old_;
};

class EngineLoss : public testing::TestWithParam<bool> {
 protected:
  static std::unique_ptr<ContainerEngine> open() {
    if (GetParam()) return std::make_unique<DockerCliEngine>(docker_dialect());
    return std::make_unique<DockerEngine>();
  }
};
INSTANTIATE_TEST_SUITE_P(Docker, EngineLoss, testing::Bool(),
                         [](const auto& of) { return of.param ? "by_program" : "by_socket"; });

TEST_P(EngineLoss, AKilledDaemonIsOneEngineError) {
  std::string missing = ::getuid() != 0 ? "only root can start a dockerd" : missing_for_dockerd();
  if (find_program("busybox").empty()) missing = "there is no busybox";
  if (!missing.empty() && must_work("docker")) FAIL() << missing;
  if (!missing.empty()) GTEST_SKIP() << missing;
  fs::path folder = scratch() / (GetParam() ? "killed" : "lost");
  TestDockerd dockerd(folder);
  Setting host("DOCKER_HOST", dockerd.host());
  std::unique_ptr<ContainerEngine> opened = open();
  ContainerEngine& engine = *opened;
  // As the program says it, or libcurl.
  auto says_lost = AnyOf(HasSubstr("Cannot connect to the Docker daemon"),
                         HasSubstr("cannot connect to the docker daemon"));
  must_run({"docker", "import", base_tar().string(), kBase});
  engine.create({"victim", kBase, {{"t.run", "1"}}});
  std::string number = fmt::format("94{}", ::getpid() * 10);
  auto begin = std::chrono::steady_clock::now();
  std::string words = message_of([&] {
    engine.run("victim", "echo ready; sleep " + number, [&](std::string_view) { dockerd.kill(); },
               {.grace = 1000s});
  });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 100s);
  EXPECT_THAT(words, HasSubstr("docker inspect: "));
  EXPECT_THAT(words, says_lost);
  EXPECT_EQ(words.find('\n'), std::string::npos) << "one line: " << words;
  EXPECT_THAT(message_of([&] { engine.find_image(kBase); }), says_lost);
  EXPECT_THAT(message_of([&] { engine.probe(); }), HasSubstr("start the daemon"));
  EXPECT_THAT(message_of([&] { engine.pull("127.0.0.1:9/x:1"); }), says_lost);

  // A restarted daemon knows the container, and a new driver finds it by its label.
  dockerd.start();
  ASSERT_EQ(engine.list_containers("t.run", "1").size(), 1u);
  engine.commit("victim", {.names = {"saved:1"}});
  EXPECT_TRUE(engine.find_image("saved:1"));
  engine.remove_container("victim");
  EXPECT_THAT(engine.list_containers("t.run", ""), IsEmpty());
  // The new daemon does not know what its predecessor left running.
  std::string shims = (folder / "exec/containerd/containerd.sock").string();
  for (const std::string& word : {number, shims})
    for (pid_t process : processes_with(word)) ::kill(process, SIGKILL);
}

TEST(DockerProgram, SaysHowToStartAMissingDaemon) {
  if (find_program("docker").empty()) GTEST_SKIP() << "there is no docker client";
  Setting host("DOCKER_HOST", "unix:///not/there");
  EXPECT_THAT(message_of([] { DockerCliEngine(docker_dialect()).probe(); }), HasSubstr("unix:///not/there"));
  Setting program("STAGEMAKE_DOCKER", "/not/there/docker");
  EXPECT_THAT(message_of([] { DockerCliEngine(docker_dialect()).probe(); }),
              HasSubstr("apt-get install docker.io"));
  EXPECT_THAT(message_of([] { DockerCliEngine(docker_dialect()).find_image("x"); }),
              HasSubstr("no such program"));
}

// containerd may still have the container's earlier processes.
TEST(DockerStart, IsTriedAgainUntilTheContainerIsFree) {
  TemporaryFolder folder(fs::temp_directory_path());
  std::string program = (folder.path() / "docker").string();
  write_file(program,
             "#!/bin/sh\ncase $1 in\n"
             "  start)\n    echo once >> \"$0.starts\"\n"
             "    [ \"$(wc -l < \"$0.starts\")\" -gt \"$(cat \"$0.busy\")\" ] && exec /bin/sh\n"
             "    echo 'Error response from daemon: task 1a2b: already exists' >&2; exit 1 ;;\n"
             "  inspect) echo '[{\"State\": {\"Running\": false, \"ExitCode\": 7}}]' ;;\nesac\n");
  fs::permissions(program, fs::owner_all);
  write_file(program + ".busy", "2");
  Setting docker("STAGEMAKE_DOCKER", program);
  std::string said;
  RunOutcome ran = DockerCliEngine(docker_dialect())
                       .run("c", "echo begun; exit 7", [&](std::string_view piece) { said += piece; }, {});
  EXPECT_EQ(ran.exit_code, 7);
  EXPECT_EQ(said, "begun\n") << "once, and nothing of the attempts before";

  write_file(program + ".busy", "1000");
  write_file(program + ".starts", "");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(DockerCliEngine(docker_dialect()).run("c", "exit 7", {}, {.stop = stop.get_token()}).stopped)
      << "a stop ends the wait";
}

TEST(EngineFinder, ReportsAllAttemptsIfNothingWorks) {
  Setting docker("STAGEMAKE_DOCKER", "/not/there/docker");
  Setting podman("STAGEMAKE_PODMAN", "/not/there/podman");
  Setting buildah("STAGEMAKE_BUILDAH", "/not/there/buildah");
  std::vector<EngineReport> reports = examine_engines();
  ASSERT_EQ(reports.size(), 3u);
  for (const EngineReport& report : reports) {
    EXPECT_FALSE(report.usable);
    EXPECT_THAT(report.advice, HasSubstr("apt-get install"));
  }
  std::string words = message_of([] { open_engine(EngineKind::Auto); });
  for (const char* name : {"docker", "podman", "buildah"})
    EXPECT_THAT(words, HasSubstr(fmt::format("\n  {}: there is no", name)));
  EXPECT_THAT(message_of([] { open_engine(EngineKind::Buildah); }), HasSubstr("install buildah"));
}

TEST(EngineFinder, KnowsTheWordsOfTheOption) {
  EXPECT_EQ(engine_kind("auto"), EngineKind::Auto);
  EXPECT_EQ(engine_kind("docker"), EngineKind::Docker);
  EXPECT_EQ(engine_kind("podman"), EngineKind::Podman);
  EXPECT_EQ(engine_kind("buildah"), EngineKind::Buildah);
  EXPECT_EQ(engine_kind("Docker"), std::nullopt);
  EXPECT_EQ(engine_kind(""), std::nullopt);
}

}  // namespace
}  // namespace stagemake::test
