#include "run/images/base_image_advice.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(BaseImageAdvice, NamesCommandsOfTheEngine) {
  EXPECT_EQ(
      base_image_advice("docker", "debian:trixie-slim"),
      "--base-image IMAGE uses another one. `docker pull IMAGE` fetches one; without a registry, `mmdebstrap "
      "--variant=minbase trixie base.tar && docker import base.tar debian:trixie-slim` makes one of Debian");
  EXPECT_THAT(base_image_advice("podman", "debian:latest"),
              AllOf(HasSubstr("minbase stable "), HasSubstr("podman import base.tar debian:latest`")));
  EXPECT_THAT(base_image_advice("buildah", "debian:sid"),
              AllOf(HasSubstr("`buildah pull IMAGE`"), HasSubstr("buildah commit $c debian:sid`")));
}

TEST(BaseImageAdvice, AnotherSystemIsNotMadeOfDebianUnderItsName) {
  EXPECT_THAT(base_image_advice("docker", "fedora:38"), HasSubstr("docker import base.tar NAME`"));
}

}  // namespace
}  // namespace stagemake
