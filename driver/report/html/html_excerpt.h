// Lines of logs around findings, within a budget for the whole page.
#pragma once

#include "report/events/event.h"
#include "report/html/html_part.h"

namespace stagemake {

// How many bytes of logs a page may still contain. Keeps a page with hundreds of failures small enough for a
// browser.
class Space {
 public:
  explicit Space(std::size_t bytes) : left_(bytes) {}
  // Whether there is space for `bytes` more; if so, it is used up.
  bool take(std::size_t bytes);

 private:
  std::size_t left_;
};

// How many bytes a text is in the page.
std::size_t html_size(std::string_view text);

// {{#EXCERPT}} with the lines around a finding, its message in bold; nothing if there are none or no space is
// left.
void show_excerpt(HtmlPart part, const LogFinding& finding, Space& space);

}  // namespace stagemake
