// A reader of XML and of the HTML in reports. It is strict on purpose: what it accepts, browsers and CI
// servers accept. Every element is closed in its place, attributes are quoted and distinct, no bare `<` or
// `&`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;  // with entities resolved
  std::vector<Element> children;
  std::string text;   // its own text, without that of its children
  std::string whole;  // with its children's text, in document order

  // All elements of that name beneath it, in document order.
  std::vector<const Element*> all(std::string_view called) const;
  // The first of them; it must exist.
  const Element& one(std::string_view called) const;
  std::string attribute(const std::string& called) const;  // empty if it is missing
};

// The document's root. Throws std::runtime_error if the text is not XML 1.0 (without DTD, comments and
// CDATA).
Element read_xml(std::string_view text);
// The same for HTML: a doctype, elements without end tags, attributes without values, <style> as raw text.
Element read_html(std::string_view text);

}  // namespace stagemake
