#include "cli/golden.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>

#include "base/text/text.h"

namespace stagemake::test {
namespace {

std::string replaced_all(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

// The first line in which they differ, with its number.
std::string first_difference(const std::string& expected, const std::string& text) {
  std::vector<std::string_view> before = lines(expected), now = lines(text);
  std::size_t i = 0;
  while (i < before.size() && i < now.size() && before[i] == now[i]) ++i;
  return fmt::format("line {}\n  expected: {}\n  printed:  {}", i + 1,
                     i < before.size() ? before[i] : "(the end)", i < now.size() ? now[i] : "(the end)");
}

}  // namespace

Golden::Golden(std::string name) : name_(std::move(name)) {}

void Golden::replace(const std::string& text, const std::string& word) {
  words_.emplace_back(text, word);
}

void Golden::hide_times() {
  hides_times_ = true;
}

std::string Golden::settled(std::string text) const {
  for (const auto& [what, word] : words_) text = replaced_all(std::move(text), what, word);
  static const std::regex folder(R"(tmp\.[A-Za-z0-9]{6}-[0-9a-f]{8})"), ends(" +\n");
  text = std::regex_replace(std::regex_replace(text, folder, "DISTRIBUTION"), ends, "\n");
  if (!hides_times_) return text;
  static const std::regex time(R"(\b[0-9]+(\.[0-9]+)? (s|h|min)( [0-9]+ (s|min))?(?![a-z]))"),
      digest(R"(\b[0-9a-f]{12,64}\b)"), blanks("(\\S) {2,}TIME");
  text = std::regex_replace(std::regex_replace(text, time, "TIME"), digest, "DIGEST");
  return std::regex_replace(text, blanks, "$1  TIME");
}

void Golden::add(std::string_view heading, const std::string& text) {
  text_ += fmt::format("{}== {}\n{}", text_.empty() ? "" : "\n", heading, settled(text));
  if (!text_.ends_with('\n')) text_ += '\n';
}

void Golden::call(const std::vector<std::string>& words, const std::vector<std::string>& common) {
  call(words, common, true);
}

void Golden::call_for_errors(const std::vector<std::string>& words, const std::vector<std::string>& common) {
  call(words, common, false);
}

void Golden::call(const std::vector<std::string>& words, const std::vector<std::string>& common,
                  bool with_output) {
  std::vector<std::string> all = words;
  all.insert(all.end(), common.begin(), common.end());
  Called called = call_stagemake(all);
  add(settled(fmt::format("stagemake {} (exit status {})", join(words, " "), called.status)),
      with_output ? called.errors + called.output : called.errors);
}

void Golden::compare() const {
  fs::path file = fs::path(STAGEMAKE_SOURCE_DIR) / "tests/cli/golden" / (name_ + ".txt");
  if (const char* update = std::getenv("STAGEMAKE_UPDATE_GOLDEN"); update != nullptr && *update != '\0') {
    write_file(file, text_);
    return;
  }
  std::string expected = read_file(file).value_or("");
  EXPECT_TRUE(text_ == expected)
      << "tests/cli/golden/" << name_ << ".txt differs from what stagemake prints, first in "
      << first_difference(expected, text_)
      << "\nIf the new words are intended, run this test with STAGEMAKE_UPDATE_GOLDEN=1 in its environment "
         "and commit the file.";
}

fs::path corpus(const std::string& name) {
  return fs::path(STAGEMAKE_SHARED_DIR) / "corpus" / name;
}

}  // namespace stagemake::test
