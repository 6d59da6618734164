// Buildah needs no daemon and, with its isolation "chroot", no privileges that a container or CI runner
// lacks. It inspects many images more slowly than docker (one process for each new image), but runs and
// commits faster.
//
// Knows buildah's command lines and answers for containers; BuildahImages knows those for images.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/buildah/buildah_images.h"
#include "engine/buildah/buildah_program.h"
#include "engine/program_engine.h"

namespace stagemake {

class BuildahEngine : public ProgramEngine<BuildahProgram, BuildahImages> {
 public:
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

  ~BuildahEngine() override;

  // As many layers as the storage can mount: it lists the path of every layer in one page of mount options.
  // Its shorter form for more layers fails since Linux became strict about an empty option (buildah 1.28 on
  // Linux 6: at the 49th layer below a folder whose path has 38 letters).
  unsigned most_layers() override;

  std::optional<fs::path> storage_folder() override;
  std::vector<std::string> shell_command(const std::string& image) const override;
  std::vector<std::string> open_shell(const ContainerSpec& spec, const std::vector<std::string>& argv,
                                      bool terminal) override;
  std::vector<std::string> command_inside(const std::string& container, const std::vector<std::string>& argv,
                                          bool terminal) const override;

 private:
  std::vector<std::string> run_arguments(const std::string& container,
                                         std::vector<std::string> options) const;
  Network network_of(const std::string& container) const;
  std::string known_mark(const std::string& container);  // empty if there is no such container
  // The stream in Finished::output, or written to `descriptor` unless that is -1; nothing if there is no such
  // path.
  std::optional<Finished> copied_out(const std::string& container, const std::string& path,
                                     int descriptor) const;

  std::string graph_root();  // the folder of the storage
  // Takes back what a commit changed in the container's configuration.
  void restore_configuration(const std::string& container);

  // Says that something runs in a container.
  class Running {
   public:
    Running(BuildahEngine& engine, const std::string& container) : engine_(engine), container_(container) {
      std::lock_guard lock(engine_.mutex_);
      engine_.running_.insert(container_);
    }
    ~Running() {
      std::lock_guard lock(engine_.mutex_);
      engine_.running_.erase(container_);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    BuildahEngine& engine_;
    const std::string container_;
  };

  mutable std::mutex mutex_;
  std::string graph_root_;                                // empty: not asked yet
  std::map<std::string, std::string> marks_;              // of containers, by name
  std::map<std::string, std::vector<FileMount>> mounts_;  // needed by each run of a container, by its name
  std::map<std::string, Network> networks_;               // of containers, by name
  std::set<std::string> running_;                         // containers
  std::map<std::string, std::vector<std::string>> to_restore_;  // by container: the command that does it
};

}  // namespace stagemake
