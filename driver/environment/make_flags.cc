#include "environment/make_flags.h"

#include <vector>

#include "base/text/text.h"

namespace stagemake {
namespace {

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

struct JobWord {
  bool found = false;
  bool takes_next = false;  // the next word may be a number
  std::string rest;         // the other letters
};

JobWord job_word(std::string_view word) {
  if (word == "--jobs") return {true, true, {}};
  if (word.starts_with("--jobs=")) return {true, false, {}};
  if (word.size() < 2 || word[0] != '-' || word[1] == '-') return {};
  // After one of the others, the rest of the word is that letter's argument.
  std::size_t at = word.find_first_of("jCEIOWflo");
  if (at == std::string_view::npos || word[at] != 'j') return {};
  std::string_view count = word.substr(at + 1);
  if (!count.empty() && !is_number(count)) return {};
  return {true, count.empty(), at == 1 ? std::string() : std::string(word.substr(0, at))};
}

}  // namespace

std::string without_job_counts(std::string_view text) {
  std::vector<std::string> kept;
  std::vector<std::string_view> all = words(text);
  bool found = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    JobWord jobs = job_word(all[i]);
    if (!jobs.found) {
      kept.emplace_back(all[i]);
      continue;
    }
    found = true;
    if (!jobs.rest.empty()) kept.push_back(jobs.rest);
    if (jobs.takes_next && i + 1 < all.size() && is_number(all[i + 1])) ++i;
  }
  return found ? join(kept, " ") : std::string(text);
}

}  // namespace stagemake
