// ci-docker.toml → StageTable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/files.h"
#include "tree/stage_table.h"

namespace stagemake {

// Reads a table in the form of ci-docker.toml. Values that the file does not set are those of the built-in
// table of `features`, except `stages`: if the file has any, it defines all of them. Throws one Error with
// all faults, as "file:line:column". Paths to add that are not in `tree` are faults if the table lies in the
// tree, and warnings for another table, which may be meant for several releases; without a tree they are not
// checked.
StageTable read_stage_table(const fs::path& file, const TreeFeatures& features,
                            const std::optional<fs::path>& tree = std::nullopt);
// The same for `content`, the content of `file`.
StageTable parse_stage_table(std::string_view content, const fs::path& file, const TreeFeatures& features,
                             const std::optional<fs::path>& tree);

// The keys of ci-docker.toml, and those of a stage in it.
const std::vector<std::string>& stage_table_keys();
const std::vector<std::string>& stage_keys();

}  // namespace stagemake
