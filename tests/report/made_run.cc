#include "report/made_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace stagemake {
namespace {

constexpr double kBegan = 1754222584;  // 2025-08-03 12:03:04 UTC
constexpr std::size_t kAtOnce = 6;

const std::vector<std::string> kSystems = {
    "debian-bullseye", "debian-bookworm", "debian-trixie",     "ubuntu-focal", "ubuntu-jammy",
    "ubuntu-noble",    "fedora-39",       "fedora-40",         "fedora-41",    "centos-stream-9",
    "archlinux",       "opensuse-15.6",   "gentoo-python3.12", "almalinux-9",  "linuxmint-21.3",
    "voidlinux",       "slackware-15.0",  "conda-forge"};
const std::vector<std::string> kSizes = {"minimal", "standard", "maximal"};
const std::vector<std::string> kStages = {"with-system-packages",  "configured",
                                          "with-targets-pre",      "with-targets",
                                          "with-targets-optional", "documentation"};
const std::vector<std::string> kPackages = {"gmp",   "mpfr",     "ntl",    "flint",    "pari",
                                            "giac",  "singular", "gap",    "openblas", "numpy",
                                            "scipy", "sympy",    "cython", "sagelib"};

// 0 … 1, the same in each run.
double chance(std::size_t a, std::size_t b) {
  double value = std::sin(static_cast<double>(a * 131 + b * 17 + 7)) * 43758.5453;
  return value - std::floor(value);
}

std::string environment_name(std::size_t e) {
  std::string name = kSystems[e % kSystems.size()] + "-" + kSizes[e / kSystems.size() % kSizes.size()];
  std::size_t round = e / (kSystems.size() * kSizes.size());
  return round == 0 ? name : fmt::format("{}-{}", name, round + 1);
}

LogFinding finding_of(const std::string& package, const std::string& message,
                      const std::string& environment) {
  LogFinding finding{.package = package, .version = "1.9.0.35", .message = message, .line = 48213};
  finding.excerpt = {"g++ -O2 -g -c -o libgiac_la-icas.lo icas.cc",
                     "In file included from /usr/include/c++/13/vector:66,",
                     fmt::format("                 from /{}/vecteur.h:23:", environment),
                     "libtool: link: g++ -shared <icas.o> & \"more\" -Wl,-soname -Wl,libgiac.so.0",
                     message,
                     "collect2: error: ld returned 1 exit status",
                     "make[5]: *** [Makefile:1042: libgiac.la] Error 1",
                     "make[4]: *** [Makefile:611: all-recursive] Error 1"};
  return finding;
}

struct Failure {
  std::string package, message;
};

// How an environment fails in "with-targets"; empty if it does not fail.
Failure failure_of(std::size_t e) {
  if (e % 9 == 4) return {"giac", "/usr/bin/ld: cannot find -lgmp: No such file or directory"};
  if (e == 12) return {"numpy", "ModuleNotFoundError: No module named 'distutils.msvccompiler'"};
  if (e % 27 == 20) return {"pari", "configure: error: no acceptable C compiler found in $PATH"};
  if (e % 27 == 25)
    return {"openblas", "kernel/x86_64/dgemm_kernel_4x8_skylakex_2.c:1021:1: internal compiler error"};
  return {};
}

class Maker {
 public:
  explicit Maker(std::size_t environments) : count_(environments) {
    run_.facts = {.version = "0.9.0",
                  .distribution = "sage",
                  .tree = "/home/builder/sage",
                  .revision = "10.4.beta3-17-g5d1cb2e",
                  .engine = "docker",
                  .machine = "builder-07",
                  .command = {"stagemake", "build", "--all", "--keep-going", "--targets", "build doc"},
                  .process = 4711,
                  .processors = 32,
                  .at_once = kAtOnce};
    run_.expected_seconds = 19800;
    run_.began = kBegan;
  }

  RunRecord make() {
    for (std::size_t e = 0; e < count_; ++e) add_environment(e);
    double end = kBegan;
    for (double time : free_) end = std::max(end, time);
    run_.ended = run_.last_event = end + 4;
    double step = std::max(5.0, (run_.ended - kBegan) / 2000);
    for (double time = kBegan + step; time < end; time += step)
      add_sample(time, (time - kBegan) / (end - kBegan));
    run_.note(kBegan + 3, "the image of debian-bookworm-minimal is older than its base image");
    run_.note(kBegan + 4812, "free space fell below 20 GB: 14 images of other revisions went");
    run_.ended = run_.last_event = end + 4;
    return std::move(run_);
  }

