// Compares what stagemake prints with a file of tests/cli/golden, so that a change of words is visible in a
// diff.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files/files.h"
#include "cli/called.h"

namespace stagemake::test {

// Collects texts under one heading each, and compares them with golden/NAME.txt. With
// STAGEMAKE_UPDATE_GOLDEN=1 it writes that file instead.
class Golden {
 public:
  explicit Golden(std::string name);

  // From now on, `text` is printed as `word`: the name of a temporary folder, a port.
  void replace(const std::string& text, const std::string& word);
  // Ages, durations and digests differ between runs: prints them as TIME and DIGEST.
  void hide_times();

  void add(std::string_view heading, const std::string& text);
  // Calls stagemake and adds the words, the exit status and what it printed. `common` is not printed.
  void call(const std::vector<std::string>& words, const std::vector<std::string>& common = {});
  // The same without standard output.
  void call_for_errors(const std::vector<std::string>& words, const std::vector<std::string>& common = {});
  void compare() const;

 private:
  void call(const std::vector<std::string>& words, const std::vector<std::string>& common, bool with_output);
  std::string settled(std::string text) const;

  const std::string name_;
  std::vector<std::pair<std::string, std::string>> words_;
  bool hides_times_ = false;
  std::string text_;
};

// The metadata of a real tree beside this one, such as "sage-9.8.rc0".
fs::path corpus(const std::string& name);

}  // namespace stagemake::test
