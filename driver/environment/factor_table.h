// The factor table of a tree: the settings for environments in its tox.ini, as data. The grammar is that of
// tox 3 and tox 4: whatever one of them accepts is accepted.
//
//   setenv =
//       KEY=VALUE                       always applies
//       ubuntu-{focal,jammy}: KEY=VALUE applies if the name has both factors of an alternative
//       local-!direct,docker: KEY=VALUE `,` is or, `-` is and, `!` is not
//       file|more.env                   the settings in a file of the tree
//       {[base]setenv}                  the lines of another section
//
// An environment's name is a set of factors, separated by `-`, in any order. The last setting that applies
// wins. The settings are those of [testenv], or of [testenv:NAME] if that has any.
// environment/tox_variables.h interprets the values. Immutable once read.
//
// A fault affects the environments to which its line would apply; settings() throws it for those. All others
// are treated as if the line were absent.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files/files.h"
#include "environment/ini_file.h"

namespace stagemake {

// A name in a list, with its position.
struct ListedName {
  std::string name;
  std::string file;  // relative to the tree
  unsigned line = 0;

  auto operator<=>(const ListedName&) const = default;
};

// `a{b,c}-d` → ab-d, ac-d; also nested. `,` and blanks outside braces separate names. A list that would have
// more than kMostNames names, or whose braces do not close, is a fault at `where`.
inline constexpr std::size_t kMostNames = 20'000;
std::vector<std::string> expand_braces(std::string_view text, const std::string& where, Faults& faults);

class FactorTable {
 public:
  // `file`: its name in faults. `faults` gets the same faults as warnings().
  static FactorTable parse(std::string_view text, const std::string& file, Faults& faults);
  // Reads TREE/tox.ini. nullopt if it does not exist, or has no factor `docker` in any condition. Its faults
  // are reported only by warnings(); a file that cannot be read affects all environments.
  static std::optional<FactorTable> read(const fs::path& tree);

  // Lines that tox would not accept, even if they affect no environment in use.
  const std::vector<Fault>& warnings() const { return warnings_; }

  // Replaces tox's `{…}` in text: for names of files, and for lines that consist only of such a reference.
  using Replace = std::function<std::string(std::string_view)>;
  // The settings that apply to an environment, by variable, unexpanded. Throws Error (BadInput) with the
  // faults that affect it.
  std::map<std::string, std::string> settings(std::string_view environment,
                                              const Replace& replace = nullptr) const;
  // The lines of a section's key that apply to an environment: the value of `{[SECTION]KEY}`. nullopt if
  // there is no such key.
  std::optional<std::string> value(std::string_view section, std::string_view key,
                                   std::string_view environment) const;

  // [tox] envlist with braces expanded; from a name with more than kMostNames alternatives, the first
  // kMostNames. Only names that an environment can have; see read_envlist().
  const std::vector<ListedName>& envlist() const { return envlist_; }
  // DEFAULT_SYSTEM_FACTORS of any section: the systems that CI builds. Empty if there is none.
  const std::vector<ListedName>& platforms() const { return platforms_; }

  // All factors in the file: in conditions, in the envlist and the platforms, and in names of sections
  // `[testenv:NAME]`.
  const std::set<std::string, std::less<>>& factors() const { return factors_; }
  // The factors in conditions and section names: the others only appear in lists and set nothing.
  const std::set<std::string, std::less<>>& meaning() const { return meaning_; }
  // The factors of a name that are not in the file.
  std::vector<std::string> unknown_factors(std::string_view environment) const;
  // Throws Error (BadInput) if there are any, with similar known factors.
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
    std::string text;                    // after the condition
    unsigned number = 0;
    std::string fault;            // why it is not a valid setting; empty: valid
    std::set<std::string> words;  // of an invalid condition; affects environments with one of these
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
  // The sections that supply keys for an environment, in order of precedence.
  std::vector<const Section*> sections_of(std::string_view environment) const;
  static const std::vector<Line>* lines_of(const Section& section, std::string_view key);
  static const std::vector<Line>* settings_of(const Section& section);
  std::string place(unsigned line) const;

  std::string file_;
  std::vector<Section> sections_;
  std::map<std::string, std::size_t> section_of_;  // by name, braces in names expanded
  std::vector<Fault> warnings_;
  std::optional<Fault> unreadable_;
  // Returns the content of a file of the tree.
  std::function<std::optional<std::string>(const std::string&)> file_of_tree_;
  std::vector<ListedName> envlist_, platforms_;
  std::set<std::string, std::less<>> factors_, meaning_;
};

}  // namespace stagemake
