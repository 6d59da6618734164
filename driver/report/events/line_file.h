// A file of lines, written during a run without waiting for its disk or reader.
#pragma once

#include <string>

#include "base/files/files.h"
#include "base/process/output_queue.h"

namespace stagemake {

// If a reader is too slow, lines are lost: at most kMostWaiting bytes are queued. {"event":"lost","lines":N}
// takes their place.
class LineFile {
 public:
  static constexpr std::size_t kMostWaiting = 64u << 20;
  static constexpr std::chrono::milliseconds kLastWait{1000};

  // Truncates an existing file. Throws Error (EngineUnusable) if it cannot be opened, for example a pipe
  // without a reader.
  explicit LineFile(const fs::path& file);
  ~LineFile();  // writes queued lines; waits kLastWait for a reader that takes nothing
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  void add(const std::string& line) noexcept;  // without line end
  // Why lines could not be written; empty if all were.
  std::string problem() const;

 private:
  const fs::path file_;
  OutputQueue queue_;
};

}  // namespace stagemake
