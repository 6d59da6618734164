#include "base/text/digest.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files/descriptor.h"

namespace stagemake {
namespace {

TEST(Digest, Sha256OfKnownValues) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, BlobIdsAreThoseOfGit) {  // git hash-object --stdin
  EXPECT_EQ(git_blob_id(""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(git_blob_id("hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(git_blob_id("what is up, doc?"), "bd9dbf5aae1a3862dd1526723246b20206e5fc37");
  EXPECT_EQ(git_blob_id(std::string(100'000, 'x')), "56e0448612acbb706b96b7e8e46a210f15386a38");
}

TEST(Digest, FieldsDoNotRunTogether) {
  auto digest = [](std::initializer_list<std::string_view> fields) {
    DigestBuilder builder;
    for (std::string_view field : fields) builder.field(field);
    return builder.hex();
  };
  EXPECT_EQ(digest({"a", "b"}), digest({"a", "b"}));
  EXPECT_NE(digest({"ab"}), digest({"a", "b"}));
  EXPECT_NE(digest({"a", "b"}), digest({"b", "a"}));
  EXPECT_NE(digest({""}), digest({}));
  EXPECT_NE(digest({"", "a"}), digest({"a", ""}));
  EXPECT_NE(digest({std::string_view("a\0", 2)}), digest({"a"}));
  EXPECT_EQ(digest({}), sha256_hex(""));
  // Each field follows its length: 8 bytes, least significant first.
  EXPECT_EQ(digest({"abc"}), sha256_hex(std::string_view("\x03\0\0\0\0\0\0\0abc", 11)));
}

TEST(Digest, AFileIsHashedPieceByPiece) {
  TemporaryFolder folder(fs::temp_directory_path());
  for (std::size_t size : {0u, 1u, 262'143u, 262'144u, 262'145u, 700'001u}) {
    std::string content;
    for (std::size_t i = 0; i < size; ++i) content += static_cast<char>(i * 7 + i / 251);
    write_file(folder.path() / "file", content);
    Descriptor file(::open((folder.path() / "file").c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(git_blob_id_of_file(file, "file"), git_blob_id(content)) << size;
  }
  EXPECT_THROW(git_blob_id_of_file(Descriptor(), "absent"), Error);
  Descriptor self(::open(folder.path().c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_THROW(git_blob_id_of_file(self, "folder"), Error);
}

TEST(Digest, WrongSizesAreNotBlobs) {
  BlobDigest digest(6);
  digest.add("hel");
  digest.add("lo\n");
  EXPECT_EQ(digest.hex(), git_blob_id("hello\n"));
  BlobDigest less(6);
  less.add("hello");
  EXPECT_EQ(less.hex(), "");
  BlobDigest more(6);
  more.add("hello\n!");
  EXPECT_EQ(more.hex(), "");
}

}  // namespace
}  // namespace stagemake
