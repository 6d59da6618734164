// Whether an engine can be used here: what is missing if not, what makes it slow if so. Knows what several
// engines need, but no engine's own commands.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/engine_program.h"

namespace stagemake {

// What `stagemake doctor` prints about one engine.
struct EngineReport {
  std::string name = {};
  bool usable = false;
  std::string version = {};
  std::string problem = {};  // if not usable: what is missing
  std::string advice = {};   // if not usable: how to get it
  std::string warning = {};  // if usable: what makes it slow here, and the remedy
};
// How closely to examine an engine. Quick: before each command that needs one. Close: also starts something
// and checks the storage.
enum class Look { Quick, Close };

EngineReport usable(const std::string& engine, std::string version, std::string warning = {});
EngineReport not_usable(const std::string& engine, std::string problem, std::string advice);
// The version of a usable engine. If it is not usable, throws EngineError with what is missing and how to get
// it.
std::string usable_version(const EngineReport& report);

// Why this user cannot unpack images without being root; nothing if it is possible.
std::optional<EngineReport> lacks_ids(const EngineProgram& program);
// Warns about storage where each commit copies everything; empty for other storage drivers.
std::string storage_warning(std::string_view driver);

}  // namespace stagemake
