#include "report/markup.h"

#include <stdexcept>

#include "base/text/text.h"

namespace stagemake {
namespace {

class Reader {
 public:
  Reader(std::string_view text, bool html) : text_(text), html_(html) {}

  Element document() {
    if (!is_utf8(text_)) fail("no UTF-8");
    if (!html_ && (text_.find("\xef\xbf\xbe") != text_.npos || text_.find("\xef\xbf\xbf") != text_.npos))
      fail("a character that XML forbids");
    for (char c : text_)
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') fail("a control character");
    skip(html_ ? "<!DOCTYPE html>" : "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    skip_blanks();
    Element root = element();
    skip_blanks();
    if (at_ != text_.size()) fail("something behind the root");
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(what + " at: " + std::string(text_.substr(at_, 80)));
  }
  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }
  void skip(std::string_view what) {
    if (!starts(what)) fail("no " + std::string(what));
    at_ += what.size();
  }
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \n\t", at_), text_.size()); }

  std::string word() {
    std::size_t end = text_.find_first_of(" \n\t=<>/\"'", at_);
    if (end == at_ || end == text_.npos) fail("no name");
    std::string result(text_.substr(at_, end - at_));
    at_ = end;
    return result;
  }

  // The text up to `end`, with entities resolved.
  std::string resolved(std::string_view raw) const {
    constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
        {"&lt;", "<"},   {"&gt;", ">"},  {"&amp;", "&"}, {"&quot;", "\""},
        {"&apos;", "'"}, {"&#39;", "'"}, {"&#9;", "\t"}};
    std::string result;
    while (!raw.empty()) {
      if (raw[0] == '<') fail("a bare <");
      if (raw[0] != '&') {
        result += raw[0];
        raw.remove_prefix(1);
        continue;
      }
      bool known = false;
      for (auto [name, character] : kEntities)
        if (!known && raw.starts_with(name))
          result += character, raw.remove_prefix(name.size()), known = true;
      if (!known) fail("a bare & in " + std::string(raw.substr(0, 30)));
    }
    return result;
  }

  void read_attribute(Element& element) {
    std::string name = word();
    std::string value;
    if (starts("=")) {
      skip("=\"");
      std::size_t end = text_.find('"', at_);
      if (end == text_.npos) fail("no end of an attribute");
      value = resolved(text_.substr(at_, end - at_));
      at_ = end + 1;
      if (!starts(">") && !starts("/") && !starts(" ") && !starts("\n") && !starts("?")) fail("no blank");
    } else if (!html_) {
      fail("an attribute without a value");
    }
    if (!element.attributes.emplace(name, value).second) fail("twice the attribute " + name);
  }

  Element element() {
    skip("<");
    Element result{.name = word(), .attributes = {}, .children = {}, .text = {}, .whole = {}};
    for (skip_blanks(); !starts(">") && !starts("/>"); skip_blanks()) read_attribute(result);
    if (starts("/>")) {
      skip("/>");
      return result;
    }
    skip(">");
    bool empty = result.name == "meta" || result.name == "br" || result.name == "input";
    if (!html_ || !empty) read_content(result);
    return result;
  }

  void read_content(Element& element) {
    std::string end = "</" + element.name + ">";
    if (html_ && element.name == "style") {
      std::size_t found = text_.find("</", at_);
      element.text = std::string(text_.substr(at_, found - at_));
      at_ = found;
    }
    while (!starts("</")) {
      if (at_ >= text_.size()) fail("no " + end);
      if (starts("<")) {
        element.children.push_back(this->element());
        element.whole += element.children.back().whole;
        continue;
      }
      std::size_t next = std::min(text_.find('<', at_), text_.size());
      std::string piece = resolved(text_.substr(at_, next - at_));
      element.text += piece;
      element.whole += piece;
      at_ = next;
    }
    skip(end);
  }

  std::string_view text_;
  bool html_;
  std::size_t at_ = 0;
};

void collect(const Element& element, std::string_view called, std::vector<const Element*>& found) {
  for (const Element& child : element.children) {
    if (child.name == called) found.push_back(&child);
    collect(child, called, found);
  }
}

}  // namespace

std::vector<const Element*> Element::all(std::string_view called) const {
  std::vector<const Element*> found;
  collect(*this, called, found);
  return found;
}

const Element& Element::one(std::string_view called) const {
  std::vector<const Element*> found = all(called);
  if (found.empty()) throw std::runtime_error("no <" + std::string(called) + "> in <" + name + ">");
  return *found[0];
}

std::string Element::attribute(const std::string& called) const {
  auto found = attributes.find(called);
  return found == attributes.end() ? "" : found->second;
}

Element read_xml(std::string_view text) {
  return Reader(text, false).document();
}

Element read_html(std::string_view text) {
  return Reader(text, true).document();
}

}  // namespace stagemake
