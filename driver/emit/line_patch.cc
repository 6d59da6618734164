#include "emit/line_patch.h"

#include <fmt/format.h>

#include <algorithm>

namespace stagemake {
namespace {

constexpr std::size_t kContext = 3;  // lines
constexpr const char* kNoLineEnd = "\\ No newline at end of file\n";

struct DiffLine {
  char mark;  // ' ', '-' or '+'
  std::string text;
  bool has_end = true;

  bool is_change() const { return mark != ' '; }
};

// Without `diff --git`: with it, git takes paths from the top of the repository, which may be above the tree.
std::string head(const std::string& before, const std::string& path) {
  return fmt::format("--- {}\n+++ b/{}\n", before, path);
}

// "12,3", "12", and "11,0" if no line is meant.
std::string range(std::size_t before, std::size_t count) {
  if (count == 1) return std::to_string(before + 1);
  return fmt::format("{},{}", count == 0 ? before : before + 1, count);
}

std::string hunk(const std::vector<DiffLine>& all, std::size_t from, std::size_t to, std::size_t old_before,
                 std::size_t new_before) {
  std::size_t old_lines = 0, new_lines = 0;
  std::string body;
  for (std::size_t i = from; i < to; ++i) {
    old_lines += all[i].mark != '+' ? 1 : 0;
    new_lines += all[i].mark != '-' ? 1 : 0;
    body += all[i].mark + all[i].text + "\n" + (all[i].has_end ? "" : kNoLineEnd);
  }
  return fmt::format("@@ -{} +{} @@\n{}", range(old_before, old_lines), range(new_before, new_lines), body);
}

std::string hunks(const std::vector<DiffLine>& all) {
  std::string text;
  std::size_t old_before = 0, new_before = 0, told = 0;
  auto pass = [&](std::size_t to) {
    for (; told < to; ++told) {
      old_before += all[told].mark != '+' ? 1 : 0;
      new_before += all[told].mark != '-' ? 1 : 0;
    }
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].is_change()) continue;
    std::size_t from = i > told + kContext ? i - kContext : told, last = i;
    for (std::size_t j = i; j < all.size() && j <= last + 2 * kContext; ++j)
      if (all[j].is_change()) last = j;
    std::size_t to = std::min(all.size(), last + kContext + 1);
    pass(from);
    text += hunk(all, from, to, old_before, new_before);
    pass(to);
    i = to - 1;
  }
  return text;
}

}  // namespace

LinePatch::LinePatch(std::string_view text) {
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    lines_.emplace_back(text.substr(0, end));
    ends_in_line_ = end != std::string_view::npos;
    text.remove_prefix(ends_in_line_ ? end + 1 : text.size());
  }
  is_removed_.resize(lines_.size());
}

bool LinePatch::is_empty() const {
  return added_.empty() && std::find(is_removed_.begin(), is_removed_.end(), true) == is_removed_.end();
}

std::string LinePatch::diff(const std::string& path) const {
  if (is_empty()) return {};
  std::vector<DiffLine> all;
  auto add_lines = [&](std::size_t before) {
    if (auto found = added_.find(before); found != added_.end())
      for (const std::string& line : found->second) all.push_back({'+', line});
  };
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    add_lines(i);
    bool has_end = ends_in_line_ || i + 1 < lines_.size();
    // A last line without an end gets one if lines follow.
    bool is_ended = !has_end && !is_removed_[i] && added_.contains(lines_.size());
    all.push_back({is_removed_[i] || is_ended ? '-' : ' ', lines_[i], has_end});
    if (is_ended) all.push_back({'+', lines_[i]});
  }
  add_lines(lines_.size());
  return head("a/" + path, path) + hunks(all);
}

std::string new_file_diff(const std::string& path, std::string_view text) {
  std::vector<DiffLine> all;
  LinePatch lines(text);
  for (const std::string& line : lines.lines()) all.push_back({'+', line});
  return head("/dev/null", path) + hunks(all);
}

}  // namespace stagemake
