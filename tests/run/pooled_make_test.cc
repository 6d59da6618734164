// The program that $MAKE names in a container: what it passes to makes of each version, and how it works with
// a real make in a tree of Sage's shape.
#include "run/container/pooled_make.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/files/files.h"
#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "run/slots/job_slots.h"

namespace stagemake {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class PooledMakeTest : public testing::Test {
 protected:
  PooledMakeTest() { ::mkfifo(fifo().c_str(), 0600); }

  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string fifo() const { return at("slots"); }
  std::string setup(const std::string& fifo) const {
    return "PATH=" + at("bin") + ":$PATH\n" +
           pooled_make_setup({.fifo = fifo, .program = at("make"), .slots = 3, .fair_share = 2});
  }
  void program(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(at(name)).parent_path());
    write_file(at(name), "#!/bin/sh\n" + text);
    fs::permissions(at(name), fs::owner_all);
  }
  // A make that prints what it gets.
  void fake_make(const std::string& version) {
    program("bin/make", "if [ \"$1\" = --version ]; then echo " + shell_quoted(std::string_view(version)) +
                            "; exit; fi\n"
                            "echo \"[$MAKEFLAGS] $(readlink /proc/self/fd/8) $*\"\n");
  }
  static std::string run(const std::string& script) {
    Finished finished = run_command({.argv = {"sh", "-e", "-c", "exec 2>&1\n" + script}});
    return finished.output + (finished.ok() ? "" : "failed\n");
  }
  // What a make gets that `make` starts with these MAKEFLAGS.
  std::string told(const std::string& makeflags, const std::string& more = "") {
    return run(setup(fifo()) + more + "MAKEFLAGS=" + shell_quoted(std::string_view(makeflags)) +
               " $MAKE all\n");
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
};

TEST_F(PooledMakeTest, EachMakeGetsSlotsInItsOwnSyntax) {
  std::string piped = fifo() + " all\n";
  for (const char* version : {"3.82", "4.0", "4.1"}) {
    fake_make(std::string("GNU Make ") + version);
    EXPECT_EQ(told("k -- V=0"), "[k -j --jobserver-fds=8,8 -- V=0] " + piped) << version;
  }
  for (const char* version : {"4.2", "4.2.1", "4.2.93", "4.3"}) {
    fake_make(std::string("GNU Make ") + version);
    EXPECT_EQ(told("k -- V=0"), "[k -j3 --jobserver-auth=8,8 -- V=0] " + piped) << version;
  }
  for (const char* version : {"4.4", "4.4.1", "4.10", "5.0", "12.1"}) {
    fake_make(std::string("GNU Make ") + version);
    EXPECT_EQ(told("k -- V=0"), "[k -j3 --jobserver-auth=fifo:" + fifo() + " -- V=0] " + piped) << version;
  }
}

TEST_F(PooledMakeTest, OtherMakeflagsStay) {
  fake_make("GNU Make 4.3");
  const std::string slots = " -j3 --jobserver-auth=8,8";
  auto expect = [&](const std::string& before, const std::string& after) {
    EXPECT_EQ(told(before), "[" + after + "] " + fifo() + " all\n") << before;
  };
  expect("", slots);
  expect("ks", "ks" + slots);
  expect("w --no-print-directory -- A=b", "w" + slots + " --no-print-directory -- A=b");
  expect(" -- V=0 SAGE_SPKG=sage-spkg\\ -y\\ -j", slots + " -- V=0 SAGE_SPKG=sage-spkg\\ -y\\ -j");
  expect("-- V=0", slots + " -- V=0");
  expect(" V=1", slots + " V=1");
  expect("V=1", slots + " V=1");
  expect("k V=1", "k" + slots + " V=1");
  expect("--output-sync=none", slots + " --output-sync=none");
  EXPECT_EQ(run(setup(fifo()) + "$MAKE all\n"), "[" + slots + "] " + fifo() + " all\n") << "unset";
}

TEST_F(PooledMakeTest, AMakeThatHasSlotsOrIsToBeSerialIsLeftAlone) {
  fake_make("GNU Make 4.3");
  for (const char* flags :
       {" -j8 --jobserver-auth=3,4", "k -j --jobserver-fds=3,4 -- V=0", "-j1", "k -j1 -- A=b"})
    EXPECT_EQ(told(flags), std::string("[") + flags + "]  all\n");
  // Before 4.2, -j1 leaves nothing in MAKEFLAGS.
  program("below", "MAKEFLAGS=k exec $MAKE all\n");
  program("bin/make",
          "[ \"$1\" != --version ] || exec echo GNU Make 4.0\n"
          "[ \"$1\" = all ] || exec \"$@\"\n"
          "echo \"[$MAKEFLAGS]\"\n");
  EXPECT_EQ(run(setup(fifo()) + "$MAKE " + at("below") + "\n"), "[k]\n");
}

TEST_F(PooledMakeTest, TheMakeOfTheRecipesOwnPathIsTheOneThatCounts) {
  fake_make("GNU Make 4.3");
  program("other/make", "[ \"$1\" != --version ] || exec echo GNU Make 4.1\necho \"other [$MAKEFLAGS]\"\n");
  EXPECT_EQ(told("", "PATH=" + at("other") + ":$PATH\n"), "other [ -j --jobserver-fds=8,8]\n");
}

TEST_F(PooledMakeTest, AMakeWithoutSharingGetsItsFairShare) {
  std::string show = "echo \"$MAKE $SAGE_NUM_THREADS $NUMPROC\"\n";
  fake_make("GNU Make 3.79.1");
  EXPECT_EQ(run(setup(fifo()) + show),
            "stagemake: make 3.79.1 shares no job slots: it gets 2 of its own\nmake -j2 2 2\n");
  fake_make("bmake 2020");
  EXPECT_THAT(run(setup(fifo()) + show), EndsWith("its own\nmake -j2 2 2\n"));
  fake_make("GNU Make 4.3");
  EXPECT_THAT(run(setup(at("nowhere")) + show), EndsWith("its own\nmake -j2 2 2\n"));
  EXPECT_FALSE(fs::exists(at("nowhere")));
  EXPECT_EQ(run(setup(fifo()) + show), at("make") + " 2 2\n");
}

TEST_F(PooledMakeTest, WithoutItsFifoTheProgramIsMake) {
  fake_make("GNU Make 4.3");
  EXPECT_EQ(run(setup(fifo()) + "rm " + fifo() + "\n$MAKE all\n"), "[]  all\n");
  EXPECT_FALSE(fs::exists(fifo()));
}

TEST_F(PooledMakeTest, ABaseImagesMakeflagsDoNotReachTheFirstMake) {
  fake_make("GNU Make 4.3");
  std::string image = "export MAKEFLAGS=-j8 GNUMAKEFLAGS=-j9 MAKELEVEL=2\n";
  EXPECT_EQ(run(image + setup(fifo()) + "make all; echo \"$GNUMAKEFLAGS$MAKELEVEL\"\n"), "[]  all\n\n");
}

// --- With a real make, in a tree where each target is a separate make, and two of them at once fail.
// STAGEMAKE_TEST_MAKE names another make than the one in PATH.

class SageShapedTree : public PooledMakeTest {
 protected:
  SageShapedTree() {
    if (const char* other = std::getenv("STAGEMAKE_TEST_MAKE")) {
      fs::create_directories(at("bin"));
      fs::create_symlink(other, at("bin/make"));
    }
    write_file(at("Makefile"),
               "Makefile: ;\n%:: ; +@./install '$@'\nboth: a\n\t@$(MAKE) --no-print-directory b\n");
    program("install",
            "mkdir lock || { echo two at once; exit 1; }\n"
            "$MAKE --no-print-directory -f inner.mk \"$1\"\n"
            "status=$?\nrmdir lock\nexit $status\n");
    std::string inner = "MAKE_REC = $(MAKE:-j%=) --no-print-directory\n";
    for (std::string name : {"a", "b", "c"}) {
      inner += name + ":";
      for (int i = 0; i < 6; ++i) inner += " " + name + std::to_string(i);
      inner += " ; @:\n" + name + "%: ; +@$(MAKE_REC) -f inner.mk job-$@\n";
    }
    inner += "job-%:\n\t@touch run/$@; ls run | wc -l >> most; sleep 0.05; rm run/$@\n";
    // Like a package whose makefiles cannot run in parallel.
    inner += "serial: ; +@export MAKE='$(MAKE) -j1'; $$MAKE --no-print-directory -f inner.mk below\n";
    inner += "below: ; +@$(MAKE) --no-print-directory -f inner.mk a\n";
    write_file(at("inner.mk"), inner);
    fs::create_directories(at("run"));
    fs::remove(fifo());
    share_ = pool_.share(fifo());
    share_->begin({});
  }
  ~SageShapedTree() override { share_->end(); }

