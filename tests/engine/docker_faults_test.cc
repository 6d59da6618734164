// A docker daemon that hangs, fails, lies or floods: each call ends with one clear error, in bounded time and
// memory, and never with a crash.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>

#include "base/variables.h"
#include "engine/docker/docker_engine.h"
#include "engine/engine_error.h"
#include "registry/http_server.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

// A busy machine may need seconds for an answer that comes at once.
constexpr DockerPatience kPatient{.silence = 200ms, .sign = 60s};
constexpr DockerPatience kImpatient{.silence = 200ms, .sign = 3s};

// A server in the place of a daemon. It answers `_ping` like one, and everything else as a test says.
class FaultyDocker : public testing::Test {
 protected:
  void answer(const std::function<ServerReply(const ServerRequest&)>& with) {
    std::lock_guard lock(mutex_);
    with_ = with;
  }
  ServerReply reply(const ServerRequest& request) {
    if (request.target == "/_ping") {
      if (pings_hang_) return {.body = "OK", .delay = 1h};
      return {.body = "OK", .headers = {{"Api-Version", version_}}};
    }
    std::lock_guard lock(mutex_);
    return with_(request);
  }

  std::mutex mutex_;
  std::function<ServerReply(const ServerRequest&)> with_ = [](const ServerRequest&) { return ServerReply{}; };
  std::atomic<bool> pings_hang_ = false;
  std::string version_ = "1.41";
  HttpServer server_{[this](const ServerRequest& request) { return reply(request); }};
  Variables variables_{{"DOCKER_HOST", "tcp://" + server_.host()},
                       {"DOCKER_TLS_VERIFY", ""},
                       {"DOCKER_TLS", ""},
                       {"XDG_CACHE_HOME", "/nowhere"}};
  DockerEngine engine_{kPatient};
};

struct Verb {
  const char* name;
  std::function<void(ContainerEngine&)> call;
};

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      {"find_image", [](ContainerEngine& engine) { engine.find_image("i"); }},
      {"list_images", [](ContainerEngine& engine) { engine.list_images("l", "1"); }},
      {"list_containers", [](ContainerEngine& engine) { engine.list_containers("l", "1"); }},
      {"create", [](ContainerEngine& engine) { engine.create({.name = "c", .image = "i"}); }},
      {"copy_in", [](ContainerEngine& engine) { engine.copy_in("c", "/etc/hostname"); }},
      {"copy_out", [](ContainerEngine& engine) { engine.copy_out("c", "/x"); }},
      {"run", [](ContainerEngine& engine) { engine.run("c", "true", {}, {}); }},
      {"processes", [](ContainerEngine& engine) { engine.processes("c"); }},
      {"memory_in_use", [](ContainerEngine& engine) { engine.memory_in_use({"c"}); }},
      {"pause", [](ContainerEngine& engine) { engine.pause("c"); }},
      {"resume", [](ContainerEngine& engine) { engine.resume("c"); }},
      {"stop_container", [](ContainerEngine& engine) { engine.stop_container("c", 0ms); }},
      {"commit", [](ContainerEngine& engine) { engine.commit("c", {.names = {"n:1"}}); }},
      {"squash", [](ContainerEngine& engine) { engine.commit("c", {.names = {"n:1"}, .squash = true}); }},
      {"remove_container", [](ContainerEngine& engine) { engine.remove_container("c"); }},
      {"tag", [](ContainerEngine& engine) { engine.tag("i", "n:1"); }},
      {"remove_image", [](ContainerEngine& engine) { engine.remove_image("n:1"); }},
      {"now", [](ContainerEngine& engine) { engine.now(); }},
  };
  return all;
}

TEST_F(FaultyDocker, NoVerbTakesAnErrorForAnAnswer) {
  answer([](const ServerRequest&) {
    return ServerReply{.status = 500, .body = R"({"message":"the store\nis broken"})"};
  });
  for (const Verb& verb : verbs()) {
    std::string words = message_of([&] { verb.call(engine_); });
    EXPECT_THAT(words, HasSubstr("the store")) << verb.name;
    EXPECT_EQ(words.find('\n'), std::string::npos) << words;
  }
  Transfer pulled = engine_.pull("i:1");
  EXPECT_FALSE(pulled.ok);
  EXPECT_THAT(pulled.why, HasSubstr("the store"));
}

