#include "engine/docker/docker_engine.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files/descriptor.h"
#include "base/process/sleep.h"
#include "base/text/json_text.h"
#include "base/text/json_values.h"
#include "base/text/labels.h"
#include "base/text/text.h"
#include "engine/docker/attached_run.h"
#include "engine/docker/docker_answers.h"
#include "engine/docker/docker_commit.h"
#include "engine/docker_cli/docker_cli_shell.h"
#include "engine/engine_program.h"
#include "engine/process_table.h"

namespace stagemake {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto kEndPause = 100ms;
constexpr std::size_t kLongestLine = 1u << 20;       // bytes of a line of the answer to a load
constexpr std::uint64_t kMostProcessors = 1u << 16;  // that a daemon is believed to have

std::string path_of(const std::string& container, std::string_view after = {}) {
  return docker_path("/containers/", container, after);
}

// Rows of words, as `top` prints them.
std::string table_text(const json& answer) {
  std::string text;
  for (const json& row : elements(member(answer, "Processes"))) {
    for (std::string cell : texts_in(row)) {
      std::replace(cell.begin(), cell.end(), '\n', ' ');
      text += cell + " ";
    }
    text += '\n';
  }
  return text;
}

std::function<void(std::string_view)> writer_to(int descriptor, const char* verb) {
  return [descriptor, verb](std::string_view piece) {
    if (int failed = write_all(descriptor, piece); failed != 0)
      throw EngineError(std::string("docker ") + verb + ": " + write_failure(failed));
  };
}

}  // namespace

std::vector<ContainerInfo> DockerEngine::list_containers(const std::string& label, const std::string& value) {
  counter_.count("list_containers");
  json listed = program_.ask({.verb = "ps",
                              .path = "/containers/json",
                              .query = {{"all", "1"}, {"filters", docker_label_filter(label, value)}}});
  std::vector<ContainerInfo> containers;
  for (const json& entry : elements(listed)) {
    ContainerInfo info;
    // A container that others link to has further names, "/other/name".
    for (const std::string& name : texts_in(member(entry, "Names")))
      if (name.rfind('/') == 0) info.name = name.substr(1);
    std::string state = text_at(entry, "State");
    info.running = state == "running" || state == "paused";
    info.labels = labels_in(member(entry, "Labels"));
    if (has_label(info.labels, label, value)) containers.push_back(std::move(info));
  }
  return containers;
}

void DockerEngine::create(const ContainerSpec& spec) {
  counter_.count("create");
  if (std::string why = unfit_label(spec.labels); !why.empty()) throw program_.error("create", why);
  program_.ask({.verb = "create",
                .method = "POST",
                .path = "/containers/create",
                .query = {{"name", spec.name}},
                .content = container_content(spec)});
}

std::string DockerEngine::network_gap(Network network) {
  if (network != Network::Default) return {};
  DockerAnswer answer = program_.call({.verb = "network inspect", .path = "/networks/bridge"});
  if (!answer.is_absent()) return {};
  return "the docker daemon has no container network (it runs with --bridge=none), so containers reach "
         "nothing";
}

