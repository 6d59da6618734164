// Images through a registry: Debian's docker-registry, on a port of this machine.

#include "engine/registry.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "base/subprocess.h"
#include "conformance.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

int free_port() {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

bool answers(int port) {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

class TestRegistry {
 public:
  TestRegistry() : folder_(scratch()), port_(free_port()) {
    write_file(folder_.path() / "config.yml",
               fmt::format("version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}/data\nhttp:\n"
                           "  addr: 127.0.0.1:{}\n",
                           folder_.path().string(), port_));
    thread_ = std::jthread([this](std::stop_token stop) {
      Command command;
      command.argv = {"docker-registry", "serve", (folder_.path() / "config.yml").string()};
      command.on_output = [](std::string_view) {};
      command.stop = stop;
      run_command(command);
    });
    for (int i = 0; i < 200 && !answers(port_); ++i) std::this_thread::sleep_for(20ms);
  }
  std::string name(const std::string& image) const { return fmt::format("127.0.0.1:{}/{}", port_, image); }

 private:
  TemporaryFolder folder_;
  int port_;
  std::jthread thread_;
};

TEST_P(Conformance, ImagesGoThroughARegistry) {
  if (GetParam() != "fake" && find_program("docker-registry").empty())
    GTEST_SKIP() << "there is no docker-registry (apt-get install docker-registry)";
  TestRegistry registry;
  std::string why;
  EXPECT_FALSE(engine().pull(registry.name("not/there:1"), why));
  EXPECT_THAT(why, Not(IsEmpty()));

  std::string container = create(kBase, {{"t.odd", "\"a\"\n$b"}});
  run(container, "echo content >/file");
  std::string name = registry.name("some/image:1");
  std::string id = engine().commit(container, {.names = {name}});
  engine().remove_container(container);
  EXPECT_TRUE(engine().push(name, why)) << why;
  EXPECT_TRUE(engine().remove_image(name));
  EXPECT_EQ(engine().find_image(id), std::nullopt);
  ASSERT_TRUE(engine().pull(name, why)) << why;
  std::optional<ImageInfo> info = engine().find_image(name);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->labels["t.odd"], "\"a\"\n$b");
  EXPECT_EQ(info->digest.substr(0, 7), "sha256:");
  if (GetParam() != "fake") {  // whose registry is none
    EXPECT_THAT(ask_registry(registry.name("some/image:2")).images, ElementsAre(name));
    EXPECT_THAT(ask_registry(registry.name("some/other:1")).images, ElementsAre(registry.name("some/image")));
    RegistryAnswer elsewhere = ask_registry(registry.name("else/where:1"));
    EXPECT_THAT(elsewhere.images, IsEmpty());
    EXPECT_EQ(elsewhere.problem, "");
  }
  EXPECT_EQ(content(name, "/file"), "content\n");
}

TEST_P(Conformance, ARegistryThatDoesNotAnswerIsAnAnswer) {
  if (GetParam() == "buildah") GTEST_SKIP() << "buildah tries for 6 seconds before it gives up";
  std::string why;
  EXPECT_FALSE(engine().pull("127.0.0.1:9/nothing/there:1", why));
  EXPECT_THAT(why, Not(IsEmpty()));
}

TEST(AskRegistry, NoAnswerIsAnAnswerToo) {
  RegistryAnswer refused = ask_registry("127.0.0.1:9/nothing/there:1");
  EXPECT_THAT(refused.images, IsEmpty());
  EXPECT_THAT(refused.problem, HasSubstr("connect"));
  EXPECT_EQ(ask_registry("debian:bookworm").problem, "the name has no registry");
  EXPECT_EQ(ask_registry("library/debian:bookworm").problem, "the name has no registry");
}

}  // namespace
}  // namespace stagemake::test
