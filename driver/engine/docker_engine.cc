#include "engine/docker_engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/label_limits.h"
#include "base/sleep.h"
#include "base/text.h"
#include "engine/proc.h"
#include "engine/process_table.h"
#include "engine/script_input.h"

namespace stagemake {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

// A stop request may come before the container's first process (0.1 s after `start` on an idle machine) or
// between two commands of the script: then there is nothing to signal yet.
constexpr std::chrono::milliseconds kAskPatience = 2s;
constexpr auto kAskPause = 50ms;
constexpr auto kEndPause = 100ms;
constexpr auto kStartPause = 200ms;
constexpr unsigned kStartAttempts = 50;
constexpr std::size_t kLongestPath = 64u << 10;  // bytes, as JSON
constexpr std::size_t kIdSize = 64;              // hexadecimal digits

class OpenFile {
 public:
  explicit OpenFile(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw EngineError(printable(path.string()) + ": cannot be read");
  }
  ~OpenFile() { ::close(fd_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const { return fd_; }

 private:
  int fd_;
};

// As fields of CSV, which --mount takes: paths may hold commas and quotes.
std::string mount_words(const FileMount& mount) {
  auto field = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, 1, '"');
    return '"' + text + '"';
  };
  return "type=bind," + field("source=" + mount.from.string()) + "," + field("target=" + mount.to);
}

// Without the option, containers have the network that the engine is set up to give them.
void add_network(Network network, std::vector<std::string>& arguments) {
  if (network != Network::Default)
    arguments.insert(arguments.end(), {"--network", std::string(name_of(network))});
}

}  // namespace

const DockerDialect& docker_dialect() {
  static const DockerDialect dialect{
      .name = "docker",
      .variable = "STAGEMAKE_DOCKER",
      .has_daemon = true,
      // The host's name must not get into images; "localhost" is in every /etc/hosts.
      .create_extra = {"--hostname", "localhost"},
      .label_changes = true,
      .commit_squashes = false,
      .top_columns = {"-eo", "pid,ppid,times,args"},
      .transfer_options = false,
      .time_template = "{{.SystemTime}}",
      .storage_template = "{{json .DockerRootDir}}",
      .install_advice =
          "install docker: apt-get install docker.io, or see https://docs.docker.com/engine/install",
  };
  return dialect;
}

const DockerDialect& podman_dialect() {
  static const DockerDialect dialect{
      .name = "podman",
      .variable = "STAGEMAKE_PODMAN",
      .has_daemon = false,
      // Podman adds these to each container, and a commit would put them into the image.
      .create_extra = {"--hostname", "localhost", "--unsetenv", "TERM", "--unsetenv", "container",
                       "--http-proxy=false"},
      .label_changes = false,
      .commit_squashes = true,
      .top_columns = {"pid", "ppid", "time", "args"},
      .transfer_options = true,
      .time_template = "",
      .storage_template = "{{if not .Host.ServiceIsRemote}}{{json .Store.GraphRoot}}{{end}}",
      .install_advice = "install podman: apt-get install podman",
  };
  return dialect;
}

DockerEngine::DockerEngine(const DockerDialect& dialect)
    : dialect_(dialect), program_(dialect.name, dialect.variable) {}

std::vector<ContainerInfo> DockerEngine::list_containers(const std::string& label, const std::string& value) {
  counter_.count("list_containers");
  std::vector<std::string> ids =
      ids_in(program_.ask({"ps", "--all", "--quiet", "--no-trunc", "--filter", label_filter(label, value)}));
  if (ids.empty()) return {};
  std::vector<std::string> arguments{"inspect", "--type", "container"};
  arguments.insert(arguments.end(), ids.begin(), ids.end());
  Finished finished = program_.call(std::move(arguments));
  if (!finished.ok() && !says_absent(finished)) throw program_.error("inspect", finished);
  std::vector<ContainerInfo> containers;
  for (const json& entry : parsed_answer(program_.name(), finished.output)) {
    ContainerInfo info;
    info.name = text_at(entry, "Name");
    if (info.name.starts_with("/")) info.name.erase(0, 1);
    info.running = member(entry, "State").value("Running", false);
    info.labels = labels_in(member(member(entry, "Config"), "Labels"));
    if (has_label(info.labels, label, value)) containers.push_back(std::move(info));
  }
  return containers;
}

