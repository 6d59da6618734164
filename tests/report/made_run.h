// Runs made up for tests of reports: many systems, packages, failures of all kinds, without chance.
#pragma once

#include "report/report_input.h"

namespace stagemake {

struct MadeRun {
  RunRecord run;
  Verdict verdict;
  std::vector<RunRecord> before;
  ReportInput input() const;
};

// Of `environments` systems 1 in 9 fails alike in "giac", some in ways of their own, one is interrupted; six
// stages each. Nothing in it depends on anything but the number.
MadeRun made_run(std::size_t environments);

// One environment, two stages: "configured" built, "with-targets" failed in "gmp", which stands in its log.
MadeRun small_run();

// Every text in it tries to be markup, a terminal's command or no UTF-8, some are very long, times are none,
// and the verdict names places that there are none of.
MadeRun hostile_run();

}  // namespace stagemake
