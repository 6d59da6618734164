#include "engine/buildah/buildah_engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files/descriptor.h"
#include "base/text/labels.h"
#include "base/text/text.h"
#include "engine/container_processes.h"
#include "engine/script_input.h"

namespace stagemake {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kAskPatience{2000};  // wait for a script's next command
constexpr std::chrono::milliseconds kPausePatience{10000};
constexpr int kNothingThere = 44;  // our own exit status in copy_out
constexpr int kPastTheRelay = 9;   // a descriptor; see BuildahEngine::run

// A container gets its labels after it is created. Until then, its name contains the process that creates it,
// so that a container whose creator was killed in between is recognized and removed. Nothing has run in it.
constexpr std::string_view kBeingMade = ".being-made-by-";

// "PROCESS-NAMESPACE". Processes of another namespace (in a container that shares this storage) are not
// visible.
std::string this_maker() {
  boost::system::error_code failed;
  std::string space = fs::read_symlink("/proc/self/ns/pid", failed).string();  // "pid:[4026531836]"
  std::erase_if(space, [](char c) { return c < '0' || c > '9'; });
  return fmt::format("{}-{}", ::getpid(), space);
}

bool is_left_half_made(const std::string& name) {
  std::size_t at = name.rfind(kBeingMade);
  if (at == std::string::npos) return false;
  std::string maker = name.substr(at + kBeingMade.size()), here = this_maker();
  long process = std::atol(maker.c_str());
  bool is_of_here = maker.substr(std::min(maker.size(), maker.find('-'))) == here.substr(here.find('-'));
  return process > 0 && is_of_here && ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH;
}

// buildah does not support quotes: a volume's path must not contain a colon, a mount's no comma.
bool fits_a_volume(const FileMount& mount) {
  bool has_colon = mount.from.string().find(':') != std::string::npos;
  if (has_colon && mount.from.string().find(',') != std::string::npos)
    throw EngineError(
        fmt::format("buildah cannot mount {}, whose path has a colon and a comma; choose another folder with "
                    "--state, or another engine",
                    printable(mount.from.string())));
  return !has_colon;
}

// Removes the network from the calling thread and its children, except a loopback interface. Returns why that
// is not possible, or an empty string.
std::string leave_network() {
  if (::unshare(CLONE_NEWNET) != 0) return std::strerror(errno);
  Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct ifreq request {};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (socket.get() < 0 || ::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0)
    return fmt::format("its loopback interface cannot be started: {}", std::strerror(errno));
  return {};
}

std::string cannot_leave(const std::string& why) {
  return fmt::format(
      "a container with isolation chroot cannot be cut off from the network: {}; this needs root "
      "(CAP_SYS_ADMIN), another engine, or STAGEMAKE_BUILDAH_ISOLATION=oci",
      why);
}

// Whether buildah's network programs failed or are missing.
bool says_no_network(const Finished& finished) {
  constexpr const char* kWords[] = {"netavark", "slirp4netns", "pasta", "CNI", "cni", "network"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](const char* word) { return finished.errors.find(word) != std::string::npos; });
}

std::string mark_of(const std::string& container_id) {
  return "STAGEMAKE_CONTAINER=" + container_id;
}

// If a signal ended the shell, buildah exits with status 1 and names the signal.
int exit_code_of_signal(const std::string& errors) {
  constexpr std::pair<const char*, int> kSignals[] = {{"killed", SIGKILL},   {"terminated", SIGTERM},
                                                      {"interrupt", SIGINT}, {"hangup", SIGHUP},
                                                      {"aborted", SIGABRT},  {"segmentation fault", SIGSEGV}};
  for (auto [word, number] : kSignals)
    if (errors.find(fmt::format("exited on {}", word)) != std::string::npos) return 128 + number;
  return 0;
}

