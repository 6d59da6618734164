// Escapes text for HTML and XML.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// `text`, made printable, as content of an element or of a quoted attribute. None of it is read as markup.
std::string as_markup_text(std::string_view text);

}  // namespace stagemake
