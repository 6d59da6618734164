// The input of reports on a run. Refers to values that must outlive it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "report/events/run_record.h"
#include "report/verdict/verdict.h"

namespace stagemake {

struct ReportInput {
  const RunRecord& run;
  const Verdict& verdict;                // of that run
  const std::vector<RunRecord>& before;  // earlier runs of the same tree, newest first
  // The command line that reproduces the build of a stage; an empty function or text: there is none.
  std::function<std::string(const std::string& environment, const std::string& stage)> reproduce = {};
};

}  // namespace stagemake
