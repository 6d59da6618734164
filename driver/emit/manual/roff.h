// Text for man(7) pages.
#pragma once

#include <string>
#include <string_view>

#include "emit/manual/markdown.h"

namespace stagemake {

// Escapes text, which is UTF-8: hyphens and quotes remain those of a command line, no line begins with a
// request, and the result is ASCII.
std::string roff(std::string_view text);

// With marks as fonts: code and bold are bold, italic is italic. Links are printed as their text.
std::string roff(const MarkdownText& text);

std::string in_capitals(std::string text);

// .TH, no hyphenation of names and options, and the section NAME.
std::string roff_head(const std::string& page, int section, const std::string& program,
                      const std::string& version, const std::string& what);

}  // namespace stagemake