// The path of a container's folder on this machine; symlinks on the way are resolved in `root`, as inside the
// container. Nothing if there is no such folder.
std::optional<std::string> folder_inside(const std::string& root, const std::string& folder) {
  Descriptor opened_root(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!opened_root.is_open()) throw EngineError("buildah mount: there is nothing at " + printable(root));
  struct open_how how {};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  Descriptor opened(
      static_cast<int>(::syscall(SYS_openat2, opened_root.get(), folder.c_str(), &how, sizeof how)));
  if (!opened.is_open()) return std::nullopt;
  boost::system::error_code failed;
  fs::path real = fs::read_symlink(fmt::format("/proc/self/fd/{}", opened.get()), failed);
  if (failed) throw EngineError("buildah mount: " + failed.message());
  return real.string();
}

struct Configuration {
  std::string id;
  Labels labels;
  std::string working_folder;
};

// Nothing if there is no such container.
std::optional<Configuration> configuration(const BuildahProgram& program, const std::string& container) {
  Finished finished = program.call({"inspect", "--type", "container", container});
  if (!finished.ok() && says_absent(finished)) return std::nullopt;
  if (!finished.ok()) throw program.error("inspect", finished);
  json inspected = parsed_answer("buildah", finished.output);
  json config = member(member(inspected, "OCIv1"), "config");
  return Configuration{.id = text_at(inspected, "ContainerID"),
                       .labels = labels_in(member(config, "Labels")),
                       .working_folder = text_at(config, "WorkingDir")};
}

Configuration present_configuration(const BuildahProgram& program, const std::string& container) {
  std::optional<Configuration> found = configuration(program, container);
  if (!found) throw program.error("inspect", "no such container: " + container);
  return *std::move(found);
}

// The options of a run for a network, including `--isolation`. With chroot, buildah supports only this
// machine's network.
std::vector<std::string> isolation_options(const BuildahProgram& program, Network network) {
  std::vector<std::string> options{"--isolation", program.isolation()};
  if (program.uses_chroot() || network == Network::Host)
    options.insert(options.end(), {"--network", "host"});
  else if (network == Network::None)
    options.insert(options.end(), {"--network", "none"});
  return options;
}

// Runs the command with nothing but a loopback interface if `network` asks for that and buildah cannot do it.
// A network namespace belongs to a thread, and children start in the namespace of the thread that starts
// them.
Finished run_in(const BuildahProgram& program, Network network, const Command& command) {
  if (network != Network::None || !program.uses_chroot()) return program.run(command);
  Finished finished;
  std::exception_ptr failed;
  std::jthread([&] {
    try {
      if (std::string why = leave_network(); !why.empty()) throw program.error("run", cannot_leave(why));
      finished = program.run(command);
    } catch (...) {
      failed = std::current_exception();
    }
  }).join();
  if (failed) std::rethrow_exception(failed);
  return finished;
}

std::optional<Finished> copied_out_of_mount(const BuildahProgram& program, const std::string& container,
                                            const std::string& path, int descriptor) {
  fs::path whole(path);
  std::string root(trimmed(program.ask({"mount", container})));
  std::optional<std::string> folder = folder_inside(root, whole.parent_path().string());
  std::string name = whole.filename().string();
  std::optional<Finished> packed;
  if (folder && fs::symlink_status(fs::path(*folder) / name).type() != fs::file_not_found) {
    Command command;
    command.argv = {"tar", "--numeric-owner", "-C", *folder, "-cf", "-", "--", name};
    command.standard_output = descriptor;
    packed = program.run(command);
  }
  program.call({"umount", container});
  if (packed && !packed->ok()) throw program.error("mount: tar", *packed);
  return packed;
}

// `arguments`: those of a run in the container.
std::optional<Finished> copied_out_by_run(const BuildahProgram& program, std::vector<std::string> arguments,
                                          const std::string& path, int descriptor) {
  fs::path whole(path);
  std::string script = fmt::format(
      "[ -e {0} ] || [ -L {0} ] || exit {1}; exec tar -C {2} -cf - -- {3}", shell_quoted(path), kNothingThere,
      shell_quoted(whole.parent_path().string()), shell_quoted(whole.filename().string()));
  arguments.insert(arguments.end(), {"-c", script});
  Command command = program.command(std::move(arguments));
  command.standard_output = descriptor;
  Finished finished = program.run(command);
  if (finished.ok()) return finished;
  if (finished.exit_code == kNothingThere) return std::nullopt;
  throw program.error("run tar", finished);
}

