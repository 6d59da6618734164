// A small distribution with random edits: versions, build scripts, dependencies, packages that come and go,
// packages that configure takes from the system, targets, sources.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "run/schedule_engine.h"
#include "tree/tree_text.h"

namespace stagemake {

class ScheduleTree {
 public:
  explicit ScheduleTree(Chance& chance);

  // Makes one change, and describes it.
  std::string edit();
  // A change after which no finished image of the last stage matches the tree.
  void touch_sources();

  const fs::path& path() const { return text_.path(); }
  std::vector<std::string> packages() const;
  // TARGETS, TARGETS_PRE
  std::map<std::string, std::string> given() const;
  // A line for each package with its dependencies, and the targets.
  std::string text() const;
  unsigned edits() const { return count_; }

 private:
  struct Package {
    std::string name;
    bool optional = false;
    bool in_venv = false;
    std::set<std::string> needs, needs_first;
  };
  static std::string text_of(const Package& package);
  Package& any();
  std::size_t add(std::size_t at);
  void choose_needs(std::size_t at);
  void write(const Package& package);
  void write_needs(const Package& package);
  std::string remove(std::size_t at);
  std::string toggle_target();
  std::string toggle_system();

  Chance& chance_;
  TreeText text_;
  std::vector<Package> packages_;  // each needs only those before it
  std::set<std::string> targets_;  // optional packages in TARGETS
  std::map<std::string, bool> system_;
  unsigned count_ = 0;  // of edits: no content occurs twice
  unsigned names_ = 0;
};

}  // namespace stagemake
