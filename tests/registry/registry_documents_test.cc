// Parsing of the texts that registries send: valid ones, and ones that no registry would send.

#include "registry/registry_documents.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/deep_json.h"
#include "registry/registry_bench.h"
#include "registry/registry_cache.h"

namespace stagemake::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

std::string parts_of(const std::string& image) {
  std::string why;
  std::optional<RegistryName> name = registry_name(image, why);
  EXPECT_NE(name.has_value(), !why.empty()) << image;
  return name ? fmt::format("{} {} {} {}", name->api_host(), name->repository, name->tag,
                            name->digest.substr(0, 10))
              : "none";
}

TEST(RegistryNames, AreTakenApart) {
  std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(parts_of("debian"), "registry-1.docker.io library/debian  ");
  EXPECT_EQ(parts_of("debian:bookworm"), "registry-1.docker.io library/debian bookworm ");
  EXPECT_EQ(parts_of("docker.io/debian"), "registry-1.docker.io library/debian  ");
  EXPECT_EQ(parts_of("me/thing:1"), "registry-1.docker.io me/thing 1 ");
  EXPECT_EQ(parts_of("localhost/thing"), "localhost thing  ");
  EXPECT_EQ(parts_of("127.0.0.1:5000/a/b_c.d:x@" + digest), "127.0.0.1:5000 a/b_c.d x sha256:aaa");
  EXPECT_EQ(parts_of("[::1]:5000/a"), "[::1]:5000 a  ");
}

TEST(RegistryNames, NothingElseIsOne) {
  for (const char* text : {"",
                           "/",
                           "a:",
                           ":a",
                           "a//b",
                           "a/../b",
                           "Big/Name",
                           "a.example/",
                           "a.example/x:",
                           "a.example:port/x",
                           "a.example:123456/x",
                           "user@a.example/x",
                           "a.example/x@sha256:12",
                           "a.example/x?y",
                           "a.example/x y",
                           "a.example/x\n",
                           "a.example/x#y",
                           "[::1/x",
                           "-a.example/x",
                           "a.example/.x",
                           "a.example/x:-1"})
    EXPECT_EQ(parts_of(text), "none") << text;
  EXPECT_EQ(parts_of("a.example/" + std::string(300, 'a')), "none");
}

TEST(RegistryDocuments, ChallengesAreTakenApart) {
  Challenge bearer = read_challenge(R"(BEARER Realm="https://a/?b=\"c\"", service=x ,scope="r:a:pull,push")");
  EXPECT_EQ(bearer.scheme, "bearer");
  EXPECT_THAT(bearer.parameters, ElementsAre(Pair("realm", "https://a/?b=\"c\""),
                                             Pair("scope", "r:a:pull,push"), Pair("service", "x")));
  EXPECT_EQ(read_challenge("Basic").scheme, "basic");
  EXPECT_EQ(read_challenge("").scheme, "");
  for (const char* text :
       {"Bearer realm=", "Bearer realm=\"", "Bearer realm=\"\\", "Bearer =,=,=", "Bearer ,,,"})
    EXPECT_EQ(read_challenge(text).scheme, "bearer") << text;
}

TEST(RegistryDocuments, ThePageAfterThisOne) {
  EXPECT_EQ(next_page("</v2/a/tags/list?n=1&last=x>; rel=\"next\""), "n=1&last=x");
  EXPECT_EQ(next_page("<https://a.example/v2/a/tags/list?last=x>; rel=next"), "last=x");
  for (const char* link : {"", "<", ">", "><", "</v2/?a>", "</v2/>; rel=\"next\"", "</?a b>; rel=\"next\"",
                           "</?a\r\nb>; rel=\"next\"", "</?a>; rel=\"last\""})
    EXPECT_EQ(next_page(link), "") << link;
}

// A document that is truncated anywhere, or has changed bytes, is either read or refused with a reason.
TEST(RegistryDocuments, DamagedOnesAreReadOrRefused) {
  std::minstd_rand random(1);
  ImageDocuments image = image_documents({.labels = {{"a", "1"}, {"b\n", "ü"}}});
  std::string index = index_document({{"amd64", image}, {"arm64", image}});
  for (const std::string& good :
       {image.manifest, index, image.config, std::string(R"({"tags": ["a", "b"]})")})
    for (int round = 0; round < 3000; ++round) {
      std::string text = good.substr(0, round % 3 == 0 ? random() % good.size() : good.size());
      for (unsigned i = 0; i < random() % 4 && !text.empty(); ++i)
        text[random() % text.size()] =
            round % 2 == 0 ? static_cast<char>(random()) : "[]{}\",:0-9e\\"[random() % 12];
      std::string why;
      bool read = read_manifest(text, "amd64", why).has_value();
      EXPECT_NE(read, !why.empty()) << text;
      why.clear();
      read = read_config(text, why).has_value();
      EXPECT_NE(read, !why.empty()) << text;
      why.clear();
      read = read_list(text, "tags", why).has_value();
      EXPECT_NE(read, !why.empty()) << text;
      registry_complaint(text);
    }
}

TEST(RegistryDocuments, DeepOnesAreRefused) {
  std::vector<std::string> all;
  for (const char* key : {"errors", "tags", "manifests", "config", "rootfs"})
    for (std::string& text : deep_json(key, 200'000)) all.push_back(std::move(text));
  for (std::string& text : deep_json("errors")) all.push_back(std::move(text));
  for (const std::string& text : all) {
    std::string why;
    EXPECT_FALSE(read_manifest(text, "amd64", why));
    EXPECT_EQ(why, "its answer has more than 64 lists and objects within each other");
    EXPECT_FALSE(read_config(text, why));
    EXPECT_EQ(why, "its config has more than 64 lists and objects within each other");
    EXPECT_FALSE(read_list(text, "tags", why));
    EXPECT_EQ(registry_complaint(text), "");
  }
}

TEST(RegistryCaches, TheOldestGoWhereThereAreTooMany) {
  TemporaryFolder folder(fs::temp_directory_path());
  RegistryCache cache(folder.path() / "configs");
  for (int i = 0; i < 8; ++i) {
    cache.keep(digest_of(std::to_string(i)), std::to_string(i));
    fs::last_write_time(folder.path() / "configs" / digest_of(std::to_string(i)).substr(7), 1'000'000 + i);
  }
  cache.trim(8);
  EXPECT_EQ(cache.find(digest_of("0")), "0");
  cache.keep(digest_of("8"), "8");
  cache.trim(8);
  for (int i = 0; i <= 8; ++i) EXPECT_EQ(cache.find(digest_of(std::to_string(i))).has_value(), i > 4) << i;
}

TEST(RegistryCaches, AnUnwritableFolderIsNoFault) {
  RegistryCache cache("/proc/nothing/there");
  cache.keep(digest_of("a"), "a");
  EXPECT_EQ(cache.find(digest_of("a")), std::nullopt);
}

}  // namespace
}  // namespace stagemake::test
