#include "engine/docker_cli/docker_cli_commit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/files/descriptor.h"
#include "base/text/labels.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using nlohmann::json;

// Docker reads changes with a line scanner that fails at 64 KiB.
constexpr std::size_t kLongestChange = 32u << 10;

bool fits_change(const std::string& text) {
  return text.size() < kLongestChange && is_utf8(text) && printable(text) == text;
}

// One word of a Dockerfile, in double quotes.
std::string dockerfile_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\' || c == '$') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string dockerfile_word(const std::string& text) {
  return text.find_first_of(" \t\"'\\$#") == std::string::npos ? text : dockerfile_quoted(text);
}

std::string list_change(const char* instruction, const json& list) {
  return fmt::format("{} {}", instruction, list.is_array() ? list.dump() : "[]");
}

void set_working_folder(std::vector<std::string>& changes, const std::string& folder) {
  if (!folder.empty()) changes.push_back("WORKDIR " + dockerfile_word(folder));
}

struct PipeEnds {
  PipeEnds() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw EngineError("cannot create a pipe: too many open files");
    reading = Descriptor(ends[0]);
    writing = Descriptor(ends[1]);
  }
  Descriptor reading;
  Descriptor writing;
};

using Variables = std::vector<std::pair<std::string, std::string>>;

// Everything that an import loses: the parent's configuration except command, entry point and labels. Values
// that no change can express go to `unsaid`. (Health checks and ON BUILD triggers are dropped.)
std::vector<std::string> configuration_changes(const json& config, Variables& unsaid) {
  std::vector<std::string> changes;
  if (std::string user = text_at(config, "User"); !user.empty())
    changes.push_back("USER " + dockerfile_word(user));
  set_working_folder(changes, text_at(config, "WorkingDir"));
  if (std::string name = text_at(config, "StopSignal"); !name.empty())
    changes.push_back("STOPSIGNAL " + name);
  const json ports = member(config, "ExposedPorts");
  for (const auto& [port, nothing] : ports.items()) changes.push_back("EXPOSE " + dockerfile_word(port));
  const json volumes = member(config, "Volumes");
  for (const auto& [folder, nothing] : volumes.items())
    changes.push_back("VOLUME " + json::array({folder}).dump());
  const json environment = member(config, "Env");
  for (const json& entry : environment) {
    std::string text = entry.get<std::string>();
    std::size_t sign = std::min(text.find('='), text.size());
    std::string key = text.substr(0, sign);
    std::string value = text.substr(std::min(sign + 1, text.size()));
    if (fits_change(key) && fits_change(value))
      changes.push_back(fmt::format("ENV {}={}", dockerfile_quoted(key), dockerfile_quoted(value)));
    else
      unsaid.emplace_back(std::move(key), std::move(value));
  }
  return changes;
}

// An image in the making.
struct Draft {
  std::vector<std::string> setup;    // only for an import: the parent's configuration
  std::vector<std::string> restore;  // the parent's entry point and command
  std::vector<std::string> changes;  // working folder, and the labels that a change can express
  Labels labels;                     // labels that it cannot express
  Variables environment;             // likewise; only for an import
  bool unsaid() const { return !labels.empty() || !environment.empty(); }
  void add_to(std::vector<std::string>& arguments) const {
    for (const auto* list : {&setup, &restore, &changes})
      for (const std::string& change : *list) arguments.insert(arguments.end(), {"--change", change});
  }
};

