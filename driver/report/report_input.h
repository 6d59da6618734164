// What a report of a run is made from. Values of others, that outlive it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "report/run_record.h"
#include "report/verdict.h"

namespace stagemake {

struct ReportInput {
  const RunRecord& run;
  const Verdict& verdict;                // of that run
  const std::vector<RunRecord>& before;  // earlier runs of the same tree, the youngest first
  // The command line that builds a stage again as it was; an empty function or text: there is none.
  std::function<std::string(const std::string& environment, const std::string& stage)> reproduce = {};
};

}  // namespace stagemake
