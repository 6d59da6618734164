// How much a log line says about why a build failed. The message of a compiler, linker, configure script or
// traceback is a cause; what make, pip or a packaging script says afterwards is a consequence.
//
// This is a table of phrases from experience, not a grammar. Pure.
#pragma once

#include <string_view>

namespace stagemake {

struct LineWeight {
  int weight = 0;      // 0: none
  bool later = false;  // of several lines with this weight, the last one counts, not the first
};
inline constexpr int kCause = 50;        // from here on, a line says what went wrong
inline constexpr int kConsequence = 39;  // up to here, a line only says that something went wrong

// For a line without marks, colours and trailing blanks, regardless of context (report/log/log_context.h).
LineWeight line_weight(std::string_view line);

// False for nearly all lines of a long log: they have no weight and do not affect later lines.
bool may_say_something(std::string_view line);

// True if the message ends in a colon because the program gives details in the next line.
bool announces_more(std::string_view message);

// Lines that follow success and failure alike: times, make leaving a directory, where to report bugs.
bool is_chatter(std::string_view line);

// `^[A-Za-z]*Error`: what Sage's CI treats as an error among the last 100 lines of a log.
bool is_error_word(std::string_view line);
// What Sage's CI treats as a test failure among the last 20 lines, and test suites that timed out or were
// killed.
bool is_test_failure(std::string_view line);

// The target that make could not build: TARGET of `make[3]: *** [Makefile:557: TARGET] Error 1`; empty if the
// line does not name one.
std::string_view failed_target(std::string_view line);
// A `***` line of make that is not about a target's recipe: make could not continue at all.
bool is_make_stop(std::string_view line);

}  // namespace stagemake