void DockerEngine::create(const ContainerSpec& spec) {
  counter_.count("create");
  if (std::string why = unfit_label(spec.labels); !why.empty()) throw program_.error("create", why);
  // `--entrypoint ""` and a command, not `--entrypoint /bin/sh`: a commit can put an entry point back where
  // there is none, but cannot take one away.
  std::vector<std::string> arguments{"create",       "--pull", "never",         "--name",       spec.name,
                                     "--log-driver", "none",   "--interactive", "--entrypoint", ""};
  add_network(spec.network, arguments);
  arguments.insert(arguments.end(), dialect_.create_extra.begin(), dialect_.create_extra.end());
  for (const auto& [key, value] : spec.labels)
    arguments.insert(arguments.end(), {"--label", key + "=" + value});
  for (const FileMount& mount : spec.mounts)
    arguments.insert(arguments.end(), {"--mount", mount_words(mount)});
  arguments.insert(arguments.end(), {spec.image, "/bin/sh"});
  program_.ask(std::move(arguments));
}

// (Podman makes its network when it is wanted.)
std::string DockerEngine::network_gap(Network network) {
  if (network != Network::Default || !dialect_.has_daemon) return {};
  Finished finished = program_.call({"network", "inspect", "--format", "{{.Driver}}", "bridge"});
  bool is_absent = finished.errors.find("not found") != std::string::npos || says_absent(finished);
  if (finished.ok() || !is_absent) return {};
  return "the docker daemon has no network of its own (it runs with --bridge=none): containers reach nothing";
}

void DockerEngine::copy_in(const std::string& container, const fs::path& tar_file) {
  counter_.count("copy_in");
  OpenFile file(tar_file);
  Command command = program_.command({"cp", "-", container + ":/"});
  command.standard_input = file.descriptor();
  Finished finished = program_.run(command);
  if (!finished.ok()) throw program_.error("cp", finished);
}

std::optional<std::string> DockerEngine::copy_out(const std::string& container, const std::string& path) {
  counter_.count("copy_out");
  std::optional<Finished> copied = copied_out(container, path, -1);
  return copied ? std::optional(std::move(copied->output)) : std::nullopt;
}

bool DockerEngine::copy_out_to(const std::string& container, const std::string& path, int descriptor) {
  counter_.count("copy_out");
  return copied_out(container, path, descriptor).has_value();
}

std::optional<Finished> DockerEngine::copied_out(const std::string& container, const std::string& path,
                                                 int descriptor) const {
  Command command = program_.command({"cp", container + ":" + path, "-"});
  command.standard_output = descriptor;
  Finished finished = program_.run(command);
  if (finished.ok()) return finished;
  // "No such container:path" is about the path; a container that is not there is the caller's mistake.
  bool below_a_file = finished.errors.find("not a directory") != std::string::npos;
  if (!says_absent(finished) && !below_a_file) throw program_.error("cp", finished);
  inspect_container(container);
  return std::nullopt;
}

json DockerEngine::inspect_container(const std::string& container) const {
  json found = parsed_answer(program_.name(), program_.ask({"inspect", "--type", "container", container}));
  if (!found.is_array() || found.size() != 1)
    throw program_.error("inspect", "no such container: " + container);
  return found[0];
}

void DockerEngine::ask_to_end(const std::string& container, std::chrono::milliseconds patience,
                              const std::stop_token& now) const {
  auto give_up = std::chrono::steady_clock::now() + patience;
  while (true) {
    // From inside, -1 is every process but the first, which is the script's shell, and fails where there is
    // none.
    Finished finished = program_.call({"exec", "--user", "0", container, "/bin/sh", "-c", "kill -TERM -1"});
    if (finished.ok() || std::chrono::steady_clock::now() > give_up) return;
    std::string status = text_at(member(inspect_container(container), "State"), "Status");
    if (status != "running") return;
    if (!sleep_for(kAskPause, now)) return;
  }
}

RunOutcome DockerEngine::run(const std::string& container, const std::string& script, const OutputSink& sink,
                             const StopRequest& stop) {
  counter_.count("run");
  // On a busy machine containerd may not have forgotten yet what ran in the container before. Nothing of the
  // script has begun then.
  for (unsigned attempt = 1;; ++attempt) {
    auto [finished, started] = start(container, script, sink, stop);
    bool is_too_early = !started && !finished.stopped && finished.errors.find("task ") != std::string::npos &&
                        finished.errors.find(": already exists") != std::string::npos;
    if (!is_too_early || attempt == kStartAttempts) return outcome(container, finished, started);
    sleep_for(kStartPause, stop.stop);
  }
}

