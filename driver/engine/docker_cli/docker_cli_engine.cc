#include "engine/docker_cli/docker_cli_engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files/descriptor.h"
#include "base/process/sleep.h"
#include "base/text/json_text.h"
#include "base/text/labels.h"
#include "base/text/text.h"
#include "engine/docker/docker_answers.h"
#include "engine/docker_cli/docker_cli_commit.h"
#include "engine/docker_cli/docker_cli_shell.h"
#include "engine/process_table.h"
#include "engine/script_input.h"

namespace stagemake {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

// A stop request may come before the container's first process starts (0.1 s after `start` on an idle
// machine) or between two commands of the script: then there is nothing to signal yet.
constexpr std::chrono::milliseconds kAskPatience = 2s;
constexpr auto kAskPause = 50ms;
constexpr auto kEndPause = 100ms;
constexpr auto kStartPause = 200ms;
constexpr unsigned kStartAttempts = 50;
constexpr std::size_t kLongestPath = 64u << 10;  // bytes, as JSON
constexpr std::size_t kIdSize = 64;              // hexadecimal digits

Descriptor opened_file(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) throw EngineError(printable(path.string()) + ": cannot be read");
  return file;
}

// The stream in Finished::output, or written to `descriptor` unless that is -1; nothing if there is no such
// path.
std::optional<Finished> copied_out(const DockerCliProgram& program, const std::string& container,
                                   const std::string& path, int descriptor) {
  Command command = program.command({"cp", container + ":" + path, "-"});
  command.standard_output = descriptor;
  Finished finished = program.run(command);
  if (finished.ok()) return finished;
  // "No such container:path" is about the path; a missing container is the caller's mistake.
  bool below_a_file = finished.errors.find("not a directory") != std::string::npos;
  if (!says_absent(finished) && !below_a_file) throw program.error("cp", finished);
  program.inspect_container(container);
  return std::nullopt;
}

// Whether the container's state has this mark, "Running" or "Paused". False if there is no such container.
bool has_state(const DockerCliProgram& program, const std::string& container, const char* mark) {
  Finished finished = program.call({"inspect", "--type", "container", container});
  if (!finished.ok() && says_absent(finished)) return false;
  if (!finished.ok()) throw program.error("inspect", finished);
  json found = parsed_answer(program.name(), finished.output);
  return found.is_array() && !found.empty() && member(found[0], "State").value(mark, false);
}

// A request ends the wait for a shell that has not started yet.
void ask_to_end(const DockerCliProgram& program, const std::string& container,
                std::chrono::milliseconds patience, const std::stop_token& now = {}) {
  auto give_up = std::chrono::steady_clock::now() + patience;
  while (true) {
    // From inside, -1 means every process except the first, which is the script's shell; kill fails if there
    // is none.
    Finished finished = program.call({"exec", "--user", "0", container, "/bin/sh", "-c", "kill -TERM -1"});
    if (finished.ok() || std::chrono::steady_clock::now() > give_up) return;
    std::string status = text_at(member(program.inspect_container(container), "State"), "Status");
    if (status != "running") return;
    if (!sleep_for(kAskPause, now)) return;
  }
}

// The result of the program, and whether the script started.
std::pair<Finished, bool> start(const DockerCliProgram& program, const std::string& container,
                                const std::string& script, const OutputSink& sink, const StopRequest& stop) {
  ScriptInput input(script);
  Command command = program.command({"start", "--attach", "--interactive", container});
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
    if (input.released()) ask_to_end(program, container, std::min(stop.grace, kAskPatience));
  };
  command.kill = [&] {
    input.withhold();
    program.call({"kill", container});
  };
  Finished finished;
  try {
    finished = program.run(command);
  } catch (...) {
    program.call({"kill", container});
    throw;
  }
  finished.errors = without_greeting(finished.errors);
  return {std::move(finished), input.released()};
}

// The script's exit status is in the container's state, not in the program's exit status: the program also
// exits when its connection ends.
RunOutcome outcome_of(const DockerCliProgram& program, const std::string& container, const Finished& finished,
                      bool started) {
  json state = program.inspect_container(container).at("State");
  if (state.value("Running", false)) {
    program.call({"kill", container});
    if (!finished.stopped) throw program.error("start", "the connection to the running container was lost");
    state = program.inspect_container(container).at("State");
  }
  if (!started && !finished.stopped) throw program.error("start", finished);
  RunOutcome outcome;
  outcome.exit_code = started ? state.value("ExitCode", finished.exit_code) : 128 + SIGTERM;
  outcome.stopped = finished.stopped;
  outcome.out_of_memory = started && state.value("OOMKilled", false);
  return outcome;
}

