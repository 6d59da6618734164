// Made-up runs for tests of reports: many systems, packages and kinds of failures, without randomness.
#pragma once

#include "report/events/report_input.h"

namespace stagemake {

struct MadeRun {
  RunRecord run;
  Verdict verdict;
  std::vector<RunRecord> before;
  ReportInput input() const;
};

// Of `environments` systems, 1 in 9 fails the same way in "giac", some fail in other ways, one is
// interrupted; each has six stages. Everything depends only on the number.
MadeRun made_run(std::size_t environments);

// One environment, two stages: "configured" built, "with-targets" failed in "gmp", as its log says.
MadeRun small_run();

// Every text in it tries to be markup, a terminal command or invalid UTF-8. Some texts are very long, times
// are invalid, and the verdict names places that do not exist.
MadeRun hostile_run();

}  // namespace stagemake
