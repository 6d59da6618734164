// File times in the future, brought to the present.
//
// make decides by file times alone. An image from a machine whose clock is ahead, or one that was made here
// before the clock was set back, holds files that are younger than all that is written from now on: make
// would take them for up to date whatever changes. So before anything is brought or built in an older image,
// a script looks for such files below the tree's root and makes them older.
//
// Every order between two files stays: files of the future get whole seconds that end one second before the
// present, and only where there is not enough room below them do older files move down too. Files that need
// no new time are not touched: on overlay file systems a new time copies the file into the container's layer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stagemake {

// Text for the container's /bin/sh. It works in /.stagemake and below `root` (absolute; it need not exist),
// needs `find`, and where it finds a file of the future `stat` and `sort`, and either `perl` or `awk`, `tr`,
// `xargs` and `touch`. Symlinks, whose own times make does not look at, and paths with a line feed, which
// make cannot name, keep their times. Ends with 0 where no file below `root` lies in the future any more. The
// clock is the container's.
std::string present_times_script(const std::string& root);

// What the script did, from what it printed.
struct TimesBrought {
  std::uint64_t files = 0;  // that got another time
  std::uint64_t bytes = 0;  // in them
  std::int64_t ahead = 0;   // seconds by which the youngest file lay in the future
};
// Zeros where no file lay in the future. Nothing where the script did not come to its end; then `why` says
// what was missing or failed.
std::optional<TimesBrought> times_brought(int exit_code, std::string_view output, std::string& why);

}  // namespace stagemake
