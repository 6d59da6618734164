#include "run/fake_scripts.h"

#include <fmt/format.h>

#include <functional>
#include <map>

#include "base/text/text.h"

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

std::optional<std::string> brought_times(FakeContainer& container, const std::string& script,
                                         std::int64_t now) {
  if (script.find("stagemake-times") == std::string::npos) return std::nullopt;
  const FakeFiles& files = container.files;
  std::map<std::int64_t, std::vector<std::string>, std::greater<>> by_time;
  for (auto at = files.lower_bound("/sage"); at != files.end() && at->first.starts_with("/sage"); ++at)
    if (at->second.kind != TarEntry::Kind::Symlink) by_time[at->second.time].push_back(at->first);
  if (by_time.empty() || by_time.begin()->first <= now) return "stagemake-times 0 0 0\n";
  std::size_t changed = 0;
  std::int64_t limit = now, ahead = by_time.begin()->first - now;
  for (const auto& [time, paths] : by_time) {
    limit = time < limit ? time : limit - 1;
    if (limit == time) break;
    for (const std::string& path : paths) container.files[path].time = limit;
    changed += paths.size();
  }
  return fmt::format("stagemake-times {} 0 {}\n", changed, ahead);
}

}  // namespace stagemake
