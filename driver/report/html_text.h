// Small pieces of HTML, and the only way in which text of others gets into a page: escaped, made printable,
// bounded. Attributes are always in double quotes.
#pragma once

#include <limits>
#include <string>
#include <string_view>

#include "report/event.h"

namespace stagemake {

inline constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max();

// `text` for an element or an attribute; what is longer than `most` bytes is cut off and ends in `…`.
std::string escaped(std::string_view text, std::size_t most = kWhole);

// <code>…</code>
std::string code(std::string_view text, std::size_t most = 200);

// "12 min 03 s" that is not broken over two lines.
std::string duration_html(double seconds);

// A moment as a <time> for machines and persons; empty where it is not known.
std::string time_html(double time);

// The name of a CSS class for a state.
std::string_view css_class(StageState state);

// <pre> of a command, nothing where it is empty.
std::string command_html(std::string_view command);

// How many bytes of logs a page may still hold: a page of hundreds of failures stays one that a browser
// opens.
class Space {
 public:
  explicit Space(std::size_t bytes) : left_(bytes) {}
  // <pre> of the lines around a finding, the one that says it in bold; empty where there are none, or no
  // space is left.
  std::string excerpt(const LogFinding& finding);
  // Text that is worth showing only while there is space; nothing where there is none.
  std::string if_fits(std::string text);

 private:
  std::size_t left_;
};

}  // namespace stagemake
