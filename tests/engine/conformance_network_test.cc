// What a container's network reaches, and what it does not.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <thread>

#include "base/files/descriptor.h"
#include "base/process/subprocess.h"
#include "base/variables.h"
#include "engine/buildah/buildah_engine.h"
#include "engine/conformance.h"
#include "engine/docker/docker_engine.h"

namespace stagemake::test {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A service on the loopback of the calling thread's network: it greets each client.
class Service {
 public:
  Service() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_.get(), generic, size) != 0 || ::listen(socket_.get(), 8) != 0 ||
        ::getsockname(socket_.get(), generic, &size) != 0)
      throw EngineError(std::string("no service for a test: ") + std::strerror(errno));
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] {
      while (true) {
        Descriptor caller(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!caller.is_open()) return;
        write_all(caller.get(), "hello");
      }
    });
  }
  ~Service() { ::shutdown(socket_.get(), SHUT_RDWR); }
  // A script that prints "hello" if it reaches the service.
  std::string call() const {
    return fmt::format("busybox nc -w 2 127.0.0.1 {} < /dev/null || echo refused", port_);
  }

 private:
  Descriptor socket_;
  int port_ = 0;
  std::jthread thread_;
};

constexpr const char* kInterfaces =
    "busybox cat /proc/self/net/dev | busybox sed -n 's/^ *\\([^ ]*\\):.*/\\1/p' | busybox sort | tr '\\n' ' "
    "'";

void skip_fake(const std::string& engine) {
  if (engine == "fake") GTEST_SKIP() << "its containers have this machine's network, whatever they ask for";
}

TEST_P(Conformance, WithoutANetworkThereIsALoopbackOfItsOwnOnly) {
  skip_fake(GetParam());
  if (IsSkipped()) return;
  Service service;
  EXPECT_THAT(engine().network_gap(Network::None), IsEmpty());
  std::string container = unique("offline");
  containers_.push_back(container);
  engine().create({.name = container, .image = kBase, .network = Network::None});
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(run(container, kInterfaces).output, Eq("lo "));
    EXPECT_THAT(run(container, service.call()).output, Not(HasSubstr("hello")));
    EXPECT_THAT(run(container,
                    "echo mine | busybox nc -l -p 4000 > /dev/null & sleep 1\n"
                    "busybox nc -w 2 127.0.0.1 4000 < /dev/null")
                    .output,
                HasSubstr("mine"))
        << "its own loopback works";
  }
  EXPECT_THAT(run(container, "exit 7").outcome.exit_code, Eq(7));
}

TEST_P(Conformance, StopsWithoutANetwork) {
  skip_fake(GetParam());
  if (IsSkipped()) return;
  std::string container = unique("offline");
  containers_.push_back(container);
  engine().create({.name = container, .image = kBase, .network = Network::None});
  Ran ran =
      run_and_stop(container, "trap 'echo asked; exit 3' TERM; echo ready; sleep 100 || echo ended", kGrace);
  EXPECT_TRUE(ran.outcome.stopped);
  EXPECT_THAT(ran.output, HasSubstr("ended"));
  EXPECT_THAT(engine().processes(container), IsEmpty());
}

TEST_P(Conformance, WithTheHostsNetworkItsLoopbackIsReached) {
  skip_fake(GetParam());
  if (IsSkipped()) return;
  Service service;
  std::string container = unique("open");
  containers_.push_back(container);
  engine().create({.name = container, .image = kBase, .network = Network::Host});
  EXPECT_THAT(run(container, service.call()).output, HasSubstr("hello"));
  EXPECT_THAT(engine().network_gap(Network::Host), IsEmpty());
}

