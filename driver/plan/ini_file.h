// The shape of an ini file as tox.ini is one: sections, keys, and the lines of their values. What the values
// mean is not known here.
//
// The rules are those of the two parsers that versions of tox use (Python's configparser, iniconfig): a line
// that is indented deeper than the key above it belongs to that key's value; comments are whole lines that
// begin with `#` or `;`. A line that is none of these is a fault, and so is a section or a key that is there
// twice. Reading goes on behind each fault.
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
  std::string name;  // as it is written; find() ignores case
  unsigned number = 0;
  std::vector<IniLine> lines;  // what stands behind `=`, if anything, and the indented lines; no comments
};

// A fault in a section, and the key that it stands behind: empty where there is none yet.
struct IniFault {
  std::string key;
  Fault fault;
};

struct IniSection {
  std::string name;
  unsigned number = 0;
  std::vector<IniKey> keys;
  std::vector<IniFault> faults;  // in this section

  const IniKey* find(std::string_view key) const;  // the last of that name; null where there is none
};

// Faults are told as "FILE:LINE". Bytes that are no UTF-8 are a fault and become `?`. Of two sections with
// one name the first gets the keys of both.
std::vector<IniSection> parse_ini(std::string_view text, const std::string& file, Faults& faults);

// Lines with the comment at their end cut off (`\#` is a `#`), and lines that end in a backslash joined with
// the next. Empty ones are left out.
std::vector<IniLine> logical_lines(const IniKey& key);

}  // namespace stagemake
