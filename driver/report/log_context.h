// What a line of a log weighs, with regard to the lines before it: lines of source that a traceback, pytest
// or a compiler quotes may hold any words and say nothing; what ends a traceback is its message; what stands
// before a program's usage says what was wrong with the call; a config.log that is shown as a whole holds the
// complaints of trials that were allowed to fail.
#pragma once

#include <string_view>

#include "report/log_rules.h"

namespace stagemake {

// One for each sequence of lines that belong together: those of a package, or those of none.
class LogContext {
 public:
  struct Weighed {
    LineWeight weight = {};
    // A line of source, or of a program's help: never a message, whatever its words.
    bool is_quoted = false;
    // The usage of a program begins here: the line before says what was wrong.
    bool begins_usage = false;
  };
  // Of the next line, without marks, colours and blanks at its end. Takes time linear in it.
  Weighed weigh(std::string_view line);

 private:
  enum class Inside { Nothing, Traceback, Pytest, Usage, ConfigLog };

  Weighed weigh_in_traceback(std::string_view line);
  Weighed weigh_in_pytest(std::string_view line);
  Weighed weigh_in_usage(std::string_view line);
  Weighed weigh_in_config_log(std::string_view line);
  Weighed weigh_outside(std::string_view line);

  Inside inside_ = Inside::Nothing;
  std::size_t indent_ = 0;    // of the traceback: its own, that of its message
  bool is_in_group_ = false;  // a traceback of several exceptions at once, drawn with bars
};

// The text of a line that pytest or a group of exceptions draws marks in front of: "E   KeyError: x" is
// "KeyError: x". Any other line is itself.
std::string_view without_drawing(std::string_view line);

}  // namespace stagemake