// The daemon of these tests has no bridge, and buildah's usual isolation has no separate network.
TEST_P(Conformance, AnEngineSaysWhatItGivesInsteadOfANetworkOfItsOwn) {
  skip_fake(GetParam());
  if (IsSkipped()) return;
  EXPECT_THAT(engine().network_gap(Network::Default),
              HasSubstr(GetParam().starts_with("docker") ? "no container network (it runs with --bridge=none)"
                                                         : "isolation chroot has no network of its own"));
  Service service;
  std::string output = run(create(), service.call()).output;
  EXPECT_EQ(output.find("hello") != std::string::npos, GetParam() == "buildah") << output;
}

// An engine's own network changes the network of its machine: here, of a namespace of the test.
class OwnNetwork : public Conformance {
 protected:
  void SetUp() override {
    if (GetParam() == "fake") GTEST_SKIP() << "it has none";
    Conformance::SetUp();
    if (bench_ == nullptr || IsSkipped()) return;
    if (GetParam() == "buildah" && (find_program("runc").empty() && find_program("crun").empty()))
      GTEST_SKIP() << "buildah has no runtime for isolation oci (apt-get install runc)";
    if (GetParam() == "buildah" && !fs::exists("/usr/lib/cni/bridge") &&
        !fs::exists("/usr/lib/podman/netavark"))
      GTEST_SKIP() << "buildah has no network plugins (apt-get install containernetworking-plugins)";
    if (find_program("iptables").empty()) GTEST_SKIP() << "there is no iptables";
    before_ = Descriptor(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << std::strerror(errno);
    Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    ASSERT_EQ(::ioctl(socket.get(), SIOCSIFFLAGS, &request), 0) << std::strerror(errno);
  }
  void TearDown() override {
    host_.reset();
    dockerd_.reset();
    if (before_.is_open()) ::setns(before_.get(), CLONE_NEWNET);
    Conformance::TearDown();
  }
  std::unique_ptr<ContainerEngine> open() {
    if (GetParam() == "buildah") {
      Variables isolation({{"STAGEMAKE_BUILDAH_ISOLATION", "oci"}});
      return std::make_unique<BuildahEngine>();
    }
    dockerd_ = std::make_unique<TestDockerd>(scratch() / "bridged", true);
    must_run({"docker", "--host", dockerd_->host(), "import", base_tar().string(), kBase});
    using Values = std::initializer_list<std::pair<const std::string, std::string>>;
    host_.emplace(Values{{"DOCKER_HOST", dockerd_->host()}});
    return std::make_unique<DockerEngine>();
  }

  Descriptor before_;
  std::unique_ptr<TestDockerd> dockerd_;
  std::optional<Variables> host_;
};

TEST_P(OwnNetwork, ReachesWhatLiesOutsideAndNotTheHostsLoopback) {
  std::unique_ptr<ContainerEngine> engine = open();
  Service service;
  auto output_of = [&](Network network, const std::string& script) {
    std::string output, name = unique("own");
    engine->create({.name = name, .image = kBase, .network = network});
    RunOutcome outcome = engine->run(name, script, [&](std::string_view piece) { output += piece; }, {});
    engine->remove_container(name);
    return output + (outcome.ok() ? "" : fmt::format(" (status {})", outcome.exit_code));
  };
  EXPECT_THAT(engine->network_gap(Network::Default), IsEmpty());
  EXPECT_THAT(output_of(Network::Default, kInterfaces), Eq("eth0 lo "));
  EXPECT_THAT(output_of(Network::Default, service.call()), Not(HasSubstr("hello")));
  EXPECT_THAT(output_of(Network::Default, "busybox ip route"), HasSubstr("default via "));
  EXPECT_THAT(output_of(Network::None, kInterfaces), Eq("lo "));
  EXPECT_THAT(output_of(Network::None, service.call()), Not(HasSubstr("hello")));
  EXPECT_THAT(output_of(Network::Host, service.call()), HasSubstr("hello"));
}

INSTANTIATE_TEST_SUITE_P(Engines, OwnNetwork, ::testing::Values("docker", "buildah"),
                         [](const auto& of) { return of.param; });

}  // namespace
}  // namespace stagemake::test
