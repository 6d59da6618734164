#include "report/events/run_json.h"

#include <gmock/gmock.h>

#include "report/made_run.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

TEST(RunJson, SaysAllOfAStage) {
  ordered_json run = run_json(small_run().input());
  EXPECT_EQ(run["environments"][0]["name"], "debian-12.1-minimal");
  EXPECT_EQ(run["environments"][0]["stages"][0], ordered_json::parse(R"({
    "name": "configured", "state": "built", "began": 1001.0, "ended": 1011.0, "seconds": 10.0, "memory": 0, "host": "",
    "expected_seconds": 9.0,
    "expected_packages": 0, "reasons": ["m4/x.m4 differs"], "detail": "i:1", "image": "i:1", "log": "/l/c.log",
    "findings": [], "packages": []})"));
  const ordered_json& failed = run["environments"][0]["stages"][1];
  EXPECT_EQ(failed["findings"], ordered_json::parse(R"([{
    "kind": "error", "package": "gmp", "version": "6.2", "message": "ld: no <crt1.o>", "file": "", "line": 77,
    "excerpt": ["cc -o \"a\" & b", "ld: no <crt1.o>"]}])"));
  EXPECT_EQ(failed["packages"], ordered_json::parse(R"([
    {"name": "zlib", "state": "built", "began": 1013.0, "ended": 1023.0},
    {"name": "gmp", "state": "failed", "began": 1014.0, "ended": 1044.0},
    {"name": "mpfr", "state": "not begun", "began": null, "ended": 1044.0}])"));
}

TEST(RunJson, SaysTheVerdict) {
  MadeRun made = small_run();
  made.verdict.unexpectedly_well = {{.name = "gap", .environments = {"a*"}, .why = "w", .line = 3}};
  ordered_json run = run_json(made.input());
  EXPECT_EQ(run["schema"], 1);
  EXPECT_EQ(run["result"], "0 of 1 environment well; 1 new failure");
  ordered_json& group = run["failures"][0];
  EXPECT_EQ(group["places"][0]["finding"]["line"], 77);
  group["places"][0].erase("finding");
  EXPECT_EQ(group,
            ordered_json::parse(R"({"kind": "new", "name": "gmp", "message": "ld: no <crt1.o>", "since": "v1",
    "why": "", "places": [{"environment": "debian-12.1-minimal", "stage": "with-targets", "log": "/l/t.log",
    "reproduce": "stagemake build debian-12.1-minimal --to with-targets --tree /home/builder/sage"}]})"));
  EXPECT_EQ(run["unexpectedly_well"].dump(), R"([{"name":"gap","environments":["a*"],"why":"w","line":3}])");
  EXPECT_EQ(run["totals"].dump(),
            "{\"environments\":1,\"environments_well\":0,\"new\":1,\"again\":0,\"expected\":0,"
            "\"test_failures\":0,\"stages\":{\"built\":1,\"failed\":1},"
            "\"packages\":{\"built\":1,\"failed\":1,\"not begun\":1}}");
}

TEST(RunJson, SaysTheRun) {
  MadeRun made = small_run();
  ordered_json run = run_json(made.input());
  EXPECT_EQ(run["facts"].dump(),
            R"({"version":"1.2","distribution":"mini","tree":"","revision":"v1-3-gabc",)"
            R"("engine":"buildah","machine":"host","command":["stagemake","build","a b"],)"
            R"("process":0,"processors":4,"at_once":1,"slots":0,"hosts":[]})");
  EXPECT_EQ(run["finished"], true);
  EXPECT_EQ(run["seconds"], 47);
  EXPECT_EQ(run["notes"].dump(), R"([{"time":1046.0,"text":"a note"}])");
  made.run.ended = 0;
  made.run.last_event = 1046;
  run = run_json(made.input());
  EXPECT_EQ(run["finished"], false);
  EXPECT_TRUE(run["ended"].is_null());
  EXPECT_EQ(run["seconds"], 46);
}

TEST(RunJson, HostileAndEmptyOnesCanBeWritten) {
  std::string text =
      run_json(hostile_run().input()).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  ordered_json run = ordered_json::parse(text);
  EXPECT_EQ(run["failures"][0]["places"].size(), 3u) << "places that there are none of are left out";
  EXPECT_EQ(run["failures"][0]["places"][2]["finding"], nullptr);
  EXPECT_EQ(run_json(MadeRun().input())["environments"].size(), 0u);
}

}  // namespace
}  // namespace stagemake
