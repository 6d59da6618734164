#include "report/log/log_scan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text/text.h"
#include "report/log/log_message.h"

namespace stagemake {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = LogFinding::Kind;

// "mpfr-4.1.0:12: message" of each finding, with "tests of " in front if tests failed.
std::vector<std::string> told(const std::vector<LogFinding>& findings) {
  std::vector<std::string> result;
  for (const LogFinding& one : findings)
    result.push_back(fmt::format("{}{}{}{}:{}: {}", one.kind == Kind::TestFailure ? "tests of " : "",
                                 one.package, one.version.empty() ? "" : "-", one.version, one.line,
                                 one.message));
  return result;
}

constexpr RecipeEnd kBadly = RecipeEnd::Badly, kIgnored = RecipeEnd::Ignored, kWell = RecipeEnd::Well;

std::vector<std::string> told(std::string_view log, RecipeEnd end) {
  return told(scan_log(log, end));
}

// The output of make V=0 if one package fails: the end of that package's log.
constexpr std::string_view kSilent = R"([gmp-6.2.1] installing. Log file: /sage/logs/pkgs/gmp-6.2.1.log
[mpfr-4.1.0.p0] installing. Log file: /sage/logs/pkgs/mpfr-4.1.0.p0.log
  [mpfr-4.1.0.p0] error installing, exit status 1. End of log file:
  [mpfr-4.1.0.p0]   [spkg-install] cc -c src/mpfr.c
  [mpfr-4.1.0.p0]   [spkg-install] src/mpfr.c: In function 'broken':
  [gmp-6.2.1] successfully installed.
  [mpfr-4.1.0.p0]   [spkg-install] src/mpfr.c:18:10: error: 'missing' undeclared (first use in this function)
  [mpfr-4.1.0.p0]   [spkg-install]    18 |   return missing;
  [mpfr-4.1.0.p0]   [spkg-install] make[5]: *** [Makefile:12: mpfr.o] Error 1
  [mpfr-4.1.0.p0]   ************************************************************************
  [mpfr-4.1.0.p0]   Error installing package mpfr-4.1.0.p0
  [mpfr-4.1.0.p0]   ************************************************************************
  [mpfr-4.1.0.p0]

  [mpfr-4.1.0.p0] Full log file: /sage/logs/pkgs/mpfr-4.1.0.p0.log
make[4]: *** [Makefile:2990: mpfr-SAGE_LOCAL-no-deps] Error 1
make[3]: *** [Makefile:2990: /sage/local/var/lib/sage/installed/mpfr-4.1.0.p0] Error 2
make[3]: Target 'all-sage-local' not remade because of errors.
***************************************************************
Error building Sage.

The following package(s) may have failed to build (not necessarily
during this run of 'make all-build-local'):

* package:         mpfr-4.1.0.p0
  last build time: Nov 23 02:31
  log file:        /sage/logs/pkgs/mpfr-4.1.0.p0.log

make[1]: *** [Makefile:40: all-build-local] Error 1
)";

TEST(LogScan, PackageThatFailsSilently) {
  std::vector<LogFinding> findings = scan_log(kSilent, kBadly);
  ASSERT_THAT(told(findings), ElementsAre("mpfr-4.1.0.p0:7: src/mpfr.c:18:10: error: 'missing' undeclared "
                                          "(first use in this function)"));
  EXPECT_EQ(findings[0].file, "");
  EXPECT_THAT(findings[0].excerpt,
              ElementsAre("installing. Log file: /sage/logs/pkgs/mpfr-4.1.0.p0.log",
                          "error installing, exit status 1. End of log file:", "cc -c src/mpfr.c",
                          "src/mpfr.c: In function 'broken':",
                          "src/mpfr.c:18:10: error: 'missing' undeclared (first use in this function)",
                          "   18 |   return missing;", "make[5]: *** [Makefile:12: mpfr.o] Error 1",
                          "************************************************************************",
                          "Error installing package mpfr-4.1.0.p0",
                          "************************************************************************",
                          "Full log file: /sage/logs/pkgs/mpfr-4.1.0.p0.log"));
}