TEST_F(FaultyDocker, ASlowAnswerOfALivingDaemonIsWaitedFor) {
  answer([](const ServerRequest&) { return ServerReply{.body = R"({"Id":"sha256:aa"})", .delay = 1500ms}; });
  EXPECT_EQ(engine_.find_image("i")->id, "sha256:aa") << "several times the silence after which it is asked";
}

TEST_F(FaultyDocker, ConnectionsThatBreakAreOneError) {
  for (const ServerReply& broken :
       {ServerReply{.hang_up = true}, ServerReply{.body = "{}", .claimed = 100}}) {
    answer([&](const ServerRequest&) { return broken; });
    for (const Verb& verb : verbs()) {
      std::string words = message_of([&] { verb.call(engine_); });
      EXPECT_THAT(words, AnyOf(HasSubstr("lost the connection to the docker daemon at tcp://127.0.0.1:"),
                               HasSubstr("closed the connection"), HasSubstr("docker attach")))
          << verb.name;
    }
  }
}

TEST_F(FaultyDocker, NonsenseIsAnErrorOrNothing) {
  const std::string deep(1'000'000, '[');
  for (const std::string& body :
       {std::string("<html>"), deep, std::string("[1, \"x\", null]"), std::string("{}"),
        std::string(R"({"Id": 7, "State": "x", "Config": [], "Labels": 3})")}) {
    answer([&](const ServerRequest&) { return ServerReply{.body = body}; });
    for (const Verb& verb : verbs()) (void)message_of([&] { verb.call(engine_); });
    for (const char* image : {"i:1", "i@sha256:aa"}) (void)message_of([&] { engine_.pull(image); });
  }
}

TEST_F(FaultyDocker, ALineWithoutEndTakesNoMemory) {
  answer([](const ServerRequest&) { return ServerReply{.body = std::string(100u << 20, 'x')}; });
  Transfer pulled = engine_.pull("127.0.0.1:1/i:1");
  EXPECT_TRUE(pulled.ok) << "no line says otherwise: " << pulled.why;
  answer([](const ServerRequest&) { return ServerReply{.status = 404, .body = std::string(2u << 20, 'x')}; });
  EXPECT_THAT(message_of([&] { engine_.find_image("i"); }), HasSubstr("is longer than"));
}

TEST_F(FaultyDocker, PullsSayWhatTheRegistrySaid) {
  answer([](const ServerRequest&) {
    return ServerReply{.body =
                           "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"denied: go away\"},"
                           "\"error\":\"denied: go away\"}\r\n"};
  });
  EXPECT_EQ(engine_.pull("i:1").why, "denied: go away");
  std::string digest = "sha256:" + std::string(64, 'a');
  answer([&](const ServerRequest&) {
    return ServerReply{.body = fmt::format("{{\"status\":\"Digest: {}\"}}\r\n", digest)};
  });
  EXPECT_EQ(engine_.pull("i:1").digest, digest);
  answer([&](const ServerRequest&) {
    return ServerReply{.body = fmt::format("{{\"aux\":{{\"Tag\":\"1\",\"Digest\":\"{}\"}}}}", digest)};
  });
  EXPECT_EQ(engine_.push("i:1").digest, digest);
}