 private:
  void add_environment(std::size_t e) {
    EnvironmentRecord environment{.name = environment_name(e)};
    auto lane = std::min_element(free_.begin(), free_.end());
    bool stopped = false;
    for (std::size_t s = 0; s < kStages.size(); ++s) {
      StageRecord stage{.name = kStages[s]};
      stage.expected.seconds = 60 + 2400 * chance(e, s) * (s == 3 ? 2 : 0.2);
      stage.expected.packages = s == 3 ? kPackages.size() : 0;
      if (s == 5 && e % 3 == 0) {
        stage.status.state = StageState::NotWanted;
      } else if (stopped) {
        stage.status = {.state = StageState::Skipped, .detail = "with-targets did not succeed"};
      } else if (s < 3 && e % 4 != 0) {
        stage.expected = {};
        stage.status = {.state = StageState::Reused, .detail = image(e, s), .image = image(e, s)};
      } else {
        *lane = run_stage(e, s, stage, *lane + 1);
        stopped = stage.status.state != StageState::Built;
      }
      environment.stages.push_back(std::move(stage));
    }
    run_.environments.push_back(std::move(environment));
  }

  static std::string image(std::size_t e, std::size_t s) {
    return fmt::format("ghcr.io/sagemath/sage/sage-{}-{}:10.4.beta3-17-g5d1cb2e", environment_name(e),
                       kStages[s]);
  }

  double run_stage(std::size_t e, std::size_t s, StageRecord& stage, double began) {
    stage.expected.reasons = {"build/pkgs/giac/patches/nogui.patch differs", "its base image moved"};
    stage.began = began;
    stage.status.seconds = stage.expected.seconds * (0.8 + 0.5 * chance(s, e));
    Failure failure = s == 3 ? failure_of(e) : Failure();
    stage.status.state = StageState::Built;
    stage.status.image = stage.status.detail = image(e, s);
    stage.status.log = fmt::format("/home/builder/.local/state/stagemake/sage-3f2a/logs/{}/{}.log",
                                   environment_name(e), kStages[s]);
    if (!failure.package.empty()) {
      stage.status.state = StageState::Failed;
      stage.status.detail = "exit status 2";
      stage.status.image += "-failed";
      stage.status.seconds /= 2;
      stage.status.findings.push_back(finding_of(failure.package, failure.message, environment_name(e)));
    } else if (s == 3 && e % 54 == 33) {
      stage.status.state = StageState::Interrupted;
      stage.status.detail = "the deadline of 5 h 30 min has passed";
    }
    stage.ended = began + stage.status.seconds;
    if (s == 3) add_packages(e, stage, failure.package);
    if (s == 3 && e % 11 == 2 && stage.status.state == StageState::Built)
      stage.status.findings.push_back(
          {.kind = LogFinding::Kind::TestFailure,
           .package = "scipy",
           .message = "FAILED scipy/linalg/tests/test_blas.py::test_dot - assert 1e-07",
           .line = 1201,
           .excerpt = {"= short test summary info =", "FAILED scipy/linalg/tests"}});
    return stage.ended;
  }

  static void add_packages(std::size_t e, StageRecord& stage, const std::string& failed) {
    double at[2] = {stage.began + 5, stage.began + 7};
    double each = stage.status.seconds / (static_cast<double>(kPackages.size()) / 2 + 1);
    for (std::size_t p = 0; p < kPackages.size(); ++p) {
      double& free = at[p % 2];
      PackageRecord package{.name = kPackages[p], .state = PackageState::Built, .began = free};
      free += each * (0.3 + 1.2 * chance(e, p));
      package.ended = std::min(free, stage.ended);
      if (package.began >= stage.ended) break;
      if (package.name == failed) package.state = PackageState::Failed;
      stage.packages.push_back(package);
    }
  }

