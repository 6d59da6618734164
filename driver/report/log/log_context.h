// The weight of a log line in the context of the lines before it. Source lines that a traceback, pytest or a
// compiler quotes may contain any words and mean nothing. The line that ends a traceback is its message. The
// line before a program's usage says what was wrong with the call. A config.log that is printed as a whole
// contains errors of checks that were allowed to fail.
#pragma once

#include <string_view>

#include "report/log/log_rules.h"

namespace stagemake {

// Use one for each sequence of lines that belong together: those of one package, or those of no package.
class LogContext {
 public:
  struct Weighed {
    LineWeight weight = {};
    // A line of source or of a program's help: never a message, whatever its words.
    bool is_quoted = false;
    // A program's usage begins here: the line before says what was wrong.
    bool begins_usage = false;
  };
  // Weighs the next line, given without marks, colours and trailing blanks. Takes time linear in its length.
  Weighed weigh(std::string_view line);

 private:
  enum class Inside { Nothing, Traceback, Pytest, Usage, ConfigLog };

  Weighed weigh_in_traceback(std::string_view line);
  Weighed weigh_in_pytest(std::string_view line);
  Weighed weigh_in_usage(std::string_view line);
  Weighed weigh_in_config_log(std::string_view line);
  Weighed weigh_outside(std::string_view line);

  Inside inside_ = Inside::Nothing;
  std::size_t indent_ = 0;    // of the traceback itself, or of its message
  bool is_in_group_ = false;  // in a traceback of several exceptions, drawn with bars
};

// The text of a line without the marks that pytest or an exception group draws: "E   KeyError: x" becomes
// "KeyError: x". Other lines are returned unchanged.
std::string_view without_drawing(std::string_view line);

}  // namespace stagemake
