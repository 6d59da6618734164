// An engine in memory, for tests of code that uses engines. Images and containers are maps of files; a run
// calls a function of the test. Follows the rules of container_engine.h (the conformance suite runs on it
// too), and can be made to fail.
//
//   FakeEngine engine;
//   engine.add_image("base:1", {.files = {{"/etc/os", {.content = "x"}}}});
//   engine.on_run = [](FakeContainer& container, const std::string& script, const OutputSink& sink,
//   std::stop_token) {
//     container.files["/made"] = {.content = script};
//     sink("done\n");
//     return RunOutcome{.exit_code = 0};
//   };
//
// Thread rule: all verbs from any thread. `on_run` is called without a lock, concurrently for different
// containers; set it, and read a container's files, only while that container does not run.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "engine/call_counter.h"
#include "engine/container_engine.h"
#include "engine/fake/fake_image.h"
#include "engine/fake/fake_registry.h"

namespace stagemake {

struct FakeContainer {
  std::string name;
  std::string image;  // id
  Labels labels;
  FakeFiles files;
  FakeConfiguration configuration;
  unsigned layers = 0;  // of its image
  bool running = false;
  std::vector<std::string> layer_ids = {};  // of its image
  bool paused = false;
  Network network = Network::Default;
  bool operator==(const FakeContainer&) const = default;
};

class FakeEngine : public ContainerEngine {
 public:
  // Without a registry, it makes its own. Images made on machines of different names have different ids.
  explicit FakeEngine(std::shared_ptr<FakeRegistry> registry = nullptr, std::string machine = {})
      : registry_(registry ? std::move(registry) : std::make_shared<FakeRegistry>()),
        machine_(std::move(machine)) {}

  // Performs a run; if it is empty, a run does nothing and succeeds.
  std::function<RunOutcome(FakeContainer&, const std::string& script, const OutputSink&, std::stop_token)>
      on_run;
  // Called at the beginning of each verb, under the engine's lock; the verb rethrows its exceptions, of any
  // type.
  std::function<void(const std::string& verb)> on_verb;
  // Seconds since the epoch; if it is empty, the clock starts at 1,000,000,000 and advances by one with each
  // image.
  std::function<std::int64_t()> clock;
  // The result of storage_folder().
  std::optional<fs::path> storage;

  // The result of machine().
  EngineMachine machine_made_of;

  // The results of network_gap(), by network.
  std::map<Network, std::string> network_gaps;

  // The result of `processes` for a running container; if it is empty, only its shell.
  std::function<std::vector<ContainerProcess>(const std::string& container)> on_processes;

  // The result of `memory_in_use` for a running container; if it is empty, nothing.
  std::function<std::uint64_t(const std::string& container)> on_memory;

  // Called after a running container has been paused, and before it is resumed. The test decides what the
  // function of its run does meanwhile.
  std::function<void(const std::string& container, bool paused)> on_pause;

  // Adds an image, as if it had been built before. Returns its id.
  std::string add_image(const std::string& name, FakeImage image);
  // Adds an image to the registry, for `pull`.
  void add_to_registry(const std::string& name, FakeImage image) { registry_->put(name, std::move(image)); }
  FakeRegistry& registry() const { return *registry_; }
  // The content, for tests. Throws EngineError if it does not exist.
  FakeImage image(const std::string& name_or_id) const;
  FakeImage in_registry(const std::string& name) const;
  FakeContainer container(const std::string& name) const;
  std::vector<std::string> container_names() const;

  // The next `times` calls of this verb ("find_image", "commit", …) throw an EngineError with these words.
  // For pull and push without words, they return a failure instead, as if the registry were gone. The calls
  // still count.
  void fail(const std::string& verb, const std::string& words, unsigned times = ~0u);
  void mend(const std::string& verb);
  // Behaves as if the engine were killed and restarted: each active run is asked to end, and throws an
  // EngineError when its function returns; its files stay. With `leave_running`, its container counts as
  // running from then on, until it is stopped or removed. Does not wait; may be called in a run's function.
  void crash(bool leave_running = false);

  std::string name() const override { return "fake"; }
  std::string probe() override;
  std::optional<ImageInfo> find_image(const std::string& image) override;
  std::vector<ImageInfo> list_images(const std::string& label, const std::string& value) override;
  std::vector<ContainerInfo> list_containers(const std::string& label, const std::string& value) override;
  Transfer pull(const std::string& image, const std::stop_token& stop = {}) override;
  Transfer push(const std::string& image, const std::stop_token& stop = {}) override;
  void create(const ContainerSpec& spec) override;
  void copy_in(const std::string& container, const fs::path& tar_file) override;
  std::optional<std::string> copy_out(const std::string& container, const std::string& path) override;
  bool copy_out_to(const std::string& container, const std::string& path, int descriptor) override;
  RunOutcome run(const std::string& container, const std::string& script, const OutputSink& sink,
                 const StopRequest& stop) override;
  std::string network_gap(Network network) override;
  std::vector<ContainerProcess> processes(const std::string& container) override;
  std::map<std::string, std::uint64_t> memory_in_use(const std::vector<std::string>& containers) override;
  bool pause(const std::string& container) override;
  void resume(const std::string& container) override;
  void save_image(const std::string& image, int descriptor, const std::stop_token& stop = {}) override;
  void load_image(int descriptor) override;
  EngineMachine machine() override { return machine_made_of; }
  double now() override { return clock ? static_cast<double>(clock()) : ContainerEngine::now(); }
  void stop_container(const std::string& container, std::chrono::milliseconds grace,
                      const std::stop_token& kill) override;
  std::string commit(const std::string& container, const CommitSpec& spec) override;
  void export_files(const std::string& container, int descriptor) override;
  void remove_container(const std::string& container) override;
  void tag(const std::string& image, const std::string& new_name) override;
  bool remove_image(const std::string& name) override;
  std::optional<fs::path> storage_folder() override;
  std::vector<std::string> shell_command(const std::string& image) const override;
  std::vector<std::string> open_shell(const ContainerSpec& spec, const std::vector<std::string>& argv,
                                      bool terminal) override;
  std::vector<std::string> command_inside(const std::string& container, const std::vector<std::string>& argv,
                                          bool terminal) const override;
  std::map<std::string, unsigned> calls() const override { return counter_.all(); }

 private:
  struct Run {
    std::stop_source stop;
    bool crashed = false;
    bool left_running = false;
  };
  struct Failure {
    std::string words;
    unsigned times = 0;
  };

  std::optional<std::string> begin(const std::string& verb);  // a failure's words, if it does not throw
  std::string store(FakeImage image);
  std::string resolve(const std::string& image) const;  // its id; empty if there is none
  FakeContainer& present(const std::string& container, const std::string& verb);
  ImageInfo info(const std::string& id) const;
  bool in_use(const std::string& id) const;

  mutable std::mutex mutex_;
  std::condition_variable ended_;  // notified when a run has ended
  std::shared_ptr<FakeRegistry> registry_;
  std::string machine_;
  std::map<std::string, FakeImage> images_;   // by id
  std::map<std::string, std::string> names_;  // name to id: "name:tag", and "name@digest" if pulled by digest
  std::map<std::string, std::shared_ptr<FakeContainer>> containers_;
  std::map<std::string, std::shared_ptr<Run>> runs_;  // by container
  std::map<std::string, std::uint64_t> sizes_;        // of images, by id
  std::map<std::string, Failure> failures_;
  unsigned made_ = 0;
  CallCounter counter_;
};

}  // namespace stagemake
