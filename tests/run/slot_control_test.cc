// Changing the job slots of a running build.
#include "run/slots/slot_control.h"

#include <gmock/gmock.h>

#include "base/holds_soon.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Control : public testing::Test {
 protected:
  TemporaryFolder folder_{fs::temp_directory_path()};
  JobSlots pool_{2};
  RecordingReporter reporter_;
};

TEST_F(Control, ARunningPoolHearsTheNumberAndSaysSo) {
  SlotControl control(folder_.path() / "pools", pool_, reporter_);
  EXPECT_THAT(SlotControl::ask(folder_.path() / "pools", 5), SizeIs(1));
  auto notes = [&] {
    std::lock_guard lock(reporter_.mutex);
    return reporter_.notes;
  };
  EXPECT_TRUE(test::holds_soon([&] { return !notes().empty(); }));
  EXPECT_EQ(pool_.count(), 5u);
  EXPECT_THAT(notes(), ElementsAre("5 job slots from now on; it was 2 before"));
}

TEST_F(Control, EndedBuildsAreNotAsked) {
  EXPECT_THAT(SlotControl::ask(folder_.path() / "nowhere", 5), IsEmpty());
  { SlotControl control(folder_.path() / "pools", pool_, reporter_); }
  EXPECT_THAT(SlotControl::ask(folder_.path() / "pools", 5), IsEmpty());
  write_file(folder_.path() / "pools/999999999",
             "process 999999999");  // of a killed driver: its file is left
  EXPECT_THAT(SlotControl::ask(folder_.path() / "pools", 5), IsEmpty());
  EXPECT_FALSE(fs::exists(folder_.path() / "pools/999999999"));
}

}  // namespace
}  // namespace stagemake
