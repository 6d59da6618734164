// Text inside of HTML, XML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// `text`, made printable, as content of an element or of a quoted attribute: nothing of it is markup.
std::string as_markup_text(std::string_view text);

}  // namespace stagemake
