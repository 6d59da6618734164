// A build's log, line by line as a person would see it: without colours, of a line that draws over itself the
// last state, and with the mark that says whose line it is taken off.
//
// Linear in the log and of bounded memory, whatever the log holds: of a longer line than kLongestLine the
// rest is not looked at.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

inline constexpr std::size_t kLongestLine = 4096;  // bytes

struct LogLine {
  std::size_t number = 0;  // from 1 on
  std::size_t offset = 0;  // of its first byte in the log
  // "gmp-6.2.1" of `[gmp-6.2.1] …`, as sage-logger puts it before a package's lines; empty where there is
  // none.
  std::string_view mark = {};
  std::string_view text = {};  // without blanks at its end
  // `  [gmp-6.2.1] …`: what sage-logger says itself, where it shows no more than that (V=0).
  bool by_logger = false;
};

class LogReader {
 public:
  // From `offset`, the beginning of a line, which is told to have `number`.
  explicit LogReader(std::string_view log, std::size_t offset = 0, std::size_t number = 1)
      : log_(log), at_(offset), number_(number) {}

  // False at the end. The line's views hold until the next call.
  bool next(LogLine& line);

 private:
  std::string_view log_;
  std::size_t at_;
  std::size_t number_;
  std::string plain_;  // of a line with colours
  std::string plain_end_;
};

// A package's name and version as marks, log files and installation records have them: "gmp-6.2.1".
struct MarkedPackage {
  std::string_view name;
  std::string_view version;  // empty where it has none
};
MarkedPackage marked_package(std::string_view mark);

// A name with a version; or without one a lower-case name, as packages that pip installs have in their marks.
// `[100%]`, `[3/20]`, `[INFO]` and the like are a build's own, and so is `[spkg-install]`.
bool is_mark(std::string_view name);
inline constexpr std::size_t kLongestMark = 200;  // bytes

}  // namespace stagemake
