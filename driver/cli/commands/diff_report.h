// The results of `stagemake diff`, for people and programs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/revision.h"
#include "snapshot/plan_diff.h"

namespace stagemake {

// An environment of either tree. `was`, `is`: the earlier, the later tree knows it; the rest is set if both
// do.
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
  std::map<std::string, std::vector<std::string>> files = {};  // changed files, by the path that stages add
  bool is_measured = false;  // something was built here, so that times are more than default numbers
};

// Lines for a terminal: packages first, then environments, grouped if their results are equal.
std::string diff_text(const DiffReport& report, const Listing& listing);

// Documented in driver/manual/planning.md.
std::string diff_json(const DiffReport& report);

}  // namespace stagemake
