// A run and its verdict as JSON, for scripts. Pure.
//
//   schema             1; another number where a field's meaning changes, not where one is added
//   result             what a person is told in a line
//   finished           false: the run goes on, or its driver died
//   began, ended, last_event  seconds since the epoch; ended is null until it is over
//   seconds            until the end, or so far
//   expected_seconds   as predicted at its beginning
//   exit_status        of the command; null until its end
//   facts              version (of stagemake), distribution, tree, revision, engine, machine, command (an
//                      array of words), process, processors, at_once
//   totals             environments, environments_well; new, again, expected, test_failures: groups;
//                      stages, packages: how many, by the word of their state; states that none has are
//                      left out
//   failures           groups, new ones first: kind ("new", "again", "expected"), name (package or stage),
//                      message, since, why, places: environment, stage (names), finding (as below, or
//                      null), log, reproduce (a shell command line; "" where there is none)
//   test_failures      the same of packages that are built but whose tests failed; their kind is "tests"
//   unexpectedly_well  name, environments (patterns), why, line: expected failures that did not come
//   environments       name, stages: name, state (a word of event.h), began, ended (null: has not),
//                      seconds (that it ran), expected_seconds, expected_packages, reasons (why it was to
//                      be built), detail, image, log, findings, packages
//   findings           kind ("error", "test failure"), package, version, message, file, line (null: not
//                      known), excerpt (an array of lines)
//   packages           name, state (a word of event.h), began, ended (null: has not)
//   notes              time, text
//
// Text is as it came, and may be no UTF-8: dump with error_handler_t::replace. A text that is not known is
// "". What the machine did meanwhile is in the trace (report/trace.h).
#pragma once

#include <nlohmann/json.hpp>

#include "report/report_input.h"

namespace stagemake {

nlohmann::ordered_json run_json(const ReportInput& input);

}  // namespace stagemake
