// --hosts: the docker hosts of a command.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stagemake {

// A docker host: where its daemon listens, and what a build may take of it.
struct HostSpec {
  std::string name;   // for people and in records: [A-Za-z0-9][A-Za-z0-9_.-]*, unique in its list
  std::string place;  // "ssh://…", "tcp://…", "unix://…", or a context of docker's configuration
  std::optional<unsigned> slots = {};        // job slots, at least 1; absent: its processors
  std::optional<unsigned> at_once = {};      // stages, at least 1; absent: by its slots
  std::optional<std::uint64_t> memory = {};  // bytes for stages; 0: no limit; absent: what it has
};

// "NAME=PLACE[,slots=N][,jobs=N][,memory=SIZE],…": settings belong to the host before them. "@FILE" reads the
// same from a file, where blanks and line ends separate too, and `#` begins a comment. Throws Error
// (BadInput) with file and line for what is not of this form, a name that occurs twice, and a list without
// hosts.
std::vector<HostSpec> host_list(const std::string& text);

}  // namespace stagemake