// What the program said, and whether the script began.
std::pair<Finished, bool> DockerEngine::start(const std::string& container, const std::string& script,
                                              const OutputSink& sink, const StopRequest& stop) {
  ScriptInput input(script);
  Command command = program_.command({"start", "--attach", "--interactive", container});
  command.standard_input = input.descriptor();
  command.on_output = sink ? sink : [](std::string_view) {};
  command.on_errors = [&](std::string_view piece) {
    if (input.hear(piece)) input.release();
  };
  command.stop = stop.stop;
  command.hurry = stop.kill;
  command.grace = stop.grace;
  command.ask = [&] {
    input.withhold();
    if (input.released()) ask_to_end(container, std::min(stop.grace, kAskPatience));
  };
  command.kill = [&] {
    input.withhold();
    program_.call({"kill", container});
  };
  Finished finished;
  try {
    finished = program_.run(command);
  } catch (...) {
    program_.call({"kill", container});
    throw;
  }
  finished.errors = without_greeting(finished.errors);
  return {std::move(finished), input.released()};
}

// What the container's state says, not the program's exit status, is the script's: the program also ends when
// its connection does.
RunOutcome DockerEngine::outcome(const std::string& container, const Finished& finished, bool started) const {
  json state = inspect_container(container).at("State");
  if (state.value("Running", false)) {
    program_.call({"kill", container});
    if (!finished.stopped) throw program_.error("start", "the connection to the running container was lost");
    state = inspect_container(container).at("State");
  }
  if (!started && !finished.stopped) throw program_.error("start", finished);
  RunOutcome outcome;
  outcome.exit_code = started ? state.value("ExitCode", finished.exit_code) : 128 + SIGTERM;
  outcome.stopped = finished.stopped;
  outcome.out_of_memory = started && state.value("OOMKilled", false);
  return outcome;
}

bool DockerEngine::runs(const std::string& container) const {
  Finished finished = program_.call({"inspect", "--type", "container", container});
  if (!finished.ok() && says_absent(finished)) return false;
  if (!finished.ok()) throw program_.error("inspect", finished);
  json found = parsed_answer(program_.name(), finished.output);
  return found.is_array() && !found.empty() && member(found[0], "State").value("Running", false);
}

std::vector<ContainerProcess> DockerEngine::processes(const std::string& container) {
  counter_.count("processes");
  std::vector<std::string> arguments{"top", container};
  arguments.insert(arguments.end(), dialect_.top_columns.begin(), dialect_.top_columns.end());
  Finished finished = program_.call(std::move(arguments));
  if (finished.ok()) return process_table(finished.output);
  if (runs(container)) throw program_.error("top", finished);
  return {};
}

std::string DockerEngine::id_of(const std::string& container) {
  {
    std::lock_guard lock(mutex_);
    if (auto known = ids_.find(container); known != ids_.end()) return known->second;
  }
  Finished finished = program_.call({"inspect", "--type", "container", "--format", "{{.Id}}", container});
  if (!finished.ok() && says_absent(finished)) return {};
  if (!finished.ok()) throw program_.error("inspect", finished);
  std::string id(trimmed(finished.output));
  if (id.size() < kIdSize) throw program_.error("inspect", finished);
  std::lock_guard lock(mutex_);
  return ids_[container] = id;
}

// Control groups are called after the container's whole id. They, and how much memory a process has, may be
// read by everybody; where the daemon is elsewhere, no process here has such a group.
std::map<std::string, std::uint64_t> DockerEngine::memory_in_use(const std::vector<std::string>& containers) {
  counter_.count("memory_in_use");
  std::map<std::string, std::string> ids;
  for (const std::string& container : containers)
    if (std::string id = id_of(container); !id.empty()) ids[container] = std::move(id);
  std::map<std::string, std::uint64_t> bytes;
  if (ids.empty()) return bytes;
  for_each_process([&](pid_t process) {
    std::string groups = proc_file(process, "cgroup");
    for (const auto& [container, id] : ids)
      if (groups.find(id) != std::string::npos) bytes[container] += held_memory(proc_file(process, "status"));
  });
  return bytes;
}

bool DockerEngine::pause(const std::string& container) {
  counter_.count("pause");
  Finished finished = program_.call({"pause", container});
  if (finished.ok() || finished.errors.find("already paused") != std::string::npos) return true;
  if (!runs(container)) return false;
  throw program_.error("pause", finished);
}

void DockerEngine::resume(const std::string& container) {
  counter_.count("resume");
  Finished finished = program_.call({"unpause", container});
  if (finished.ok() || says_absent(finished)) return;
  if (is_paused(container)) throw program_.error("unpause", finished);
}

bool DockerEngine::is_paused(const std::string& container) const {
  Finished finished = program_.call({"inspect", "--type", "container", container});
  if (!finished.ok() && says_absent(finished)) return false;
  if (!finished.ok()) throw program_.error("inspect", finished);
  json found = parsed_answer(program_.name(), finished.output);
  return found.is_array() && !found.empty() && member(found[0], "State").value("Paused", false);
}