TEST(LogScan, PackagesSideBySide) {
  // Two packages at once, each line with its prefix; r continues after the other has failed.
  std::string log =
      "make[4]: Entering directory '/sage/build/make'\n"
      "[giac-1.9.0] giac-1.9.0\n"
      "[giac-1.9.0] ====================================================\n"
      "[r-4.2.1] r-4.2.1\n"
      "[giac-1.9.0] checking for gmp.h... no\n"
      "[r-4.2.1] checking for X... configure: error: --with-x=yes (default) and X11 headers are missing\n"
      "[giac-1.9.0] configure: error: GMP is needed\n"
      "[r-4.2.1] ************************************************************************\n"
      "[r-4.2.1] Error configuring r-4.2.1\n"
      "[r-4.2.1] Error installing package r-4.2.1\n"
      "[giac-1.9.0] Error building package giac-1.9.0\n"
      "make[4]: *** [Makefile:2990: giac-SAGE_LOCAL-no-deps] Error 1\n";
  std::vector<LogFinding> findings = scan_log(log, kBadly);
  EXPECT_THAT(told(findings),
              ElementsAre("r-4.2.1:6: configure: error: --with-x=yes (default) and X11 headers are missing",
                          "giac-1.9.0:7: configure: error: GMP is needed"));
  EXPECT_THAT(findings[1].excerpt,
              ElementsAre("giac-1.9.0",
                          "====================================================", "checking for gmp.h... no",
                          "configure: error: GMP is needed", "Error building package giac-1.9.0"));
}

// SageMath 9.5 with a gcc that is too new: its message starts two lines below "configure: error:", and the
// recipe shows config.log after it.
TEST(LogScan, ConfigLogHoldsComplaintsOfTrialsOnly) {
  const std::string config_log =
      "This file contains any messages produced by compilers while\n"
      "running configure, to aid debugging if configure makes a mistake.\n"
      "gcc: fatal error: cannot execute 'cc1obj': execvp: No such file or directory\n"
      "configure:5023: checking for unistd.h\n";
  const std::string end = "configure: exit 1\n";
  EXPECT_THAT(told("checking for gcc... gcc\nconfigure: error: \n\n    Given --with-system-gcc=force, but no "
                   "system package.\n" +
                       config_log + end,
                   kBadly),
              ElementsAre(":2: configure: error: Given --with-system-gcc=force, but no system package."));
  EXPECT_THAT(told(config_log + "configure:5031: error: GMP is needed\n" + end, kBadly),
              ElementsAre(":5: configure:5031: error: GMP is needed"));
  EXPECT_THAT(told(config_log + "configure:5031: error:\n\n    Given nothing.\n" + end, kBadly),
              ElementsAre(":5: configure:5031: error: Given nothing."));
  // The writer of the message was killed.
  EXPECT_THAT(
      told(config_log + "make[1]: *** [Makefile:40: configure] Error 1\ntar: error: it is no archive\n",
           kBadly),
      ElementsAre(":6: tar: error: it is no archive"));
  EXPECT_THAT(told(config_log + end + "tar: error: it is no archive\n", kBadly),
              ElementsAre(":6: tar: error: it is no archive"));
}

TEST(LogScan, PackagesBuiltInTheEndDidNotFail) {
  std::string attempt =
      "[gmp-6.2.1] gmp-6.2.1\n"
      "[gmp-6.2.1] gmp.c:1: error: no\n"
      "[gmp-6.2.1] Error installing package gmp-6.2.1\n";
  EXPECT_THAT(
      told(attempt + "[gmp-6.2.1] gmp-6.2.1\n[gmp-6.2.1] Successfully installed gmp-6.2.1\n", kIgnored),
      IsEmpty());
  EXPECT_THAT(told("[gmp-6.2.1] RuntimeError: seen, and gone on\n"
                   "[gmp-6.2.1] Successfully installed gmp-6.2.1\n",
                   kIgnored),
              IsEmpty());
  // The same message repeatedly: reported once, at its last place.
  EXPECT_THAT(told(attempt + attempt, kBadly), ElementsAre("gmp-6.2.1:5: gmp.c:1: error: no"));
}

TEST(LogScan, PackagesRefusedByTheGuardAreNotFailures) {
  std::string log =
      "stagemake: giac-1.9.0 is not begun: the deadline is near\n"
      "make[4]: *** [Makefile:2990: giac-SAGE_LOCAL-no-deps] Error 75\n"
      "make[3]: *** [Makefile:2990: /sage/local/var/lib/sage/installed/giac-1.9.0] Error 2\n"
      "[r-4.2.1] installing. Log file: /sage/logs/pkgs/r-4.2.1.log\n"
      "  [r-4.2.1] error installing, exit status 75. End of log file:\n"
      "  [r-4.2.1] Full log file: /sage/logs/pkgs/r-4.2.1.log\n";
  EXPECT_THAT(told(log, kIgnored), IsEmpty());
}

