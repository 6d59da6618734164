// The few verbs that every container engine has. Knows images and containers; has never heard of packages,
// stages or keys.
//
// Rules that all engines keep (tests/engine/conformance_test.cc checks each of them on each engine):
// - An absent image or container is an answer (nothing), not an error.
// - A container is found by its name and its labels, never as "the latest".
// - What ran and failed is a value (RunOutcome); EngineError means that the engine itself did not do its
// work.
// - Labels and environment values may hold any bytes but NUL: quotes, `$`, newlines.
// - All verbs may be called from several threads at once, on different containers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/network.h"

namespace stagemake {

// The engine went away, refused, or is not there. Its message says which command failed and what the engine
// said.
class EngineError : public Error {
 public:
  explicit EngineError(std::string what) : Error(ExitStatus::EngineUnusable, std::move(what)) {}
};

using Labels = std::map<std::string, std::string>;

struct ImageInfo {
  std::string id;                  // the engine's own; unique on this machine
  std::vector<std::string> names;  // "repository:tag", as the engine says them ("localhost/" is left out)
  // "sha256:…" in a registry; empty for an image that never was in one, as far as its names tell. Buildah:
  // of an image that was made here and has a registry's name, that of its local form, which no registry
  // knows: Transfer::digest is right.
  std::string digest;
  Labels labels;
  std::int64_t created = 0;  // seconds since the epoch
  std::uint64_t size = 0;    // bytes, with all layers; 0 where the engine does not say
  unsigned layers = 0;
  // What its layers hold, from the lowest on: images whose lists begin alike share those layers. Empty where
  // the engine does not say.
  std::vector<std::string> layer_ids = {};
  // Absolute paths whose content in a container is never part of an image made from it (VOLUME).
  std::vector<std::string> volumes = {};
  // Why what it says of itself cannot be read, in the engine's words; then nothing but its id is known. Empty
  // of all others.
  std::string problem = {};
};

// What became of a pull or a push.
struct Transfer {
  bool ok = false;
  std::string why = {};     // where not: in the engine's or the registry's words
  std::string digest = {};  // "sha256:…", under which the registry has the image; empty where the engine does
                            // not say: buildah of a pull by tag, podman of any pull by tag
};

struct ContainerInfo {
  std::string name = {};
  bool running = false;
  Labels labels = {};
};

struct ContainerProcess {
  long pid = 0;              // as the engine numbers them
  long parent = 0;           // likewise; it need not be one of those inside
  double cpu_seconds = 0;    // its own, not those of children that have ended; docker: whole seconds
  std::string command = {};  // printable, at most 200 bytes
};

// A file of this machine that lies in a container too. What is at that place in images is not it.
struct FileMount {
  fs::path from;   // absolute; stays as long as the container
  std::string to;  // absolute; its folder need not be there
};

struct ContainerSpec {
  std::string name = {};   // unique on this engine; [a-zA-Z0-9][a-zA-Z0-9_.-]*
  std::string image = {};  // id or name; must be present on this machine
  Labels labels = {};      // of the container, and of every image committed from it
  std::vector<FileMount> mounts = {};
  Network network = Network::Default;  // of all that runs in it
};

struct RunOutcome {
  int exit_code = 0;     // of the script; 128 + signal where a signal ended it
  bool stopped = false;  // because a stop was requested
  bool out_of_memory = false;
  bool ignored = false;  // its exit status was another one, which counts for nothing
  bool ok() const { return exit_code == 0 && !stopped; }
};

struct CommitSpec {
  std::vector<std::string> names = {};  // "repository:tag"; an existing name moves to the new image
  Labels labels = {};                   // over those of the container and of its image
  std::string working_folder = {};      // empty: as in the parent image
  bool squash = false;                  // one layer instead of the parent's and one more
};

// How a run ends before its script does. `stop` asks what runs inside to end, and leaves it `grace` for that;
// `kill`, at any time, ends it at once.
struct StopRequest {
  std::stop_token stop = {};
  std::chrono::milliseconds grace{10000};
  std::stop_token kill = {};
};

// Where output goes, as it comes. Called from one thread per run.
using OutputSink = std::function<void(std::string_view)>;

class ContainerEngine {
 public:
  virtual ~ContainerEngine() = default;

