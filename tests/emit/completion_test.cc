#include "emit/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stagemake {
namespace {

using Kind = CompletionValue::Kind;
using testing::HasSubstr;
using testing::Not;

CommandLine small_command_line() {
  return {.program = "tool",
          .options = {{.names = {"-h", "--help"}, .what = "help [of it]"}},
          .commands = {
              {.name = "build",
               .what = "builds: it's all",
               .options =
                   {{.names = {"-j", "--jobs"}, .what = "jobs", .value = {Kind::Text, "N"}},
                    {.names = {"--engine"},
                     .what = "engine [$ENGINE]",
                     .value = {Kind::Choice, "a|b", {"a", "b"}}},
                    {.names = {"--to"}, .what = "stage", .value = {Kind::Stage, "STAGE"}, .repeatable = true},
                    {.names = {"--tree"}, .what = "where", .value = {Kind::Folder, "DIR"}}},
               .arguments = {{{Kind::EnvironmentGroup, "ENV"}, true}}},
              {.name = "shell",
               .what = "opens one",
               .arguments = {{{Kind::Environment, "ENV"}}, {{Kind::Stage, "STAGE"}}}}}};
}

// tests/make/completion.sh checks in real shells what the scripts do; these tests check what they contain.
TEST(Completion, BashHasATableOfCommands) {
  std::string script = bash_completion(small_command_line());
  EXPECT_THAT(script,
              HasSubstr("    '') options=(-h --help) arguments=(%commands) commands=(build shell) ;;\n"
                        "    build) options=(-j=%text --jobs=%text '--engine=a|b' --to=%stages "
                        "--tree=%folders) arguments=(%groups+) ;;\n"
                        "    shell) options=() arguments=(%environments %stages) ;;\n"));
  EXPECT_THAT(script, HasSubstr("complete -F _tool tool\n"));
  EXPECT_THAT(script, Not(HasSubstr("PROGRAM")));
}

// tests/make/fish_completion.sh checks it in a real fish.
TEST(Completion, FishHasALinePerOption) {
  std::string script = fish_completion(small_command_line());
  for (const char* part : {
           "complete -c tool -n '__tool_without_command' -s h -l help -d 'help [of it]'\n",
           "complete -c tool -n __tool_without_command -a build -d 'builds: it\\'s all'\n",
           "complete -c tool -n '__tool_in build' -s j -l jobs -x -d 'jobs'\n",
           "complete -c tool -n '__tool_in build' -l engine -x -a 'a b' -d 'engine [$ENGINE]'\n",
           "complete -c tool -n '__tool_in build' -l to -x -a '(__tool_ask stages)' -d 'stage'\n",
           "complete -c tool -n '__tool_in build' -a '(__tool_groups)'\n",
           "contains -- $word build shell;",
       })
    EXPECT_THAT(script, HasSubstr(part));
  EXPECT_THAT(script, Not(HasSubstr("PROGRAM")));
}

TEST(Completion, ZshHasASpecificationPerName) {
  std::string script = zsh_completion(small_command_line());
  EXPECT_EQ(script.substr(0, 14), "#compdef tool\n");
  for (const char* part : {
           "'(- *)--help[help \\[of it\\]]'",
           "'build:builds: it'\\''s all'",
           "'(-j --jobs)-j+[jobs]:N: '",
           "'(-j --jobs)--jobs=[jobs]:N: '",
           "'(--engine)--engine=[engine \\[$ENGINE\\]]:a|b:(a b)'",
           "'*--to=[stage]:STAGE:_tool_stages'",
           "'(--tree)--tree=[where]:DIR:_files -/'",
           "'*:ENV:_tool_groups'",
           ":ENV:_tool_environments \\\n        :STAGE:_tool_stages && ret=0 ;;",
       })
    EXPECT_THAT(script, HasSubstr(part));
  EXPECT_THAT(script, Not(HasSubstr("PROGRAM")));
}

}  // namespace
}  // namespace stagemake
