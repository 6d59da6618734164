// Whatever a build throws, of any type and anywhere: no finished package is lost, only the stage ends, and
// the message says where its work is.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/text/text.h"
#include "plan/planned_tree.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr unsigned kTypes = 6;

void throw_one(unsigned type) {
  switch (type % kTypes) {
    case 0:
      throw EngineError("the engine is gone");
    case 1:
      throw std::bad_alloc();
    case 2:
      throw fs::filesystem_error("no space left on device", boost::system::error_code());
    case 3:
      nlohmann::json::parse("{").clear();
      return;
    case 4:
      throw std::logic_error("a bug");
    default:
      throw 42;
  }
}

// A build in which one exception is thrown, and the undisturbed build after it.
struct Disturbed {
  Disturbed() {
    bench.before = [this](const FakeContainer&, const std::string& package, std::stop_token) {
      if (package.empty()) return;
      if (armed && package == in_package) throw_one(type);
      ++made[package];
    };
    bench.engine.on_verb = [this](const std::string& verb) {
      if (!armed || at == 0 || --at > 0) return;
      thrown_in = verb;
      throw_one(type);
    };
    bench.prepared = [this] { armed = is_first; };
  }

  void build() {
    run = bench.build();
    armed = is_first = false;
  }
  const StageStatus& stage(std::size_t number) const { return run.result.environments[0].stages[number]; }

  // The next run succeeds, and no package is made twice.
  void expect_nothing_lost(const std::string& what) {
    BuildBench::Run next = bench.build();
    EXPECT_TRUE(next.result.all_well()) << what;
    for (const auto& [package, times] : made) EXPECT_EQ(times, 1u) << package << " " << what;
    EXPECT_THAT(bench.engine.container_names(), IsEmpty()) << what;
    EXPECT_TRUE(bench.has_image(image_of_stage("with-targets"))) << what;
  }

  BuildBench bench{kSmallDistribution};
  unsigned at = 0, type = 0;  // the number of the engine call that throws; 0: none
  std::string in_package;     // the package before which make throws
  std::string thrown_in;      // the verb that threw
  bool is_first = true, armed = false;
  std::map<std::string, unsigned> made;
  BuildBench::Run run;
};

TEST(BuildThrows, AtEachCallOfTheEngine) {
  std::set<std::string> verbs;
  for (unsigned at = 1;; ++at) {
    Disturbed build;
    build.at = at;
    build.type = at;
    build.build();
    if (build.thrown_in.empty()) break;
    verbs.insert(build.thrown_in);
    build.expect_nothing_lost(fmt::format("(call {}: {})", at, build.thrown_in));
  }
  EXPECT_THAT(verbs, testing::IsSupersetOf({"create", "copy_in", "run", "copy_out", "commit", "find_image",
                                            "remove_container"}));
}

// Six stages in one container; no image is made before the last one.
TEST(BuildThrows, AtEachCallOfTheEngineInAnOlderImage) {
  std::set<std::string> verbs;
  for (unsigned at = 1;; ++at) {
    Disturbed build;
    build.is_first = false;
    build.build();
    build.made.clear();
    build.bench.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
    build.is_first = true;
    build.at = at;
    build.type = at;
    build.build();
    if (build.thrown_in.empty()) break;
    verbs.insert(build.thrown_in);
    build.expect_nothing_lost(fmt::format("(call {}: {})", at, build.thrown_in));
  }
  EXPECT_THAT(verbs, testing::IsSupersetOf({"create", "copy_in", "run", "copy_out", "commit", "tag"}));
}

TEST(BuildThrows, WhileMakeRunsTheWorkIsCommittedAtOnce) {
  const std::string words[kTypes] = {"the engine is gone", "out of memory", "no space left on device",
                                     "parse_error",        "a bug",         "an error of unknown type"};
  for (unsigned type = 0; type < kTypes; ++type) {
    Disturbed build;
    build.in_package = "app";
    build.type = type;
    build.build();
    EXPECT_THAT(build.run.states,
                ElementsAre("built", "built", "built", "built", "failed", "skipped", "not asked for"));
    EXPECT_TRUE(build.run.result.engine_failed);
    std::string image = image_of_stage("with-targets-pre", "1-failed");
    EXPECT_THAT(build.stage(4).detail,
                AllOf(HasSubstr(words[type]), HasSubstr("the work so far is kept as " + image)));
    EXPECT_EQ(build.stage(4).image, image);
    EXPECT_TRUE(build.bench.snapshot(image).packages.contains("zlib"));
    EXPECT_THAT(build.bench.engine.container_names(), IsEmpty());
    build.expect_nothing_lost(words[type]);
  }
}

