// Names and checksums of tarballs, as the trees' own tools read them.
#include "tree/source_tarballs.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kSha1(40, 'a'), kSha256(64, 'b');

std::vector<std::string> stated(std::string_view text, std::string_view version = "1.2.3") {
  std::map<std::string, StatedChecksum> tarballs;
  read_checksums(text, version, tarballs);
  std::vector<std::string> all;
  for (const auto& [name, checksum] : tarballs)
    all.push_back(name + (checksum.kind == Checksum::Sha256 ? " 256 " : " 1 ") + checksum.hex.substr(0, 3));
  return all;
}

TEST(Checksums, TheStrongerOneCounts) {
  EXPECT_THAT(stated("tarball=x-VERSION.tar.gz\nsha1=" + kSha1 + "\nmd5=0\ncksum=1\n"),
              ElementsAre("x-1.2.3.tar.gz 1 aaa"));
  EXPECT_THAT(stated("sha256=" + kSha256 + "\ntarball=x.tgz\nsha1=" + kSha1 + "\n"),
              ElementsAre("x.tgz 256 bbb"));
}

TEST(Checksums, TheVersionIsWithoutItsPatchLevel) {
  std::string sum = "\nsha1=" + kSha1;
  EXPECT_THAT(stated("tarball=x-VERSION.tgz" + sum, "4.5.p6"), ElementsAre("x-4.5.tgz 1 aaa"));
  EXPECT_THAT(stated("tarball=x-VERSION.tgz" + sum, "4.5.px"), ElementsAre("x-4.5.px.tgz 1 aaa"));
  EXPECT_THAT(
      stated("tarball=x-${VERSION_MAJOR}_VERSION_MINOR_${VERSION_MICRO}-${VERSION}.tgz" + sum, "4.5.6"),
      ElementsAre("x-4_5_6-4.5.6.tgz 1 aaa"));
}

TEST(Checksums, SectionsAreOfATarballEach) {
  EXPECT_THAT(
      stated("[one]\ntarball=one.whl\nsha256=" + kSha256 + "\n[two]\ntarball=two.whl\nsha1=" + kSha1 + "\n"),
      ElementsAre("one.whl 256 bbb", "two.whl 1 aaa"));
}

TEST(Checksums, OnlyVerifiableChecksumsAreStated) {
  EXPECT_THAT(stated(""), IsEmpty());
  EXPECT_THAT(stated("tarball=x.tgz\nmd5=0123\n"), IsEmpty());
  EXPECT_THAT(stated("tarball=x.tgz\nsha256=" + kSha1 + "\n"), IsEmpty());
  EXPECT_THAT(stated("tarball=../x.tgz\nsha1=" + kSha1 + "\n"), IsEmpty());
  EXPECT_THAT(stated("sha1=" + kSha1 + "\n"), IsEmpty());
  EXPECT_THAT(stated("tarball=" + std::string(1000, 'V') + "\nsha1=" + kSha1 + "\n"), IsEmpty());
  EXPECT_THAT(stated("tarball=VERSION\nsha1=" + kSha1 + "\n", std::string(1000, '1')), IsEmpty());
}

}  // namespace
}  // namespace stagemake
