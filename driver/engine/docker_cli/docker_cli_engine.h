// Docker and podman: one adapter for both.
//
// A container is created with /bin/sh as its command and an open standard input. Each run is a `start
// --attach --interactive` that gets its script there (script_input.h). A commit restores the parent's command
// and entry point. The daemon may be on another machine: nothing is mounted, all data go through the program.
//
// Knows the command lines and answers of the two programs for containers; DockerCliImages knows those for
// images.
#pragma once

#include <mutex>

#include "engine/docker_cli/docker_cli_images.h"
#include "engine/docker_cli/docker_cli_program.h"
#include "engine/program_engine.h"

namespace stagemake {

class DockerCliEngine : public ProgramEngine<DockerCliProgram, DockerCliImages> {
 public:
  explicit DockerCliEngine(const DockerDialect& dialect) : ProgramEngine(dialect) {}

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

  double now() override;
  std::optional<fs::path> storage_folder() override;
  std::vector<std::string> shell_command(const std::string& image) const override;
  std::vector<std::string> open_shell(const ContainerSpec& spec, const std::vector<std::string>& argv,
                                      bool terminal) override;
  std::vector<std::string> command_inside(const std::string& container, const std::vector<std::string>& argv,
                                          bool terminal) const override;

 private:
  // Empty if there is no such container.
  std::string id_of(const std::string& container);
  bool daemon_is_here() const;

  std::mutex mutex_;
  std::map<std::string, std::string> ids_;  // of containers, by name
  mutable std::once_flag asked_where_;
  mutable bool is_here_ = true;  // whether the daemon is on this machine, once asked
};

}  // namespace stagemake
