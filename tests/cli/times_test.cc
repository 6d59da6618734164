#include "cli/times.h"

#include <gtest/gtest.h>

namespace stagemake {
namespace {

TEST(TimeIn, SaysSecondsSinceTheEpoch) {
  EXPECT_EQ(time_in("2026-11-22T17:30:00Z", 0), 1795368600.0);
  EXPECT_EQ(time_in("2026-11-22 17:30Z", 0), 1795368600.0);
  EXPECT_EQ(time_in("@1763800000.5", 0), 1763800000.5);
  EXPECT_EQ(time_in("@-5", 0), -5.0);
  double now = 1763800000;
  double at = time_in("17:30", now).value();
  EXPECT_GT(at, now);
  EXPECT_LE(at, now + 25 * 3600) << "the next time that it is so late";
}

TEST(TimeIn, EndsWithTheCalendar) {
  EXPECT_EQ(time_in("9999-12-31T23:59:59Z", 0), 253402300799.0);
  EXPECT_EQ(time_in("@1e300", 0), 253402300799.0);
}

TEST(TimeIn, RefusesInvalidTimes) {
  for (const char* text : {"", "@", "@x", "@inf", "@nan", "@1e400", "@5 ", "17", "25:00", "17:30Z",
                           "tomorrow", "2026-13-01T00:00Z", "2026-02-31T00:00Z", "2026-02-31T00:00",
                           "10000-01-01T00:00Z", "2026-11-22T17:30:00ZZ", "2026-11-22T17:30:00+01:00"})
    EXPECT_FALSE(time_in(text, 1763800000)) << text;
}

}  // namespace
}  // namespace stagemake
