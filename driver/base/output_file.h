// Files that a person names for output (`-o FILE`, `--html FILE`): what stands at that place decides how they are
// written.
#pragma once

#include <string_view>

#include "base/files.h"

namespace stagemake {

// Writes all of `content` to what a person named:
// - "-" is standard output.
// - Symlinks are followed, also one that leads nowhere yet.
// - A regular file is replaced as a whole: readers see the old content or the new, and after a failure (a full disk,
//   a crash) the old content is still there. Its mode stays, and its owner where the caller may set it. A new file
//   gets 0666 less the umask. Where the folder takes no new file, or the file is a mount point, the file itself is
//   overwritten, after its space was reserved.
// - A device, FIFO, or descriptor of a process (/dev/stdout, /dev/fd/3, /proc/self/fd/1) is written to and stays
//   what it is. Opening a FIFO waits for its reader.
// Makes the folder if needed. Throws Error with the path and the reason: BadInput for a folder or a socket,
// EngineUnusable where the system refuses (no space, no permission, a reader that is gone).
void write_output(const fs::path& path, std::string_view content);

// Whether a person named standard output itself: "-".
bool is_standard_output(const fs::path& path);

}  // namespace stagemake