void export_by_run(const BuildahProgram& program, std::vector<std::string> arguments, int descriptor) {
  arguments.insert(arguments.end(), {"-c", "exec tar -C / --one-file-system -cf - ."});
  Command command = program.command(std::move(arguments));
  command.standard_output = descriptor;
  Finished packed = program.run(command);
  if (!packed.ok()) throw program.error("run tar", packed);
}

}  // namespace

std::vector<ContainerInfo> BuildahEngine::list_containers(const std::string& label,
                                                          const std::string& value) {
  counter_.count("list_containers");
  std::vector<std::string> changed;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [container, command] : to_restore_) changed.push_back(container);
  }
  for (const std::string& container : changed) restore_configuration(container);
  json listed = parsed_answer("buildah", program_.ask({"containers", "--json"}));
  std::vector<ContainerInfo> containers;
  std::map<std::string, std::size_t> by_mark;
  std::set<std::string> marks;
  for (const json& entry : elements(listed)) {
    std::string name = text_at(entry, "containername");
    if (is_left_half_made(name)) {
      program_.call({"rm", name});
      continue;
    }
    std::optional<Configuration> found = configuration(program_, name);
    if (!found || !has_label(found->labels, label, value)) continue;
    marks.insert(mark_of(found->id));
    by_mark[mark_of(found->id)] = containers.size();
    containers.push_back({.name = name, .labels = std::move(found->labels)});
  }
  for (const std::string& mark : marks_in_use(marks)) containers[by_mark[mark]].running = true;
  return containers;
}

void BuildahEngine::create(const ContainerSpec& spec) {
  counter_.count("create");
  if (std::string why = unfit_label(spec.labels); !why.empty()) throw program_.error("from", why);
  bool labelled = !spec.labels.empty();
  std::string name = labelled ? fmt::format("{}{}{}", spec.name, kBeingMade, this_maker()) : spec.name;
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path id_file = folder.path() / "id";
  std::vector<std::string> making{"from",   "--quiet", "--pull-never", "--cidfile", id_file.string(),
                                  "--name", name};
  std::vector<FileMount> of_runs;
  for (const FileMount& mount : spec.mounts)
    if (fits_a_volume(mount))
      making.insert(making.end(), {"--volume", mount.from.string() + ":" + mount.to});
    else
      of_runs.push_back(mount);
  making.push_back(spec.image);
  program_.ask(std::move(making));
  {
    std::lock_guard lock(mutex_);
    mounts_[spec.name] = std::move(of_runs);
    networks_[spec.name] = spec.network;
    if (std::string id(trimmed(read_file(id_file).value_or(""))); !id.empty())
      marks_[spec.name] = mark_of(id);
  }
  if (!labelled) return;
  std::vector<std::string> arguments{"config"};
  for (const auto& [key, value] : spec.labels)
    arguments.insert(arguments.end(), {"--label", key + "=" + value});
  arguments.push_back(name);
  program_.ask(std::move(arguments));
  program_.ask({"rename", name, spec.name});
}

void BuildahEngine::copy_in(const std::string& container, const fs::path& tar_file) {
  counter_.count("copy_in");
  program_.ask({"add", "--quiet", container, fs::absolute(tar_file).string(), "/"});
}

std::vector<std::string> BuildahEngine::run_arguments(const std::string& container,
                                                      std::vector<std::string> options) const {
  {
    std::lock_guard lock(mutex_);
    if (auto mounts = mounts_.find(container); mounts != mounts_.end())
      for (const FileMount& mount : mounts->second)
        options.insert(options.end(), {"--mount", fmt::format("type=bind,source={},target={},rw",
                                                              mount.from.string(), mount.to)});
  }
  std::vector<std::string> arguments = isolation_options(program_, network_of(container));
  arguments.insert(arguments.begin(), "run");
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.insert(arguments.end(), {container, "--", "/bin/sh"});
  return arguments;
}

Network BuildahEngine::network_of(const std::string& container) const {
  std::lock_guard lock(mutex_);
  auto found = networks_.find(container);
  return found == networks_.end() ? Network::Default : found->second;
}