bool is_local(const DockerCliProgram& program) {
  const char* host = std::getenv("DOCKER_HOST");
  if (host != nullptr && *host != '\0') return std::string_view(host).starts_with("unix://");
  Finished finished = program.call({"context", "inspect", "--format", "{{.Endpoints.docker.Host}}"});
  std::string_view answer = trimmed(finished.output);
  return !finished.ok() || answer.empty() || answer.starts_with("unix://");
}

}  // namespace

std::vector<ContainerInfo> DockerCliEngine::list_containers(const std::string& label,
                                                            const std::string& value) {
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

void DockerCliEngine::create(const ContainerSpec& spec) {
  counter_.count("create");
  if (std::string why = unfit_label(spec.labels); !why.empty()) throw program_.error("create", why);
  // `--entrypoint ""` and a command, not `--entrypoint /bin/sh`: a commit can set an entry point but cannot
  // remove one.
  std::vector<std::string> arguments{"create",       "--pull", "never",         "--name",       spec.name,
                                     "--log-driver", "none",   "--interactive", "--entrypoint", ""};
  add_docker_network(spec.network, arguments);
  arguments.insert(arguments.end(), program_.dialect().create_extra.begin(),
                   program_.dialect().create_extra.end());
  for (const auto& [key, value] : spec.labels)
    arguments.insert(arguments.end(), {"--label", key + "=" + value});
  for (const FileMount& mount : spec.mounts)
    arguments.insert(arguments.end(), {"--mount", docker_mount_words(mount)});
  arguments.insert(arguments.end(), {spec.image, "/bin/sh"});
  program_.ask(std::move(arguments));
}

// (Podman creates its network on demand.)
std::string DockerCliEngine::network_gap(Network network) {
  if (network != Network::Default || !program_.dialect().has_daemon) return {};
  Finished finished = program_.call({"network", "inspect", "--format", "{{.Driver}}", "bridge"});
  bool is_absent = finished.errors.find("not found") != std::string::npos || says_absent(finished);
  if (finished.ok() || !is_absent) return {};
  return "the docker daemon has no container network (it runs with --bridge=none), so containers reach "
         "nothing";
}

void DockerCliEngine::copy_in(const std::string& container, const fs::path& tar_file) {
  counter_.count("copy_in");
  Descriptor file = opened_file(tar_file);
  Command command = program_.command({"cp", "-", container + ":/"});
  command.standard_input = file.get();
  Finished finished = program_.run(command);
  if (!finished.ok()) throw program_.error("cp", finished);
}

std::optional<std::string> DockerCliEngine::copy_out(const std::string& container, const std::string& path) {
  counter_.count("copy_out");
  std::optional<Finished> copied = copied_out(program_, container, path, -1);
  return copied ? std::optional(std::move(copied->output)) : std::nullopt;
}

bool DockerCliEngine::copy_out_to(const std::string& container, const std::string& path, int descriptor) {
  counter_.count("copy_out");
  return copied_out(program_, container, path, descriptor).has_value();
}

RunOutcome DockerCliEngine::run(const std::string& container, const std::string& script,
                                const OutputSink& sink, const StopRequest& stop) {
  counter_.count("run");
  // On a busy machine, containerd may still remember what ran in the container before. Then nothing of the
  // script has run.
  for (unsigned attempt = 1;; ++attempt) {
    auto [finished, started] = start(program_, container, script, sink, stop);
    bool is_too_early = !started && !finished.stopped && finished.errors.find("task ") != std::string::npos &&
                        finished.errors.find(": already exists") != std::string::npos;
    if (!is_too_early || attempt == kStartAttempts) return outcome_of(program_, container, finished, started);
    sleep_for(kStartPause, stop.stop);
  }
}

std::vector<ContainerProcess> DockerCliEngine::processes(const std::string& container) {
  counter_.count("processes");
  std::vector<std::string> arguments{"top", container};
  arguments.insert(arguments.end(), program_.dialect().top_columns.begin(),
                   program_.dialect().top_columns.end());
  Finished finished = program_.call(std::move(arguments));
  if (finished.ok()) return process_table(finished.output);
  if (has_state(program_, container, "Running")) throw program_.error("top", finished);
  return {};
}

std::string DockerCliEngine::id_of(const std::string& container) {
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

std::map<std::string, std::uint64_t> DockerCliEngine::memory_in_use(
    const std::vector<std::string>& containers) {
  counter_.count("memory_in_use");
  std::map<std::string, std::string> ids;
  for (const std::string& container : containers)
    if (std::string id = id_of(container); !id.empty()) ids[container] = std::move(id);
  return memory_by_id(ids);
}

bool DockerCliEngine::pause(const std::string& container) {
  counter_.count("pause");
  Finished finished = program_.call({"pause", container});
  if (finished.ok() || finished.errors.find("already paused") != std::string::npos) return true;
  if (!has_state(program_, container, "Running")) return false;
  throw program_.error("pause", finished);
}

void DockerCliEngine::resume(const std::string& container) {
  counter_.count("resume");
  Finished finished = program_.call({"unpause", container});
  if (finished.ok() || says_absent(finished)) return;
  if (has_state(program_, container, "Paused")) throw program_.error("unpause", finished);
}

void DockerCliEngine::stop_container(const std::string& container, std::chrono::milliseconds grace,
                                     const std::stop_token& kill) {
  counter_.count("stop_container");
  if (!has_state(program_, container, "Running")) return;
  if (has_state(program_, container, "Paused")) resume(container);
  auto give_up = std::chrono::steady_clock::now() + grace;
  ask_to_end(program_, container, std::min(grace, kAskPatience), kill);
  bool left = true;
  while ((left = has_state(program_, container, "Running")) && std::chrono::steady_clock::now() < give_up)
    if (!sleep_for(kEndPause, kill)) break;
  if (!left) return;
  Finished finished = program_.call({"kill", container});
  if (has_state(program_, container, "Running")) throw program_.error("kill", finished);
}

std::string DockerCliEngine::commit(const std::string& container, const CommitSpec& spec) {
  counter_.count("commit");
  return commit_container(program_, container, spec);
}

void DockerCliEngine::export_files(const std::string& container, int descriptor) {
  counter_.count("export_files");
  Command command = program_.command({"export", container});
  command.standard_output = descriptor;
  if (Finished finished = program_.run(command); !finished.ok()) throw program_.error("export", finished);
}

void DockerCliEngine::remove_container(const std::string& container) {
  counter_.count("remove_container");
  {
    std::lock_guard lock(mutex_);
    ids_.erase(container);
  }
  Finished finished = program_.call({"rm", "--force", "--volumes", container});
  bool going = finished.errors.find("already in progress") != std::string::npos;
  if (!finished.ok() && !says_absent(finished) && !going) throw program_.error("rm", finished);
}

// A daemon on another machine has folders with the same names.
bool DockerCliEngine::daemon_is_here() const {
  std::call_once(asked_where_, [this] { is_here_ = is_local(program_); });
  return is_here_;
}

// A daemon on another machine may have a different clock, which sets the times of files in containers.
double DockerCliEngine::now() {
  if (!program_.dialect().has_daemon || *program_.dialect().time_template == '\0' || daemon_is_here())
    return ContainerEngine::now();
  std::string answer(trimmed(program_.ask({"info", "--format", program_.dialect().time_template})));
  std::int64_t seconds = epoch_seconds(answer);
  if (seconds <= 0) throw program_.error("info", "it does not report its time: " + printable(answer));
  return static_cast<double>(seconds);
}

std::optional<fs::path> DockerCliEngine::storage_folder() {
  counter_.count("storage_folder");
  if (program_.dialect().has_daemon && !daemon_is_here()) return std::nullopt;
  json folder = json_in(program_.ask({"info", "--format", program_.dialect().storage_template}), kLongestPath)
                    .value_or(nullptr);
  boost::system::error_code failed;
  if (!folder.is_string() || !fs::is_directory(folder.get<std::string>(), failed)) return std::nullopt;
  return folder.get<std::string>();
}

std::vector<std::string> DockerCliEngine::shell_command(const std::string& image) const {
  return docker_shell_command({program_.path()}, image);
}

std::vector<std::string> DockerCliEngine::open_shell(const ContainerSpec& spec,
                                                     const std::vector<std::string>& argv, bool terminal) {
  counter_.count("open_shell");
  return docker_run_command({program_.path()}, spec, argv, terminal);
}

std::vector<std::string> DockerCliEngine::command_inside(const std::string& container,
                                                         const std::vector<std::string>& argv,
                                                         bool terminal) const {
  return docker_exec_command({program_.path()}, container, argv, terminal);
}

}  // namespace stagemake
