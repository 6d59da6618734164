// The program of an engine (docker, podman, buildah): runs its commands and turns what went wrong into
// EngineErrors that name the command and repeat the engine's last words. Knows what these programs' outputs
// have in common; not what any one command means.
//
// Thread rule: const after construction; all calls from any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/subprocess.h"
#include "engine/container_engine.h"

namespace stagemake {

class EngineProgram {
 public:
  // The program is $`variable` where that is set, else `name`, looked up in PATH.
  EngineProgram(std::string name, const char* variable);

  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }
  bool installed() const;

  Command command(std::vector<std::string> arguments) const;
  // Runs to the end; any exit code is an answer. EngineError where the program cannot be started.
  Finished run(const Command& command) const;
  Finished call(std::vector<std::string> arguments) const { return run(command(std::move(arguments))); }
  // The command's output. EngineError where it fails.
  std::string ask(std::vector<std::string> arguments) const;

  // "docker commit: exit status 1: last words". Arguments stay out of it: they may hold anything.
  EngineError error(const std::string& verb, const Finished& finished) const;
  EngineError error(const std::string& verb, std::string_view words) const;

 private:
  std::string name_;
  std::string path_;
};

// Whether the engine says that an image, container, network or path is not there.
bool says_absent(const Finished& finished);
// Whether it says that an image cannot go because something uses it.
bool says_in_use(const Finished& finished);
// What it said at the end (up to three lines), fit for a terminal and without the passwords in URLs.
std::string last_words(const Finished& finished);

// JSON that an engine printed. EngineError where it is none.
nlohmann::json parsed_answer(const std::string& program, const std::string& text);
// A member of a JSON object; null where there is none, or `object` is none.
nlohmann::json member(const nlohmann::json& object, const char* key);
// The elements of a JSON list; none where `list` is no list.
nlohmann::json elements(nlohmann::json list);
// The texts of a JSON list; none where it is no list.
std::vector<std::string> texts_in(const nlohmann::json& list);
// The ids that a command printed, each once.
std::vector<std::string> ids_in(const std::string& output);
// A member of a JSON object as text; empty where there is none or it is null.
std::string text_at(const nlohmann::json& object, const char* key);
// A member of a JSON object as a number of bytes; 0 where there is none, or none that can be.
std::uint64_t size_at(const nlohmann::json& object, const char* key);
// An object of texts; empty where it is null.
Labels labels_in(const nlohmann::json& object);
// The paths of an image's "Volumes", which are the names of an object.
std::vector<std::string> volumes_in(const nlohmann::json& config);

// The argument of --filter that asks for a label, and whether these labels have it: the engines' filters are
// looser than our contract where a value holds odd characters.
std::string label_filter(const std::string& label, const std::string& value);
bool has_label(const Labels& labels, const std::string& label, const std::string& value);

// "2026-11-22T08:49:16.9Z", "2026-11-22T09:49:16+01:00" as seconds since the epoch; 0 where it is no time.
std::int64_t epoch_seconds(const std::string& time);

// Podman and buildah put "localhost/" before a name that has no registry; we leave it out.
std::string plain_name(std::string_view name);
// The host and port of the registry in an image name; empty where it names none (as in "debian:12",
// "me/thing").
std::string registry_of(std::string_view name);
// "sha256:…" in "name@sha256:…"; empty where there is none.
std::string digest_in(std::string_view name);

}  // namespace stagemake
