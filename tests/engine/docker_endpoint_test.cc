#include "engine/docker/docker_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/files/files.h"
#include "base/text/digest.h"
#include "base/variables.h"
#include "engine/container_engine.h"

namespace stagemake::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Endpoint : public testing::Test {
 protected:
  void add_context(const std::string& name, const std::string& meta) {
    write_file(config_ / "contexts/meta" / sha256_hex(name) / "meta.json", meta);
  }
  static std::string message_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  fs::path config_ = folder_.path() / "config";
  Variables variables_{{"DOCKER_HOST", ""},       {"DOCKER_CONTEXT", ""},
                       {"DOCKER_TLS_VERIFY", ""}, {"DOCKER_TLS", ""},
                       {"DOCKER_CERT_PATH", ""},  {"DOCKER_CONFIG", config_.string()},
                       {"XDG_RUNTIME_DIR", ""},   {"HOME", folder_.path().string()}};
};

TEST_F(Endpoint, HostsHaveTheFormsOfDockersOwnCommand) {
  EXPECT_EQ(docker_endpoint("unix:///run/d.sock").socket, "/run/d.sock");
  EXPECT_TRUE(docker_endpoint("unix:///run/d.sock").is_local());
  EXPECT_EQ(docker_endpoint("unix://").socket, "/var/run/docker.sock");
  EXPECT_EQ(docker_endpoint("tcp://builder").url, "http://builder:2375");
  EXPECT_EQ(docker_endpoint("tcp://builder:99/").url, "http://builder:99");
  EXPECT_EQ(docker_endpoint("builder:99").url, "http://builder:99");
  EXPECT_EQ(docker_endpoint("tcp://[::1]").url, "http://[::1]:2375");
  EXPECT_EQ(docker_endpoint("tcp://[::1]:99").url, "http://[::1]:99");
  EXPECT_EQ(docker_endpoint("tcp://proxy:99/docker").url, "http://proxy:99/docker");
  EXPECT_FALSE(docker_endpoint("tcp://127.0.0.1:99").is_local()) << "it may be forwarded from anywhere";
  EXPECT_THAT(message_of([] { docker_endpoint("npipe:////./pipe/docker"); }),
              HasSubstr("can be reached from here"));
  EXPECT_THAT(message_of([] { docker_endpoint("tcp://:99"); }), HasSubstr("names no host"));
  EXPECT_THAT(message_of([] { docker_endpoint("unix:///" + std::string(120, 'x')); }),
              HasSubstr("at most 107 B"));
}

TEST_F(Endpoint, SshGoesByDockersOwnCommandOnTheOtherMachine) {
  EXPECT_THAT(docker_endpoint("ssh://me@builder").dialer,
              ElementsAre("ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "--", "me@builder",
                          "docker", "system", "dial-stdio"));
  EXPECT_THAT(docker_endpoint("ssh://builder:2222/run/d.sock").dialer,
              ElementsAre("ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-p", "2222", "--",
                          "builder", "docker", "--host", "unix:///run/d.sock", "system", "dial-stdio"));
  EXPECT_THAT(message_of([] { docker_endpoint("ssh://"); }), HasSubstr("names no host"));
}

TEST_F(Endpoint, TlsOfTheEnvironment) {
  for (const char* name : {"ca.pem", "cert.pem", "key.pem"}) write_file(folder_.path() / "keys" / name, "x");
  variables_.set("DOCKER_HOST", "tcp://builder");
  variables_.set("DOCKER_TLS_VERIFY", "1");
  EXPECT_EQ(docker_endpoint().url, "https://builder:2376");
  EXPECT_EQ(docker_endpoint().authority, "") << "the system's authorities";
  variables_.set("DOCKER_CERT_PATH", (folder_.path() / "keys").string());
  EXPECT_EQ(docker_endpoint().authority, folder_.path() / "keys/ca.pem");
  EXPECT_EQ(docker_endpoint().certificate, folder_.path() / "keys/cert.pem");
  EXPECT_EQ(docker_endpoint().key, folder_.path() / "keys/key.pem");
  EXPECT_TRUE(docker_endpoint().verifies);
  variables_.set("DOCKER_TLS_VERIFY", "");
  variables_.set("DOCKER_TLS", "1");
  EXPECT_FALSE(docker_endpoint().verifies);
  variables_.set("DOCKER_HOST", "unix:///run/d.sock");
  EXPECT_EQ(docker_endpoint().authority, "") << "no TLS on a socket of this machine";
}

