// The few verbs that every container engine has. Knows images and containers; has never heard of packages,
// stages or keys.
//
// Rules for all engines (tests/engine/conformance_test.cc checks each rule on each engine):
// - An absent image or container is an answer (nothing), not an error.
// - A container is found by its name and its labels, never as "the latest".
// - A failed run is a value (RunOutcome); EngineError means that the engine itself failed.
// - Labels and environment values may hold any bytes but NUL: quotes, `$`, newlines.
// - All verbs may be called from several threads at once, on different containers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files/files.h"
#include "base/process/network.h"
#include "base/text/labels.h"

namespace stagemake {

// The engine is missing, went away or refused. The message names the failed command and repeats the engine's
// words.
class EngineError : public Error {
 public:
  explicit EngineError(std::string what) : Error(ExitStatus::EngineUnusable, std::move(what)) {}
};

struct ImageInfo {
  std::string id;                  // the engine's own; unique on this machine
  std::vector<std::string> names;  // "repository:tag", as the engine prints them, without "localhost/"
  // "sha256:…" in a registry; empty if the image's names do not show that it ever was in one. Buildah: for an
  // image that was made here and has a registry's name, this is the digest of its local form, which no
  // registry knows; use Transfer::digest.
  std::string digest;
  Labels labels;
  std::int64_t created = 0;  // seconds since the epoch
  std::uint64_t size = 0;    // bytes of all layers; 0 if the engine does not say
  unsigned layers = 0;
  // The content ids of its layers, lowest first: images whose lists begin alike share those layers. Empty if
  // the engine does not say.
  std::vector<std::string> layer_ids = {};
  // Absolute paths whose content in a container is never part of an image made from it (VOLUME).
  std::vector<std::string> volumes = {};
  // Why its description cannot be read, in the engine's words; then only its id is known. Empty for all other
  // images.
  std::string problem = {};
};

// The result of a pull or push.
struct Transfer {
  bool ok = false;
  std::string why = {};     // if not ok: why, in the engine's or the registry's words
  std::string digest = {};  // "sha256:…" in the registry; empty if unknown: podman and buildah pulls by tag
};

struct ContainerInfo {
  std::string name = {};
  bool running = false;
  Labels labels = {};
};

struct ContainerProcess {
  long pid = 0;              // the engine's number for it
  long parent = 0;           // likewise; it may be outside the container
  double cpu_seconds = 0;    // its own, without ended children; docker: whole seconds
  std::string command = {};  // printable, at most 200 bytes
};

// A file of this machine that is mounted into a container. It does not become part of images.
struct FileMount {
  fs::path from;   // absolute; must exist as long as the container
  std::string to;  // absolute; its folder need not exist
};

struct ContainerSpec {
  std::string name = {};   // unique on this engine; [a-zA-Z0-9][a-zA-Z0-9_.-]*
  std::string image = {};  // id or name; must be present on this machine
  Labels labels = {};      // of the container, and of every image committed from it
  std::vector<FileMount> mounts = {};
  Network network = Network::Default;  // of everything that runs in it
};

struct RunOutcome {
  int exit_code = 0;     // of the script; 128 + signal if a signal ended it
  bool stopped = false;  // because a stop was requested
  bool out_of_memory = false;
  bool ignored = false;  // the real exit status was different, but does not count
  bool ok() const { return exit_code == 0 && !stopped; }
};

struct CommitSpec {
  std::vector<std::string> names = {};  // "repository:tag"; an existing name moves to the new image
  Labels labels = {};                   // override those of the container and of its image
  std::string working_folder = {};      // empty: as in the parent image
  bool squash = false;                  // one layer in total, instead of one more than the parent
};

// How to end a run early. `stop` asks the processes inside to end, and gives them `grace`; `kill`, at any
// time, ends them at once.
struct StopRequest {
  std::stop_token stop = {};
  std::chrono::milliseconds grace{10000};
  std::stop_token kill = {};
};

// The machine on which an engine's containers run.
struct EngineMachine {
  unsigned processors = 0;   // 0: not known
  std::uint64_t memory = 0;  // bytes, all of it; 0: not known
};

// Receives output as it comes. Called from one thread per run.
using OutputSink = std::function<void(std::string_view)>;

class ContainerEngine {
 public:
  virtual ~ContainerEngine() = default;

