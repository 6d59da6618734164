// Files that a person names for output (`-o FILE`, `--html FILE`): what stands at that place decides how they
// are written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/files.h"

namespace stagemake {

// A file that is being written, in pieces or by a program. What a person named says how:
// - "-" is standard output.
// - Symlinks are followed, also one that leads nowhere yet.
// - A regular file is replaced as a whole: readers see the old content or the new, and after a failure (a
// full disk,
//   a crash) the old content is still there. Its mode stays, and its owner where the caller may set it. A new
//   file gets 0666 less the umask. Where the folder takes no new file, or the file is a mount point, the file
//   itself is overwritten, after its space was reserved if the size is known by then.
// - A device, FIFO, or descriptor of a process (/dev/stdout, /dev/fd/3, /proc/self/fd/1) is written to and
// stays
//   what it is. Opening a FIFO waits for its reader.
// All members throw Error with the path and the reason: BadInput for a folder or a socket, EngineUnusable
// where the system refuses (no space, no permission, a reader that is gone).
class OutputFile {
 public:
  // Makes the folder if needed. `size`: of all that will be written, in bytes, where that is known.
  explicit OutputFile(const fs::path& path, std::optional<std::uint64_t> size = {});
  // Without finish(), what was to be replaced is as it was.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // For a program to write to.
  int descriptor() const { return descriptor_; }
  void write(std::string_view content);
  void finish();

 private:
  void open_in_place(std::optional<std::uint64_t> size);
  int overwrite_with_temporary();

  fs::path named_;
  fs::path target_;        // where its symlinks lead
  std::string temporary_;  // beside the target, which it replaces; empty: the target itself is open
  std::optional<std::uint64_t> before_;  // the size of a regular file that is written in place
  Descriptor opened_;
  int descriptor_ = -1;
};

// All of `content` at once.
void write_output(const fs::path& path, std::string_view content);

// Whether a person named standard output itself: "-".
bool is_standard_output(const fs::path& path);

}  // namespace stagemake
