// Resolves the words of dependency lines to packages.
//
// A word is a package, `|`, a variable, a file, `FORCE` or one of two make functions (see resolve()). The
// words have make's meaning: the rules are those of build/make/Makefile.in (`pkg_deps`, the `inst_…`
// variables) and of m4/sage_spkg_collect.m4. This file knows packages and variables, but not which lists form
// a package's prerequisites; that is plan/dependency_graph.h.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tree/make_variables.h"
#include "tree/package_index.h"

namespace stagemake {

// A prerequisite. `by_stamp`: the word is the path of the stamp itself, which make builds even if the system
// provides the package (liblzma's dependency on xz).
struct Reference {
  PackageId id;
  bool by_stamp = false;
};

// The packages that the words of one or several lines ask for, in their order.
struct References {
  std::vector<Reference> normal;
  std::vector<Reference> order_only;
  bool after_bar = false;  // a `|` was seen: the rest is order-only
  bool forced = false;     // `FORCE`: make remakes the target every time

  void add(Reference reference) { (after_bar ? order_only : normal).push_back(reference); }
};

// Position of words, for messages: build/pkgs/PACKAGE/FILE:LINE, or FILE alone if there is no package.
struct Place {
  std::string_view package;
  std::string_view file;
  unsigned line = 1;

  std::string text() const;
};

// The words of a line, split at blanks outside parentheses.
std::vector<std::string_view> dependency_words(std::string_view line);

class DependencyWords {
 public:
  // `installed` and `checked` say for each package whether it counts as such. All arguments must outlive this
  // object.
  DependencyWords(const PackageIndex& packages, const MakeVariables& variables,
                  const std::vector<bool>& installed, const std::vector<bool>& checked, Faults& faults);

  // Adds what the words of `line` ask for. A word that matches nothing known is a fault at `place`. These
  // words are understood:
  //   NAME, $(inst_NAME)                                         a package
  //   $(inst_$(VARIABLE))                                        the value of the variable
  //   $(optional_inst_NAME)                                      a package if it is installed
  //   |                                                          once
  //   $(VARIABLE)                                                its value
  //   $(SAGE_…)/$(SPKG_INST_RELDIR)/NAME-VERSION                 a package by its stamp
  //   $(INST)/NAME-VERSION                                       the same, in releases with one tree
  //   any other word with a `/`                                  a file, perhaps a glob
  //   FORCE
  //   $(findstring NAME,$(OPTIONAL_INSTALLED_PACKAGES))          a package if it is installed
  //   $(and $(filter-out no,$(SAGE_CHECK_NAME)), NAME…)          packages if NAME is checked
  //   $(and $(filter-out no,$(SAGE_CHECK)), NAME…)               packages if any package is checked
  void resolve(std::string_view line, const Place& place, References& to);
  void resolve_word(std::string_view word, const Place& place, References& to);

  // Adds a package by its name or URL.
  void resolve_name(std::string_view name, const Place& place, References& to);
  // Adds a package if it is installed: `$(optional_inst_NAME)`, or `$(findstring NAME,…)`, which also matches
  // if the name is a part of an installed package's name.
  enum class Installed { Exactly, Findstring };
  void resolve_optional(std::string_view name, const Place& place, References& to, Installed test);
  // The packages in the value of a variable, without those that this tree lacks. Empty if there is no such
  // variable. For variables that a rule uses as `$(inst_…)`, which is empty for a word that is no package.
  std::vector<Reference> packages_of(std::string_view variable);
  // The same for the prerequisites of a rule.
  std::vector<Reference> packages_in(std::string_view prerequisites);

 private:
  enum class Known { Packages, Variables };  // what a wrong word may have been meant as
  struct Expansion {
    std::vector<Reference> references;
    bool complete = false;  // false during expansion: meeting it again then means a cycle
  };

  const std::vector<Reference>& expanded(std::string_view variable);
  void resolve_parentheses(std::string_view inner, const Place& place, References& to);
  void resolve_function(std::string_view function, const Place& place, References& to);
  bool is_set_for(PackageId id, const Place& place) const;
  void resolve_path(std::string_view path, const Place& place, References& to);
  void unknown(std::string_view word, const Place& place, Known known);
  void fault(const Place& place, std::string what);
  bool is_found_installed(std::string_view name) const;

  const PackageIndex& packages_;
  const MakeVariables& variables_;
  const std::vector<bool>& installed_;
  const std::vector<bool>& checked_;
  Faults& faults_;
  bool assumed_ = false;            // inside an assumed value, whose faults are not reported
  unsigned depth_ = 0;              // nesting of variables and functions
  unsigned suggestions_left_ = 20;  // suggestions cost time, and nobody reads thousands
  std::string last_place_;          // place of the last fault
  unsigned faults_here_ = 0;        // number of faults at last_place_
  std::map<std::string, Expansion, std::less<>> expansions_;
};

}  // namespace stagemake
