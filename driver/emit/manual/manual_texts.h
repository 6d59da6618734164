// The files of driver/manual, which the build puts into the program (driver/embed_files.cmake).
#pragma once

#include <string_view>
#include <vector>

namespace stagemake {

struct ManualText {
  std::string_view name;  // "ci.md"
  std::string_view markdown;
};

const std::vector<ManualText>& manual_texts();

}  // namespace stagemake
