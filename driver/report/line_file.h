// A file of lines that is written while a run goes on, without anybody waiting for its disk or its reader.
#pragma once

#include <string>

#include "base/files.h"
#include "base/output_queue.h"

namespace stagemake {

// Lines are lost where a reader does not take them in time: kMostWaiting bytes wait. In their place stands
// {"event":"lost","lines":N}.
class LineFile {
 public:
  static constexpr std::size_t kMostWaiting = 64u << 20;
  static constexpr std::chrono::milliseconds kLastWait{1000};

  // Empties a file that is there. Throws Error (EngineUnusable) where it cannot be opened, also a pipe that
  // nobody reads.
  explicit LineFile(const fs::path& file);
  ~LineFile();  // writes what waits; gives a reader who takes nothing kLastWait
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  void add(const std::string& line) noexcept;  // without its end
  // Why lines could not be written; empty where all could.
  std::string problem() const;

 private:
  const fs::path file_;
  OutputQueue queue_;
};

}  // namespace stagemake
