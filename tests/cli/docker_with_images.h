// A `docker` for tests of whole commands: a script that has images of the stages of a small tree, and runs
// what is asked of a container as a process of this machine.
#pragma once

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/files/files.h"
#include "base/text/text.h"
#include "base/variables.h"
#include "cli/called.h"
#include "plan/planned_tree.h"

namespace stagemake::test {

class DockerWithImages {
 public:
  explicit DockerWithImages(const TreeText& tree) : tree_(tree), folder_(fs::temp_directory_path()) {
    fs::create_directories(folder_.path() / "images");
    fs::path docker = folder_.path() / "docker";
    write_file(docker,
               "#!/bin/sh\n"
               "cd \"${0%/*}\"\n"
               "echo \"$*\" >> calls\n"
               "case \"$1 $2\" in\n"
               "  version*) echo '{\"Server\": {\"Version\": \"1\"}}' ;;\n"
               "  images*) ls images ;;\n"
               "  info*) echo '\"/\"' ;;\n"
               "  ps*) ;;\n"
               "  image*)\n"
               "    shift 2\n"
               "    [ -f \"images/$1\" ] || { echo \"Error: No such image: $1\" >&2; exit 1; }\n"
               "    between='['\n"
               "    for id; do echo \"$between\"; cat \"images/$id\"; between=,; done\n"
               "    echo ']' ;;\n"
               "  rmi*) ;;\n"
               "  run*)\n"
               "    while [ \"$1\" != --entrypoint ]; do shift; done\n"
               "    program=$2\n"
               "    shift 3\n"
               "    exec \"$program\" \"$@\" ;;\n"
               "  rm*) ;;\n"
               "  *) echo \"manifest unknown: $*\" >&2; exit 1 ;;\n"
               "esac\n");
    ::chmod(docker.c_str(), 0755);
    variables_.set("STAGEMAKE_DOCKER", docker.string());
    variables_.set("STAGEMAKE_ENGINE", "docker");
    variables_.set("STAGEMAKE_STATE", (folder_.path() / "state").string());
  }

  // An image of the tree as it is now. Its name is ENVIRONMENT-STAGE:1.
  void add(const std::string& stage, const std::string& environment = "debian-bookworm-minimal") {
    PlannedTree planned(tree_, {.name = environment, .given = {}});
    std::string id = fmt::format("sha256:{:064x}", ++images_);
    Snapshot snapshot = image_of(planned, stage, id);
    snapshot.environment = environment;
    nlohmann::json image = {{"Id", id},
                            {"RepoTags", {environment + "-" + stage + ":1"}},
                            {"Created", fmt::format("2024-01-01T00:00:{:02}Z", images_)},
                            {"Config", {{"Labels", to_labels(snapshot)}}},
                            {"Size", 1000},
                            {"RootFS", {{"Layers", {"sha256:1", id}}}}};
    write_file(folder_.path() / "images" / id, image.dump());
  }

  Called call(std::vector<std::string> words) {
    write_file(folder_.path() / "calls", "");
    auto end = std::find(words.begin(), words.end(), "--");
    words.insert(end, {"--tree", tree_.path().string()});
    return call_stagemake(std::move(words));
  }

  // The calls of the last command that begin with this word, without it.
  std::vector<std::string> calls(std::string_view verb) const {
    std::vector<std::string> found;
    std::string all = read_file(folder_.path() / "calls").value_or("");
    for (std::string_view line : lines(std::string_view(all)))
      if (line.starts_with(std::string(verb) + " ")) found.emplace_back(line.substr(verb.size() + 1));
    return found;
  }

  fs::path state() const { return folder_.path() / "state"; }

 private:
  const TreeText& tree_;
  TemporaryFolder folder_;
  Variables variables_{};
  unsigned images_ = 0;
};

}  // namespace stagemake::test
