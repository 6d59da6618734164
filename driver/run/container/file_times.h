// Moves file times that lie in the future to the present.
//
// make decides by file times alone. An image from a machine whose clock is ahead, or one made here before the
// clock was set back, holds files that are younger than everything written from now on: make would consider
// them up to date whatever changes. So before anything is copied into or built in an older image, a script
// finds such files below the tree's root and makes them older.
//
// The order of any two files is kept: files of the future get whole seconds that end one second before the
// present, and older files move down only if there is not enough room below. Files that need no new time are
// not touched: on overlay file systems, a new time copies the file into the container's layer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stagemake {

// Text for the container's /bin/sh. It works in /.stagemake and below `root` (absolute; need not exist). It
// needs `find`, and if it finds a file of the future, `stat` and `sort`, and either `perl` or `awk`, `tr`,
// `xargs` and `touch`. Symlinks keep their times because make does not look at them; so do paths with a line
// feed, which make cannot name. Exits with 0 if no file below `root` lies in the future any more. It uses the
// container's clock.
std::string present_times_script(const std::string& root);

// What the script did, parsed from its output.
struct TimesBrought {
  std::uint64_t files = 0;  // that got another time
  std::uint64_t bytes = 0;  // in them
  std::int64_t ahead = 0;   // seconds by which the youngest file lay in the future
};
// Zeros if no file lay in the future. Nothing if the script did not finish; then `why` says what was missing
// or failed.
std::optional<TimesBrought> times_brought(int exit_code, std::string_view output, std::string& why);

}  // namespace stagemake
