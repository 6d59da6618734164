// Files that a person names for output (`-o FILE`, `--html FILE`). How they are written depends on what is at
// that path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/files/descriptor.h"
#include "base/files/files.h"

namespace stagemake {

// A file that is being written, in pieces or by a program. How depends on what its name refers to:
// - "-" is standard output.
// - Symlinks are followed, even dangling ones.
// - A regular file is replaced as a whole: readers see the old content or the new, and after a failure (a
//   full disk, a crash) the old content is still there. Its mode is kept, and its owner if the caller may set
//   it. A new file gets 0666 minus the umask. If the folder does not accept new files, or the file is a mount
//   point, the file itself is overwritten; its space is reserved first if the size is known by then.
// - A device, FIFO, or descriptor of a process (/dev/stdout, /dev/fd/3, /proc/self/fd/1) is written to and
//   not replaced. Opening a FIFO waits for its reader.
//
// All members throw Error with the path and the reason: BadInput for a folder or a socket, EngineUnusable if
// the system refuses (no space, no permission, no reader left).
class OutputFile {
 public:
  // Makes the folder if needed. `size`: the total number of bytes to write, if known.
  explicit OutputFile(const fs::path& path, std::optional<std::uint64_t> size = {});
  // Without finish(), the old file stays as it was.
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
  fs::path target_;        // the path with symlinks resolved
  std::string temporary_;  // beside the target, which it replaces; empty: the target itself is open
  std::optional<std::uint64_t> before_;  // the size of a regular file that is written in place
  Descriptor opened_;
  int descriptor_ = -1;
};

// Writes all of `content` at once.
void write_output(const fs::path& path, std::string_view content);

// Whether the path is "-", which means standard output.
bool is_standard_output(const fs::path& path);

}  // namespace stagemake