TEST(LogScan, ARecipeThatEndedWellHasNoErrors) {
  for (std::string_view log :
       {"RuntimeError: seen, and gone on\n", "x.c:1: error: no\nError: no\n",
        "[gmp-6.2.1] x.c:1: error: no\n[gmp-6.2.1] Error installing package gmp-6.2.1\n",
        "[gmp-6.2.1] ValueError: x\n", "make[1]: *** [Makefile:1: gmp-SAGE_LOCAL-no-deps] Error 1\n",
        "The following package(s) may have failed to build\n* package: gmp-6.2.1\n  log file: /a.log\n"}) {
    EXPECT_THAT(told(log, kWell), IsEmpty()) << log;
    EXPECT_THAT(told(log, kBadly), SizeIs(1)) << log;
  }
  // Tests are different: the package is built all the same.
  EXPECT_THAT(told("[gmp-6.2.1] Warning: Failures testing package gmp-6.2.1 (ignored)\n"
                   "[gmp-6.2.1] Successfully installed gmp-6.2.1\nRuntimeError: x\n",
                   kWell),
              ElementsAre("tests of gmp-6.2.1:1: Warning: Failures testing package gmp-6.2.1 (ignored)"));
  EXPECT_THAT(told("Testsuite: Timed out after 300 s\n", kWell),
              ElementsAre("tests of :1: Testsuite: Timed out after 300 s"));
  EXPECT_THAT(told("sage -t --long src/a.py  # Timed out\nsage -t b.py  # Killed due to abort\n", kIgnored),
              ElementsAre("tests of :2: sage -t b.py  # Killed due to abort"));
}

TEST(LogScan, ATracebackOfEachPackageIsItsOwn) {
  EXPECT_THAT(
      told("[a-1] Traceback (most recent call last):\n[b-1] x.c:1: error: no\n"
           "[a-1]   File \"s.py\", line 1\n[a-1]     f(\"y: error: z\")\n[b-1] Error installing package b-1\n"
           "[a-1] KeyError: 'k'\n[a-1] Error installing package a-1\n",
           kBadly),
      ElementsAre("b-1:2: x.c:1: error: no", "a-1:6: KeyError: 'k'"));
}

TEST(LogScan, PackagesThatOnlyMakeNames) {
  // A package that pip installs, one whose recipe ends before its logger starts, and one of an older make.
  EXPECT_THAT(
      told("[notedown] ERROR: Could not find a version that satisfies the requirement notedown\n"
           "[notedown] ERROR: No matching distribution found for notedown\n"
           "make[4]: *** [Makefile:3100: notedown-no-deps] Error 1\n",
           kBadly),
      ElementsAre("notedown:1: ERROR: Could not find a version that satisfies the requirement notedown"));
  EXPECT_THAT(
      told("Error: There is no installation tree SAGE_VENV.\n"
           "make[4]: *** [Makefile:557: numpy-SAGE_VENV-no-deps] Error 1\n"
           "make[3]: *** [/sage/local/var/lib/sage/installed/ntl-11.4.3] Error 2\n",
           kBadly),
      ElementsAre("numpy:1: Error: There is no installation tree SAGE_VENV.",
                  "ntl-11.4.3:3: make[3]: *** [/sage/local/var/lib/sage/installed/ntl-11.4.3] Error 2"));
  // Targets that are not packages
  EXPECT_THAT(told("make[2]: *** [Makefile:386: toolchain-deps] Error 2\n", kBadly),
              ElementsAre(":1: make[2]: *** [Makefile:386: toolchain-deps] Error 2"));
}

TEST(LogScan, MissingMakeTargetsAreFound) {
  EXPECT_THAT(told("checking\nmake: *** No rule to make target 'all-sage-lokal'.  Stop.\n", kBadly),
              ElementsAre(":2: make: *** No rule to make target 'all-sage-lokal'.  Stop."));
  // In addition to a package
  EXPECT_THAT(told("[gmp-6.2.1] x.c:1: error: no\n"
                   "make[4]: *** [Makefile:1: gmp-SAGE_LOCAL-no-deps] Error 1\n"
                   "make[3]: *** No rule to make target 'x', needed by 'y'.  Stop.\n",
                   kBadly),
              ElementsAre("gmp-6.2.1:1: x.c:1: error: no",
                          ":3: make[3]: *** No rule to make target 'x', needed by 'y'.  Stop."));
}

TEST(LogScan, PackagesAtTheEndOnlyByTheirLogs) {
  std::string_view list =
      "Error building Sage.\n"
      "The following package(s) may have failed to build (not necessarily\n"
      "during this run of 'make build'):\n\n"
      "* package:         gmp-6.2.1\n"
      "  last build time: Nov 23 02:31\n"
      "  log file:        /sage/logs/pkgs/gmp-6.2.1.log\n";
  std::vector<LogFinding> findings = scan_log(list, kBadly);
  ASSERT_THAT(told(findings), ElementsAre("gmp-6.2.1:0: failed to build, by the end of its log"));
  EXPECT_EQ(findings[0].file, "/sage/logs/pkgs/gmp-6.2.1.log");
  // An earlier run's log
  EXPECT_THAT(told("[gmp-6.2.1] Successfully installed gmp-6.2.1\n[r-4] x.c:1: error: no\n"
                   "[r-4] Error installing package r-4\n" +
                       std::string(list),
                   kBadly),
              ElementsAre("r-4:2: x.c:1: error: no"));
}

