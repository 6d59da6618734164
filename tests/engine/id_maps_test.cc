#include "engine/id_maps.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(IdMaps, EnoughIdsAreNoLack) {
  EXPECT_EQ(lack_of_ids("         0       1001          1\n         1     100000      65536\n\n"
                        "         0       1001          1\n         1     100000      65536\n",
                        "ann"),
            "");
  EXPECT_EQ(lack_of_ids("         0          0 4294967295\n\n         0          0 4294967295\n", "root"),
            "");
}

TEST(IdMaps, OneIdIsNotEnough) {
  EXPECT_THAT(lack_of_ids("         0        999          1\n\n         0        999          1\n", "ann"),
              AllOf(HasSubstr("user ann has only 1 user id in containers (/etc/subuid grants ann no more)"),
                    HasSubstr("1 group id in containers (/etc/subgid")));
  EXPECT_THAT(lack_of_ids("0 999 1\n1 100000 65536\n\n0 999 1\n", "ann"),
              AllOf(HasSubstr("/etc/subgid"), Not(HasSubstr("/etc/subuid"))));
  EXPECT_THAT(lack_of_ids("", "ann"), HasSubstr("0 user ids"));
  EXPECT_THAT(lack_of_ids("junk\n\n0 0 99999999999999999999999\n", "ann"), HasSubstr("0 user ids"));
}

}  // namespace
}  // namespace stagemake
