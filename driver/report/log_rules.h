// How much a line of a build's log says about why the build failed. What a compiler, a linker, a configure
// script or a traceback says is a cause; what make, pip or a packaging script says after it is a consequence.
//
// A table of words, by experience: it is no grammar of anything. Pure.
#pragma once

#include <string_view>

namespace stagemake {

struct LineWeight {
  int weight = 0;      // 0: it says nothing
  bool later = false;  // of several with this weight the last says most, not the first
};
inline constexpr int kCause = 50;        // from here on it says what went wrong
inline constexpr int kConsequence = 39;  // up to here it only says that something did

// Of a line without marks, colours and blanks at its end, whatever stands around it (report/log_context.h).
LineWeight line_weight(std::string_view line);

// False of nearly all lines of a long log: they weigh nothing, and change nothing about those after them.
bool may_say_something(std::string_view line);

// A message that ends in a colon, of a program that says in the next line what it is about.
bool announces_more(std::string_view message);

// What comes after anything, however it ended: times, make leaving a directory, where to report bugs.
bool is_chatter(std::string_view line);

// `^[A-Za-z]*Error`: what Sage's CI takes for an error among the last 100 lines of a log.
bool is_error_word(std::string_view line);
// What it takes for a failure of tests among the last 20; and a test suite that was too slow, or was killed.
bool is_test_failure(std::string_view line);

// What make could not build, of `make[3]: *** [Makefile:557: TARGET] Error 1`; empty where it does not say
// so.
std::string_view failed_target(std::string_view line);
// A `***` of make that is about no target's recipe: it could not go on at all.
bool is_make_stop(std::string_view line);

}  // namespace stagemake
