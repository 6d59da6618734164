// JSON that is nested deeper than any stack, as strangers may send it.
#pragma once

#include <string>
#include <vector>

namespace stagemake::test {

inline std::string many(std::size_t times, std::string_view part) {
  std::string text;
  std::size_t whole = times * part.size();
  text.reserve(whole);
  text.append(part.substr(0, whole));
  while (text.size() < whole) text.append(text, 0, whole - text.size());
  return text;
}

// Texts of about `bytes`: lists and objects, complete and truncated, each alone and as the only value below
// `key`.
inline std::vector<std::string> deep_json(const std::string& key = "a", std::size_t bytes = 4u << 20) {
  std::vector<std::string> texts = {std::string(bytes, '['),
                                    std::string(bytes / 2, '[') + std::string(bytes / 2, ']'),
                                    many(bytes / 6, "{\"a\":") + "1" + std::string(bytes / 6, '}'),
                                    many(bytes / 8, "[{\"a\":") + "1" + many(bytes / 8, "}]")};
  for (std::size_t i = texts.size(); i-- > 0;) texts.push_back("{\"" + key + "\":" + texts[i] + "}");
  return texts;
}

}  // namespace stagemake::test