TEST(LogScan, FailuresOfTests) {
  std::vector<LogFinding> findings = scan_log(
      "SAGE_CHECK=warn, so scanning the log files. This may take a few seconds.\n"
      "Warning: the following package(s) may have failed their test suites\n"
      "(not necessarily during this run of 'make build'):\n"
      "* package: gmp-6.2.1 last build time: Nov 23 02:31 log file: /sage/logs/pkgs/gmp-6.2.1.log * package: "
      "r-4.2.1 last build time: Nov 23 02:31 log file: /sage/logs/pkgs/r-4.2.1.log\n"
      "Sage build/upgrade complete!\n",
      kIgnored);
  EXPECT_THAT(told(findings), ElementsAre("tests of gmp-6.2.1:0: Warning: Failures testing package gmp-6.2.1",
                                          "tests of r-4.2.1:0: Warning: Failures testing package r-4.2.1"));
  EXPECT_EQ(findings[1].file, "/sage/logs/pkgs/r-4.2.1.log");
  // In a package's own lines, before it is installed
  EXPECT_THAT(told("[gmp-6.2.1] FAIL: t-gcd\n"
                   "[gmp-6.2.1] Warning: Failures testing package gmp-6.2.1 (ignored)\n"
                   "[gmp-6.2.1] Successfully installed gmp-6.2.1\n",
                   kIgnored),
              ElementsAre("tests of gmp-6.2.1:2: Warning: Failures testing package gmp-6.2.1 (ignored)"));
  // `make gmp-check`
  EXPECT_THAT(told("[gmp-6.2.1] checking. Log file: /sage/logs/pkgs/gmp-6.2.1.log\n"
                   "  [gmp-6.2.1] error checking, exit status 1. End of log file:\n"
                   "  [gmp-6.2.1]   FAIL: t-gcd\n",
                   kIgnored),
              ElementsAre("tests of gmp-6.2.1:3: FAIL: t-gcd"));
  // If failed tests count as errors, this is an error.
  EXPECT_THAT(told("[gmp-6.2.1] FAIL: t-gcd\n[gmp-6.2.1] Error testing package gmp-6.2.1\n", kBadly),
              ElementsAre("gmp-6.2.1:1: FAIL: t-gcd"));
}

TEST(LogScan, SagesPatternsInAPackagesWholeLog) {
  std::string lines_after;
  for (int i = 0; i < 99; ++i) lines_after += "more\n";
  EXPECT_THAT(told("ImportError: no module\n" + lines_after, kIgnored),
              ElementsAre(":1: ImportError: no module"));
  EXPECT_THAT(told("ImportError: no module\nmore\n" + lines_after, kIgnored), IsEmpty());
  EXPECT_THAT(told("cannot say Error\n error\n4Error\n", kIgnored), IsEmpty());

  std::string doctest = "sage -t --long src/sage/a.py  # 3 doctests failed\n";
  lines_after.resize(19 * 5);
  EXPECT_THAT(told(doctest + lines_after, kIgnored),
              ElementsAre("tests of :1: sage -t --long src/sage/a.py  # 3 doctests failed"));
  EXPECT_THAT(told(doctest + lines_after + "more\n", kIgnored), IsEmpty());
  EXPECT_THAT(told("sage: x\nsage -t  # all doctests passed\n", kIgnored), IsEmpty());

  // The log names its package.
  EXPECT_THAT(told("gmp-6.2.1\n=======\nx.c:1: error: no\nError installing package gmp-6.2.1\n", kIgnored),
              ElementsAre("gmp-6.2.1:3: x.c:1: error: no"));
  EXPECT_THAT(told("gmp-6.2.1\n=======\nError: none\nSuccessfully installed gmp-6.2.1\n", kIgnored),
              IsEmpty());
}

