// Changes whole lines of a text, and writes the changes as a unified diff.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

class LinePatch {
 public:
  explicit LinePatch(std::string_view text);

  const std::vector<std::string>& lines() const { return lines_; }  // without line ends
  void remove(std::size_t line) { is_removed_[line] = true; }
  // Adds a line in front of this one, after those that were added there before; lines().size(): at the end.
  void add(std::size_t before, std::string line) { added_[before].push_back(std::move(line)); }

  bool is_empty() const;
  // The diff of this file, with three lines of context; empty if nothing changed.
  std::string diff(const std::string& path) const;

 private:
  std::vector<std::string> lines_;
  std::vector<bool> is_removed_;
  std::map<std::size_t, std::vector<std::string>> added_;
  bool ends_in_line_ = true;  // the last line has its end
};

// The diff that makes a new file.
std::string new_file_diff(const std::string& path, std::string_view text);

}  // namespace stagemake
