// Signatures stored with images in registries, in the format that cosign writes and reads.
#include "registry/image_signature.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/process/subprocess.h"
#include "base/variables.h"
#include "registry/http_server.h"
#include "registry/registry.h"
#include "registry/registry_bench.h"

namespace stagemake::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ImageSignature, LiesUnderATagOfTheDigest) {
  EXPECT_EQ(signature_tag(kDigest), "sha256-" + std::string(64, 'a') + ".sig");
  EXPECT_EQ(signature_tag("sha256:short"), "");
  EXPECT_TRUE(is_signature_tag(signature_tag(kDigest)));
  for (const char* other : {"1.0", "sha256-.sig", "latest.sig"}) EXPECT_FALSE(is_signature_tag(other));
}

TEST(ImageSignature, ThePayloadIsCosigns) {
  std::string payload = signature_payload("ghcr.io/me/image", kDigest, {{"org.stagemake.key", "k"}}, 7);
  EXPECT_EQ(nlohmann::json::parse(payload),
            (nlohmann::json{
                {"critical",
                 {{"identity", {{"docker-reference", "ghcr.io/me/image"}}},
                  {"image", {{"docker-manifest-digest", kDigest}}},
                  {"type", "cosign container image signature"}}},
                {"optional", {{"creator", "stagemake"}, {"timestamp", 7}, {"org.stagemake.key", "k"}}}}));
  EXPECT_EQ(signed_digest(payload), kDigest);
  // In the format of `cosign generate`.
  EXPECT_EQ(
      signed_digest(R"({"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":")" +
                    kDigest + R"("},"type":"cosign container image signature"},"optional":null})"),
      kDigest);
  for (const char* none :
       {"", "{}", "[]", "null", R"({"critical":[]})",
        R"({"critical":{"type":"cosign container image signature"}})",
        R"({"critical":{"type":"cosign container image signature","image":{"docker-manifest-digest":7}}})"})
    EXPECT_EQ(signed_digest(none), std::nullopt) << none;
  EXPECT_EQ(signed_digest(std::string(1u << 20, '[')), std::nullopt);
}

TEST(ImageSignature, ManifestsAreReadAsTheyAreWritten) {
  SignatureEntry first{kDigest, 12, "c2ln"}, second{"sha256:" + std::string(64, 'b'), 13, "bmF0dXJl"};
  std::string before = with_signature("", first).value().manifest;
  SignatureDocuments documents = with_signature(before, second).value();
  std::vector<SignatureEntry> read = read_signatures(documents.manifest).value();
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[0].digest, second.digest);
  EXPECT_EQ(read[0].size, 13u);
  EXPECT_EQ(read[0].signature, "bmF0dXJl");
  EXPECT_EQ(read[1].digest, kDigest);
  EXPECT_THAT(documents.manifest, HasSubstr(digest_of(documents.config)));
  for (const char* none : {"", "[]", "{}", R"({"layers": 1})"})
    EXPECT_EQ(read_signatures(none), std::nullopt) << none;
  EXPECT_EQ(read_signatures(std::string(1u << 20, '[')), std::nullopt);
  // Layers of other kinds, and impossible ones, are skipped.
  EXPECT_THAT(
      read_signatures(
          R"({"layers": [1, {}, {"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "size": -1,
                                  "digest": "sha256:x"}]})")
          .value(),
      IsEmpty());
}

TEST(ImageSignature, ForeignSignaturesStay) {
  SignatureEntry entry{kDigest, 12, "c2ln"};
  const std::string theirs =
      R"({"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":")" + kDigest +
      R"(","size":3,"annotations":{"dev.cosignproject.cosign/signature":"eA==","dev.sigstore.cosign/bundle":"{}"}})";
  std::string before = R"({"layers":[)" + theirs + R"(,{"mediaType":"other/thing","digest":"sha256:1"}]})";
  nlohmann::json layers = nlohmann::json::parse(with_signature(before, entry).value().manifest)["layers"];
  ASSERT_THAT(layers, SizeIs(3));
  EXPECT_EQ(layers[1], nlohmann::json::parse(theirs));
  EXPECT_EQ(layers[2]["mediaType"], "other/thing");
  for (const char* other : {"[]", "{}", "no JSON", R"({"layers": 1})"})
    EXPECT_FALSE(with_signature(other, entry)) << "it is not replaced: " << other;
  std::string full;
  for (std::size_t i = 0; i < kMostSignatures; ++i) full = with_signature(full, entry).value().manifest;
  EXPECT_THAT(read_signatures(full).value(), SizeIs(kMostSignatures));
  EXPECT_FALSE(with_signature(full, entry));
}