void DockerEngine::copy_in(const std::string& container, const fs::path& tar_file) {
  counter_.count("copy_in");
  Descriptor file(::open(tar_file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) throw EngineError(printable(tar_file.string()) + ": cannot be read");
  DockerAnswer answer = program_.call({.verb = "cp",
                                       .method = "PUT",
                                       .path = path_of(container, "/archive"),
                                       .query = {{"path", "/"}, {"noOverwriteDirNonDir", "true"}},
                                       .body = file.get()});
  if (!answer.ok()) throw program_.error("cp", answer);
}

// False if there is no such path.
bool DockerEngine::copied_out(const std::string& container, const std::string& path,
                              const std::function<void(std::string_view)>& sink) const {
  DockerAnswer answer = program_.call(
      {.verb = "cp", .path = path_of(container, "/archive"), .query = {{"path", path}}, .sink = sink});
  if (answer.ok()) return true;
  // The status is the same for a missing path and a missing container, and a path below a file has that of
  // any fault.
  bool below_a_file = answer.content.find("not a directory") != std::string::npos;
  if (!answer.is_absent() && !below_a_file) throw program_.error("cp", answer);
  if (!program_.find_container(container, "cp")) throw program_.error("cp", answer);
  return false;
}

std::optional<std::string> DockerEngine::copy_out(const std::string& container, const std::string& path) {
  counter_.count("copy_out");
  std::string tar;
  if (!copied_out(container, path, [&](std::string_view piece) { tar += piece; })) return std::nullopt;
  return tar;
}

bool DockerEngine::copy_out_to(const std::string& container, const std::string& path, int descriptor) {
  counter_.count("copy_out");
  return copied_out(container, path, writer_to(descriptor, "cp"));
}

RunOutcome DockerEngine::run(const std::string& container, const std::string& script, const OutputSink& sink,
                             const StopRequest& stop) {
  counter_.count("run");
  return run_attached(program_, container, script, sink, stop);
}

std::vector<ContainerProcess> DockerEngine::processes(const std::string& container) {
  counter_.count("processes");
  DockerAnswer answer = program_.call(
      {.verb = "top", .path = path_of(container, "/top"), .query = {{"ps_args", "-eo pid,ppid,times,args"}}});
  if (answer.ok()) return process_table(table_text(parsed_answer("docker top", answer.content)));
  if (has_state(container, "Running")) throw program_.error("top", answer);
  return {};
}

std::string DockerEngine::id_of(const std::string& container) {
  {
    std::lock_guard lock(mutex_);
    if (auto known = ids_.find(container); known != ids_.end()) return known->second;
  }
  std::optional<json> found = program_.find_container(container, "inspect");
  if (!found) return {};
  std::string id = text_at(*found, "Id");
  std::lock_guard lock(mutex_);
  return ids_[container] = id;
}

std::map<std::string, std::uint64_t> DockerEngine::memory_in_use(const std::vector<std::string>& containers) {
  counter_.count("memory_in_use");
  std::map<std::string, std::string> ids;
  for (const std::string& container : containers)
    if (std::string id = id_of(container); !id.empty()) ids[container] = std::move(id);
  return memory_by_id(ids);
}

bool DockerEngine::has_state(const std::string& container, const char* mark) const {
  std::optional<json> found = program_.find_container(container, "inspect");
  if (!found) return false;
  json value = member(member(*found, "State"), mark);
  return value.is_boolean() && value.get<bool>();
}

bool DockerEngine::pause(const std::string& container) {
  counter_.count("pause");
  DockerAnswer answer =
      program_.call({.verb = "pause", .method = "POST", .path = path_of(container, "/pause")});
  if (answer.ok() || has_state(container, "Paused")) return true;
  if (!has_state(container, "Running")) return false;
  throw program_.error("pause", answer);
}

void DockerEngine::resume(const std::string& container) {
  counter_.count("resume");
  DockerAnswer answer =
      program_.call({.verb = "unpause", .method = "POST", .path = path_of(container, "/unpause")});
  if (!answer.ok() && has_state(container, "Paused")) throw program_.error("unpause", answer);
}

void DockerEngine::stop_container(const std::string& container, std::chrono::milliseconds grace,
                                  const std::stop_token& kill) {
  counter_.count("stop_container");
  if (!has_state(container, "Running")) return;
  if (has_state(container, "Paused")) resume(container);
  auto give_up = std::chrono::steady_clock::now() + grace;
  ask_to_end(program_, container, std::min(grace, kAskPatience), kill);
  bool left = true;
  while ((left = has_state(container, "Running")) && std::chrono::steady_clock::now() < give_up)
    if (!sleep_for(kEndPause, kill)) break;
  if (!left) return;
  kill_container(program_, container);
  if (has_state(container, "Running")) throw program_.error("kill", "the container still runs");
}

std::string DockerEngine::commit(const std::string& container, const CommitSpec& spec) {
  counter_.count("commit");
  return commit_container(program_, container, spec);
}

void DockerEngine::export_files(const std::string& container, int descriptor) {
  counter_.count("export_files");
  DockerAnswer answer = program_.call(
      {.verb = "export", .path = path_of(container, "/export"), .sink = writer_to(descriptor, "export")});
  if (!answer.ok()) throw program_.error("export", answer);
}

void DockerEngine::remove_container(const std::string& container) {
  counter_.count("remove_container");
  {
    std::lock_guard lock(mutex_);
    ids_.erase(container);
  }
  DockerAnswer answer = program_.call(
      {.verb = "rm", .method = "DELETE", .path = path_of(container), .query = {{"force", "1"}, {"v", "1"}}});
  // A conflict: another call is removing it.
  if (!answer.ok() && !answer.is_absent() && !answer.is_conflict()) throw program_.error("rm", answer);
}

void DockerEngine::save_image(const std::string& image, int descriptor, const std::stop_token& stop) {
  counter_.count("save_image");
  DockerAnswer answer = program_.call({.verb = "save",
                                       .path = docker_path("/images/", image, "/get"),
                                       .sink = writer_to(descriptor, "save"),
                                       .stop = stop});
  if (answer.stopped) throw program_.error("save", "the run was stopped");
  if (!answer.ok()) throw program_.error("save", answer);
}

// The status is sent before the stream is read: what went wrong is in the answer's lines.
void DockerEngine::load_image(int descriptor) {
  counter_.count("load_image");
  DockerAnswer answer = program_.call({.verb = "load",
                                       .method = "POST",
                                       .path = "/images/load",
                                       .query = {{"quiet", "1"}},
                                       .body = descriptor});
  if (!answer.ok()) throw program_.error("load", answer);
  for (std::string_view line : lines(answer.content))
    if (std::optional<json> said = json_in(line, kLongestLine))
      if (std::string failed = text_at(*said, "error"); !failed.empty())
        throw program_.error("load", shown_words(failed));
}

EngineMachine DockerEngine::machine() {
  counter_.count("machine");
  json info = program_.ask({.verb = "info", .path = "/info"});
  return {
      .processors = static_cast<unsigned>(std::min<std::uint64_t>(size_at(info, "NCPU"), kMostProcessors)),
      .memory = size_at(info, "MemTotal")};
}

// A daemon on another machine may have a different clock, which sets the times of files in containers.
double DockerEngine::now() {
  if (program_.endpoint().is_local()) return ContainerEngine::now();
  std::string time = text_at(program_.ask({.verb = "info", .path = "/info"}), "SystemTime");
  std::int64_t seconds = epoch_seconds(time);
  if (seconds <= 0) throw program_.error("info", "it does not report its time: " + printable(time));
  return static_cast<double>(seconds);
}

// A daemon on another machine has folders with the same names.
std::optional<fs::path> DockerEngine::storage_folder() {
  counter_.count("storage_folder");
  if (!program_.endpoint().is_local()) return std::nullopt;
  std::string folder = text_at(program_.ask({.verb = "info", .path = "/info"}), "DockerRootDir");
  boost::system::error_code failed;
  if (folder.empty() || !fs::is_directory(folder, failed)) return std::nullopt;
  return folder;
}

std::vector<std::string> DockerEngine::program() const {
  if (!program_.context().empty()) return {"docker", "--context", program_.context()};
  if (!program_.endpoint().is_guess && !program_.is_named()) return {"docker"};
  return {"docker", "--host", program_.endpoint().host};
}

std::vector<std::string> DockerEngine::shell_command(const std::string& image) const {
  return docker_shell_command(program(), image);
}

std::vector<std::string> DockerEngine::open_shell(const ContainerSpec& spec,
                                                  const std::vector<std::string>& argv, bool terminal) {
  counter_.count("open_shell");
  return docker_run_command(program(), spec, argv, terminal);
}

std::vector<std::string> DockerEngine::command_inside(const std::string& container,
                                                      const std::vector<std::string>& argv,
                                                      bool terminal) const {
  return docker_exec_command(program(), container, argv, terminal);
}

}  // namespace stagemake
