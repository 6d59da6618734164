#include "engine/engine_bench.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <thread>

#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "engine/buildah/buildah_engine.h"
#include "engine/docker/docker_engine.h"
#include "engine/docker_cli/docker_cli_engine.h"

namespace stagemake::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

std::optional<TemporaryFolder> scratch_folder;

std::string slurp(const fs::path& path) {
  std::ifstream in(path.string(), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> texts(const json& list) {
  std::vector<std::string> all;
  for (const json& entry : elements(list)) all.push_back(entry.get<std::string>());
  return all;
}

FakeConfiguration read_configuration(const json& config) {
  return {.command = texts(member(config, "Cmd")),
          .entry_point = texts(member(config, "Entrypoint")),
          .environment = texts(member(config, "Env")),
          .user = text_at(config, "User"),
          .working_folder = text_at(config, "WorkingDir"),
          .volumes = volumes_in(config)};
}

bool may_run(std::vector<std::string> argv) {
  Command command;
  command.argv = std::move(argv);
  return run_command(command).ok();
}

// Engines that end leave mounts behind: of containers, of their storage, of network namespaces.
void unmount_below(const fs::path& folder) {
  std::vector<std::string> points;
  std::string all = slurp("/proc/self/mountinfo");
  for (std::string_view line : lines(all)) {
    std::string point(words(line).at(4));
    if (point.starts_with(folder.string() + "/")) points.push_back(point);
  }
  for (auto at = points.rbegin(); at != points.rend(); ++at) ::umount2(at->c_str(), MNT_DETACH);
}

// --- fake

class FakeBench : public EngineBench {
 public:
  FakeBench() {
    engine_.on_run = run_for_real;
    add_image(kBase, {.command = {"/bin/sh"}});
  }
  ContainerEngine& engine() override { return engine_; }
  std::unique_ptr<ContainerEngine> second_engine() override { return nullptr; }
  void add_image(const std::string& name, const FakeConfiguration& configuration) override {
    engine_.add_image(name, {.files = files_in(slurp(base_tar())), .configuration = configuration});
  }
  FakeConfiguration configuration(const std::string& image) override {
    return engine_.image(image).configuration;
  }
  bool runs_processes() const override { return false; }

 private:
  // Copies the container's files into a folder, runs the script there with chroot, and copies them back.
  static RunOutcome run_for_real(FakeContainer& container, const std::string& script, const OutputSink& sink,
                                 std::stop_token stop) {
    TemporaryFolder folder(scratch());
    std::string root = (folder.path() / "root").string();
    write_file(folder.path() / "files.tar", tar_of(container.files));
    fs::create_directory(root);
    must_run({"tar", "-xpf", (folder.path() / "files.tar").string(), "-C", root});
    must_run({"mknod", root + "/dev/null", "c", "1", "3"});
    must_run({"mknod", root + "/dev/zero", "c", "1", "5"});
    Command command;
    command.argv = {"chroot", root, "/bin/sh", "-c", script};
    command.on_output = sink;
    command.stop = stop;
    command.grace = 200ms;
    Finished finished = run_command(command);
    must_run({"rm", root + "/dev/null", root + "/dev/zero"});
    container.files = files_in(must_run({"tar", "-cf", "-", "-C", root, "."}));
    container.files.erase("/");
    return {.exit_code = finished.exit_code, .stopped = finished.stopped};
  }

  FakeEngine engine_;
};

// --- docker, by its socket or by its program

class DockerBench : public EngineBench {
 public:
  explicit DockerBench(const std::string& engine)
      : by_program_(engine == "docker_cli"), dockerd_(scratch() / engine) {
    ::setenv("DOCKER_HOST", dockerd_.host().c_str(), 1);
    ::setenv("XDG_CACHE_HOME", (scratch() / (engine + "-cache")).c_str(), 1);
    engine_ = second_engine();
    engine_->probe();
    add_image(kBase, {.command = {"/bin/sh"}});
  }
  ContainerEngine& engine() override { return *engine_; }
  std::unique_ptr<ContainerEngine> second_engine() override {
    if (by_program_) return std::make_unique<DockerCliEngine>(docker_dialect());
    return std::make_unique<DockerEngine>();
  }
  void add_image(const std::string& name, const FakeConfiguration& configuration) override {
    std::vector<std::string> argv{"docker", "import"};
    auto change = [&](const std::string& text) { argv.insert(argv.end(), {"--change", text}); };
    if (!configuration.entry_point.empty()) change("ENTRYPOINT " + json(configuration.entry_point).dump());
    if (!configuration.command.empty()) change("CMD " + json(configuration.command).dump());
    for (const std::string& entry : configuration.environment) {
      std::size_t sign = entry.find('=');
      std::string value = entry.substr(sign + 1);
      change(fmt::format("ENV {}={}", entry.substr(0, sign), json(value).dump()));
    }
    if (!configuration.user.empty()) change("USER " + configuration.user);
    if (!configuration.working_folder.empty()) change("WORKDIR " + configuration.working_folder);
    if (!configuration.volumes.empty()) change("VOLUME " + json(configuration.volumes).dump());
    argv.insert(argv.end(), {base_tar().string(), name});
    must_run(argv);
  }
  FakeConfiguration configuration(const std::string& image) override {
    json found = json::parse(must_run({"docker", "image", "inspect", image}));
    return read_configuration(found.at(0).at("Config"));
  }

 private:
  bool by_program_;
  TestDockerd dockerd_;
  std::unique_ptr<ContainerEngine> engine_;
};

// --- buildah

class BuildahBench : public EngineBench {
 public:
  BuildahBench() {
    fs::path folder = scratch() / "buildah";
    write_file(folder / "storage.conf",
               fmt::format("[storage]\ndriver = \"overlay\"\ngraphroot = \"{0}/root\"\n"
                           "runroot = \"{0}/run\"\n",
                           folder.string()));
    ::setenv("CONTAINERS_STORAGE_CONF", (folder / "storage.conf").c_str(), 1);
    ::setenv("XDG_CACHE_HOME", (folder / "cache").c_str(), 1);
    engine_ = std::make_unique<BuildahEngine>();
    engine_->probe();
    add_image(kBase, {.command = {"/bin/sh"}});
  }
  ~BuildahBench() override {
    may_run({"buildah", "rm", "--all"});
    unmount_below(scratch() / "buildah");
  }
  ContainerEngine& engine() override { return *engine_; }
  std::unique_ptr<ContainerEngine> second_engine() override { return std::make_unique<BuildahEngine>(); }
  void add_image(const std::string& name, const FakeConfiguration& configuration) override {
    std::string container(trimmed(must_run({"buildah", "from", "scratch"})));
    must_run({"buildah", "add", "-q", container, base_tar().string(), "/"});
    std::vector<std::string> argv{"buildah", "config"};
    argv.insert(argv.end(), {"--cmd", json(configuration.command).dump()});
    if (!configuration.entry_point.empty())
      argv.insert(argv.end(), {"--entrypoint", json(configuration.entry_point).dump()});
    for (const std::string& entry : configuration.environment) argv.insert(argv.end(), {"--env", entry});
    if (!configuration.user.empty()) argv.insert(argv.end(), {"--user", configuration.user});
    if (!configuration.working_folder.empty())
      argv.insert(argv.end(), {"--workingdir", configuration.working_folder});
    for (const std::string& volume : configuration.volumes) argv.insert(argv.end(), {"--volume", volume});
    argv.push_back(container);
    must_run(argv);
    must_run({"buildah", "commit", "-q", "--disable-compression", "--rm", container, name});
  }
  FakeConfiguration configuration(const std::string& image) override {
    json found = json::parse(must_run({"buildah", "inspect", "--type", "image", image}));
    return read_configuration(found.at("OCIv1").at("config"));
  }

 private:
  std::unique_ptr<BuildahEngine> engine_;
};

std::string missing_for(const std::string& engine) {
  if (::getuid() != 0) return "only root can start it for a test";
  if (find_program("busybox").empty())
    return "there is no busybox for its base image (apt-get install busybox-static)";
  if (engine.starts_with("docker")) return missing_for_dockerd();
  if (engine == "buildah" && find_program("buildah").empty())
    return "there is no buildah (apt-get install buildah)";
  return {};
}

std::unique_ptr<EngineBench> made(const std::string& engine) {
  if (engine.starts_with("docker")) return std::make_unique<DockerBench>(engine);
  if (engine == "buildah") return std::make_unique<BuildahBench>();
  return std::make_unique<FakeBench>();
}

struct Slot {
  std::unique_ptr<EngineBench> bench;
  std::string why;
};
std::map<std::string, Slot> slots;

// Stops the engines before the program ends.
class Benches : public ::testing::Environment {
 public:
  void TearDown() override {
    slots.clear();
    scratch_folder.reset();
  }
};
[[maybe_unused]] auto* const benches = ::testing::AddGlobalTestEnvironment(new Benches);

}  // namespace

EngineBench* bench(const std::string& engine, std::string& why) {
  auto [at, fresh] = slots.try_emplace(engine);
  if (fresh) {
    at->second.why = missing_for(engine);
    try {
      if (at->second.why.empty()) at->second.bench = made(engine);
    } catch (const std::exception& error) {
      at->second.why = error.what();
    }
  }
  why = at->second.why;
  return at->second.bench.get();
}

bool must_work(const std::string& engine) {
  const char* variable = engine.starts_with("docker") ? "STAGEMAKE_DOCKER_MUST_WORK"
                         : engine == "buildah"        ? "STAGEMAKE_BUILDAH_MUST_WORK"
                                                      : nullptr;
  return variable != nullptr && ::getenv(variable) != nullptr;
}

const fs::path& scratch() {
  if (!scratch_folder) scratch_folder.emplace(fs::temp_directory_path());
  return scratch_folder->path();
}

std::string must_run(std::vector<std::string> argv) {
  Command command;
  command.argv = std::move(argv);
  Finished finished = run_command(command);
  if (!finished.ok()) throw EngineError(fmt::format("{}: {}", join(command.argv, " "), finished.errors));
  return finished.output;
}

const fs::path& base_tar() {
  static const fs::path tar = [] {
    fs::path file = scratch() / "base.tar";
    TarWriter writer(file);
    for (const char* folder : {"bin", "etc", "dev", "proc", "sys", "run", "root", "home"})
      writer.add_folder(folder, 0755, 1'000'000'000);
    writer.add_folder("tmp", 01777, 1'000'000'000);
    Descriptor busybox(::open(find_program("busybox").c_str(), O_RDONLY | O_CLOEXEC));
    writer.add_file("bin/busybox", busybox, "busybox", 0755, 1'000'000'000);
    for (const char* name :
         {"sh",    "tar",  "cat",    "ls",  "sleep", "kill", "setsid", "env",  "mkdir",   "rm",
          "head",  "tr",   "printf", "id",  "stat",  "wc",   "nohup",  "true", "ln",      "pwd",
          "touch", "test", "mv",     "seq", "yes",   "grep", "chmod",  "dd",   "readlink"})
      writer.add_symlink(std::string("bin/") + name, "busybox", 1'000'000'000);
    writer.add_content("etc/passwd", "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n", 0644,
                       1'000'000'000);
    writer.add_content("etc/group", "root:x:0:\nuser:x:1000:\n", 0644, 1'000'000'000);
    writer.close();
    return file;
  }();
  return tar;
}

std::vector<pid_t> processes_with(const std::string& word) {
  std::vector<pid_t> found;
  boost::system::error_code failed;
  for (fs::directory_iterator at("/proc", failed), end; !failed && at != end; at.increment(failed)) {
    std::string name = at->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    try {
      if (slurp(at->path() / "cmdline").find(word) != std::string::npos) found.push_back(std::stoi(name));
    } catch (const std::ios_base::failure&) {
      // The process ended while it was read.
    }
  }
  return found;
}

// --- a docker daemon

std::string missing_for_dockerd() {
  if (find_program("dockerd").empty()) return "there is no dockerd (apt-get install docker.io)";
  if (find_program("docker").empty()) return "there is no docker client";
  return {};
}

struct TestDockerd::Running {
  std::stop_source stop;
  std::jthread thread;
};

TestDockerd::TestDockerd(const fs::path& folder, bool has_bridge) : folder_(folder), has_bridge_(has_bridge) {
  start();
}

TestDockerd::~TestDockerd() {
  stop();
  unmount_below(folder_);
}

std::string TestDockerd::host() const {
  return "unix://" + (folder_ / "s").string();
}

pid_t TestDockerd::process() const {
  return std::stoi(slurp(folder_ / "pid"));
}

void TestDockerd::start() {
  fs::create_directories(folder_);
  running_ = std::make_unique<Running>();
  std::string log = (folder_ / "log").string();
  running_->thread = std::jthread([this, log, stop = running_->stop.get_token()] {
    Command command;
    // Into a file: containerd shares the daemon's output and outlives a killed daemon; a pipe would be closed
    // then.
    command.argv = {"sh", "-c", "exec \"$@\" >>\"$0\" 2>&1", log, "dockerd"};
    for (const auto& [option, value] :
         std::map<std::string, std::string>{{"--data-root", (folder_ / "data").string()},
                                            {"--exec-root", (folder_ / "exec").string()},
                                            {"--host", host()},
                                            {"--pidfile", (folder_ / "pid").string()}})
      command.argv.insert(command.argv.end(), {option, value});
    if (!has_bridge_) command.argv.insert(command.argv.end(), {"--iptables=false", "--bridge=none"});
    command.stop = stop;
    command.grace = 20s;
    run_command(command);
  });
  auto give_up = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < give_up) {
    if (may_run({"docker", "--host", host(), "version"})) return;
    std::this_thread::sleep_for(50ms);
  }
  throw EngineError("dockerd does not come up: " + slurp(log));
}

void TestDockerd::stop() {
  if (!running_) return;
  running_->stop.request_stop();
  running_.reset();  // joins
}

void TestDockerd::kill() {
  ::kill(process(), SIGKILL);
  running_.reset();
  fs::remove(folder_ / "pid");
  // Its containerd dies with it, and the next daemon would wait for the process with this number.
  fs::remove(folder_ / "exec/containerd/containerd.pid");
}

}  // namespace stagemake::test
