#include "emit/run_instruction.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/process/subprocess.h"
#include "emit/docker_reader.h"

namespace stagemake {
namespace {

using testing::HasSubstr;

bool is_json(const std::string& instruction) {
  return instruction.starts_with("RUN [");
}

struct Case {
  const char* script;
  bool json;
};

// Each is run unchanged and as docker would run it.
const Case kCases[] = {
    {"echo one", false},
    {"echo one\necho two\n", false},
    {"  echo one\n\n\n  echo two  \n", false},
    {"echo one;\necho two\n", false},
    {"false\necho not reached\n", false},
    {"exit 7", false},
    {"if true; then\n  echo yes\nelse\n  echo no\nfi\necho end", false},
    {"if false\nthen echo yes\nelif true\nthen\n  echo other\nfi", false},
    {"for i in 1 2; do\n  echo $i\ndone\necho end", false},
    {"for i in 1 2\ndo\n  echo $i\ndone", false},
    {"i=\nwhile [ \"$i\" != xx ]; do\n  i=x$i\n  echo $i\ndone", false},
    {"f() { echo \"<$1>\"; }\nf 'a b'\nf", false},
    {"f() {\n  echo \"<$1>\"\n}\nf x", false},
    {"{\n  echo a\n  echo b\n} | cat\necho c", false},
    {"(\n  echo a\n  exit 3\n)\necho not reached", false},
    {"true &&\n  echo and\nfalse ||\n  echo or\necho a |\n  cat", false},
    {"x=$(\n  echo a\n  echo b\n)\necho \"$x\"", false},
    {"sleep 0 &\nwait\necho end", false},
    {"case x in y) echo y ;; *) echo other ;; esac\necho end", false},
    {"f() { case $1 in x) echo x ;; *) echo other ;; esac; }\nf x\nf y", false},
    {"! false\necho ${HOME##*/} $(echo a b) \"${HOME%x}\" \"$(echo c d)\"", false},
    {"echo 'it'\\''s' \"a \\\" b\" \\$x 'a  b' a\\ b\\;", false},
    {"find . -maxdepth 0 -exec echo {} \\;\necho end", false},
    {"echo done\necho fi\necho esacs\necho a#b '# c' \"# d\"", false},
    {"echo a;echo b; echo c\n[ 1 = 1 ] && echo d", false},
    {"echo ünicode 'ß' \"→\"", false},
    // Text that joining would, or might, change.
    {"case x in\n  y) echo y ;;\n  *) echo other ;;\nesac\necho end", true},
    {"# says why\necho one", true},
    {"echo one # says why\necho two", true},
    {"  # indented\n#\n#x\necho one\n", true},
    {"echo 'a\n  b\n# c\n\n d'", true},
    {"echo \"a\nb\"", true},
    {"cat <<END\n# $HOME\n\ttab\nEND\necho end", true},
    {"cat <<'END'\n\\\n#\n$x \"y\" \\n\nEND", true},
    {"echo one \\\n  two\necho three", true},
    {"echo one two\\\nthree", true},
    {"f()\n{\n  echo f\n}\nf", true},
    {"echo then\necho two", true},
    {"echo {\necho two", true},
    {"echo do\necho `echo x`", true},
    {"for i in a b\n# why\ndo echo $i; done", true},
    {"echo \"$(echo \"a b\")\"\necho two", true},
    {"", false},
    {"echo in\necho two", true},
};

TEST(RunInstruction, MeansWhatTheScriptMeans) {
  for (const Case& one : kCases)
    for (bool errors_ignored : {false, true}) {
      SCOPED_TRACE(one.script);
      std::string instruction = run_instruction(one.script, errors_ignored);
      EXPECT_EQ(is_json(instruction), one.json) << instruction;
      std::vector<Instruction> read = read_dockerfile(instruction);
      ASSERT_EQ(read.size(), 1u) << instruction;
      EXPECT_EQ(read[0].name, "RUN");
      Finished wanted = run_command({.argv = {"/bin/sh", "-ec", one.script}});
      Finished got = run_command({.argv = read[0].command()});
      if (errors_ignored && !wanted.ok()) {
        wanted.exit_code = 0;
        wanted.output += "(error ignored)\n";
      }
      EXPECT_EQ(got.exit_code, wanted.exit_code) << instruction << got.errors;
      EXPECT_EQ(got.output, wanted.output) << instruction;
    }
}

TEST(RunInstruction, ReadsAsAPersonWouldWriteIt) {
  EXPECT_EQ(run_instruction("mkdir -p logs\nif true; then\n  echo x\nfi\n", false),
            "RUN set -e; \\\n    mkdir -p logs; \\\n    if true; then \\\n      echo x; \\\n    fi\n");
  EXPECT_EQ(run_instruction("make ptest", true),
            "RUN (set -e; \\\n    make ptest); \\\n    [ $? -eq 0 ] || echo \"(error ignored)\"\n");
  EXPECT_EQ(run_instruction("# a \"b\"\nc\n", false),
            "RUN [\"/bin/sh\", \"-ec\", \"\\\n\\u0023 a \\\"b\\\"\\n\\\nc\\n\\\n\"]\n");
}

TEST(RunInstruction, LongLinesAreBrokenBetweenWords) {
  std::string script = "printf '<%s>'";
  for (int i = 0; i < 60; ++i) script += i % 2 ? " \"quoted  word\"" : " plain\\ word";
  std::string instruction = run_instruction(script, false);
  EXPECT_FALSE(is_json(instruction));
  for (std::size_t at = 0, end; (end = instruction.find('\n', at)) != std::string::npos; at = end + 1)
    EXPECT_LE(end - at, 110u);
  EXPECT_EQ(run_command({.argv = read_dockerfile(instruction)[0].command()}).output,
            run_command({.argv = {"/bin/sh", "-ec", script}}).output);
}

TEST(RunInstruction, IsTextOrRefused) {
  EXPECT_THROW(run_instruction("echo \xff", false), Error);
  EXPECT_THAT(run_instruction("printf 'a\tb\x01'", false), HasSubstr("\\u0001"));
}

}  // namespace
}  // namespace stagemake