  std::string make(const std::string& recipe) { return run(setup(fifo()) + "cd " + at("") + "\n" + recipe); }
  // {how many jobs ran, how many of them at once}
  std::pair<unsigned, unsigned> jobs() {
    std::pair<unsigned, unsigned> counted;
    std::string said = read_file(at("most")).value_or("");
    for (std::string_view line : lines(said)) {
      ++counted.first;
      counted.second = std::max(counted.second, static_cast<unsigned>(std::stoul(std::string(line))));
    }
    fs::remove(at("most"));
    return counted;
  }

  JobSlots pool_{3};
  std::unique_ptr<JobSlots::Share> share_;
};

TEST_F(SageShapedTree, TargetsAreMadeOneAfterTheOtherAndTheMakesBelowShareThePool) {
  EXPECT_EQ(make("make -k V=0 a b c\n"), "");
  EXPECT_EQ(jobs(), std::pair(18u, 3u));
  EXPECT_EQ(make("make both c\n"), "");
  EXPECT_EQ(jobs(), std::pair(18u, 3u));
}

TEST_F(SageShapedTree, ARecipeThatRunsTheProgramItselfJoinsAtOnce) {
  EXPECT_EQ(make("$MAKE -k -f inner.mk a b c\n"), "");
  EXPECT_EQ(jobs(), std::pair(18u, 3u));
  EXPECT_THAT(make("$MAKE -k a b c\n"), HasSubstr("two at once")) << "the fault that the tree shows";
}

TEST_F(SageShapedTree, PackagesWithMinusJ1AreSerial) {
  EXPECT_THAT(make("make serial\n"), Not(HasSubstr("jobserver unavailable")));
  EXPECT_EQ(jobs(), std::pair(6u, 1u));
}

}  // namespace
}  // namespace stagemake
