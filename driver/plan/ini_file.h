// The shape of an ini file as tox.ini is one: sections, keys, and the lines of their values. What the values
// mean is not known here.
//
// `[section]` and `key =` begin at the first column, the lines of a value are indented; comments are whole
// lines that begin with `#` (or, outside of a value, `;`). A line that is none of these is a fault.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stagemake {

struct IniLine {
  std::string text;  // without the blanks around it
  unsigned number = 0;
};

struct IniKey {
  std::string name;
  unsigned number = 0;
  std::vector<IniLine> lines;  // what stands behind `=`, if anything, and the indented lines; no comments
};

struct IniSection {
  std::string name;
  unsigned number = 0;
  std::vector<IniKey> keys;

  const IniKey* find(std::string_view key) const;  // the last of that name; null where there is none
};

// Faults are told as "FILE:LINE".
std::vector<IniSection> parse_ini(std::string_view text, const std::string& file, Faults& faults);

// Lines with the comment at their end cut off (`\#` is a `#`), and lines that end in a backslash joined with
// the next. Empty ones are left out.
std::vector<IniLine> logical_lines(const IniKey& key);

}  // namespace stagemake