void DockerEngine::stop_container(const std::string& container, std::chrono::milliseconds grace,
                                  const std::stop_token& kill) {
  counter_.count("stop_container");
  if (!runs(container)) return;
  if (is_paused(container)) resume(container);
  auto give_up = std::chrono::steady_clock::now() + grace;
  ask_to_end(container, std::min(grace, kAskPatience), kill);
  bool left = true;
  while ((left = runs(container)) && std::chrono::steady_clock::now() < give_up)
    if (!sleep_for(kEndPause, kill)) break;
  if (!left) return;
  Finished finished = program_.call({"kill", container});
  if (runs(container)) throw program_.error("kill", finished);
}

void DockerEngine::export_files(const std::string& container, int descriptor) {
  counter_.count("export_files");
  Command command = program_.command({"export", container});
  command.standard_output = descriptor;
  if (Finished finished = program_.run(command); !finished.ok()) throw program_.error("export", finished);
}

void DockerEngine::remove_container(const std::string& container) {
  counter_.count("remove_container");
  {
    std::lock_guard lock(mutex_);
    ids_.erase(container);
  }
  Finished finished = program_.call({"rm", "--force", "--volumes", container});
  bool going = finished.errors.find("already in progress") != std::string::npos;
  if (!finished.ok() && !says_absent(finished) && !going) throw program_.error("rm", finished);
}

// A daemon elsewhere has folders of the same names.
bool DockerEngine::daemon_is_here() const {
  std::call_once(asked_where_, [this] { is_here_ = find_daemon(); });
  return is_here_;
}

bool DockerEngine::find_daemon() const {
  const char* host = std::getenv("DOCKER_HOST");
  if (host != nullptr && *host != '\0') return std::string_view(host).starts_with("unix://");
  Finished finished = program_.call({"context", "inspect", "--format", "{{.Endpoints.docker.Host}}"});
  std::string_view answer = trimmed(finished.output);
  return !finished.ok() || answer.empty() || answer.starts_with("unix://");
}

// A daemon elsewhere may have another time: containers' files get that.
double DockerEngine::now() {
  if (!dialect_.has_daemon || *dialect_.time_template == '\0' || daemon_is_here())
    return ContainerEngine::now();
  std::string answer(trimmed(program_.ask({"info", "--format", dialect_.time_template})));
  std::int64_t seconds = epoch_seconds(answer);
  if (seconds <= 0)
    throw program_.error("info", "it does not say what time it is there: " + printable(answer));
  return static_cast<double>(seconds);
}

std::optional<fs::path> DockerEngine::storage_folder() {
  counter_.count("storage_folder");
  if (dialect_.has_daemon && !daemon_is_here()) return std::nullopt;
  json folder =
      json_in(program_.ask({"info", "--format", dialect_.storage_template}), kLongestPath).value_or(nullptr);
  boost::system::error_code failed;
  if (!folder.is_string() || !fs::is_directory(folder.get<std::string>(), failed)) return std::nullopt;
  return folder.get<std::string>();
}

std::vector<std::string> DockerEngine::shell_command(const std::string& image) const {
  return {program_.path(),
          "run",
          "--rm",
          "--interactive",
          "--tty",
          "--entrypoint",
          "/bin/sh",
          image,
          "-c",
          "command -v bash >/dev/null && exec bash; exec sh"};
}

std::vector<std::string> DockerEngine::open_shell(const ContainerSpec& spec,
                                                  const std::vector<std::string>& argv, bool terminal) {
  counter_.count("open_shell");
  std::vector<std::string> command{program_.path(), "run",     "--rm",          "--pull",       "never",
                                   "--name",        spec.name, "--interactive", "--entrypoint", argv.at(0)};
  add_network(spec.network, command);
  if (terminal) command.emplace_back("--tty");
  for (const auto& [key, value] : spec.labels) command.insert(command.end(), {"--label", key + "=" + value});
  for (const FileMount& mount : spec.mounts) command.insert(command.end(), {"--mount", mount_words(mount)});
  command.push_back(spec.image);
  command.insert(command.end(), argv.begin() + 1, argv.end());
  return command;
}

std::vector<std::string> DockerEngine::command_inside(const std::string& container,
                                                      const std::vector<std::string>& argv,
                                                      bool terminal) const {
  std::vector<std::string> command = {program_.path(), "exec", "--interactive"};
  if (terminal) command.emplace_back("--tty");
  command.push_back(container);
  command.insert(command.end(), argv.begin(), argv.end());
  return command;
}

}  // namespace stagemake
