// What the words of a dependency line ask for.
//
// A word is a package, `|`, a variable, a file, `FORCE` or one of two make functions (see resolve()). A
// tree's words are make's: the rules are those of build/make/Makefile.in (`pkg_deps`, the `inst_…` variables)
// and of m4/sage_spkg_collect.m4. Knows packages and variables, but not which list a package's prerequisites
// are made of; that is plan/dependency_graph.h.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "plan/make_variables.h"
#include "plan/package_index.h"

namespace stagemake {

// A prerequisite. `by_stamp`: the word is the path of the stamp itself, which make builds even where the
// package is taken from the system (liblzma's dependency on xz).
struct Reference {
  PackageId id;
  bool by_stamp = false;
};

// What the words of one or several lines ask for, in their order.
struct References {
  std::vector<Reference> normal;
  std::vector<Reference> order_only;
  bool after_bar = false;  // a `|` came: what follows is order-only
  bool forced = false;     // `FORCE`: made whenever make passes by

  void add(Reference reference) { (after_bar ? order_only : normal).push_back(reference); }
};

// Where words stand, for messages: build/pkgs/PACKAGE/FILE:LINE, or FILE alone where there is no package.
struct Place {
  std::string_view package;
  std::string_view file;
  unsigned line = 1;

  std::string text() const;
};

// The words of a line: split at blanks that are in no parentheses.
std::vector<std::string_view> dependency_words(std::string_view line);

class DependencyWords {
 public:
  // `installed` and `checked` say for each package whether it counts so. All that is passed must outlive
  // this.
  DependencyWords(const PackageIndex& packages, const MakeVariables& variables,
                  const std::vector<bool>& installed, const std::vector<bool>& checked, Faults& faults);

  // Adds what the words of `line` ask for. A word that asks for nothing known is a fault at `place`.
  // Understood are:
  //   NAME, $(inst_NAME)                                         a package
  //   $(inst_$(VARIABLE))                                        what that stands for
  //   $(optional_inst_NAME)                                      a package if it is installed
  //   |                                                          once
  //   $(VARIABLE)                                                what that stands for
  //   $(SAGE_…)/$(SPKG_INST_RELDIR)/NAME-VERSION                 a package by its stamp
  //   $(INST)/NAME-VERSION                                       the same, in releases with one tree
  //   any other word with a `/`                                  a file, perhaps a glob
  //   FORCE
  //   $(findstring NAME,$(OPTIONAL_INSTALLED_PACKAGES))          a package if it is installed
  //   $(and $(filter-out no,$(SAGE_CHECK_NAME)), NAME…)          packages if NAME is checked
  //   $(and $(filter-out no,$(SAGE_CHECK)), NAME…)               packages if any is
  void resolve(std::string_view line, const Place& place, References& to);
  void resolve_word(std::string_view word, const Place& place, References& to);

  // Adds a package by its name or URL.
  void resolve_name(std::string_view name, const Place& place, References& to);
  // Adds a package if it is installed: `$(optional_inst_NAME)`, or `$(findstring NAME,…)`, for which it is
  // enough that the name is a part of an installed package's name.
  enum class Installed { Exactly, Findstring };
  void resolve_optional(std::string_view name, const Place& place, References& to, Installed test);
  // The packages that a variable stands for, without those that this tree lacks. None where there is no such
  // variable. For variables of which a rule takes `$(inst_…)`, which is empty for what is no package.
  std::vector<Reference> packages_of(std::string_view variable);
  // The same of the prerequisites of a rule.
  std::vector<Reference> packages_in(std::string_view prerequisites);

 private:
  enum class Known { Packages, Variables };  // what a wrong word may have been meant for
  struct Expansion {
    std::vector<Reference> references;
    bool complete = false;  // false while it is being expanded: who meets it then is in a circle
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
  bool assumed_ = false;            // within a value for which nobody is at fault
  unsigned depth_ = 0;              // of variables and functions within each other
  unsigned suggestions_left_ = 20;  // they cost time, and nobody reads thousands
  std::string last_place_;          // of a fault,
  unsigned faults_here_ = 0;        // and how many there were
  std::map<std::string, Expansion, std::less<>> expansions_;
};

}  // namespace stagemake
