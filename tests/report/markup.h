// A reader of XML and of the HTML that reports are, strict on purpose: what it takes, browsers and CI servers
// take. Every element is closed in its place, attributes are quoted and differ, no bare `<` or `&`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;  // entities resolved
  std::vector<Element> children;
  std::string text;   // its own, without that of its children
  std::string whole;  // with it, in the order of the document

  // All elements of that name beneath it, in the order of the text.
  std::vector<const Element*> all(std::string_view called) const;
  // The first of them, which must be there.
  const Element& one(std::string_view called) const;
  std::string attribute(const std::string& called) const;  // empty where it is not there
};

// The document's root. Throws std::runtime_error where it is no XML 1.0 (of the kind without DTD, comments
// and CDATA).
Element read_xml(std::string_view text);
// The same of HTML: a doctype, elements that have no end, attributes without a value, <style> as raw text.
Element read_html(std::string_view text);

}  // namespace stagemake