TEST_F(Endpoint, ContextsOfDockersConfiguration) {
  add_context("far", R"({"Name":"far","Endpoints":{"docker":{"Host":"ssh://me@far"}}})");
  add_context("tls", R"({"Name":"tls","Endpoints":{"docker":{"Host":"tcp://tls:1","SkipTLSVerify":false}}})");
  add_context("loose",
              R"({"Name":"loose","Endpoints":{"docker":{"Host":"tcp://loose:1","SkipTLSVerify":true}}})");
  add_context("empty", R"({"Name":"empty","Endpoints":{}})");
  write_file(config_ / "contexts/tls" / sha256_hex("tls") / "docker/ca.pem", "x");
  variables_.set("DOCKER_CONTEXT", "far");
  EXPECT_EQ(docker_endpoint().host, "ssh://me@far");
  variables_.set("DOCKER_CONTEXT", "tls");
  EXPECT_EQ(docker_endpoint().url, "https://tls:1");
  EXPECT_EQ(docker_endpoint().authority, config_ / "contexts/tls" / sha256_hex("tls") / "docker/ca.pem");
  variables_.set("DOCKER_CONTEXT", "loose");
  EXPECT_EQ(docker_endpoint().url, "https://loose:1");
  EXPECT_FALSE(docker_endpoint().verifies);
  variables_.set("DOCKER_CONTEXT", "");
  write_file(config_ / "config.json", R"({"currentContext":"far"})");
  EXPECT_EQ(docker_endpoint().host, "ssh://me@far");
  variables_.set("DOCKER_CONTEXT", "tls");
  EXPECT_EQ(docker_endpoint().url, "https://tls:1") << "the variable comes first";
  variables_.set("DOCKER_HOST", "tcp://host:2");
  EXPECT_EQ(docker_endpoint().url, "http://host:2") << "and the host before it";
  variables_.set("DOCKER_HOST", "");
  variables_.set("DOCKER_CONTEXT", "gone");
  EXPECT_EQ(docker_endpoint_at("far").host, "ssh://me@far");
  EXPECT_EQ(docker_endpoint_at("tcp://other:1").host, "tcp://other:1");
  EXPECT_THAT(message_of([] { docker_endpoint_at("gone2"); }), HasSubstr("there is no context gone2"));
  EXPECT_THAT(message_of([] { docker_endpoint(); }), HasSubstr("there is no context gone"));
  variables_.set("DOCKER_CONTEXT", "empty");
  EXPECT_THAT(message_of([] { docker_endpoint(); }), HasSubstr("has no host"));
  variables_.set("DOCKER_CONTEXT", "");
  write_file(config_ / "config.json", "{");
  EXPECT_THAT(message_of([] { docker_endpoint(); }), HasSubstr("config.json: is not JSON"));
}

TEST_F(Endpoint, RootlessDaemonsAndDesktopAreFoundInTheirPlaces) {
  if (fs::exists("/var/run/docker.sock")) GTEST_SKIP() << "this machine has a docker daemon";
  EXPECT_EQ(docker_endpoint().socket, "/var/run/docker.sock");
  EXPECT_FALSE(docker_endpoint().is_guess);
  write_file(folder_.path() / ".docker/run/docker.sock", "");
  EXPECT_EQ(docker_endpoint().socket, folder_.path() / ".docker/run/docker.sock");
  variables_.set("XDG_RUNTIME_DIR", (folder_.path() / "run").string());
  write_file(folder_.path() / "run/docker.sock", "");
  EXPECT_EQ(docker_endpoint().socket, folder_.path() / "run/docker.sock");
  EXPECT_TRUE(docker_endpoint().is_guess) << "docker's own command looks elsewhere";
}

}  // namespace
}  // namespace stagemake::test