class SignaturesInARegistry : public ::testing::Test {
 protected:
  void SetUp() override {
    if (find_program("docker-registry").empty())
      GTEST_SKIP() << "there is no docker-registry (apt-get install docker-registry)";
    fs::create_directories(folder_.path() / "docker");
  }
  TemporaryFolder folder_{fs::temp_directory_path()};
  Variables variables_{{"DOCKER_CONFIG", (folder_.path() / "docker").string()},
                       {"REGISTRY_AUTH_FILE", ""},
                       {"XDG_RUNTIME_DIR", ""}};
};

TEST_F(SignaturesInARegistry, AreFoundBesideTheImage) {
  TestRegistry registry(folder_.path());
  ImageDocuments image = image_documents({.labels = {{"a", "1"}}});
  registry.put("some/image", "1", image);
  std::string name = registry.name("some/image") + "@" + image.digest();
  EXPECT_THAT(Registry({}).signatures({name})[name].list, IsEmpty());
  std::string payload = signature_payload(registry.name("some/image"), image.digest(), {}, 1);
  EXPECT_EQ(Registry({}).add_signature(name, {payload, "c2ln"}), "");
  std::string second = signature_payload(registry.name("some/image"), image.digest(), {}, 2);
  EXPECT_EQ(Registry({}).add_signature(name, {second, "bmF0dXJl"}), "");
  std::map<std::string, ImageSignatures> found = Registry({}).signatures({name, name + "x", "no name"});
  ASSERT_THAT(found[name].list, SizeIs(2));
  EXPECT_EQ(found[name].problem, "");
  EXPECT_THAT(found[name + "x"].list, IsEmpty());
  EXPECT_THAT(found["no name"].list, IsEmpty());
  std::vector<std::string> words;
  for (const ImageSignature& one : found[name].list) words.push_back(one.signature);
  EXPECT_THAT(words, ::testing::UnorderedElementsAre("c2ln", "bmF0dXJl"));
  // They are not images: a survey does not even look at them.
  RegistrySurvey survey = Registry({}).survey({registry.name("some/image")});
  EXPECT_THAT(survey.problems, IsEmpty());
  ASSERT_THAT(survey.images, SizeIs(1));
}

TEST_F(SignaturesInARegistry, OfAnotherImageSayNothingOfThisOne) {
  TestRegistry registry(folder_.path());
  ImageDocuments image = image_documents({.labels = {{"a", "1"}}}),
                 other = image_documents({.labels = {{"a", "2"}}});
  registry.put("some/image", "1", image);
  registry.put("some/image", "2", other);
  // A genuine payload, stored with an image that it does not describe.
  std::string payload = signature_payload(registry.name("some/image"), other.digest(), {}, 1);
  std::string name = registry.name("some/image") + "@" + image.digest();
  EXPECT_EQ(Registry({}).add_signature(name, {payload, "c2ln"}), "");
  EXPECT_THAT(Registry({}).signatures({name})[name].list, IsEmpty());
}

TEST_F(SignaturesInARegistry, ArePutWithTheLogin) {
  TestRegistry registry(folder_.path(), {.password = true});
  ImageDocuments image = image_documents({.labels = {{"a", "1"}}});
  registry.put("some/image", "1", image);
  std::string name = registry.name("some/image") + "@" + image.digest();
  ImageSignature signature{signature_payload(registry.name("some/image"), image.digest(), {}, 1), "c2ln"};
  EXPECT_THAT(Registry({}).add_signature(name, signature), HasSubstr("requires a login"));
  write_file(folder_.path() / "docker/config.json",
             fmt::format(R"({{"auths": {{"{}": {{"auth": "{}"}}}}}})", registry.host(),
                         to_base64(std::string(TestRegistry::kUser) + ":" + TestRegistry::kPassword)));
  EXPECT_EQ(Registry({}).add_signature(name, signature), "");
  EXPECT_THAT(Registry({}).signatures({name})[name].list, SizeIs(1));
}