TEST(LogScan, TheLineThatSaysMost) {
  struct Case {
    std::string_view log;
    std::string message;
  };
  const Case cases[] = {
      {"E: Unable to locate package libfoo-dev\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n",
       "E: Unable to locate package libfoo-dev"},
      {"No match for argument: foo\nError: Unable to find a match: foo\n", "No match for argument: foo"},
      {"/usr/bin/ld: cannot find -lfoo: No such file or directory\ncollect2: error: ld returned 1 exit "
       "status\n"
       "make[2]: *** [Makefile:3: x] Error 1\n",
       "/usr/bin/ld: cannot find -lfoo: No such file or directory"},
      {"a.o: in function `main':\na.c:(.text+0x9): undefined reference to `f'\ncollect2: error: ld returned "
       "1\n",
       "a.c:(.text+0x9): undefined reference to `f'"},
      {"CMake Error at CMakeLists.txt:12 (find_package):\n  By not providing FindFoo.cmake\n"
       "-- Configuring incomplete, errors occurred!\n",
       "CMake Error at CMakeLists.txt:12 (find_package): By not providing FindFoo.cmake"},
      {"Traceback (most recent call last):\n  File \"x\", line 1\nKeyError: 'a'\n\nDuring handling\n"
       "Traceback (most recent call last):\nModuleNotFoundError: No module named 'b'\n"
       "subprocess.CalledProcessError: Command 'x' returned non-zero exit status 1.\n",
       "ModuleNotFoundError: No module named 'b'"},
      {"a.c:1: error: cannot write: No space left on device\nb.c:2: error: x\ntar: x: No space left on "
       "device\n",
       "a.c:1: error: cannot write: No space left on device"},
      {"gcc: fatal error: Killed signal terminated program cc1plus\ncompilation terminated.\n",
       "gcc: fatal error: Killed signal terminated program cc1plus"},
      {"Could not download https://a/b.tar.gz\nError downloading b\n",
       "Could not download https://a/b.tar.gz"},
      {"conftest.c:3:10: fatal error: no.h\nchecking error: no\nx.c:4: warning: error: y\n./a: line 3: flex: "
       "command not found\n",
       "./a: line 3: flex: command not found"},
      {"meson.build:3:0: ERROR: Dependency \"gmp\" not found\n",
       "meson.build:3:0: ERROR: Dependency \"gmp\" not found"},
      // Python's last line, whatever source line it quotes
      {"Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    f()\n"
       "  File \"a.py\", line 2, in f\n    raise ValueError(\"x.c:1: error: bad\")\n"
       "    ^^^^^^^^^^^^^^^^\nValueError: x.c:1: error: bad\n",
       "ValueError: x.c:1: error: bad"},
      {"Traceback (most recent call last):\n  File \"d.py\", line 4, in g\n    raise Trouble(\"fatal: z\")\n"
       "own.module.Trouble: something is wrong\n",
       "own.module.Trouble: something is wrong"},
      {"  File \"c.py\", line 1\n    x = \"y: error: \" +\n                   ^\nSyntaxError: invalid "
       "syntax\n",
       "SyntaxError: invalid syntax"},
      {"      Traceback (most recent call last):\n        File \"a\", line 1, in b\n          c(\"E: d\")\n"
       "      RuntimeError: e\n      [end of output]\n  error: subprocess-exited-with-error\n",
       "RuntimeError: e"},
      {"  + Exception Group Traceback (most recent call last):\n  |   File \"j.py\", line 1, in <module>\n"
       "  |     raise ExceptionGroup(\"z: error: y\")\n  | ExceptionGroup: several (2 sub-exceptions)\n"
       "  +-+---------------- 1 ----------------\n    | ValueError: one\n"
       "    +---------------- 2 ----------------\n    | Traceback (most recent call last):\n"
       "    |   File \"j.py\", line 2, in f\n    |     raise OSError(\"a: error: b\")\n    | OSError: two\n"
       "    +------------------------------------\n",
       "OSError: two"},
      {"x.c:3:1: error: 'y' undeclared\n    3 | return y; // z: fatal: error: no\n      | ^~~~~~\n"
       "Traceback (most recent call last):\n  File \"setup.py\", line 9, in <module>\n    build()\n"
       "subprocess.CalledProcessError: Command '['make']' returned non-zero exit status 2.\n",
       "x.c:3:1: error: 'y' undeclared"},
      // pytest quotes whole functions
      {"=================================== FAILURES ===================================\n"
       "__________________________________ test_value __________________________________\n\n"
       "    def helper(x):\n        # this comment says: error: nothing\n>       raise ValueError(\"w: "
       "error: v\")\n"
       "E       ValueError: too large\n\ntest_a.py:5: ValueError\n"
       "=========================== short test summary info ============================\n"
       "FAILED test_a.py::test_value - ValueError: too large\n"
       "========================= 1 failed, 1 passed in 1.20s ==========================\n",
       "FAILED test_a.py::test_value - ValueError: too large"},
      {"==================================== ERRORS ====================================\n"
       "    import a  # b: error: c\nE   ModuleNotFoundError: No module named 'a'\n"
       "make[1]: *** [Makefile:3: check] Killed\n",
       "ModuleNotFoundError: No module named 'a'"},
      // The error in a call comes before the usage, or names itself.
      {"make: invalid option -- 'g'\nUsage: make [options] [target] ...\nOptions:\n"
       "  -i, --ignore-errors         Ignore errors from recipes.\n\nThis program built for "
       "x86_64-pc-linux-gnu\n"
       "Report bugs to <bug-make@gnu.org>\n",
       "make: invalid option -- 'g'"},
      {"working\nfrob: the moon is not full\nusage: frob [-x] FILE\n  -x   x: error: x\nmake: *** "
       "[Makefile:2: a] Error 2\n",
       "frob: the moon is not full"},
      {"usage: p.py [-h]\np.py: error: unrecognized arguments: --q\n",
       "p.py: error: unrecognized arguments: --q"},
      {"gcc: error: unrecognized command-line option '--nosuch'\ngcc: fatal error: no input files\n",
       "gcc: error: unrecognized command-line option '--nosuch'"},
      {"+ echo 'x: error: y'\necho \"z: error: w\"\n/bin/sh: 1: frob: not found\n",
       "/bin/sh: 1: frob: not found"},
      {"configure.ac:3: error: possibly undefined macro: AC_NOSUCH\n"
       "autoreconf: error: /usr/bin/autoconf failed with exit status: 1\n",
       "configure.ac:3: error: possibly undefined macro: AC_NOSUCH"},
      {"aclocal: error: couldn't open directory 'm4': No such file or directory\n"
       "autoreconf: error: aclocal failed with exit status: 1\n",
       "aclocal: error: couldn't open directory 'm4': No such file or directory"},
      // Tests that take too long
      {"1/4 Test #1: slow .............................***Timeout   1.09 sec\n"
       "    Start 2: bad\n2/4 Test #2: bad ..............................***Failed    0.03 sec\n\n"
       "The following tests FAILED:\n\t  1 - slow (Timeout)\n\t  2 - bad (Failed)\nErrors while running "
       "CTest\n"
       "make: *** [Makefile:71: test] Error 8\n",
       "1/4 Test #1: slow .............................***Timeout   1.09 sec"},
      {"2/2 slow TIMEOUT         1.17s   killed by signal 15 SIGTERM\nFail:               0\nTimeout:        "
       "    1\n",
       "2/2 slow TIMEOUT         1.17s   killed by signal 15 SIGTERM"},
      {"running\nTestsuite: Timed out after 300 s\nmake: *** [Makefile:1: ptest] Error 4\n",
       "Testsuite: Timed out after 300 s"},
      {"sage -t --long src/a.py  # Timed out\nTotal time for all tests: 300.0 seconds\n",
       "sage -t --long src/a.py  # Timed out"},
      {"1..2\nok 1\nnot ok 2 - gcd of big numbers\nResult: FAIL\n", "not ok 2 - gcd of big numbers"},
      // Package managers
      {"r                        0.0  B/s |   0  B     00:00\n"
       "Errors during downloading metadata for repository 'r':\n"
       "  - Curl error (7): Couldn't connect to server for http://r/repomd.xml [Failed to connect to r port "
       "9]\n"
       "Error: Failed to download metadata for repo 'r': Cannot download repomd.xml\nIgnoring repositories: "
       "r\n"
       "No match for argument: foo\nError: Unable to find a match: foo\n",
       "- Curl error (7): Couldn't connect to server for http://r/repomd.xml [Failed to connect to r port "
       "9]"},
      {"Error: \n Problem: conflicting requests\n"
       "  - nothing provides libx.so.3 needed by a-1-1.noarch\n(try to add '--skip-broken')\n",
       "- nothing provides libx.so.3 needed by a-1-1.noarch"},
      {"Error: \n Problem: package b-1-1.noarch conflicts with a provided by a-1-1.noarch\n  - conflicting "
       "requests\n",
       "Problem: package b-1-1.noarch conflicts with a provided by a-1-1.noarch"},
      {"Error: Transaction test error:\n"
       "  file /opt/x conflicts between attempted installs of a-1-1.noarch and b-1-1.noarch\n",
       "file /opt/x conflicts between attempted installs of a-1-1.noarch and b-1-1.noarch"},
      {"'foo' not found in package names. Trying capabilities.\nNo provider of 'foo' found.\n",
       "No provider of 'foo' found."},
      {"Problem: a-1-1.noarch conflicts with b provided by b-1-1.noarch\n Solution 1: do not install "
       "a-1-1.noarch\n\n"
       "Choose from above solutions by number or cancel [1/2/c/d/?] (c): c\n",
       "Problem: a-1-1.noarch conflicts with b provided by b-1-1.noarch"},
      {"Error building the cache:\n[bad|http://r/x] Valid metadata not found at specified URL\nHistory:\n"
       " - Unknown error reading from 'http://r/x'\nError code: Connection failed\n"
       "Error message: Failed to connect to r port 9 after 80 ms: Couldn't connect to server\n\n"
       "No provider of 'foo' found.\n",
       "Error message: Failed to connect to r port 9 after 80 ms: Couldn't connect to server"},
      {"!!! All ebuilds that could satisfy \"dev-libs/a\" have been masked.\n"
       "!!! One of the following masked packages is required to complete your request:\n"
       "- dev-libs/a-1::gentoo (masked by: ~amd64 keyword)\n",
       "- dev-libs/a-1::gentoo (masked by: ~amd64 keyword)"},
      {"Calculating dependencies... done!\n\nemerge: there are no ebuilds to satisfy \"dev-libs/nosuch\".\n",
       "emerge: there are no ebuilds to satisfy \"dev-libs/nosuch\"."},
      {"x.c:2:1: error: no y\n * ERROR: dev-libs/a-1::gentoo failed (compile phase):\n *   emake failed\n"
       ">>> Failed to emerge dev-libs/a-1, Log file:\n",
       "x.c:2:1: error: no y"},
      {"error: failed retrieving file 'core.db' from r : Couldn't connect to server\n"
       "error: failed to synchronize all databases (download library error)\nerror: target not found: a\n",
       "error: failed retrieving file 'core.db' from r : Couldn't connect to server"},
      {"error: failed to commit transaction (conflicting files)\nb: /opt/x exists in filesystem\n"
       "Errors occurred, no packages were upgraded.\n",
       "b: /opt/x exists in filesystem"},
      {"Err:1 http://r/debian bookworm InRelease\n  Could not connect to r:9. - connect (111: Connection "
       "refused)\n"
       "W: Failed to fetch http://r/debian/InRelease  Could not connect to r:9\nE: Unable to locate package "
       "foo\n",
       "W: Failed to fetch http://r/debian/InRelease  Could not connect to r:9"},
      {"The following packages have unmet dependencies:\n a : Depends: b (>= 2) but it is not installable\n"
       "E: Unable to correct problems, you have held broken packages.\n",
       "a : Depends: b (>= 2) but it is not installable"},
      {"dpkg: error processing package a (--configure):\n"
       " installed a package post-installation script subprocess returned error exit status 1\n"
       "Errors were encountered while processing:\n a\nE: Sub-process /usr/bin/dpkg returned an error code "
       "(1)\n",
       "installed a package post-installation script subprocess returned error exit status 1"},
      {"ERROR: unable to select packages:\n  a (no such package):\n    required by: world[a]\n",
       "a (no such package):"},
      {"Package 'a' not found in repository pool.\n", "Package 'a' not found in repository pool."},
      {"PackagesNotFoundError: The following packages are not available from current channels:\n\n  - "
       "nosuch\n\n",
       "PackagesNotFoundError: The following packages are not available from current channels: - nosuch"},
      {"PackagesNotFoundInChannelsError: The following packages are not available from current channels:\n  "
       "- "
       "nosuch\n\nCurrent channels:\n  - error: conda-forge\n",
       "PackagesNotFoundInChannelsError: The following packages are not available from current channels: - "
       "nosuch"},
      {"error:\n       … while calling the 'f' builtin\n\n       error: attribute 'nosuch' missing\n",
       "error: attribute 'nosuch' missing"},
      {"all is well\nand then\n\nreal\t0m1.000s\nuser\t0m0.100s\nsys\t0m0.001s\nmake: Leaving directory "
       "'/sage'\n",
       "and then"},
  };
  for (const Case& one : cases) {
    std::vector<LogFinding> findings = scan_log(one.log, kBadly);
    ASSERT_THAT(findings, SizeIs(1)) << one.log;
    EXPECT_EQ(findings[0].message, one.message);
    EXPECT_EQ(findings[0].package, "");
  }
  EXPECT_THAT(told("", kBadly), IsEmpty());
  EXPECT_THAT(told("\n\n \n", kBadly), IsEmpty());
}