  virtual std::string name() const = 0;  // "docker", "podman", "buildah", "fake"
  // The engine's version. If the engine cannot be used, throws EngineError with what is missing and how to
  // get it.
  virtual std::string probe() = 0;

  // An image by name or id, with its labels.
  virtual std::optional<ImageInfo> find_image(const std::string& image) = 0;
  // All images with this label (with any value if `value` is empty), unsorted, including unnamed ones. With
  // an empty label, all images. Broken images are included with their `problem`, although they may not have
  // the label.
  virtual std::vector<ImageInfo> list_images(const std::string& label, const std::string& value) = 0;
  virtual std::vector<ContainerInfo> list_containers(const std::string& label, const std::string& value) = 0;
  // Pulls an image, "name:tag" or "name@sha256:…", from its registry. Not ok if the registry does not have
  // it, refuses or does not answer. Afterwards, `find_image` and `tag` know it by the same name.
  virtual Transfer pull(const std::string& image, const std::stop_token& stop = {}) = 0;

  virtual void create(const ContainerSpec& spec) = 0;
  // Unpacks a tar file at the container's "/". The container must not be running.
  virtual void copy_in(const std::string& container, const fs::path& tar_file) = 0;
  // The file or folder at `path` as a tar stream whose entries begin with its last component; nothing if it
  // does not exist. Symlinks on the way are followed inside the container; one at `path` itself is copied as
  // a symlink. `path` is absolute and not "/". The container must not be running. buildah: needs `tar` in the
  // container.
  virtual std::optional<std::string> copy_out(const std::string& container, const std::string& path) = 0;
  // The same for any size, written to an open descriptor; false if it does not exist. If the reader goes
  // away, it ends with an EngineError. engine/copied_files.h reads such streams.
  virtual bool copy_out_to(const std::string& container, const std::string& path, int descriptor) = 0;
  // Runs `script` with the container's /bin/sh; any number of times, one at a time. On a stop request, all
  // processes inside except the script's own shell get SIGTERM, so that the script can finish its work (`make
  // || exit` keeps a script from going on to its next command). After `grace`, or on a kill request, all get
  // SIGKILL. When this returns, nothing of the script runs any more, including its background processes.
  // Standard input is /dev/null; standard output and error are one stream. Only docker and podman report
  // `out_of_memory`.
  virtual RunOutcome run(const std::string& container, const std::string& script, const OutputSink& sink,
                         const StopRequest& stop) = 0;
  // Describes, for a person, what a container gets here instead of this network; empty if it gets the network
  // itself. For Network::None, the text means that the engine cannot provide it: then run() throws and
  // nothing runs. May start a command.
  virtual std::string network_gap(Network network) = 0;
  // The processes that run inside now, including the script's own shell; none if nothing runs or there is no
  // such container. Used to inspect a silent stage; may be called while `run` is active in another thread or
  // process. docker: needs `ps` on the daemon's machine.
  virtual std::vector<ContainerProcess> processes(const std::string& container) = 0;
  // The memory that the processes inside hold now, in bytes, without pages that the system could read from
  // files again, for those of `containers` in which something runs. A container is left out if its memory is
  // unknown, because the engine is not on this machine. Pages shared since a fork count for each process.
  // Reads all processes once, for any number of containers. May be called while `run` is active in other
  // threads.
  virtual std::map<std::string, std::uint64_t> memory_in_use(const std::vector<std::string>& containers) = 0;
  // Pauses everything that runs in a container, started by this process or another, until resume() or
  // stop_container(). Its files do not change meanwhile, and copy_out and commit may be called during `run`.
  // False if nothing runs inside or there is no such container; then there is nothing to resume. Throws
  // EngineError if it cannot be paused; then it keeps running. A stop request to `run` has no effect before
  // resume().
  virtual bool pause(const std::string& container) = 0;
  // Resumes it, whoever paused it; does nothing if it is not paused.
  virtual void resume(const std::string& container) = 0;
  // Ends what a dead driver left running in a container: asks it to end, like a stop of `run`, and kills it
  // after `grace`, or at once on a kill request. Its files stay, and it can run again. When this returns,
  // nothing runs inside. Does nothing if nothing runs or there is no such container. A paused container is
  // resumed first.
  virtual void stop_container(const std::string& container, std::chrono::milliseconds grace,
                              const std::stop_token& kill = {}) = 0;
  // The container's files as a new image. Command, entry point, environment and user are those of the parent
  // image: how the container was run leaves no trace. (docker: if the parent has neither command nor entry
  // point, which its commit cannot express, the command is /bin/sh.) Returns the image's id.
  virtual std::string commit(const std::string& container, const CommitSpec& spec) = 0;
  // Writes all files of a container that is not running to an open descriptor, as a tar file that `docker
  // import` turns into an image. A reader that goes away, or a full disk, ends it with an EngineError.
  // buildah: needs `tar` here and, without root, in the container.
  virtual void export_files(const std::string& container, int descriptor) = 0;
  // Kills what runs inside, and removes the container. An absent container is fine.
  virtual void remove_container(const std::string& container) = 0;

