// Docker and podman: one adapter, and a small table of what is different.
//
// A container is created with /bin/sh as its command and an open standard input; each run is a `start
// --attach
// --interactive` that gets its script there (script_input.h). A commit puts command and entry point of the
// parent image back. Works with a daemon on another machine too: nothing is mounted, all data go through the
// program.
//
// Knows: the command lines and answers of the two programs. $STAGEMAKE_DOCKER and $STAGEMAKE_PODMAN name
// other programs than those in PATH; $DOCKER_HOST and $DOCKER_CONTEXT are the program's own.
#pragma once

#include <mutex>
#include <nlohmann/json_fwd.hpp>

#include "engine/call_counter.h"
#include "engine/container_engine.h"
#include "engine/engine_program.h"
#include "engine/plain_http.h"

namespace stagemake {

// What is different between docker and podman.
struct DockerDialect {
  const char* name;
  const char* variable;                   // names another program
  bool has_daemon;                        // which may not answer
  std::vector<std::string> create_extra;  // keeps the container's environment that of its image
  // `commit --change LABEL` understands quotes and escapes. Podman's takes them literally.
  bool label_changes;
  // `commit --squash` makes one layer. Docker has none: its containers are exported and imported.
  bool commit_squashes;
  // What follows `top CONTAINER`, for process, parent, processor time and command line. (Podman gives ps's
  // own options to a ps inside of the container, which need not be there.)
  std::vector<std::string> top_columns;
  // Pulls and pushes have --tls-verify, and pushes --digestfile. Docker prints the digest.
  bool transfer_options;
  // The template with which `info` says the time of the daemon's machine; empty where it says none.
  const char* time_template;
  // The template with which `info` says, as JSON, where images lie; empty where that is on another machine,
  // as far as it knows.
  const char* storage_template;
  const char* install_advice;
};
const DockerDialect& docker_dialect();
const DockerDialect& podman_dialect();

class DockerEngine : public ContainerEngine {
 public:
  explicit DockerEngine(const DockerDialect& dialect);

  EngineReport examine(Look look = Look::Quick) const;

  std::string name() const override { return dialect_.name; }
  std::string probe() override;

  std::optional<ImageInfo> find_image(const std::string& image) override;
  std::vector<ImageInfo> list_images(const std::string& label, const std::string& value) override;
  std::vector<ContainerInfo> list_containers(const std::string& label, const std::string& value) override;
  Transfer pull(const std::string& image, const std::stop_token& stop = {}) override;
  Transfer push(const std::string& image, const std::stop_token& stop = {}) override;
  void allow_plain_http(const std::vector<std::string>& hosts) override { plain_http_.allow(hosts); }

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
  void stop_container(const std::string& container, std::chrono::milliseconds grace,
                      const std::stop_token& kill) override;
  std::string commit(const std::string& container, const CommitSpec& spec) override;
  void export_files(const std::string& container, int descriptor) override;
  void remove_container(const std::string& container) override;

  void tag(const std::string& image, const std::string& new_name) override;
  bool remove_image(const std::string& name) override;

  double now() override;
  std::optional<fs::path> storage_folder() override;
  std::vector<std::string> shell_command(const std::string& image) const override;
  std::vector<std::string> open_shell(const ContainerSpec& spec, const std::vector<std::string>& argv,
                                      bool terminal) override;
  std::vector<std::string> command_inside(const std::string& container, const std::vector<std::string>& argv,
                                          bool terminal) const override;
  std::map<std::string, unsigned> calls() const override { return counter_.all(); }

 private:
  // The stream in Finished::output, or at `descriptor` where that is not -1; nothing where there is no such
  // path.
  std::optional<Finished> copied_out(const std::string& container, const std::string& path,
                                     int descriptor) const;
  struct Draft;  // docker_commit.cc: an image on its way

  nlohmann::json inspect_container(const std::string& container) const;
  std::pair<Finished, bool> start(const std::string& container, const std::string& script,
                                  const OutputSink& sink, const StopRequest& stop);
  RunOutcome outcome(const std::string& container, const Finished& finished, bool started) const;
  // Empty where there is no such container.
  std::string id_of(const std::string& container);
  // Also false where there is no such container.
  bool runs(const std::string& container) const;
  bool is_paused(const std::string& container) const;
  // A request ends the waiting for a shell that still begins.
  void ask_to_end(const std::string& container, std::chrono::milliseconds patience,
                  const std::stop_token& now = {}) const;
  Transfer transfer(const std::string& verb, const std::string& image, const std::stop_token& stop) const;
  bool daemon_is_here() const;
  bool find_daemon() const;

  Draft begin_draft(const std::string& container, const CommitSpec& spec) const;
  std::string commit_container(const std::string& container, const Draft& draft, bool squash) const;
  std::string import_flat(const std::string& container, const Draft& draft) const;
  std::string relabel(const std::string& container, const std::string& image, const Draft& draft,
                      bool squash) const;

  const DockerDialect& dialect_;
  EngineProgram program_;
  CallCounter counter_;
  PlainHttp plain_http_;
  std::mutex mutex_;
  std::map<std::string, std::string> ids_;  // of containers, by name
  mutable std::once_flag asked_where_;
  mutable bool is_here_ = true;  // the daemon, once asked
};

}  // namespace stagemake