TEST(LogScan, EarlyMessagesCountLess) {
  std::string lines_between;
  for (int i = 0; i < 5000; ++i) lines_between += "[a-1] cc -c x.c\n";
  std::string end = "[a-1] Error: it went wrong\n[a-1] Error installing package a-1\n";
  EXPECT_THAT(told("[a-1] try.c:1: error: a trial\n" + lines_between + end, kBadly),
              ElementsAre("a-1:5002: Error: it went wrong"));
  EXPECT_THAT(
      told("[a-1] try.c:1: error: x\n" + lines_between + "[a-1] Error installing package a-1\n", kBadly),
      ElementsAre("a-1:1: try.c:1: error: x"));
  EXPECT_THAT(told("[a-1] Error: before\n" + lines_between + "[a-1] x.c:1: error: y\n" + end, kBadly),
              ElementsAre("a-1:5002: x.c:1: error: y"));
}

TEST(LogScan, ColoursProgressAndBytes) {
  std::string log =
      "\x1b[36m[gmp-6.2.1]\x1b[0m  10%\r 50%\r\x1b[1;31mx.c:1: error: \xff\x01no\x1b[0m\r\n"
      "[gmp-6.2.1] \x1b]8;;http://a\x1b\\link\x1b\n"
      "[gmp-6.2.1] Error installing package gmp-6.2.1";
  EXPECT_THAT(told(log, kBadly), ElementsAre("gmp-6.2.1:1: x.c:1: error: \xff\x01no"));
  EXPECT_THAT(scan_log(log, kBadly)[0].excerpt,
              ElementsAre("x.c:1: error: \xff\x01no", "link", "Error installing package gmp-6.2.1"));
  EXPECT_THAT(told(std::string_view("a\0b\nx: error: \0\n", 16), kBadly),
              ElementsAre(std::string(":2: x: error: ") + '\0'));
}

