// DockerEngine's commit: from a container's files to an image with the parent's configuration, our labels and
// names.
//
//   commit with changes  ──────────────┐
//   (docker, squash: export | import)  ├─> an image ──> where labels are left: a container of it, committed
//   ──> names
//
// `--change` takes lines of a Dockerfile, which cannot hold every value: what it cannot say goes through the
// command line of a second container, which takes all bytes. Docker adds no layer for a container without
// files of its own.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/label_limits.h"
#include "base/text.h"
#include "engine/docker_engine.h"

namespace stagemake {
namespace {

using nlohmann::json;

// Docker reads changes through a line scanner that gives up at 64 KiB.
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
    if (::pipe2(ends, O_CLOEXEC) != 0) throw EngineError("no more pipes on this system");
    reading = ends[0];
    writing = ends[1];
  }
  ~PipeEnds() {
    close(reading);
    close(writing);
  }
  static void close(int& fd) {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
  int reading = -1;
  int writing = -1;
};

using Variables = std::vector<std::pair<std::string, std::string>>;

// Everything that an import forgets: the configuration of the parent beside command, entry point and labels.
// What no change can say goes to `unsaid`. (Health checks and ON BUILD triggers are dropped.)
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

}  // namespace

struct DockerEngine::Draft {
  std::vector<std::string> setup;    // only for an import: the parent's configuration
  std::vector<std::string> restore;  // the parent's entry point and command
  std::vector<std::string> changes;  // working folder, and the labels that a change can say
  Labels labels;                     // those it cannot
  Variables environment;             // likewise; only for an import
  bool unsaid() const { return !labels.empty() || !environment.empty(); }
  void add_to(std::vector<std::string>& arguments) const {
    for (const auto* list : {&setup, &restore, &changes})
      for (const std::string& change : *list) arguments.insert(arguments.end(), {"--change", change});
  }
};

DockerEngine::Draft DockerEngine::begin_draft(const std::string& container, const CommitSpec& spec) const {
  bool import = spec.squash && !dialect_.commit_squashes;
  json inspected = inspect_container(container);
  json images =
      parsed_answer(program_.name(), program_.ask({"image", "inspect", text_at(inspected, "Image")}));
  json parent = member(images.at(0), "Config");
  Draft draft;
  if (import) draft.setup = configuration_changes(parent, draft.environment);
  // The entry point first: setting it takes the command away.
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
    // An import forgets labels of others as well. Those that no command line takes must not stop it.
    std::size_t size = key.size() + value.size();
    if (!spec.labels.contains(key) && (size > kLongestLabel || bytes + size > kMostLabelBytes)) continue;
    bytes += size;
    if (dialect_.label_changes && fits_change(key) && fits_change(value))
      draft.changes.push_back(fmt::format("LABEL {}={}", dockerfile_quoted(key), dockerfile_quoted(value)));
    else
      draft.labels[key] = value;
  }
  return draft;
}

std::string DockerEngine::commit(const std::string& container, const CommitSpec& spec) {
  counter_.count("commit");
  if (std::string why = unfit_label(spec.labels); !why.empty()) throw program_.error("commit", why);
  Draft draft = begin_draft(container, spec);
  std::string image;
  if (spec.squash && !dialect_.commit_squashes)
    image = import_flat(container, draft);
  else
    image = commit_container(container, draft, spec.squash && !draft.unsaid());
  if (draft.unsaid()) image = relabel(container, image, draft, spec.squash && dialect_.commit_squashes);
  for (const std::string& name : spec.names) program_.ask({"tag", image, name});
  return image;
}

std::string DockerEngine::commit_container(const std::string& container, const Draft& draft,
                                           bool squash) const {
  std::vector<std::string> arguments{"commit"};
  if (squash) arguments.push_back("--squash");
  draft.add_to(arguments);
  arguments.push_back(container);
  std::string id(trimmed(program_.ask(std::move(arguments))));
  return id.starts_with("sha256:") ? id : "sha256:" + id;  // podman leaves it out
}

std::string DockerEngine::import_flat(const std::string& container, const Draft& draft) const {
  std::vector<std::string> arguments{"import"};
  draft.add_to(arguments);
  arguments.push_back("-");

  PipeEnds pipe;
  Finished exported;
  std::exception_ptr failed;
  std::jthread exporter([&] {
    try {
      Command command = program_.command({"export", container});
      command.standard_output = pipe.writing;
      exported = program_.run(command);
    } catch (...) {
      failed = std::current_exception();
    }
    PipeEnds::close(pipe.writing);
  });
  Command command = program_.command(std::move(arguments));
  command.standard_input = pipe.reading;
  Finished imported = program_.run(command);
  PipeEnds::close(pipe.reading);  // an import that failed must not leave the export waiting
  exporter.join();
  if (failed) std::rethrow_exception(failed);
  if (!imported.ok()) throw program_.error("import", imported);
  std::string image(trimmed(imported.output));
  if (!exported.ok()) {
    program_.call({"rmi", image});  // half of the files
    throw program_.error("export", exported);
  }
  return image;
}

std::string DockerEngine::relabel(const std::string& container, const std::string& image, const Draft& draft,
                                  bool squash) const {
  std::string name = container + "-labels";
  program_.call({"rm", "--force", "--volumes", name});  // of a driver that died here
  std::vector<std::string> arguments{"create", "--pull",       "never", "--name",       name, "--network",
                                     "none",   "--log-driver", "none",  "--entrypoint", ""};
  arguments.insert(arguments.end(), dialect_.create_extra.begin(), dialect_.create_extra.end());
  for (const auto& [key, value] : draft.environment)
    arguments.insert(arguments.end(), {"--env", key + "=" + value});
  for (const auto& [key, value] : draft.labels)
    arguments.insert(arguments.end(), {"--label", key + "=" + value});
  arguments.insert(arguments.end(), {image, "/bin/sh"});
  program_.ask(std::move(arguments));
  Draft same;
  same.restore = draft.restore;
  try {
    std::string labelled = commit_container(name, same, squash);
    program_.call({"rm", "--force", "--volumes", name});
    return labelled;
  } catch (...) {
    program_.call({"rm", "--force", "--volumes", name});
    throw;
  }
}

}  // namespace stagemake