std::string BuildahEngine::network_gap(Network network) {
  if (!program_.uses_chroot() || network == Network::Host) return {};
  if (network == Network::Default)
    return "buildah's isolation chroot has no network of its own: containers use this machine's network and "
           "reach everything that listens on its loopback interface (docker, podman and "
           "STAGEMAKE_BUILDAH_ISOLATION=oci separate them)";
  std::string why;
  std::jthread([&] { why = leave_network(); }).join();
  return why.empty() ? why : cannot_leave(why);
}

std::optional<std::string> BuildahEngine::copy_out(const std::string& container, const std::string& path) {
  counter_.count("copy_out");
  std::optional<Finished> copied = copied_out(container, path, -1);
  return copied ? std::optional(std::move(copied->output)) : std::nullopt;
}

bool BuildahEngine::copy_out_to(const std::string& container, const std::string& path, int descriptor) {
  counter_.count("copy_out");
  return copied_out(container, path, descriptor).has_value();
}

std::optional<Finished> BuildahEngine::copied_out(const std::string& container, const std::string& path,
                                                  int descriptor) const {
  // Mounting takes 20 ms and does not change the container; a run takes 200 ms and needs `tar` in the
  // container.
  return ::geteuid() == 0
             ? copied_out_of_mount(program_, container, path, descriptor)
             : copied_out_by_run(program_, run_arguments(container, {"--terminal=false", "--user", "0"}),
                                 path, descriptor);
}

RunOutcome BuildahEngine::run(const std::string& container, const std::string& script, const OutputSink& sink,
                              const StopRequest& stop) {
  counter_.count("run");
  std::string mark = known_mark(container);
  if (mark.empty()) throw program_.error("run", "no such container: " + container);
  restore_configuration(container);
  Running running(*this, container);
  ContainerProcesses processes(mark);
  // Buildah relays the shell's output through its own pipes, and on a busy machine stops before it has read
  // all of it (1.28: 2 of 120 short scripts lost all output). It passes on descriptors that it does not know.
  // (The shell has fewer capabilities and cannot open /proc/ITS-NUMBER/fd/1.)
  int past_relay = program_.uses_chroot() ? kPastTheRelay : 0;
  ScriptInput input(script, past_relay);
  Command command = program_.command(run_arguments(container, {"--terminal=false", "--env", mark}));
  command.output_again = past_relay;
  command.standard_input = input.descriptor();
  command.on_output = sink ? sink : [](std::string_view) {};
  command.on_errors = [&](std::string_view piece) {
    if (!input.hear(piece)) return;
    processes.find_shell();
    input.release();
  };
  command.stop = stop.stop;
  command.hurry = stop.kill;
  command.grace = stop.grace;
  command.ask = [&] {
    input.withhold();
    if (input.released()) processes.ask(std::min(stop.grace, kAskPatience));
  };
  command.kill = [&] {
    input.withhold();
    processes.kill();
  };
  Finished finished;
  try {
    finished = run_in(program_, network_of(container), command);
  } catch (...) {
    processes.kill();
    throw;
  }
  processes.kill();  // what the script left in the background; docker does the same when its shell ends
  finished.errors = without_greeting(finished.errors);
  if (!input.released() && !finished.stopped) {
    EngineError error = program_.error("run", finished);
    throw says_no_network(finished)
        ? EngineError(std::string(error.what()) + "; --network host works without a network of buildah's own")
        : error;
  }
  RunOutcome outcome;
  int by_signal = exit_code_of_signal(finished.errors);
  outcome.exit_code = !input.released() ? 128 + SIGTERM : by_signal != 0 ? by_signal : finished.exit_code;
  outcome.stopped = finished.stopped;
  return outcome;
}