TEST(LogScan, LongLinesAreCut) {
  std::string log = "x: error: " + std::string(1 << 20, 'a') + "\n" + std::string(1 << 20, '\r') + "\nend\n";
  std::vector<LogFinding> findings = scan_log(log, kBadly);
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].message.size(), 500u);
  EXPECT_THAT(findings[0].excerpt, SizeIs(1));  // the next line is too far away
}

TEST(LogScan, OnlySoManyFindings) {
  std::string log;
  for (int i = 0; i < 5000; ++i)
    log += fmt::format("[p{0}-1] x.c:1: error: {0}\n[p{0}-1] Error installing package p{0}-1\n", i);
  std::vector<LogFinding> findings = scan_log(log, kBadly);
  ASSERT_THAT(findings, SizeIs(kMostFindings));
  EXPECT_EQ(findings.back().package, "p49");
  EXPECT_EQ(findings.back().line, 99u);
}

TEST(LogScan, LongLogsTakeLinearTime) {
  // 50 MB of lines that all look like errors, some of them from many packages; quadratic time would take
  // minutes.
  std::string log;
  log.reserve(51 << 20);
  for (int i = 0; log.size() < (50u << 20); ++i)
    log += fmt::format("[p{}-1] \x1b[1mfile{}.c:{}:3: error: something is not as it should be\x1b[0m\r\n",
                       i % 3000, i, i);
  log += "[p7-1] Error installing package p7-1\n";
  std::vector<LogFinding> findings = scan_log(log, kBadly);
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].package, "p7");
}

