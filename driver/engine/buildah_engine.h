// Buildah: needs no daemon and, with its isolation "chroot", no privileges that a container or CI runner
// lacks. Slower to look at many images than docker (one process for each image that it has not seen yet),
// faster to run and commit.
//
// Knows: buildah's command lines and answers. $STAGEMAKE_BUILDAH names another program than that in PATH,
// $STAGEMAKE_BUILDAH_ISOLATION another isolation than "chroot"; where images lie is buildah's own affair
// ($CONTAINERS_STORAGE_CONF).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/call_counter.h"
#include "engine/container_engine.h"
#include "engine/engine_program.h"
#include "engine/image_cache.h"
#include "engine/plain_http.h"

namespace stagemake {

class BuildahEngine : public ContainerEngine {
 public:
  BuildahEngine();

  EngineReport examine(Look look = Look::Quick) const;

  std::string name() const override { return "buildah"; }
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

  // As many as the storage can mount: it names every layer with its path in one page of options. It has a
  // shorter form for more layers, which Linux refuses since it is strict about an empty option (buildah 1.28
  // on Linux 6: the 49th layer below a folder of 38 letters).
  unsigned most_layers() override;

  std::optional<fs::path> storage_folder() override;
  std::vector<std::string> shell_command(const std::string& image) const override;
  std::vector<std::string> open_shell(const ContainerSpec& spec, const std::vector<std::string>& argv,
                                      bool terminal) override;
  std::vector<std::string> command_inside(const std::string& container, const std::vector<std::string>& argv,
                                          bool terminal) const override;
  std::map<std::string, unsigned> calls() const override { return counter_.all(); }

 private:
  struct Configuration {
    std::string id;
    Labels labels;
    std::string working_folder;
  };

  std::vector<std::string> run_arguments(const std::string& container,
                                         std::vector<std::string> options) const;
  // The options of a run, with `--isolation`, for a network.
  std::vector<std::string> isolation_options(Network network) const;
  Network network_of(const std::string& container) const;
  // Runs it where there is nothing but a loopback interface, if `network` says so and buildah cannot.
  Finished run_in(Network network, const Command& command) const;
  // Why nothing can run in a container here; nothing where it can. Starts an empty one.
  std::optional<std::string> cannot_run() const;
  // Nothing where there is no such container.
  std::optional<Configuration> configuration(const std::string& container) const;
  std::string known_mark(const std::string& container);  // empty where there is no such container
  Configuration present_configuration(const std::string& container) const;
  std::optional<ImageInfo> described(const nlohmann::json& listed);
  // The stream in Finished::output, or at `descriptor` where that is not -1; nothing where there is no such
  // path.
  std::optional<Finished> copied_out(const std::string& container, const std::string& path,
                                     int descriptor) const;
  std::optional<Finished> copied_out_of_mount(const std::string& container, const std::string& path,
                                              int descriptor) const;
  std::optional<Finished> copied_out_by_run(const std::string& container, const std::string& path,
                                            int descriptor) const;
  void export_by_run(const std::string& container, int descriptor) const;
  Transfer transfer(const std::string& verb, std::vector<std::string> options, const std::string& image,
                    const std::stop_token& stop) const;
  std::string graph_root() const;

  EngineProgram program_;
  std::string isolation_;
  PlainHttp plain_http_;
  CallCounter counter_;
  mutable std::mutex mutex_;
  unsigned most_layers_ = 0;                              // not asked yet
  std::map<std::string, std::string> marks_;              // of containers, by name
  std::map<std::string, std::vector<FileMount>> mounts_;  // that each run of a container needs, by its name
  std::map<std::string, Network> networks_;               // of containers, by name
  ImageCache seen_{ImageCache::place("buildah")};
};

}  // namespace stagemake
