#include "report/log/log_rules.h"

#include <gmock/gmock.h>

#include "report/log/log_lines.h"

namespace stagemake {
namespace {

TEST(LogLines, MarksThatAreNone) {
  for (std::string_view text :
       {"[100%] Built target x", "[3/20] CC a.o", "[INFO] x", "[spkg-install] x", "[] x", "[a-1]x", "[a b] x",
        "[-1] x", "[12] x", " [a-1] x", "[a-1", "[a-] x"}) {
    LogLine line;
    LogReader reader(text);
    ASSERT_TRUE(reader.next(line));
    EXPECT_EQ(line.mark, "") << text;
  }
  for (std::string_view text :
       {"[4ti2-1.6.7] x", "[notedown] x", "  [sage_conf-10.5.post1+local]   x", "[a-1]"}) {
    LogLine line;
    LogReader reader(text);
    ASSERT_TRUE(reader.next(line));
    EXPECT_NE(line.mark, "") << text;
    EXPECT_TRUE(line.text == "x" || line.text.empty()) << text;
  }
}

TEST(LogRules, TargetsOfMake) {
  EXPECT_EQ(failed_target("make[3]: *** [Makefile:2990: gmp-6.2.1] Error 1"), "gmp-6.2.1");
  EXPECT_EQ(failed_target("gmake: *** [gmp-6.2.1] Error 2"), "gmp-6.2.1");
  EXPECT_EQ(failed_target("make: *** [Makefile:2: a] Killed"), "a");
  for (std::string_view line :
       {"make: *** No rule to make target 'x'.  Stop.", "*** [a] Error", "make: *** [a", "make: *** ",
        "make: Target 'x' not remade because of errors."})
    EXPECT_EQ(failed_target(line), "") << line;
  EXPECT_TRUE(is_make_stop("Makefile:12: *** missing separator.  Stop."));
  EXPECT_FALSE(is_make_stop("make: *** Waiting for unfinished jobs...."));
}

TEST(LogRules, CausesWeighMoreThanConsequences) {
  EXPECT_GE(line_weight("x.c:1:2: error: y").weight, kCause);
  EXPECT_GE(line_weight("numpy.distutils.system_info.NotFoundError: y").weight, kCause);
  for (std::string_view line :
       {"make: *** [x] Error 1", "collect2: error: ld returned 1 exit status", "Error installing package x-1",
        "error: command 'gcc' failed with exit status 1", "ERROR: Failed building wheel for x",
        "subprocess.CalledProcessError: x"})
    EXPECT_LE(line_weight(line).weight, kConsequence) << line;
  for (std::string_view line : {"", "cc -Werror -c error.c", "checking for error: no", "0 errors",
                                "make: [x] Error 1 (ignored)", "*** Waiting for unfinished jobs...."})
    EXPECT_EQ(line_weight(line).weight, 0) << line;
}

}  // namespace
}  // namespace stagemake
