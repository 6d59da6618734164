// Docker by its daemon's socket. (engine/docker_cli/ works by the programs docker and podman.)
//
// A container is created with /bin/sh as its command and an open standard input. Each run attaches to it and
// starts it (attached_run.h). A commit restores the parent's command and entry point. The daemon may be on
// another machine: nothing is mounted, all data go through the socket. Only a shell for a person needs the
// program docker.
#pragma once

#include <mutex>

#include "engine/docker/docker_api.h"
#include "engine/docker/docker_images.h"
#include "engine/program_engine.h"

namespace stagemake {

class DockerEngine : public ProgramEngine<DockerApi, DockerImages> {
 public:
  // `place`: as for DockerApi.
  explicit DockerEngine(DockerPatience patience = {}, std::string place = {})
      : ProgramEngine(patience, std::move(place)) {}

  std::vector<ContainerInfo> list_containers(const std::string& label, const std::string& value) override;
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

  void allow_token_hosts(const std::vector<std::string>& hosts) override { images_.allow_token_hosts(hosts); }

  void save_image(const std::string& image, int descriptor, const std::stop_token& stop) override;
  void load_image(int descriptor) override;

  double now() override;
  EngineMachine machine() override;
  std::optional<fs::path> storage_folder() override;
  std::vector<std::string> shell_command(const std::string& image) const override;
  std::vector<std::string> open_shell(const ContainerSpec& spec, const std::vector<std::string>& argv,
                                      bool terminal) override;
  std::vector<std::string> command_inside(const std::string& container, const std::vector<std::string>& argv,
                                          bool terminal) const override;

 private:
  // Empty if there is no such container.
  std::string id_of(const std::string& container);
  // Whether the container's state has this mark, "Running" or "Paused". False if there is no such container.
  bool has_state(const std::string& container, const char* mark) const;
  bool copied_out(const std::string& container, const std::string& path,
                  const std::function<void(std::string_view)>& sink) const;
  // The program docker, which finds the same daemon.
  std::vector<std::string> program() const;

  std::mutex mutex_;
  std::map<std::string, std::string> ids_;  // of containers, by name
};

}  // namespace stagemake
