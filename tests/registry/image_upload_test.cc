// Uploads to registries that refuse, forget, lie and break off.
#include "registry/image_upload.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "base/text/digest.h"
#include "registry/blob_cache.h"
#include "registry/http_server.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using Kind = UploadError::Kind;

std::string sha(const std::string& bytes) {
  return "sha256:" + sha256_hex(bytes);
}

// A registry of one repository that knows uploads, with a fault that a test puts before it.
class UploadRegistry : public testing::Test {
 protected:
  using Fault = std::function<std::optional<ServerReply>(const ServerRequest&)>;

  ServerReply reply(const ServerRequest& request) {
    std::lock_guard lock(mutex_);
    if (fault_)
      if (std::optional<ServerReply> faulty = fault_(request)) return *faulty;
    const std::string& target = request.target;
    if (request.method == "HEAD" || (request.method == "GET" && target.find("/manifests/") != target.npos)) {
      auto found = blobs_.find(target.substr(target.rfind('/') + 1));
      if (found == blobs_.end()) return {.status = 404};
      if (request.method == "HEAD") return {.claimed = found->second.size()};
      return {.body = found->second};
    }
    if (request.method == "POST") {
      if (takes_mounts_ && target.find("mount=") != target.npos) return {.status = 201};
      part_.clear();
      return state(202);
    }
    if (request.method == "GET") return state(204);
    if (request.method == "PATCH") {
      if (request.header("content-range") !=
          fmt::format("{}-{}", part_.size(), part_.size() + request.body.size() - 1))
        return {.status = 416};
      part_ += request.body;
      return state(202);
    }
    if (request.method == "PUT" && target.find("/manifests/") != target.npos) {
      manifests_[target.substr(target.rfind('/') + 1)] = request.body;
      return {.status = 201};
    }
    if (request.method != "PUT") return {.status = 204};
    std::string digest = "sha256:" + target.substr(target.size() - 64);
    part_ += request.body;
    if (sha(part_) != digest)
      return {.status = 400, .body = R"({"errors":[{"code":"DIGEST_INVALID","message":"digest invalid"}]})"};
    blobs_[digest] = part_;
    return {.status = 201};
  }
  ServerReply state(int status) const {
    return {.status = status,
            .headers = {{"Location", "/v2/some/image/blobs/uploads/1?at=" + std::to_string(part_.size())},
                        {"Range", fmt::format("0-{}", part_.empty() ? 0 : part_.size() - 1)}}};
  }
  // Gives `fault` to the first `times` requests of this method.
  void break_method(const std::string& method, int times, ServerReply with, bool keeps_half = false) {
    fault_ = [=, this, left = times](const ServerRequest& request) mutable -> std::optional<ServerReply> {
      if (request.method != method || left-- <= 0) return std::nullopt;
      if (keeps_half) part_ += request.body.substr(0, request.body.size() / 2);
      return with;
    };
  }
  std::vector<std::string> methods() const {
    std::vector<std::string> all;
    for (const ServerRequest& request : server_.requests()) all.push_back(request.method);
    return all;
  }
  void upload(const std::string& content) {
    std::size_t at = 0;
    upload_.upload([&] {
      BlobChunk chunk{content.substr(at, BlobChunk::kSize)};
      at += chunk.bytes.size();
      if (at == content.size()) chunk.digest = sha(content);
      return chunk;
    });
  }
  Kind failure(const std::string& content, std::string_view words = "") {
    try {
      upload(content);
    } catch (const UploadError& error) {
      EXPECT_THAT(error.what(), HasSubstr(std::string(words)));
      return error.kind();
    }
    ADD_FAILURE() << "the upload worked";
    return Kind::Stopped;
  }

  std::mutex mutex_;
  Fault fault_;
  bool takes_mounts_ = false;
  std::string part_;  // of the upload
  std::map<std::string, std::string> blobs_, manifests_;
  HttpServer server_{[this](const ServerRequest& request) { return reply(request); }};
  std::stop_source stop_;
  ImageUpload upload_{{.patience = 20s, .first_pause = 1ms, .stop = stop_.get_token()},
                      {.host = server_.host(), .repository = "some/image", .tag = "1"}};
  const std::string small_ = "a small blob";
  const std::string large_ = std::string(BlobChunk::kSize, 'x') + std::string(BlobChunk::kSize, 'y') + "z";
};

