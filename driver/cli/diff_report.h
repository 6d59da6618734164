// What `stagemake diff` found, for people and for programs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/revision.h"
#include "plan/plan_diff.h"

namespace stagemake {

// An environment in both trees; nothing where a tree does not know it.
struct Compared {
  std::string name;
  bool was = false, is = false;
  PlanDiff diff = {};
  bool is_exact = false;
};

struct DiffReport {
  const Revision& before;
  const Revision* after = nullptr;  // null: the folder as it is
  std::vector<PackageChange> packages = {};
  std::vector<Compared> environments = {};
  std::map<std::string, std::vector<std::string>> files = {};  // that differ, by the path that stages add
  bool is_measured = false;  // anything was ever built here, so that times are more than stated numbers
};

// Lines for a terminal: packages first, then environments of which the same can be said together.
std::string diff_text(const DiffReport& report);

// README.md documents it.
std::string diff_json(const DiffReport& report);

}  // namespace stagemake