TEST(Comparable, DifferencesBetweenRunsAreRemoved) {
  struct Case {
    std::string_view a, b;
  };
  const Case same[] = {
      {"src/x.c:18:10: error: ‘a’ undeclared", "src/x.c:20:3: error: 'a' undeclared"},
      {"make[3]: *** [Makefile:2990: x] Error 1", "make[5]: *** [Makefile:12: x] Error 1"},
      {"/usr/bin/ld: cannot find -lgmp",
       "/usr/lib/x86_64-linux-gnu/bin/ld: cannot find -lgmp: No such file or directory"},
      {"x86_64-linux-gnu-gcc: error: a", "aarch64-redhat-linux-gcc: error: a"},
      {"/tmp/ccAb12.o: in function `main':", "/tmp/ccZZZZ.o:  in function 'main':"},
      {"cannot open tmpab12_x9z", "cannot open tmp00000000"},
      {"segfault at 0x7ffe12ab", "segfault at 0xdead"},
      {"make -j8 failed", "make -j 16 failed"},
      {"x --jobs=2", "x --jobs=64"},
      {"after 12.5 seconds", "after 3 seconds"},
      {"12:34:56 died", "01:02:03 died"},
      {"2024-01-02 died", "2025-11-30 died"},
      {"process 123 died", "process 4567 died"},
      {"./x.sh: line 3: 4567 Killed cc", "./x.sh: line 19: 12 Killed cc"},
      {"in /usr/lib/python3.10/site.py", "in /usr/lib/python3.12/site.py"},
      {"sha256 0123456789abcdef0", "sha256 fedcba98765432100"},
  };
  for (const Case& one : same) EXPECT_EQ(comparable(one.a), comparable(one.b));
  const Case different[] = {
      {"cannot find -lgmp", "cannot find -lmpfr"},
      {"libgmp.so.10: not found", "libgmp.so.3: not found"},
      {"Error 1", "Error 137"},
      {"gmp-6.2.1", "gmp-6.3.0"},
      {"expected 64 bits", "expected 32 bits"},
      {"/sage/local/var/tmp/a", "/sage/local/var/tmp/b"},
      {"x.c:1: error: a", "y.c:1: error: a"},
      {"facade is bad", "decade is bad"},
  };
  for (const Case& one : different) EXPECT_NE(comparable(one.a), comparable(one.b));
  EXPECT_EQ(comparable("  a \t b  "), "a b");
  EXPECT_EQ(comparable("src/mpfr.c:18:10: error: ‘missing’ undeclared"),
            "src/mpfr.c:#:#: error: 'missing' undeclared");
  EXPECT_EQ(comparable(""), "");
  EXPECT_EQ(comparable("\xff\x00: "), "\xff");
}

}  // namespace
}  // namespace stagemake