TEST(BuildThrows, WhatCannotBeCommittedEitherStaysInItsContainer) {
  Disturbed build;
  build.in_package = "app";
  build.type = 5;
  build.bench.reporter.heard = [&](const std::string& change) {
    if (change == "debian-bookworm-minimal with-targets-pre: running")
      build.bench.engine.fail("commit", "disk full");
  };
  build.build();
  ASSERT_THAT(build.bench.engine.container_names(), SizeIs(1));
  EXPECT_THAT(build.stage(4).detail,
              HasSubstr("stays in container " + build.bench.engine.container_names()[0]));
  build.bench.reporter.heard = nullptr;
  build.bench.engine.mend("commit");
  build.expect_nothing_lost("");
}

TEST(BuildThrows, AnOpenContainerWhoseNextStageCannotBeginIsCommitted) {
  Disturbed build;
  build.is_first = false;
  build.build();
  build.made.clear();
  build.bench.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  // The folder of the logs is a file: from then on, no stage can have a log.
  fs::path logs = build.bench.state.fresh_log("e", "s").parent_path().parent_path();
  build.bench.reporter.heard = [&](const std::string& change) {
    if (change != "debian-bookworm-minimal with-targets-pre: built") return;
    fs::remove_all(logs);
    write_file(logs, "");
  };
  build.build();
  EXPECT_THAT(build.run.states,
              ElementsAre("reused", "built", "built", "built", "built", "failed", "not asked for"));
  EXPECT_THAT(build.bench.engine.container_names(), IsEmpty());
  EXPECT_THAT(build.stage(4).image, Not(IsEmpty()));
  build.bench.reporter.heard = nullptr;
  fs::remove(logs);
  build.expect_nothing_lost("");
}

// --- Reporters.

class ThrowingReporter : public Reporter {
 public:
  explicit ThrowingReporter(unsigned type) : type_(type) {}
  void begins(const std::vector<EnvironmentStatus>&) override { fall(); }
  void changed(const std::vector<EnvironmentStatus>&, StageAddress) override { fall(); }
  void package(StageAddress, const PackageStatus&) override { fall(); }
  void printed(StageAddress, std::string_view) override { fall(); }
  void sampled(const MachineSample&) override { fall(); }
  void note(const std::string&) override { fall(); }
  void ends(const std::vector<EnvironmentStatus>&, const RunSeconds&) override { fall(); }
  std::atomic<unsigned> calls{0};

 private:
  void fall() {
    ++calls;
    throw_one(type_);
  }
  const unsigned type_;
};

TEST(BuildThrows, AReporterThatAlwaysThrowsHarmsNothing) {
  for (unsigned type = 0; type < kTypes; ++type) {
    Disturbed build;
    ThrowingReporter reporter(type);
    build.bench.also_reports = &reporter;
    build.bench.options.watch_every = std::chrono::milliseconds(1);
    build.build();
    EXPECT_TRUE(build.run.result.all_well());
    EXPECT_EQ(build.bench.reporter.ended, 1u) << "the others hear everything";
    EXPECT_THAT(build.bench.reporter.changes, Contains("debian-bookworm-minimal with-targets: built"));
    EXPECT_GT(reporter.calls, 10u);
    EXPECT_THAT(build.bench.reporter_problems, ElementsAre(HasSubstr("events could not be shown: ")));
  }
}

TEST(BuildThrows, TheLogIsCompleteWhoeverThrowsBesideIt) {
  Disturbed build;
  ThrowingReporter reporter(5);
  build.bench.also_reports = &reporter;
  build.build();
  EXPECT_EQ(read_file(build.stage(4).log), "zlib\napp\n");
}

// --- Pushes.

TEST(BuildThrows, WhatCannotBeSentFailsNoStageAndIsTold) {
  Disturbed build;
  build.bench.push_repository = "r.example/";
  std::vector<std::string> failed;
  {
    ThrowingReporter reporter(5);
    PushQueue pushes(build.bench.engine, system_clock(), build.bench.journal, reporter, {.tries = 1});
    build.bench.options.pushes = &pushes;
    build.type = 4;
    // Names in the registry: each is a call of `tag`.
    build.bench.engine.on_verb = [&](const std::string& verb) {
      if (verb == "tag" || verb == "push") throw_one(build.type++);
    };
    build.build();
    failed = pushes.finish().failed;
  }
  EXPECT_TRUE(build.run.result.all_well());
  EXPECT_THAT(failed, SizeIs(6));
}

TEST(BuildThrows, ThatIsThrownInThePushQueuesThreadEndsNoProcess) {
  FakeEngine engine;
  engine.add_image("r.example/a:1", {});
  TemporaryFolder folder{fs::temp_directory_path()};
  Journal journal(folder.path() / "journal");
  for (unsigned type = 0; type < kTypes; ++type) {
    ThrowingReporter reporter(type);
    engine.on_verb = [&](const std::string&) { throw_one(type); };
    PushQueue pushes(engine, system_clock(), journal, reporter, {.tries = 1});
    pushes.add({"r.example/a:1"}, 1);
    EXPECT_THAT(pushes.finish().failed, ElementsAre("r.example/a:1"));
  }
}

}  // namespace
}  // namespace stagemake
