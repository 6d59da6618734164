// A build's log, line by line as a person would see it: without colours, with only the last state of lines
// that redraw themselves, and with the mark of the package split off.
//
// Takes linear time and bounded memory for any log: only the first kLongestLine bytes of a line are read.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

inline constexpr std::size_t kLongestLine = 4096;  // bytes

struct LogLine {
  std::size_t number = 0;  // from 1
  std::size_t offset = 0;  // of the first byte in the log
  // "gmp-6.2.1" of `[gmp-6.2.1] …`, which sage-logger puts in front of a package's lines; empty if there is
  // none.
  std::string_view mark = {};
  std::string_view text = {};  // without trailing blanks
  // `  [gmp-6.2.1] …`: a message of sage-logger itself, when it shows nothing else (V=0).
  bool by_logger = false;
};

class LogReader {
 public:
  // Starts at `offset`, the beginning of a line, which gets `number`.
  explicit LogReader(std::string_view log, std::size_t offset = 0, std::size_t number = 1)
      : log_(log), at_(offset), number_(number) {}

  // Returns false at the end. The line's views are valid until the next call.
  bool next(LogLine& line);

 private:
  std::string_view log_;
  std::size_t at_;
  std::size_t number_;
  std::string plain_;  // the current line, if it has colours
  std::string plain_end_;
};

// A package's name and version as in marks, log files and installation records: "gmp-6.2.1".
struct MarkedPackage {
  std::string_view name;
  std::string_view version;  // empty if there is none
};
MarkedPackage marked_package(std::string_view mark);

// Accepts a name with a version, or a lower-case name without one, as in the marks of packages that pip
// installs. `[100%]`, `[3/20]`, `[INFO]` and `[spkg-install]` are a build's own output, not marks.
bool is_mark(std::string_view name);
inline constexpr std::size_t kLongestMark = 200;  // bytes

}  // namespace stagemake
