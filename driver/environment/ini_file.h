// Structure of an ini file such as tox.ini: sections, keys, and the lines of their values. Values are not
// interpreted here.
//
// The rules are those of the two parsers that versions of tox use (Python's configparser, iniconfig): a line
// indented deeper than the key above it belongs to that key's value; comments are whole lines that begin with
// `#` or `;`. Any other line is a fault, and so is a duplicate section or key. Reading continues after each
// fault.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stagemake {

struct IniLine {
  std::string text;  // without surrounding blanks
  unsigned number = 0;
};

struct IniKey {
  std::string name;  // as written; find() ignores case
  unsigned number = 0;
  std::vector<IniLine> lines;  // the text after `=`, if any, and the indented lines; no comments
};

// A fault in a section, with the key before it; empty if there is none yet.
struct IniFault {
  std::string key;
  Fault fault;
};

struct IniSection {
  std::string name;
  unsigned number = 0;
  std::vector<IniKey> keys;
  std::vector<IniFault> faults;  // in this section

  const IniKey* find(std::string_view key) const;  // the last with that name; null if there is none
};

// Faults are at "FILE:LINE". Bytes that are not UTF-8 are a fault and become `?`. If two sections have the
// same name, the first gets the keys of both.
std::vector<IniSection> parse_ini(std::string_view text, const std::string& file, Faults& faults);

// Lines without the comment at their end (`\#` is a `#`), and with lines that end in a backslash joined with
// the next. Empty lines are left out.
std::vector<IniLine> logical_lines(const IniKey& key);

}  // namespace stagemake