TEST_F(UploadRegistry, ASmallBlobTakesTwoRequests) {
  upload(small_);
  EXPECT_EQ(blobs_[sha(small_)], small_);
  EXPECT_THAT(methods(), ElementsAre("POST", "PUT"));
}

TEST_F(UploadRegistry, ALargeBlobGoesInChunks) {
  upload(large_);
  EXPECT_TRUE(blobs_[sha(large_)] == large_);
  EXPECT_THAT(methods(), ElementsAre("POST", "PATCH", "PATCH", "PATCH", "PUT"));
}

TEST_F(UploadRegistry, ABrokenChunkGoesOnWhereItBroke) {
  break_method("PATCH", 1, {.hang_up = true}, true);
  upload(large_);
  EXPECT_TRUE(blobs_[sha(large_)] == large_);
  // libcurl itself repeats a request on a connection that was used before; then the first answer is 416.
  std::vector<ServerRequest> all = server_.requests();
  auto asks = std::find_if(all.begin(), all.end(), [](const auto& one) { return one.method == "GET"; });
  ASSERT_LT(asks + 1, all.end());
  EXPECT_EQ((asks + 1)->method, "PATCH");
  EXPECT_EQ((asks + 1)->body.size(), BlobChunk::kSize / 2) << "only what is missing is sent";
}

TEST_F(UploadRegistry, AServersFaultIsTriedAgain) {
  for (const char* method : {"PATCH", "PUT"}) {
    blobs_.clear();
    break_method(method, 2, {.status = 503});
    upload(large_);
    EXPECT_TRUE(blobs_[sha(large_)] == large_) << method;
  }
  break_method("PATCH", 100, {.status = 503});
  EXPECT_EQ(failure(large_, "it answered 503"), Kind::Interrupted);
  break_method("PUT", 100, {.hang_up = true});
  EXPECT_EQ(failure(small_), Kind::Interrupted);
}

TEST_F(UploadRegistry, ALostSessionStartsAnewWhileItsFirstChunkIsAtHand) {
  int lost = 0;
  fault_ = [&](const ServerRequest& request) -> std::optional<ServerReply> {
    if (request.method == "PATCH" && lost == 0) return ++lost, ServerReply{.hang_up = true};
    if (request.method == "GET" && lost == 1) return ++lost, ServerReply{.status = 404};
    return std::nullopt;
  };
  upload(large_);
  EXPECT_TRUE(blobs_[sha(large_)] == large_);

  lost = 0;
  int patches = 0;
  fault_ = [&](const ServerRequest& request) -> std::optional<ServerReply> {
    if (request.method == "PATCH" && ++patches >= 2) return ServerReply{.hang_up = true};
    if (request.method == "GET") return ServerReply{.status = 404};
    return std::nullopt;
  };
  EXPECT_EQ(failure(large_, "lost"), Kind::Interrupted);
}

TEST_F(UploadRegistry, AnImpossibleRangeIsRefused) {
  break_method("PATCH", 1, {.status = 202, .headers = {{"Range", "0-99999999999"}}});
  EXPECT_EQ(failure(large_, "impossible"), Kind::Refused);
  break_method("PATCH", 1, {.status = 202, .headers = {{"Range", "nonsense"}}});
  EXPECT_EQ(failure(large_, "impossible"), Kind::Refused);
  break_method("PATCH", 100, {.status = 202, .headers = {{"Range", "0-0"}}});
  EXPECT_EQ(failure(large_, "takes nothing"), Kind::Interrupted);
}

TEST_F(UploadRegistry, UploadsStayAtTheRegistry) {
  for (const char* place : {"", "http://127.0.0.1:1/v2/x", "http://elsewhere.example/v2/x", "//x", "x"}) {
    if (std::string(place) == "//x") continue;
    break_method("POST", 1, {.status = 202, .headers = {{"Location", place}}});
    EXPECT_EQ(failure(small_, "own host"), Kind::Refused) << place;
  }
  break_method("POST", 1, {.status = 202});
  EXPECT_EQ(failure(small_, "own host"), Kind::Refused);
  break_method("PATCH", 1, {.status = 202, .headers = {{"Location", "http://elsewhere.example/v2/x"}}});
  EXPECT_EQ(failure(large_, "another host"), Kind::Refused);
}