TEST_F(FaultyDocker, AStopEndsATransferAtOnce) {
  answer([](const ServerRequest&) { return ServerReply{.body = "{}", .delay = 1h}; });
  std::stop_source stop;
  auto begin = Clock::now();
  std::jthread later([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  EXPECT_EQ(engine_.pull("i:1", stop.get_token()).why, "the run was stopped");
  EXPECT_LT(Clock::now() - begin, 60s);
}

TEST_F(FaultyDocker, ImageListsKeepWhatIsWhole) {
  answer([](const ServerRequest& request) {
    if (request.target.find("/images/json") != std::string::npos)
      return ServerReply{.body = R"([{"Id":"sha256:aa"},{"Id":"sha256:bb","RepoTags":["x:1",3]}])"};
    if (request.target.find("aa") != std::string::npos)
      return ServerReply{.status = 500, .body = R"({"message":"layer does not exist"})"};
    return ServerReply{.body = R"({"Id":"sha256:bb","Size":-7,"Config":{"Labels":{"l":"1"}}})"};
  });
  std::vector<ImageInfo> images = engine_.list_images("l", "1");
  ASSERT_EQ(images.size(), 2u);
  EXPECT_THAT(images[0].problem, HasSubstr("layer does not exist"));
  EXPECT_EQ(images[1].names, std::vector<std::string>{"x:1"});
  EXPECT_EQ(images[1].size, 0u) << "a size that cannot be";
}

TEST_F(FaultyDocker, ADaemonThatHangsEndsEachCall) {
  answer([this](const ServerRequest&) {
    return pings_hang_ ? ServerReply{.delay = 1h} : ServerReply{.status = 404};
  });
  std::vector<std::unique_ptr<DockerEngine>> engines;
  for (std::size_t i = 0; i < verbs().size(); ++i) {
    engines.push_back(std::make_unique<DockerEngine>(kImpatient));
    EXPECT_FALSE(engines.back()->find_image("i")) << "it lives at first";
  }
  pings_hang_ = true;
  std::vector<std::jthread> calls;
  auto begin = Clock::now();
  for (std::size_t i = 0; i < verbs().size(); ++i)
    calls.emplace_back([i, &engines] {
      EXPECT_THAT(message_of([&] { verbs()[i].call(*engines[i]); }),
                  AnyOf(HasSubstr("docker ping"), HasSubstr("does not answer")))
          << verbs()[i].name;
    });
  calls.clear();
  EXPECT_LT(Clock::now() - begin, 100s);
}

TEST_F(FaultyDocker, VersionsAreNegotiated) {
  std::string target;
  answer([&](const ServerRequest& request) {
    target = request.target;
    return ServerReply{.status = 404};
  });
  const std::pair<const char*, const char*> cases[] = {
      {"1.40", "/v1.40/"}, {"1.41", "/v1.41/"}, {"1.51", "/v1.51/"}, {"1.99", "/v1.51/"}};
  for (const auto& [theirs, path] : cases) {
    version_ = theirs;
    DockerEngine(kPatient).find_image("i");
    EXPECT_THAT(target, HasSubstr(path));
  }
  version_ = "1.39";
  EXPECT_THAT(message_of([] { DockerEngine(kPatient).find_image("i"); }), HasSubstr("at least 1.40"));
  for (const char* strange : {"", "2.0", "x", "1.", "1.4x"}) {
    version_ = strange;
    EXPECT_THAT(message_of([] { DockerEngine(kPatient).find_image("i"); }),
                HasSubstr("is not a docker daemon"));
  }
}

TEST_F(FaultyDocker, NamesAndLabelsTravelUnchanged) {
  std::string target;
  answer([&](const ServerRequest& request) {
    target = request.target;
    return ServerReply{.status = 404};
  });
  engine_.find_image("127.0.0.1:5000/a b/c?d#e%:1");
  EXPECT_THAT(target, HasSubstr("/images/127.0.0.1:5000/a%20b/c%3Fd%23e%25:1/json"));
}

TEST(MissingDocker, SaysWhereItLooked) {
  Variables variables{{"DOCKER_HOST", "unix:///not/there"}};
  EXPECT_THAT(
      message_of([] { DockerEngine().find_image("x"); }),
      HasSubstr("cannot connect to the docker daemon at unix:///not/there: No such file or directory"));
  EXPECT_THAT(message_of([] { DockerEngine().probe(); }), HasSubstr("unix:///not/there"));
  variables.set("DOCKER_HOST", "tcp://127.0.0.1:1");
  EXPECT_THAT(message_of([] { DockerEngine().find_image("x"); }), HasSubstr("Connection refused"));
  variables.set("DOCKER_HOST", "gopher://x");
  EXPECT_THAT(message_of([] { DockerEngine().find_image("x"); }), HasSubstr("gopher://x"));
  EXPECT_THAT(message_of([] { DockerEngine().probe(); }), HasSubstr("gopher://x"));
}

}  // namespace
}  // namespace stagemake::test