  void add_sample(double time, double part) {
    double busy = std::clamp(0.82 + 0.15 * std::sin(part * 40) - (part > 0.93 ? 0.6 : 0), 0.0, 1.0);
    run_.sample(time, {.busy = busy,
                       .memory = 0.35 + 0.2 * std::sin(part * 9),
                       .slots_used = static_cast<unsigned>(32 * busy),
                       .slots = 32,
                       .free = 80'000'000'000});
  }

  std::size_t count_;
  RunRecord run_;
  std::vector<double> free_ = std::vector<double>(kAtOnce, kBegan + 2);
};

FailureGroup& group_of(std::vector<FailureGroup>& groups, const LogFinding& finding) {
  for (FailureGroup& group : groups)
    if (group.name == finding.package && group.message == finding.message) return group;
  return groups.emplace_back(FailureGroup{.name = finding.package, .message = finding.message});
}

Verdict verdict_for(const RunRecord& run) {
  Verdict verdict{.environments = run.environments.size()};
  for (std::size_t e = 0; e < run.environments.size(); ++e) {
    bool well = true;
    for (std::size_t s = 0; s < run.environments[e].stages.size(); ++s) {
      const StageStatus& status = run.environments[e].stages[s].status;
      well = well && status.state != StageState::Failed && status.state != StageState::Interrupted;
      for (std::size_t f = 0; f < status.findings.size(); ++f) {
        bool tests = status.findings[f].kind == LogFinding::Kind::TestFailure;
        group_of(tests ? verdict.test_failures : verdict.groups, status.findings[f])
            .places.push_back({e, s, f});
      }
    }
    if (well) ++verdict.environments_well;
  }
  for (FailureGroup& group : verdict.groups) {
    group.since = run.facts.revision;
    if (group.name == "pari") group.kind = FailureGroup::Kind::Again, group.since = "10.4.beta1";
    if (group.name == "openblas")
      group.kind = FailureGroup::Kind::Expected, group.why = "gcc 13.1, bug 110273";
  }
  std::stable_sort(verdict.groups.begin(), verdict.groups.end(),
                   [](const FailureGroup& a, const FailureGroup& b) {
                     return std::pair(a.kind, b.places.size()) < std::pair(b.kind, a.places.size());
                   });
  return verdict;
}

}  // namespace

ReportInput MadeRun::input() const {
  return {run, verdict, before, [](const std::string& environment, const std::string& stage) {
            return "stagemake build " + environment + " --to " + stage + " --tree /home/builder/sage";
          }};
}

MadeRun made_run(std::size_t environments) {
  MadeRun made;
  made.run = Maker(environments).make();
  made.verdict = verdict_for(made.run);
  if (environments >= 18)
    made.verdict.unexpectedly_well = {
        {.name = "gap", .environments = {"fedora-4*"}, .why = "needs gmp 6.3", .line = 7}};
  for (std::size_t i = 1; i <= 4 && environments > 0; ++i) {
    RunRecord earlier = Maker(environments - std::min(environments, i)).make();
    earlier.facts.revision = fmt::format("10.4.beta{}", 3 - i % 3);
    earlier.began -= 86400.0 * static_cast<double>(i);
    earlier.ended -= 86400.0 * static_cast<double>(i) + 300;
    made.before.push_back(std::move(earlier));
  }
  return made;
}

MadeRun small_run() {
  MadeRun made;
  RunRecord& run = made.run;
  run.facts = {.version = "1.2",
               .distribution = "mini",
               .revision = "v1-3-gabc",
               .engine = "buildah",
               .machine = "host",
               .command = {"stagemake", "build", "a b"},
               .processors = 4,
               .at_once = 1};
  EnvironmentStatus environment{.name = "debian-12.1-minimal", .stage_names = {"configured", "with-targets"}};
  environment.stages.resize(2);
  environment.expected = {{.seconds = 9, .reasons = {"m4/x.m4 differs"}}, {.seconds = 200, .packages = 2}};
  run.begin(1000, {environment});
  run.change(1001, {0, 0}, {.state = StageState::Running});
  run.change(1011, {0, 0},
             {.state = StageState::Built, .seconds = 10, .detail = "i:1", .log = "/l/c.log", .image = "i:1"});
  run.change(1012, {0, 1}, {.state = StageState::Running});
  run.package(1013, {0, 1}, {"zlib", PackageState::Building});
  run.package(1014, {0, 1}, {"gmp", PackageState::Building});
  run.sample(1020, {.busy = 0.5, .memory = 0.25, .slots_used = 2, .slots = 4, .free = 5'000'000'000});
  run.package(1023, {0, 1}, {"zlib", PackageState::Built});
  run.package(1044, {0, 1}, {"gmp", PackageState::Failed});
  run.package(1044, {0, 1}, {"mpfr", PackageState::Refused});
  run.change(1045.5, {0, 1},
             {.state = StageState::Failed,
              .seconds = 33.5,
              .detail = "exit status 2",
              .log = "/l/t.log",
              .image = "i:2-failed",
              .findings = {{.package = "gmp",
                            .version = "6.2",
                            .message = "ld: no <crt1.o>",
                            .line = 77,
                            .excerpt = {"cc -o \"a\" & b", "ld: no <crt1.o>"}}}});
  run.note(1046, "a note");
  run.end(1047);
  made.verdict = {
      .groups = {{.name = "gmp", .message = "ld: no <crt1.o>", .places = {{0, 1, 0}}, .since = "v1"}},
      .environments = 1};
  return made;
}

MadeRun hostile_run() {
  const std::string text =
      "\"'><script>alert(1)</script><!-- ]]> &amp; </svg></style>{} %s \x1b[31m\xff\xc3\xef\xbf\xbe "
      "\t\n\u202e";
  const std::string lengthy = text + std::string(30'000, '<') + "\xe2\x82";
  double none = std::numeric_limits<double>::quiet_NaN();
  double endless = std::numeric_limits<double>::infinity();
  MadeRun made;
  RunRecord& run = made.run;
  run.facts = {.version = text,
               .distribution = text,
               .tree = lengthy,
               .revision = text,
               .engine = text,
               .machine = text,
               .command = {text, lengthy},
               .process = -1,
               .processors = 4'000'000'000};
  run.expected_seconds = none;
  run.began = -5;
  run.ended = 1e300;
  run.last_event = none;
  const StageState states[] = {StageState::Failed, StageState::Built, StageState::Running,
                               StageState::Skipped};
  const double times[][2] = {{none, 1}, {1e300, -1e300}, {1, endless}, {7, 3}};
  for (std::size_t e = 0; e < 3; ++e) {
    EnvironmentRecord& environment =
        run.environments.emplace_back(EnvironmentRecord{.name = e == 2 ? lengthy : text});
    for (std::size_t s = 0; s < 4; ++s) {
      LogFinding finding{
          .package = text, .version = text, .message = lengthy, .file = text, .line = ~std::size_t{0}};
      finding.excerpt = std::vector<std::string>(20, s == 0 ? lengthy : text);
      environment.stages.push_back(
          {.name = s == 3 ? lengthy : text,
           .status = {.state = states[s],
                      .seconds = none,
                      .detail = text,
                      .log = text,
                      .image = text,
                      .findings = {finding, finding}},
           .expected = {.seconds = endless, .packages = 1, .reasons = {text, lengthy}},
           .began = times[s][0],
           .ended = times[s][1],
           .packages = {{text, PackageState::Failed, none, endless},
                        {lengthy, PackageState::Built, 1, 1e300}}});
    }
  }
  run.notes = {{none, text}, {1e300, lengthy}};
  run.samples = {{none, {.busy = none, .memory = endless}},
                 {5, {.busy = -3, .memory = 7, .slots_used = 9, .slots = 1}}};
  FailureGroup group{.name = text, .message = lengthy, .since = text, .why = text};
  group.places = {{0, 0, 0}, {0, 0, 99}, {99, 0, 0}, {0, 99, 0}, {2, 3, FailurePlace::npos}};
  FailureGroup nowhere{.kind = FailureGroup::Kind::Again, .name = text, .places = {{99, 99, 99}}};
  made.verdict = {.groups = {group, nowhere}, .test_failures = {group}, .environments = 3};
  made.verdict.unexpectedly_well = {{.name = text, .environments = {text}, .why = text, .line = 1}};
  made.before = {RunRecord(), run};
  return made;
}

}  // namespace stagemake