Draft begin_draft(const DockerCliProgram& program, const std::string& container, const CommitSpec& spec) {
  bool import = spec.squash && !program.dialect().commit_squashes;
  json inspected = program.inspect_container(container);
  json images = parsed_answer(program.name(), program.ask({"image", "inspect", text_at(inspected, "Image")}));
  json parent = member(images.at(0), "Config");
  Draft draft;
  if (import) draft.setup = configuration_changes(parent, draft.environment);
  // The entry point comes first: setting it removes the command.
  draft.restore = {list_change("ENTRYPOINT", member(parent, "Entrypoint")),
                   list_change("CMD", member(parent, "Cmd"))};
  set_working_folder(draft.changes, spec.working_folder);
  Labels present = labels_in(member(member(inspected, "Config"), "Labels"));
  Labels wanted = spec.labels;
  wanted.insert(present.begin(), present.end());
  std::size_t bytes = 0;
  for (const auto& [key, value] : wanted) {
    auto there = present.find(key);
    if (!import && there != present.end() && there->second == value) continue;
    // An import also loses other people's labels. Labels that are too long for a command line must not stop
    // it.
    std::size_t size = key.size() + value.size();
    if (!spec.labels.contains(key) && (size > kLongestLabel || bytes + size > kMostLabelBytes)) continue;
    bytes += size;
    if (program.dialect().label_changes && fits_change(key) && fits_change(value))
      draft.changes.push_back(fmt::format("LABEL {}={}", dockerfile_quoted(key), dockerfile_quoted(value)));
    else
      draft.labels[key] = value;
  }
  return draft;
}

std::string committed(const DockerCliProgram& program, const std::string& container, const Draft& draft,
                      bool squash) {
  std::vector<std::string> arguments{"commit"};
  if (squash) arguments.push_back("--squash");
  draft.add_to(arguments);
  arguments.push_back(container);
  std::string id(trimmed(program.ask(std::move(arguments))));
  return id.starts_with("sha256:") ? id : "sha256:" + id;  // podman omits it
}

std::string import_flat(const DockerCliProgram& program, const std::string& container, const Draft& draft) {
  std::vector<std::string> arguments{"import"};
  draft.add_to(arguments);
  arguments.push_back("-");

  PipeEnds pipe;
  Finished exported;
  std::exception_ptr failed;
  std::jthread exporter([&] {
    try {
      Command command = program.command({"export", container});
      command.standard_output = pipe.writing.get();
      exported = program.run(command);
    } catch (...) {
      failed = std::current_exception();
    }
    pipe.writing = Descriptor();
  });
  Command command = program.command(std::move(arguments));
  command.standard_input = pipe.reading.get();
  Finished imported = program.run(command);
  pipe.reading = Descriptor();  // a failed import must not leave the export waiting
  exporter.join();
  if (failed) std::rethrow_exception(failed);
  if (!imported.ok()) throw program.error("import", imported);
  std::string image(trimmed(imported.output));
  if (!exported.ok()) {
    program.call({"rmi", image});  // it has only part of the files
    throw program.error("export", exported);
  }
  return image;
}

std::string relabel(const DockerCliProgram& program, const std::string& container, const std::string& image,
                    const Draft& draft, bool squash) {
  std::string name = container + "-labels";
  program.call({"rm", "--force", "--volumes", name});  // left by a driver that died here
  std::vector<std::string> arguments{"create", "--pull",       "never", "--name",       name, "--network",
                                     "none",   "--log-driver", "none",  "--entrypoint", ""};
  arguments.insert(arguments.end(), program.dialect().create_extra.begin(),
                   program.dialect().create_extra.end());
  for (const auto& [key, value] : draft.environment)
    arguments.insert(arguments.end(), {"--env", key + "=" + value});
  for (const auto& [key, value] : draft.labels)
    arguments.insert(arguments.end(), {"--label", key + "=" + value});
  arguments.insert(arguments.end(), {image, "/bin/sh"});
  program.ask(std::move(arguments));
  Draft same;
  same.restore = draft.restore;
  try {
    std::string labelled = committed(program, name, same, squash);
    program.call({"rm", "--force", "--volumes", name});
    return labelled;
  } catch (...) {
    program.call({"rm", "--force", "--volumes", name});
    throw;
  }
}

}  // namespace

std::string commit_container(const DockerCliProgram& program, const std::string& container,
                             const CommitSpec& spec) {
  if (std::string why = unfit_label(spec.labels); !why.empty()) throw program.error("commit", why);
  Draft draft = begin_draft(program, container, spec);
  std::string image;
  if (spec.squash && !program.dialect().commit_squashes)
    image = import_flat(program, container, draft);
  else
    image = committed(program, container, draft, spec.squash && !draft.unsaid());
  if (draft.unsaid())
    image = relabel(program, container, image, draft, spec.squash && program.dialect().commit_squashes);
  for (const std::string& name : spec.names) program.ask({"tag", image, name});
  return image;
}

}  // namespace stagemake
