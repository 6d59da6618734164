#include "engine/docker_cli/docker_cli_shell.h"

namespace stagemake {

// As CSV fields, the format of --mount: paths may contain commas and quotes.
std::string docker_mount_words(const FileMount& mount) {
  auto field = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, 1, '"');
    return '"' + text + '"';
  };
  return "type=bind," + field("source=" + mount.from.string()) + "," + field("target=" + mount.to);
}

void add_docker_network(Network network, std::vector<std::string>& arguments) {
  if (network != Network::Default)
    arguments.insert(arguments.end(), {"--network", std::string(name_of(network))});
}

std::vector<std::string> docker_shell_command(std::vector<std::string> program, const std::string& image) {
  program.insert(program.end(), {"run", "--rm", "--interactive", "--tty", "--entrypoint", "/bin/sh", image,
                                 "-c", "command -v bash >/dev/null && exec bash; exec sh"});
  return program;
}

std::vector<std::string> docker_run_command(std::vector<std::string> program, const ContainerSpec& spec,
                                            const std::vector<std::string>& argv, bool terminal) {
  program.insert(program.end(), {"run", "--rm", "--pull", "never", "--name", spec.name, "--interactive",
                                 "--entrypoint", argv.at(0)});
  add_docker_network(spec.network, program);
  if (terminal) program.emplace_back("--tty");
  for (const auto& [key, value] : spec.labels) program.insert(program.end(), {"--label", key + "=" + value});
  for (const FileMount& mount : spec.mounts)
    program.insert(program.end(), {"--mount", docker_mount_words(mount)});
  program.push_back(spec.image);
  program.insert(program.end(), argv.begin() + 1, argv.end());
  return program;
}

std::vector<std::string> docker_exec_command(std::vector<std::string> program, const std::string& container,
                                             const std::vector<std::string>& argv, bool terminal) {
  program.insert(program.end(), {"exec", "--interactive"});
  if (terminal) program.emplace_back("--tty");
  program.push_back(container);
  program.insert(program.end(), argv.begin(), argv.end());
  return program;
}

}  // namespace stagemake
