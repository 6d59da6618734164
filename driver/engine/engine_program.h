// Runs the commands of an engine's program (docker, podman, buildah), and turns failures into EngineErrors
// that name the command and repeat the engine's last words. Knows what the outputs of these programs have in
// common, but not the meaning of single commands.
//
// Thread rule: const after construction; all calls from any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/process/subprocess.h"
#include "base/text/image_name.h"
#include "base/text/json_values.h"
#include "engine/container_engine.h"

namespace stagemake {

class EngineProgram {
 public:
  // The program is $`variable` if that is set, else `name`; it is looked up in PATH.
  EngineProgram(std::string name, const char* variable);

  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }
  bool installed() const;

  Command command(std::vector<std::string> arguments) const;
  // Runs a command to its end; any exit code is an answer. EngineError if the program cannot be started.
  Finished run(const Command& command) const;
  Finished call(std::vector<std::string> arguments) const { return run(command(std::move(arguments))); }
  // The command's output. EngineError if it fails.
  std::string ask(std::vector<std::string> arguments) const;

  // "docker commit: exit status 1: last words". Arguments are left out, because they may hold anything.
  EngineError error(const std::string& verb, const Finished& finished) const;
  EngineError error(const std::string& verb, std::string_view words) const;

 private:
  std::string name_;
  std::string path_;
};

// Whether the engine says that an image, container, network or path does not exist.
bool says_absent(const Finished& finished);
// Whether it says that an image cannot be removed because something uses it.
bool says_in_use(const Finished& finished);
// The end of its output (up to three lines), safe to print on a terminal and without the passwords in URLs.
std::string last_words(const Finished& finished);
// An engine's words in one line that is safe to print: short ids, no passwords in URLs.
std::string shown_words(std::string_view words);

// Parses JSON that an engine printed. EngineError if it is not JSON.
nlohmann::json parsed_answer(const std::string& program, const std::string& text);
// The ids that a command printed, each once.
std::vector<std::string> ids_in(const std::string& output);
// The paths in an image's "Volumes", which are the names of an object.
std::vector<std::string> volumes_in(const nlohmann::json& config);

// The argument of --filter that selects a label, and whether these labels have it: for values with unusual
// characters, the engines' filters match more than we ask for.
std::string label_filter(const std::string& label, const std::string& value);
bool has_label(const Labels& labels, const std::string& label, const std::string& value);

}  // namespace stagemake