  // Pushes an image to the registry in its name. Not ok if the registry refuses or does not answer. Uses the
  // engine's own login and never asks for credentials. A stop request ends it, as for pull().
  virtual Transfer push(const std::string& image, const std::stop_token& stop = {}) = 0;
  // Registries, "host" or "host:port", that may be contacted without TLS; those on this machine's loopback
  // always may. If they have certificates, these are not checked. Call it before other verbs. docker: only
  // for our own push; otherwise its daemon's "insecure-registries" count.
  virtual void allow_plain_http(const std::vector<std::string>&) {}
  // Token servers that may get logins, as in RegistryOptions. No effect on engines' own pulls and pushes,
  // which trust every registry to name one. Call it before other verbs.
  virtual void allow_token_hosts(const std::vector<std::string>&) {}

  // Writes an image, named or by id, with all its layers to an open descriptor, in a form that load_image()
  // of an engine of the same kind reads. EngineError if the image does not exist or the reader goes away, and
  // for engines that cannot do this (podman, buildah). A stop request ends it with an EngineError, too.
  virtual void save_image(const std::string& image, int descriptor, const std::stop_token& stop = {});
  // Reads what save_image() of another engine writes. The image has the same id afterwards, and no name
  // unless it was saved by name. EngineError if the stream is incomplete; then find_image() does not know the
  // image.
  virtual void load_image(int descriptor);

  virtual void tag(const std::string& image, const std::string& new_name) = 0;
  // Removes a name, and the image with its last name. An absent one is fine. False if something still uses
  // it. The image's parents may be removed too, if they have no name and nothing else was made from them.
  virtual bool remove_image(const std::string& name) = 0;

  // Seconds since the epoch, with fractions, by the clock of the engine's machine, which sets the times of
  // files in containers. It may be set forward or back at any time.
  virtual double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  }

  // The machine on which containers run, which may be another one.
  virtual EngineMachine machine() { return {}; }

  // The most layers that an image may have, so that containers can still be made from it and images from
  // those.
  virtual unsigned most_layers() { return 120; }  // docker refuses the 126th; people add some

  // The folder of the file system where the engine keeps images; nothing if that is on another machine.
  virtual std::optional<fs::path> storage_folder() = 0;

  // The command that opens a shell in an image for a person.
  virtual std::vector<std::string> shell_command(const std::string& image) const = 0;
  // Prepares a container with the spec's name. The returned command runs `argv` in it with the command's own
  // standard streams; `terminal`: they are a terminal. Its exit status is that of `argv`. When it ends, or
  // has to end, remove_container() removes the container and everything that runs in it.
  virtual std::vector<std::string> open_shell(const ContainerSpec& spec, const std::vector<std::string>& argv,
                                              bool terminal) = 0;
  // The command that runs `argv` next to the processes in a container, on the caller's terminal if
  // `terminal`.
  virtual std::vector<std::string> command_inside(const std::string& container,
                                                  const std::vector<std::string>& argv,
                                                  bool terminal) const = 0;

  // Number of calls since the start, by verb, to check tests and the promises of `--dry-run`.
  virtual std::map<std::string, unsigned> calls() const = 0;
};

}  // namespace stagemake
