// The factor table of a tree: what its tox.ini says of environments, as data. The grammar is that of tox 3
// and tox 4: what one of them accepts is accepted.
//
//   setenv =
//       KEY=VALUE                       holds for all
//       ubuntu-{focal,jammy}: KEY=VALUE holds where the name has both factors of an alternative
//       local-!direct,docker: KEY=VALUE `,` is or, `-` is and, `!` is not
//       file|more.env                   the settings in a file of the tree
//       {[base]setenv}                  the lines of another section
//
// An environment's name is a set of factors, split at `-`; their order means nothing. The last setting that
// holds wins. The settings are those of [testenv], or of [testenv:NAME] where that has any. What values mean
// is plan/tox_variables.h's business. Immutable once read.
//
// A fault concerns the environments for which its line would hold; settings() of those throws it. All others
// are as good as if it were not there.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "plan/ini_file.h"

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
  // `file`: how faults call it. `faults` gets the same as warnings().
  static FactorTable parse(std::string_view text, const std::string& file, Faults& faults);
  // Reads TREE/tox.ini. Nothing where there is none, or none that has the factor `docker` in a condition.
  // What is wrong in it is told by warnings() alone; a file that cannot be read concerns all environments.
  static std::optional<FactorTable> read(const fs::path& tree);

  // What tox would not accept, also where it concerns no environment of the caller's.
  const std::vector<Fault>& warnings() const { return warnings_; }

  // Text with tox's `{…}` replaced: for names of files, and for lines that are nothing but such.
  using Replace = std::function<std::string(std::string_view)>;
  // The settings that hold for an environment, by variable, as they are written. Throws Error (BadInput) with
  // the faults that concern it.
  std::map<std::string, std::string> settings(std::string_view environment,
                                              const Replace& replace = nullptr) const;
  // The lines of a section's key that hold for an environment: what `{[SECTION]KEY}` stands for. Nothing
  // where there is no such key.
  std::optional<std::string> value(std::string_view section, std::string_view key,
                                   std::string_view environment) const;

  // [tox] envlist, braces expanded: of names with more than kMostNames alternatives the first kMostNames.
  // Only what can be an environment's name; see read_envlist().
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
  struct Line {
    std::vector<Alternative> condition;  // one must hold; empty: always
    std::string text;                    // behind the condition
    unsigned number = 0;
    std::string fault;            // what is wrong with it as a setting; empty: nothing
    std::set<std::string> words;  // of a condition that is none: environments with one of these
  };
  struct Section {
    std::string name;
    std::map<std::string, std::vector<Line>> keys;  // by name in lower case
    std::vector<IniFault> faults;
  };
  class Collector;

  static std::optional<std::vector<Alternative>> parse_condition(std::string_view text);
  static Line parse_line(const IniLine& line);
  void add_section(const IniSection& section);
  void read_lists(const std::vector<IniSection>& sections, Faults& faults);
  void read_envlist(const IniKey& key);
  void warn_of_settings(Faults& faults) const;

  const Section* section(const std::string& name) const;
  // The sections whose keys an environment has, the first one first.
  std::vector<const Section*> sections_of(std::string_view environment) const;
  static const std::vector<Line>* lines_of(const Section& section, std::string_view key);
  static const std::vector<Line>* settings_of(const Section& section);
  std::string place(unsigned line) const;

  std::string file_;
  std::vector<Section> sections_;
  std::map<std::string, std::size_t> section_of_;  // by name, braces in names expanded
  std::vector<Fault> warnings_;
  std::optional<Fault> unreadable_;
  // The content of a file of the tree.
  std::function<std::optional<std::string>(const std::string&)> file_of_tree_;
  std::vector<ListedName> envlist_, platforms_;
  std::set<std::string, std::less<>> factors_, meaning_;
};

}  // namespace stagemake