std::string BuildahEngine::commit(const std::string& container, const CommitSpec& spec) {
  counter_.count("commit");
  if (std::string why = unfit_label(spec.labels); !why.empty()) throw program_.error("commit", why);
  // A commit takes its labels from the container, so they are reset before anything else happens to it: the
  // next commit has its own labels. Most containers are removed instead. One that runs may lose its driver at
  // any time, so it is reset at once.
  restore_configuration(container);
  Configuration before = present_configuration(program_, container);
  std::vector<std::string> set{"config"};
  std::vector<std::string> undo{"config"};
  for (const auto& [key, value] : spec.labels) {
    auto old = before.labels.find(key);
    if (old != before.labels.end() && old->second == value) continue;
    set.insert(set.end(), {"--label", key + "=" + value});
    undo.insert(undo.end(), {"--label", old == before.labels.end() ? key + "-" : key + "=" + old->second});
  }
  if (!spec.working_folder.empty() && spec.working_folder != before.working_folder) {
    set.insert(set.end(), {"--workingdir", spec.working_folder});
    undo.insert(undo.end(), {"--workingdir", before.working_folder});
  }
  bool changed = set.size() > 1;
  set.push_back(container);
  undo.push_back(container);
  if (changed) program_.ask(std::move(set));
  std::vector<std::string> arguments{"commit", "--quiet", "--disable-compression"};
  if (spec.squash) arguments.push_back("--squash");
  arguments.push_back(container);
  if (!spec.names.empty()) arguments.push_back(spec.names[0]);
  Finished finished = program_.call(std::move(arguments));
  if (changed) {
    bool is_running = false;
    {
      std::lock_guard lock(mutex_);
      is_running = running_.contains(container);
      to_restore_[container] = std::move(undo);
    }
    if (is_running || !finished.ok()) restore_configuration(container);
  }
  if (!finished.ok()) throw program_.error("commit", finished);
  std::string id(trimmed(finished.output));
  if (spec.names.size() > 1) {
    std::vector<std::string> tags{"tag", id};
    tags.insert(tags.end(), spec.names.begin() + 1, spec.names.end());
    program_.ask(std::move(tags));
  }
  return "sha256:" + id;
}

void BuildahEngine::restore_configuration(const std::string& container) {
  std::vector<std::string> command;
  {
    std::lock_guard lock(mutex_);
    auto found = to_restore_.find(container);
    if (found == to_restore_.end()) return;
    command = std::move(found->second);
    to_restore_.erase(found);
  }
  program_.ask(std::move(command));
}

BuildahEngine::~BuildahEngine() {
  for (const auto& [container, command] : to_restore_) try {
      program_.call(command);
    } catch (const EngineError&) {
      // Its labels say no more than those of its image.
    }
}

std::vector<ContainerProcess> BuildahEngine::processes(const std::string& container) {
  counter_.count("processes");
  std::string mark = known_mark(container);
  return mark.empty() ? std::vector<ContainerProcess>() : ContainerProcesses(mark).table();
}

std::string BuildahEngine::known_mark(const std::string& container) {
  {
    std::lock_guard lock(mutex_);
    if (auto known = marks_.find(container); known != marks_.end()) return known->second;
  }
  std::optional<Configuration> found = configuration(program_, container);
  if (!found) return {};
  std::lock_guard lock(mutex_);
  return marks_[container] = mark_of(found->id);
}

// Processes that clear their environment are not counted.
std::map<std::string, std::uint64_t> BuildahEngine::memory_in_use(
    const std::vector<std::string>& containers) {
  counter_.count("memory_in_use");
  std::map<std::string, std::string> by_mark;
  std::set<std::string> marks;
  for (const std::string& container : containers)
    if (std::string mark = known_mark(container); !mark.empty()) {
      marks.insert(mark);
      by_mark[std::move(mark)] = container;
    }
  std::map<std::string, std::uint64_t> bytes;
  if (marks.empty()) return bytes;
  for (const auto& [mark, held] : memory_by_mark(marks)) bytes[by_mark.at(mark)] = held;
  return bytes;
}

bool BuildahEngine::pause(const std::string& container) {
  counter_.count("pause");
  std::string mark = known_mark(container);
  return !mark.empty() && ContainerProcesses(mark).pause(kPausePatience);
}

void BuildahEngine::resume(const std::string& container) {
  counter_.count("resume");
  if (std::string mark = known_mark(container); !mark.empty()) ContainerProcesses(mark).resume();
}

