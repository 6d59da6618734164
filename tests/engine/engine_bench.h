// The engines that the conformance suite runs on: the fake, a separate docker daemon, buildah with separate
// storage. Each is started once for the program and stopped at its end. The base image, with a few programs,
// is made from a static busybox, without any network.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <memory>
#include <string>

#include "base/files/files.h"
#include "engine/fake/fake_engine.h"

namespace stagemake::test {

class EngineBench {
 public:
  virtual ~EngineBench() = default;
  virtual ContainerEngine& engine() = 0;
  // Another engine object on the same storage, as another driver would have.
  virtual std::unique_ptr<ContainerEngine> second_engine() = 0;
  // Makes an image from the base's files and this configuration.
  virtual void add_image(const std::string& name, const FakeConfiguration& configuration) = 0;
  virtual FakeConfiguration configuration(const std::string& image) = 0;
  virtual bool runs_processes() const { return true; }  // in the fake, all processes end with their run
};

inline constexpr const char* kBase = "base:1";

// The bench of an engine: "fake", "docker", "docker_cli", "buildah". Null if it is unavailable here; then
// `why` has the reason, and $STAGEMAKE_DOCKER_MUST_WORK, $STAGEMAKE_BUILDAH_MUST_WORK decide whether that is
// a failure.
EngineBench* bench(const std::string& engine, std::string& why);
bool must_work(const std::string& engine);

// A docker daemon with its own folders and socket.
class TestDockerd {
 public:
  // Starts it; throws Error if it does not come up. With a bridge, it changes the network of this machine, or
  // of the network namespace of the calling thread.
  explicit TestDockerd(const fs::path& folder, bool has_bridge = false);
  ~TestDockerd();            // stops it
  std::string host() const;  // for DOCKER_HOST
  pid_t process() const;
  void start();
  void stop();
  void kill();  // as the out-of-memory killer would

 private:
  struct Running;
  fs::path folder_;
  bool has_bridge_;
  std::unique_ptr<Running> running_;
};

// What a docker daemon needs and this machine lacks; empty if nothing is missing.
std::string missing_for_dockerd();

// The base image's files as a tar file, made once.
const fs::path& base_tar();
// A scratch folder for the whole program.
const fs::path& scratch();
// Runs a set-up command; throws if it fails.
std::string must_run(std::vector<std::string> argv);
// The processes of this machine whose command line contains `word`.
std::vector<pid_t> processes_with(const std::string& word);

}  // namespace stagemake::test
