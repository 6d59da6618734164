// Changing the job slots of a running build.
#include "run/slot_control.h"

#include <gmock/gmock.h>

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
  for (int i = 0; i < 1000 && pool_.count() != 5; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(pool_.count(), 5u);
  std::lock_guard lock(reporter_.mutex);
  EXPECT_THAT(reporter_.notes, ElementsAre("5 job slots from now on; it was 2 before"));
}

TEST_F(Control, WhoIsGoneIsNotAsked) {
  EXPECT_THAT(SlotControl::ask(folder_.path() / "nowhere", 5), IsEmpty());
  { SlotControl control(folder_.path() / "pools", pool_, reporter_); }
  EXPECT_THAT(SlotControl::ask(folder_.path() / "pools", 5), IsEmpty());
  write_file(folder_.path() / "pools/999999999", "process 999999999");  // killed, its file is left
  EXPECT_THAT(SlotControl::ask(folder_.path() / "pools", 5), IsEmpty());
  EXPECT_FALSE(fs::exists(folder_.path() / "pools/999999999"));
}

}  // namespace
}  // namespace stagemake