void BuildahEngine::stop_container(const std::string& container, std::chrono::milliseconds grace,
                                   const std::stop_token& kill) {
  counter_.count("stop_container");
  if (std::string mark = known_mark(container); !mark.empty()) ContainerProcesses(mark).end(grace, kill);
}

void BuildahEngine::export_files(const std::string& container, int descriptor) {
  counter_.count("export_files");
  if (::geteuid() != 0) return export_by_run(program_, run_arguments(container, {"--user", "0"}), descriptor);
  std::string root(trimmed(program_.ask({"mount", container})));
  Command command;
  command.argv = {"tar", "--numeric-owner", "-C", root, "-cf", "-", "."};
  command.standard_output = descriptor;
  Finished packed = program_.run(command);
  program_.call({"umount", container});
  if (!packed.ok()) throw program_.error("mount: tar", packed);
}

void BuildahEngine::remove_container(const std::string& container) {
  counter_.count("remove_container");
  std::string mark = known_mark(container);
  {
    std::lock_guard lock(mutex_);
    marks_.erase(container);
    mounts_.erase(container);
    networks_.erase(container);
    to_restore_.erase(container);
  }
  if (mark.empty()) return;
  ContainerProcesses(mark).end(0ms);
  Finished finished = program_.call({"rm", container});
  if (!finished.ok() && !says_absent(finished)) throw program_.error("rm", finished);
}

std::string BuildahEngine::graph_root() {
  std::lock_guard lock(mutex_);
  if (graph_root_.empty())
    graph_root_ =
        text_at(member(parsed_answer(program_.name(), program_.ask({"info"})), "store"), "GraphRoot");
  return graph_root_;
}

std::optional<fs::path> BuildahEngine::storage_folder() {
  counter_.count("storage_folder");
  fs::path folder = graph_root();
  boost::system::error_code failed;
  return fs::is_directory(folder, failed) ? std::optional(folder) : std::nullopt;
}

unsigned BuildahEngine::most_layers() {
  std::size_t root = graph_root().size();
  constexpr std::size_t kPage = 4096;
  std::size_t fixed = 2 * (root + 100) + 300;  // upper and work folder, and the other options
  std::size_t per_layer = root + 12 + 26 + 1;  // ROOT/overlay/l/, 26 letters, a colon
  return static_cast<unsigned>(
      std::clamp<std::size_t>((kPage - std::min(kPage, fixed)) / per_layer, 10, 120));
}

std::vector<std::string> BuildahEngine::shell_command(const std::string& image) const {
  std::string script = fmt::format(
      "c=$({0} from --pull-never \"$1\") && {0} run {1} --terminal \"$c\" -- "
      "/bin/sh -c "
      "'command -v bash >/dev/null && exec bash; exec sh'; {0} rm \"$c\" >/dev/null",
      shell_quoted(program_.path()), shell_quoted(isolation_options(program_, Network::Default)));
  return {"sh", "-c", script, "sh", image};
}

std::vector<std::string> BuildahEngine::open_shell(const ContainerSpec& spec,
                                                   const std::vector<std::string>& argv, bool terminal) {
  if (spec.network == Network::None && program_.uses_chroot())
    throw program_.error(
        "run", "with isolation chroot, only stagemake itself can cut a container off from the network");
  create(spec);
  std::string mark = known_mark(spec.name);  // lets remove_container() find the processes
  std::vector<std::string> command =
      run_arguments(spec.name, {terminal ? "--terminal" : "--terminal=false", "--env", mark});
  command.insert(command.begin(), program_.path());
  command.pop_back();  // removes our own shell
  command.insert(command.end(), argv.begin(), argv.end());
  return command;
}

std::vector<std::string> BuildahEngine::command_inside(const std::string& container,
                                                       const std::vector<std::string>& argv,
                                                       bool terminal) const {
  std::vector<std::string> command = isolation_options(program_, network_of(container));
  command.insert(command.begin(), {program_.path(), "run"});
  if (terminal) command.emplace_back("--terminal");
  command.insert(command.end(), {container, "--"});
  command.insert(command.end(), argv.begin(), argv.end());
  return command;
}

}  // namespace stagemake
