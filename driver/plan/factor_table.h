// The factor table of a tree: what its tox.ini says of environments, as data. The grammar is tox 4's.
//
//   setenv =
//       KEY=VALUE                       holds for all
//       ubuntu-{focal,jammy}: KEY=VALUE holds where the name has both factors of an alternative
//       local-!direct,docker: KEY=VALUE `,` is or, `-` is and, `!` is not
//
// An environment's name is a set of factors, split at `-`; their order means nothing. The last setting that
// holds wins. What values mean is plan/tox_variables.h's business. Immutable once read.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace stagemake {

// A name in a list, and where it stands.
struct ListedName {
  std::string name;
  std::string file;  // relative to the tree
  unsigned line = 0;

  auto operator<=>(const ListedName&) const = default;
};

// `a{b,c}-d` → ab-d, ac-d; nested braces too; `,` and blanks outside of braces part names. A list that would
// hold more than kMostNames names, or whose braces do not close, is a fault at `where`.
inline constexpr std::size_t kMostNames = 20'000;
std::vector<std::string> expand_braces(std::string_view text, const std::string& where, Faults& faults);

class FactorTable {
 public:
  // `file`: how faults call it.
  static FactorTable parse(std::string_view text, const std::string& file, Faults& faults);
  // Reads TREE/tox.ini. Nothing where there is none, or none that has the factor `docker` in a condition.
  static std::optional<FactorTable> read(const fs::path& tree, Faults& faults);

  // The settings that hold for an environment, by variable, as they are written.
  std::map<std::string, std::string> settings(std::string_view environment) const;

  // [tox] envlist, braces expanded.
  const std::vector<ListedName>& envlist() const { return envlist_; }
  // DEFAULT_SYSTEM_FACTORS of whatever section: the systems that CI builds. Empty where there is none.
  const std::vector<ListedName>& platforms() const { return platforms_; }

  // All factors that the file has: in conditions, in the envlist and the platforms, and in names of sections
  // `[testenv:NAME]`.
  const std::set<std::string, std::less<>>& factors() const { return factors_; }
  // Of these, those of conditions and of sections: the others only stand in lists and set nothing.
  const std::set<std::string, std::less<>>& meaning() const { return meaning_; }
  // The factors of a name that the file does not have.
  std::vector<std::string> unknown_factors(std::string_view environment) const;
  // Throws Error (BadInput) with the nearest known ones where there are any.
  void check_factors(std::string_view environment) const;

  const std::string& file() const { return file_; }

 private:
  struct Factor {
    std::string name;
    bool negated = false;
  };
  using Alternative = std::vector<Factor>;  // all must hold
  struct Setting {
    std::vector<Alternative> condition;  // one must hold; empty: always
    std::string key;
    std::string value;
  };
  static std::optional<std::vector<Alternative>> parse_condition(std::string_view text);
  void add_setting(std::string_view line, const std::string& where, Faults& faults);

  std::string file_;
  std::vector<Setting> settings_;
  std::vector<ListedName> envlist_, platforms_;
  std::set<std::string, std::less<>> factors_, meaning_;
};

}  // namespace stagemake