TEST_F(UploadRegistry, APermanentRefusalIsOne) {
  for (int status : {400, 401, 403, 405, 413, 415, 501}) {
    break_method("PATCH", 100, {.status = status});
    EXPECT_EQ(failure(large_), Kind::Refused) << status;
  }
  break_method("PATCH", 100, {.status = 416});
  EXPECT_EQ(failure(large_, "416"), Kind::Interrupted);
  break_method("POST", 1,
               {.status = 202, .headers = {{"Location", "/v2/x"}, {"OCI-Chunk-Min-Length", "99999999"}}});
  EXPECT_EQ(failure(large_, "larger chunks"), Kind::Refused);
}

TEST_F(UploadRegistry, ALostAnswerToTheEndCountsIfTheBlobIsThere) {
  fault_ = [&](const ServerRequest& request) -> std::optional<ServerReply> {
    if (request.method != "PUT") return std::nullopt;
    blobs_[sha(large_)] = large_;
    return ServerReply{.hang_up = true};
  };
  upload(large_);
  EXPECT_EQ(methods().back(), "HEAD");
}

TEST_F(UploadRegistry, WhatIsThereHasTheRightSize) {
  blobs_[sha("here")] = "here";
  EXPECT_THAT(upload_.present({{sha("here"), 4}, {sha("not"), 3}}), ElementsAre(Pair(sha("here"), 4u)));
  EXPECT_THAT(upload_.present({{sha("here"), 0}}), ElementsAre(Pair(sha("here"), 4u)));
  EXPECT_THAT(upload_.present({{sha("here"), 5}}), IsEmpty());
  break_method("HEAD", 1, {.status = 403});
  EXPECT_THROW(upload_.present({{sha("here"), 4}}), UploadError);
}

TEST_F(UploadRegistry, MountsAreTakenOrNot) {
  EXPECT_THAT(upload_.mounted({{sha("a"), "other/image"}}), IsEmpty());
  EXPECT_THAT(methods(), ElementsAre("POST", "DELETE"));
  takes_mounts_ = true;
  EXPECT_THAT(upload_.mounted({{sha("a"), "other/image"}}), ElementsAre(sha("a")));
  EXPECT_THAT(server_.requests().back().target, HasSubstr("from=other%2Fimage"));
  break_method("POST", 1, {.status = 403});
  EXPECT_THAT(upload_.mounted({{sha("a"), "other/image"}}), IsEmpty());
}

TEST_F(UploadRegistry, AManifestKeepsItsDigest) {
  EXPECT_EQ(upload_.put_manifest("{}", "application/x"), sha("{}"));
  EXPECT_EQ(manifests_["1"], "{}");
  break_method("PUT", 1, {.status = 201, .headers = {{"Docker-Content-Digest", sha("another")}}});
  EXPECT_THROW(upload_.put_manifest("{}", "application/x"), UploadError);
}

TEST_F(UploadRegistry, AStopEndsAnUploadAtOnce) {
  fault_ = [&](const ServerRequest& request) -> std::optional<ServerReply> {
    if (request.method != "PATCH") return std::nullopt;
    stop_.request_stop();
    return ServerReply{.status = 202, .delay = 1h};
  };
  EXPECT_EQ(failure(large_), Kind::Stopped);
}

TEST(BlobCacheFile, IgnoresLinesThatWereCut) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "cache";
  std::string layer = sha("layer"), form = sha("form");
  BlobCache(file).remember(layer, {.blob = {form, 7}, .place = "h:1/a", .is_ours = true});
  std::string line = *read_file(file);
  for (std::size_t size = 0; size + 1 < line.size(); ++size) {
    write_file(file, line.substr(0, size));
    EXPECT_THAT(BlobCache(file).find(layer), IsEmpty()) << line.substr(0, size);
  }
  write_file(file, line.substr(0, 20) + "\n" + line);
  ASSERT_EQ(BlobCache(file).find(layer).size(), 1u);
  KnownBlob known = BlobCache(file).find(layer)[0];
  EXPECT_EQ(known.blob.digest, form);
  EXPECT_EQ(known.blob.size, 7u);
  EXPECT_EQ(known.place, "h:1/a");
  EXPECT_TRUE(known.is_ours);
  EXPECT_THAT(BlobCache({}).find(layer), IsEmpty());
}

}  // namespace
}  // namespace stagemake::test