// A token for reading and one for writing: each is requested and used for its purpose only.
TEST(SignaturesAndTokens, WritingTakesATokenOfItsOwn) {
  Variables variables{
      {"DOCKER_CONFIG", "/no/such/folder"}, {"REGISTRY_AUTH_FILE", ""}, {"XDG_RUNTIME_DIR", ""}};
  std::string own;
  HttpServer server([&](const ServerRequest& request) -> ServerReply {
    if (request.target.starts_with("/token")) {
      bool writes = request.target.find("push") != std::string::npos;
      return {.body = writes ? R"({"token": "writer"})" : R"({"token": "reader"})"};
    }
    bool writes = request.method != "GET";
    if (request.header("authorization") != (writes ? "Bearer writer" : "Bearer reader"))
      return {.status = 401,
              .headers = {
                  {"WWW-Authenticate",
                   fmt::format(R"(Bearer realm="http://{}/token",service="s",scope="repository:r:pull{}")",
                               own, writes ? ",push" : "")}}};
    if (request.method == "GET") return {.status = 404};
    if (request.method == "POST")
      return {.status = 202, .headers = {{"Location", "/v2/r/blobs/uploads/1?state=x"}}};
    return {.status = 201};
  });
  own = server.host();
  std::string name = own + "/r@" + kDigest;
  EXPECT_EQ(Registry({}).add_signature(name, {signature_payload(own + "/r", kDigest, {}, 1), "c2ln"}), "");
  std::vector<std::string> puts;
  for (const ServerRequest& request : server.requests())
    if (request.method == "PUT" && request.header("authorization") == "Bearer writer")
      puts.push_back(request.target.substr(0, request.target.find("sha256")));
  EXPECT_THAT(puts, ElementsAre("/v2/r/blobs/uploads/1?state=x&digest=",
                                "/v2/r/blobs/uploads/1?state=x&digest=", "/v2/r/manifests/"));
}

// If the upload location is on another machine, that machine gets neither the content nor the token.
TEST(SignaturesAndTokens, AnUploadElsewhereIsRefused) {
  Variables variables{
      {"DOCKER_CONFIG", "/no/such/folder"}, {"REGISTRY_AUTH_FILE", ""}, {"XDG_RUNTIME_DIR", ""}};
  HttpServer server([&](const ServerRequest& request) -> ServerReply {
    if (request.method == "GET") return {.status = 404};
    return {.status = 202, .headers = {{"Location", "http://127.0.0.1:1/v2/r/blobs/uploads/1"}}};
  });
  std::string name = server.host() + "/r@" + kDigest;
  EXPECT_EQ(Registry({}).add_signature(name, {signature_payload("r", kDigest, {}, 1), "c2ln"}),
            "it redirects uploads to another host");
  for (const ServerRequest& request : server.requests()) EXPECT_NE(request.method, "PUT");
}

TEST(UploadPath, IsBelowTheApiOfItsOwnHost) {
  EXPECT_EQ(upload_path("/v2/r/blobs/uploads/1?a=b", "h:5000"), "/v2/r/blobs/uploads/1?a=b");
  EXPECT_EQ(upload_path("http://h:5000/v2/r/1", "h:5000"), "/v2/r/1");
  EXPECT_EQ(upload_path("http://h:5000/uploads/1", "h:5000"), "/uploads/1")
      << "some registries have their own";
  for (const char* none : {"", "r/1", "http://h:50001/v2/r/1", "http://other/v2/r", "http://h:5000.evil/v2/x",
                           "/v2/a b", "/v2/a\nb"})
    EXPECT_EQ(upload_path(none, "h:5000"), "") << none;
}

TEST(SignaturesElsewhere, UnreadableSignaturesHaveAReason) {
  HttpServer broken([](const ServerRequest&) { return ServerReply{.status = 500}; });
  std::string name = broken.host() + "/a/b@" + kDigest;
  ImageSignatures found = Registry({.tries = 1}).signatures({name})[name];
  EXPECT_THAT(found.list, IsEmpty());
  EXPECT_THAT(found.problem, HasSubstr("500"));
  EXPECT_THAT(Registry({.tries = 1}).add_signature(name, {"{}", "c2ln"}), HasSubstr("500"));
}

}  // namespace
}  // namespace stagemake::test
