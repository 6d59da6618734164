#include "report/ci/trace.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "report/made_run.h"

namespace stagemake {
namespace {

using nlohmann::json;
using testing::ElementsAre;

std::vector<json> events_of(const RunRecord& run, const std::string& phase) {
  std::vector<json> events;
  json trace = json::parse(chrome_trace(run));
  for (const json& event : trace.at("traceEvents"))
    if (event.at("ph") == phase) events.push_back(event);
  return events;
}

std::string told(const json& slice) {
  return slice["name"].get<std::string>() + " " + slice["pid"].dump() + "/" + slice["tid"].dump() + " " +
         slice["ts"].dump() + "+" + slice["dur"].dump();
}

TEST(Trace, StagesAndPackagesAreSlices) {
  std::vector<std::string> slices;
  for (const json& slice : events_of(small_run().run, "X")) slices.push_back(told(slice));
  EXPECT_THAT(slices,
              ElementsAre("debian-12.1-minimal configured 1/1 1000000+10000000",
                          "debian-12.1-minimal with-targets (failed) 1/1 12000000+33500000",
                          "configured 2/1 1000000+10000000", "with-targets (failed) 2/1 12000000+33500000",
                          "zlib 2/2 13000000+10000000", "gmp (failed) 2/3 14000000+30000000"));
  json failed = events_of(small_run().run, "X")[3];
  EXPECT_EQ(failed["cat"], "stage");
  EXPECT_EQ(failed["args"]["state"], "failed");
  EXPECT_EQ(failed["args"]["says"], "ld: no <crt1.o>");
  EXPECT_EQ(failed["args"]["log"], "/l/t.log");
}

TEST(Trace, ProcessesAndLanesHaveNames) {
  std::vector<std::string> names;
  for (const json& event : events_of(small_run().run, "M"))
    if (event["args"].contains("name"))
      names.push_back(event["pid"].dump() + "/" + event["tid"].dump() + " " +
                      event["args"]["name"].get<std::string>());
  EXPECT_THAT(names, ElementsAre("1/0 machine host", "1/1 stages", "2/0 debian-12.1-minimal", "2/1 stages",
                                 "2/2 packages 1", "2/3 packages 2"));
}

TEST(Trace, CountersAndNotes) {
  std::vector<std::string> counters;
  for (const json& event : events_of(small_run().run, "C")) {
    EXPECT_EQ(event["ts"], 20'000'000);
    counters.push_back(event["name"].get<std::string>() + " " + event["args"].dump());
  }
  EXPECT_THAT(counters,
              ElementsAre("processors busy, % {\"busy\":50.0}", "memory in use, % {\"memory\":25.0}",
                          "job slots in use {\"slots\":2.0}", "free for images, GB {\"free\":5.0}"));
  std::vector<json> notes = events_of(small_run().run, "i");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0]["name"], "a note");
  EXPECT_EQ(notes[0]["ts"], 46'000'000);
}

TEST(Trace, RunningSpansEndAtTheLastEvent) {
  RunRecord run = small_run().run;
  run.ended = 0;
  run.last_event = 1050;
  run.environments[0].stages[1].status.state = StageState::Running;
  run.environments[0].stages[1].ended = 0;
  EXPECT_EQ(told(events_of(run, "X")[3]), "with-targets (running) 2/1 12000000+38000000");
}

TEST(Trace, SlicesOfALaneDoNotOverlap) {
  std::map<std::pair<int, int>, std::vector<std::pair<long long, long long>>> lanes;
  for (const json& slice : events_of(made_run(54).run, "X"))
    lanes[{slice["pid"], slice["tid"]}].emplace_back(
        slice["ts"], slice["ts"].get<long long>() + slice["dur"].get<long long>());
  EXPECT_GT(lanes.size(), 100u);
  for (auto& [lane, slices] : lanes) {
    std::sort(slices.begin(), slices.end());
    for (std::size_t i = 1; i < slices.size(); ++i) EXPECT_LE(slices[i - 1].second, slices[i].first);
  }
}

TEST(Trace, HostileAndEmptyOnesAreJson) {
  for (const json& slice : events_of(hostile_run().run, "X")) {
    EXPECT_GE(slice["ts"].get<long long>(), 0);
    EXPECT_GE(slice["dur"].get<long long>(), 0);
  }
  EXPECT_TRUE(events_of(RunRecord(), "X").empty());
}

}  // namespace
}  // namespace stagemake
