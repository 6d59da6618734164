#include "emit/manual/manual_page.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

using Kind = CompletionValue::Kind;
using testing::HasSubstr;
using testing::Not;

CommandLine small_command_line() {
  CommandLine line{.program = "tool"};
  line.commands.push_back({.name = "build",
                           .what = "build, and \\ more",
                           .group = "Every day",
                           .options = {{.names = {"-j", "--jobs"},
                                        .what = "jobs [$JOBS]",
                                        .value = {Kind::Text, "N"},
                                        .group = "Running"},
                                       {.names = {"--engine"},
                                        .what = ".hidden",
                                        .value = {Kind::Choice, "a|b", {"a", "b"}},
                                        .group = "Engine"},
                                       {.names = {"--quick"}, .what = "be quick", .group = "Running"}},
                           .arguments = {{{Kind::Environment, "ENV"}, true, true, "environments"},
                                         {{Kind::Text, "MORE"}, false, false, ""}}});
  line.commands.push_back({.name = "clean", .what = "clean up", .group = "Maintain"});
  return line;
}

TEST(ManualPage, OfTheProgramListsItsCommandsByGroup) {
  std::string page =
      manual_page(small_command_line(), {{.name = "x", .page = "tool-x", .section = 7}}, "1.0");
  EXPECT_THAT(page, HasSubstr(".TH TOOL 1 \"\" \"tool 1.0\"\n.nh\n.ad l\n.SH NAME\ntool \\- "));
  EXPECT_THAT(page, HasSubstr(".SH EVERY DAY\n.TP\n\\fBtool\\-build\\fR(1)\nbuild, and \\e more\n"));
  EXPECT_THAT(page, HasSubstr(".SH MAINTAIN\n.TP\n\\fBtool\\-clean\\fR(1)\n"));
  EXPECT_THAT(page, HasSubstr(".SH EXIT STATUS\n.TP\n0\nsuccess\n.TP\n1\na stage failed, "));
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-push=required\\fR"));
  EXPECT_THAT(page, HasSubstr(".SH SEE ALSO\n\\fBtool\\-x\\fR(7)\n"));
}

TEST(ManualPage, OfACommandHasItsOptionsByGroup) {
  CommandLine line = small_command_line();
  std::string page = manual_page(line, line.commands[0], "1.0");
  EXPECT_THAT(page, HasSubstr("\\fBtool build\\fR [\\fIOPTIONS\\fR] \\fIENV\\fR... [\\fIMORE\\fR]\n"));
  EXPECT_THAT(page, HasSubstr(".SH RUNNING\n.TP\n\\fB\\-j\\fR, \\fB\\-\\-jobs\\fR \\fIN\\fR\njobs [$JOBS]\n"
                              ".TP\n\\fB\\-\\-quick\\fR\nbe quick\n"));
  EXPECT_THAT(page, HasSubstr("\\fIa|b\\fR\n\\&.hidden\n")) << "no request of roff's";
  EXPECT_THAT(page,
              HasSubstr(".SH ENVIRONMENT\nOptions win over variables.\n.TP\n\\fBJOBS\\fR\nsee \\-\\-jobs\n"));
  EXPECT_THAT(manual_page(line, line.commands[1], "1.0"), Not(HasSubstr("ENVIRONMENT")));
}

}  // namespace
}  // namespace stagemake
