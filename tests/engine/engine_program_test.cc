#include "engine/engine_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/deep_json.h"
#include "engine/container_processes.h"

namespace stagemake {
namespace {

using ::testing::HasSubstr;

Finished failed(const std::string& errors) {
  Finished finished;
  finished.exit_code = 1;
  finished.errors = errors;
  return finished;
}

TEST(EngineProgram, RepeatsTheLastWordsWithoutPasswords) {
  EXPECT_EQ(last_words(failed("")), "");
  EXPECT_EQ(last_words(failed("a\n\nb\n c \nd\n")), "b; c; d");
  EXPECT_EQ(last_words(failed("\x1b[31mred\x1b[0m")), "\\x1b[31mred\\x1b[0m");
  EXPECT_EQ(last_words(failed("at ssh://me:secret@host/x and https://tok:en@h2")),
            "at ssh://…@host/x and https://…@h2");
  EXPECT_EQ(last_words(failed("see https://host/a@b")), "see https://host/a@b");
  EXPECT_LT(last_words(failed(std::string(100'000, 'x'))).size(), 1100u);
}

TEST(EngineProgram, LastWordsAreForAPersonToRead) {
  std::string id(64, 'a');
  EXPECT_EQ(last_words(failed("blob \"sha256:" + id + "\": gone")), "blob \"sha256:aaaaaaaaaaaa\": gone");
  EXPECT_EQ(last_words(failed("commit " + std::string(40, 'b'))), "commit " + std::string(40, 'b'));
  EXPECT_EQ(last_words(failed("time=\"now\" level=error msg=\"cleaning\"\nError: it")), "Error: it");
  EXPECT_EQ(last_words(failed("time=\"now\" msg=\"it\"")), "time=\"now\" msg=\"it\"");
  std::string folders;
  for (int layer = 0; layer < 100; ++layer) folders += "/var/lib/containers/overlay/l/XYZ:";
  std::string words =
      last_words(failed("mounting \"lowerdir=" + folders + ",workdir=/w\": no space left on device"));
  EXPECT_TRUE(words.starts_with("mounting \"lowerdir=/var/lib/containers/")) << words;
  EXPECT_TRUE(words.ends_with(",workdir=/w\": no space left on device")) << words;
  EXPECT_LT(words.size(), 250u);
}

TEST(EngineProgram, DeeplyNestedAnswersAreErrors) {
  for (const std::string& text : test::deep_json()) EXPECT_THROW(parsed_answer("docker", text), EngineError);
  try {
    parsed_answer("docker", std::string(1000, '['));
    FAIL() << "no error";
  } catch (const EngineError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("docker: its answer has more than 64 lists and objects within each other"));
  }
}

TEST(EngineProgram, ErrorsNameTheCommandButNotItsArguments) {
  EngineProgram program("sh", "STAGEMAKE_NO_SUCH_VARIABLE");
  try {
    program.ask({"-c", "echo so it is >&2; exit 4 # token=secret"});
    FAIL() << "no error";
  } catch (const EngineError& error) {
    EXPECT_STREQ(error.what(), "sh -c: exit status 4: so it is");
    EXPECT_EQ(error.status(), ExitStatus::EngineUnusable);
  }
  EXPECT_THROW(EngineProgram("no-such-program", "STAGEMAKE_NO_SUCH_VARIABLE").call({"x"}), EngineError);
}

TEST(EngineProgram, InvalidJsonIsAnEngineError) {
  EXPECT_EQ(text_at(parsed_answer("x", R"({"a":"b"})"), "a"), "b");
  EXPECT_EQ(text_at(parsed_answer("x", R"({"a":null})"), "a"), "");
  EXPECT_EQ(text_at(parsed_answer("x", R"([1])"), "a"), "");
  EXPECT_THROW(parsed_answer("x", "WARNING: no"), EngineError);
  EXPECT_EQ(labels_in(parsed_answer("x", R"({"a":"b","n":1})")), (Labels{{"a", "b"}}));
  EXPECT_EQ(labels_in(parsed_answer("x", "null")), Labels());
}

TEST(EngineProgram, ReadsTimesAndNames) {
  EXPECT_EQ(epoch_seconds("1970-01-02T00:00:01Z"), 86401);
  EXPECT_EQ(epoch_seconds("2026-11-22T08:49:16.997317747Z"), 1795337356);
  EXPECT_EQ(epoch_seconds("2026-11-22T09:49:16.5+01:00"), 1795337356);
  EXPECT_EQ(epoch_seconds("2026-11-22T05:19:16-03:30"), 1795337356);
  EXPECT_EQ(epoch_seconds("yesterday"), 0);
  EXPECT_EQ(plain_name("localhost/a:1"), "a:1");
  EXPECT_EQ(plain_name("localhost:5000/a:1"), "localhost:5000/a:1");
  EXPECT_EQ(registry_of("debian:12"), "");
  EXPECT_EQ(registry_of("me/thing:1"), "");
  EXPECT_EQ(registry_of("ghcr.io/me/thing:1"), "ghcr.io");
  EXPECT_EQ(registry_of("127.0.0.1:5000/thing"), "127.0.0.1:5000");
}

TEST(ContainerProcesses, FindsAndEndsWhatCarriesTheMark) {
  std::string mark = "STAGEMAKE_TEST_MARK=" + std::to_string(::getpid());
  EXPECT_TRUE(marks_in_use({mark, "OTHER=1"}).empty());
  Command command;
  command.argv = {"sh", "-c", "setsid sleep 1000 & trap '' TERM; echo; while true; do sleep 100; done"};
  std::size_t separator = mark.find('=');
  command.environment = {{mark.substr(0, separator), mark.substr(separator + 1)}};
  ContainerProcesses processes(mark);
  std::size_t most = 0;
  command.on_output = [&](std::string_view) {
    most = processes.running().size();
    EXPECT_EQ(marks_in_use({mark, "OTHER=1"}), std::set<std::string>{mark});
    EXPECT_TRUE(ContainerProcesses(mark + "0").running().empty()) << "a longer value is another";
    EXPECT_TRUE(ContainerProcesses(mark.substr(1)).running().empty());
    processes.kill();
  };
  EXPECT_EQ(run_command(command).exit_code, 137);
  EXPECT_GE(most, 1u);
  EXPECT_TRUE(processes.running().empty());
}

// The kernel reuses the number of a removed mount namespace for the next one: that of another container.
TEST(ContainerProcesses, AReusedNamespaceIsNotMistakenForTheOldOne) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can make a mount namespace";
  ContainerProcesses processes("STAGEMAKE_TEST_MARK=gone");
  Command container;
  container.argv = {"unshare", "--mount", "sh", "-c",
                    "STAGEMAKE_TEST_MARK=gone sh -c 'echo; env -i sleep 0.3; true'; true"};
  std::size_t inside = 0;
  container.on_output = [&](std::string_view) {
    processes.find_shell();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    inside = processes.running().size();
  };
  run_command(container);
  EXPECT_EQ(inside, 2u) << "the shell, and what has no mark";
  EXPECT_TRUE(processes.running().empty());
  for (int i = 0; i < 5; ++i) {
    Command other;
    other.argv = {"unshare", "--mount", "sh", "-c", "echo; sleep 0.05"};
    other.on_output = [&](std::string_view) { EXPECT_TRUE(processes.running().empty()); };
    run_command(other);
  }
}

}  // namespace
}  // namespace stagemake
