#include "environment/environment_choice.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text/text.h"
#include "environment/environment.h"

namespace stagemake {
namespace {

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

class Chooser {
 public:
  Chooser(const EnvironmentList& list, const EnvironmentChoice& choice) : list_(list), choice_(choice) {}

  std::vector<std::string> chosen() {
    for (const std::string& set : choice_.package_sets)
      if (!contains(list_.package_factors(), set))
        faults_.add("", fmt::format("{} is not a package set; the sets are {}", shown(set),
                                    join(list_.package_factors(), ", ")));
    faults_.throw_if_any();
    if (choice_.all) add_offered("*", list_.names());
    for (const std::string& name : choice_.names) add_name(name);
    for (const std::string& system : choice_.systems) add_system(system);
    for (const std::string& pattern : choice_.exclude) take_away(environment_name(pattern));
    faults_.throw_if_any();
    if (names_.empty()) throw bad_input("", "of the chosen environments, none is left");
    return std::move(names_);
  }

 private:
  void add(const std::string& name) {
    if (seen_.insert(name).second) names_.push_back(name);
  }

  bool has_wanted_set(const std::string& name) const {
    std::vector<std::string_view> factors = split(name, '-');
    return choice_.package_sets.empty() ||
           std::any_of(choice_.package_sets.begin(), choice_.package_sets.end(), [&](const std::string& set) {
             return std::find(factors.begin(), factors.end(), set) != factors.end();
           });
  }

  // Adds the offered names that match; false if none does.
  bool add_offered(const std::string& pattern, const std::vector<std::string>& offered) {
    bool any = false;
    for (const std::string& name : offered)
      if (fits(pattern, name) && has_wanted_set(name)) add(name), any = true;
    return any;
  }

  void add_name(const std::string& asked) {
    std::string name = environment_name(asked);
    if (is_pattern(name)) {
      if (!add_offered(name, list_.names()))
        faults_.add("", fmt::format("{} matches no environment of this tree, which has {}{}", shown(name),
                                    list_.names().size(), with_sets()));
      return;
    }
    if (choice_.exactly) return add(name);
    if (choice_.package_sets.empty() || list_.has_package_factor(name)) {
      for (const std::string& one : list_.meant(name)) add(one);
      return;
    }
    add_with_sets(list_.system_of(name));
  }

  void add_with_sets(const std::string& system) {
    for (const std::string& set : choice_.package_sets) add(system + "-" + set);
  }

  void add_system(const std::string& asked) {
    std::string pattern = environment_name(asked);
    bool any = false;
    for (const std::string& system : list_.systems()) {
      if (!fits(pattern, system)) continue;
      any = true;
      if (choice_.package_sets.empty())
        for (const std::string& name : list_.meant(system)) add(name);
      else
        add_with_sets(system);
    }
    if (any) return;
    std::vector<std::string> near = nearest(pattern, list_.systems());
    faults_.add("", fmt::format("{} matches no system of this tree, which has {}{}", shown(pattern),
                                list_.systems().size(),
                                near.empty() ? "" : "; did you mean " + join(near, " or ") + "?"));
  }

  // A pattern that matches nothing in this tree is a mistake; a pattern that only matches unselected names is
  // not.
  void take_away(const std::string& pattern) {
    auto is_meant = [&](const std::string& name) {
      return fits(pattern, name) || fits(pattern, list_.system_of(name));
    };
    bool is_known = std::any_of(list_.names().begin(), list_.names().end(), is_meant) ||
                    std::any_of(names_.begin(), names_.end(), is_meant);
    if (!is_known)
      faults_.add("", fmt::format("--exclude {}: matches no environment of this tree", shown(pattern)));
    std::erase_if(names_, is_meant);
  }

  std::string with_sets() const {
    return choice_.package_sets.empty() ? std::string() : " with " + join(choice_.package_sets, " or ");
  }

  const EnvironmentList& list_;
  const EnvironmentChoice& choice_;
  std::vector<std::string> names_;
  std::set<std::string> seen_;
  Faults faults_;
};

}  // namespace

bool is_pattern(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

bool fits(const std::string& pattern, const std::string& name) {
  return is_pattern(pattern) ? ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0 : pattern == name;
}

std::vector<std::string> choose(const EnvironmentList& list, const EnvironmentChoice& choice) {
  return Chooser(list, choice).chosen();
}

}  // namespace stagemake
