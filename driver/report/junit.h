// A run as JUnit's XML, in the form that Jenkins, GitLab and others read. Pure.
//
// A test suite is an environment; its time is that of its stages, its hostname the machine. A test case is a
// stage that was wanted (class: the environment), and a package of a stage (class: ENVIRONMENT.STAGE), one
// that only the log knows of included: so a package's failure is a case of its own. Dots in names would be
// folders to Jenkins, and become underscores in classes.
//
//   built, reused            passes
//   failed                   <failure>: message, lines of the log, where it is, how to have it again
//   stage interrupted        <error>: nobody knows what would have become of it
//   stage skipped, waiting, running; package refused, cut off, building
//                            <skipped>
//   a failure expected       <skipped message="expected: why">
//   package whose own tests failed
//                            passes, with what its log says as <system-out>
#pragma once

#include <string>

#include "report/report_input.h"

namespace stagemake {

// UTF-8 of XML 1.0: what that forbids (control characters, U+FFFE) is made visible.
std::string junit_report(const ReportInput& input);

}  // namespace stagemake