  virtual std::string name() const = 0;  // "docker", "podman", "buildah", "fake"
  // The engine's version. Throws EngineError with what is missing and how to get it where it cannot be used.
  virtual std::string probe() = 0;

  // An image by name or id, with its labels.
  virtual std::optional<ImageInfo> find_image(const std::string& image) = 0;
  // All images with this label (any value where `value` is empty), in no order; also those without a name. An
  // empty label: all images. One that is broken is among them with its `problem`, and whether it has the
  // label is not known.
  virtual std::vector<ImageInfo> list_images(const std::string& label, const std::string& value) = 0;
  virtual std::vector<ContainerInfo> list_containers(const std::string& label, const std::string& value) = 0;
  // Brings an image, "name:tag" or "name@sha256:…", from its registry. Not ok where the registry has none,
  // refuses or does not answer. `find_image` and `tag` know it by the same words then.
  virtual Transfer pull(const std::string& image, const std::stop_token& stop = {}) = 0;

  virtual void create(const ContainerSpec& spec) = 0;
  // Unpacks a tar file at the container's "/". The container does not run.
  virtual void copy_in(const std::string& container, const fs::path& tar_file) = 0;
  // The file or folder at `path` as a tar stream whose entries begin with its last component; nothing where
  // there is none. Symlinks on the way are followed inside the container; one at `path` itself comes as a
  // symlink. `path` is absolute and not "/". The container does not run. buildah: needs `tar` in the
  // container.
  virtual std::optional<std::string> copy_out(const std::string& container, const std::string& path) = 0;
  // The same, of any size, written to an open descriptor; false where there is none. A reader that goes ends
  // it with an EngineError. engine/copied_files.h reads such streams.
  virtual bool copy_out_to(const std::string& container, const std::string& path, int descriptor) = 0;
  // Runs `script` with the container's /bin/sh, as often as wanted, one at a time. On a stop request,
  // everything that runs inside but the script's own shell gets SIGTERM, so that the script can finish what
  // it has to (a script that must not go on to its next command asks for that: `make || exit`); after
  // `grace`, or on a kill request, all gets SIGKILL. When this returns nothing of it runs any more, what it
  // put into the background included. Standard input is /dev/null; standard output and error are one stream.
  // Only docker and podman know `out_of_memory`.
  virtual RunOutcome run(const std::string& container, const std::string& script, const OutputSink& sink,
                         const StopRequest& stop) = 0;
  // What a container gets here instead of this network, for a person; empty where it gets that. Of
  // Network::None it is said where the engine cannot do it: then run() throws, and nothing has run. May start
  // a command.
  virtual std::string network_gap(Network network) = 0;
  // What runs inside now, the script's own shell included; nothing where nothing does or there is no such
  // container. For a look at a silent stage; may be called while `run` goes on in another thread, or in
  // another process. docker: needs `ps` beside the daemon.
  virtual std::vector<ContainerProcess> processes(const std::string& container) = 0;
  // Bytes of memory that what runs inside holds now, without what the system could read from files again, of
  // those of `containers` in which something runs; none of which it is not known: the engine is not on this
  // machine. Pages that processes share since a fork count for each. One look at all processes, whatever the
  // number of containers. May be called while `run` goes on in other threads.
  virtual std::map<std::string, std::uint64_t> memory_in_use(const std::vector<std::string>& containers) = 0;
  // Halts all that runs in a container, in this process or in another, until resume() or stop_container():
  // its files do not change meanwhile, and copy_out and commit may be called beside `run`. False where
  // nothing runs inside or there is no such container; then nothing is to be resumed. Throws EngineError
  // where it cannot be halted; then it goes on. A stop request to `run` has no effect before resume().
  virtual bool pause(const std::string& container) = 0;
  // Lets it go on, whoever paused it: nothing to do where it is not paused.
  virtual void resume(const std::string& container) = 0;
  // Ends what runs in a container that another driver, dead by now, left running: asks it to end as a stop of
  // `run` does, and after `grace`, or at once on a kill request, kills it. Its files stay, and it can run
  // again. When this returns nothing runs inside; nothing to do where nothing did, or there is no such
  // container. A paused one is resumed first.
  virtual void stop_container(const std::string& container, std::chrono::milliseconds grace,
                              const std::stop_token& kill = {}) = 0;
  // The container's files as a new image. Command, entry point, environment and user are those of the parent
  // image: how the container was run leaves no trace. (docker: where the parent has neither command nor entry
  // point, which its commit cannot express, the command is /bin/sh.) Returns the image's id.
  virtual std::string commit(const std::string& container, const CommitSpec& spec) = 0;
  // All files of a container that does not run, as a tar file from which `docker import` makes an image,
  // written to an open descriptor. A reader that goes, or a full disk, ends it with an EngineError. buildah:
  // needs `tar` here, and without root in the container.
  virtual void export_files(const std::string& container, int descriptor) = 0;
  // Kills what runs inside, and removes the container; absent is fine.
  virtual void remove_container(const std::string& container) = 0;

