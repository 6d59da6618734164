// A run as JUnit XML, in the form that Jenkins, GitLab and others read. Pure.
//
// A test suite is an environment: its time is that of its stages, its hostname the machine. A test case is a
// wanted stage (class: the environment) or a package of a stage (class: ENVIRONMENT.STAGE), including
// packages that only the log mentions, so that a package's failure is a case of its own. In classes, dots in
// names become underscores, because Jenkins would treat them as folders.
//
//   built, reused            passes
//   failed                   <failure>: message, lines of the log, place, how to reproduce it
//   stage interrupted        <error>: its result is unknown
//   stage skipped, waiting, running; package refused, interrupted, building
//                            <skipped>
//   expected failure         <skipped message="expected: why">
//   package whose own tests failed
//                            passes, with the finding as <system-out>
#pragma once

#include <string>

#include "report/events/report_input.h"

namespace stagemake {

// Returns UTF-8 that is valid XML 1.0: forbidden characters (control characters, U+FFFE) are made visible.
std::string junit_report(const ReportInput& input);

}  // namespace stagemake
