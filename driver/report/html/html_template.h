// The templates of the page, which ctemplate fills in. report.html says how to read them; they are part of
// the program.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "report/html/html_part.h"

namespace stagemake {

struct HtmlFile {
  std::string_view name;  // "report.html"
  std::string_view text;
};

// The files of driver/report/html, which the build puts into the program (driver/embed_files.cmake).
const std::vector<HtmlFile>& html_files();

// report.html with report.css, and the values that `fill` gives it.
std::string filled_template(const std::function<void(HtmlPart)>& fill);

}  // namespace stagemake