  // Sends an image to the registry in its name. Not ok where the registry refuses or does not answer.
  // Credentials are those of the engine's own login; none are asked for. A stop request ends it, as one of
  // pull().
  virtual Transfer push(const std::string& image, const std::stop_token& stop = {}) = 0;
  // Registries, "host" or "host:port", that may be spoken to without TLS; those on this machine's loopback
  // always may. Their certificates are not checked where they have any. Before other verbs. docker: without
  // effect; what its daemon's "insecure-registries" say counts.
  virtual void allow_plain_http(const std::vector<std::string>&) {}

  virtual void tag(const std::string& image, const std::string& new_name) = 0;
  // Removes a name, and the image with its last one; absent is fine. False where something still uses it.
  // With an image, what it was made from may go where that has no name and nothing else was made from it.
  virtual bool remove_image(const std::string& name) = 0;

  // Seconds since the epoch, with fractions, by the clock that gives files in containers their times: that of
  // the engine's machine. It may be set forward or back at any time.
  virtual double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  }

  // The most layers that an image may have so that containers can still be made from it and images from
  // those.
  virtual unsigned most_layers() { return 120; }  // docker refuses the 126th; people add some by hand

  // The folder in whose file system the engine keeps images; nothing where that is not on this machine.
  virtual std::optional<fs::path> storage_folder() = 0;

  // The command with which a person opens a shell in an image.
  virtual std::vector<std::string> shell_command(const std::string& image) const = 0;
  // Prepares a container with the spec's name, in which the command that is returned runs `argv` with its own
  // standard streams; `terminal`: they are one. The command's exit status is that of `argv`. When it ends, or
  // is to end, remove_container() removes the container and all that runs in it.
  virtual std::vector<std::string> open_shell(const ContainerSpec& spec, const std::vector<std::string>& argv,
                                              bool terminal) = 0;
  // The command that runs `argv` beside what runs in a container, on the caller's terminal if `terminal`.
  virtual std::vector<std::string> command_inside(const std::string& container,
                                                  const std::vector<std::string>& argv,
                                                  bool terminal) const = 0;

  // Calls of verbs since the start, by verb: what tests and `--dry-run` promises are checked against.
  virtual std::map<std::string, unsigned> calls() const = 0;
};

enum class EngineKind { Auto, Docker, Podman, Buildah };
std::optional<EngineKind> engine_kind(std::string_view word);

// What `stagemake doctor` prints about one engine.
struct EngineReport {
  std::string name = {};
  bool usable = false;
  std::string version = {};
  std::string problem = {};  // where not usable: what is missing
  std::string advice = {};   // and how to get it
  std::string warning = {};  // where usable: what makes it slow here, and what to do about it
};
// How closely an engine is looked at. Quick: before each command that needs one. Closely: it has to start
// something, and its storage is looked at, too.
enum class Look { Quick, Close };
// All of them, closely.
std::vector<EngineReport> examine_engines();

// The engine asked for; with Auto the first that works of docker, podman, buildah. Throws EngineError, with
// what was tried and why each one does not work.
std::unique_ptr<ContainerEngine> open_engine(EngineKind kind);

}  // namespace stagemake
