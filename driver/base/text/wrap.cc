#include "base/text/wrap.h"

#include <algorithm>

namespace stagemake {

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string wrapped(std::string_view first, const std::vector<std::string>& words, std::size_t width) {
  std::size_t indent = columns(first);
  std::string text(first);
  std::size_t used = indent;
  for (const std::string& word : words) {
    std::size_t room = columns(word);
    if (used > indent && used + 1 + room > width) {
      text += "\n" + std::string(indent, ' ');
      used = indent;
    }
    if (used > indent) text += ' ', ++used;
    text += word;
    used += room;
  }
  return text + "\n";
}

std::string wrapped_list(std::string_view first, std::vector<std::string> words, std::string_view separator,
                         std::size_t width) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) words[i] += separator;
  return wrapped(first, words, width);
}

}  // namespace stagemake
