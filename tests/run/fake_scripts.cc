#include "run/fake_scripts.h"

#include "base/text.h"
#include "plan/snapshot.h"

namespace stagemake {

std::string between(const std::string& text, std::string_view begin, std::string_view ends) {
  std::size_t at = text.find(begin);
  if (at == std::string::npos) return "";
  at += begin.size();
  std::string word = text.substr(at, text.find_first_of(ends, at) - at);
  if (word.size() >= 2 && word.front() == '\'') word = word.substr(1, word.size() - 2);
  return word;
}

std::vector<std::string> word_list(const std::string& text) {
  std::vector<std::string_view> views = words(text);
  return {views.begin(), views.end()};
}

std::string note_running(FakeContainer& container, std::string script) {
  std::size_t end = script.find(" > " + std::string(kRunningPath));
  if (end == std::string::npos) return script;
  std::string_view begins = "printf '%s' '";
  std::size_t begin = script.rfind(begins, end) + begins.size();
  container.files[std::string(kRunningPath)] = {.content = script.substr(begin, end - 1 - begin)};
  return script.erase(begin, end - begin);
}

}  // namespace stagemake
