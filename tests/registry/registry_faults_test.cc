// Faults of registries, simulated by a server: none of them causes an exception, and content that contradicts
// its description is not believed.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "base/process/machine.h"
#include "base/text/text.h"
#include "base/variables.h"
#include "registry/http_server.h"
#include "registry/registry.h"
#include "registry/registry_bench.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kTags = "/v2/a/b/tags/list";

// A registry with one repository, a/b. Tests can change its answers.
class FaultyRegistry : public ::testing::Test {
 protected:
  ServerReply answer(const ServerRequest& request) {
    std::string path = request.target.substr(0, request.target.find('?'));
    if (auto wrong = faults_.find(path); wrong != faults_.end()) return wrong->second(request);
    if (path == kTags) return {.body = R"({"name": "a/b", "tags": ["1"]})"};
    if (path == "/v2/a/b/manifests/1" || path == "/v2/a/b/manifests/" + image_.digest())
      return {.body = image_.manifest, .headers = {{"Docker-Content-Digest", image_.digest()}}};
    if (path == config_path()) return {.body = image_.config};
    return {.status = 404,
            .body = R"({"errors": [{"code": "UNKNOWN", "message": "no\u001b[31m such thing"}]})"};
  }
  std::string config_path() const { return "/v2/a/b/blobs/" + digest_of(image_.config); }
  void wrong(const std::string& path, HttpServer::Answer how) { faults_[path] = std::move(how); }
  void wrong(const std::string& path, ServerReply reply) {
    wrong(path, [reply](const ServerRequest&) { return reply; });
  }
  std::string name() const { return server_.host() + "/a/b"; }

  RegistryOptions options() const { return {.patience = 1500ms, .whole_patience = 4000ms}; }
  RegistrySurvey survey() { return Registry(options()).survey({name()}); }
  // The only problem of a survey that finds nothing.
  std::string problem() {
    RegistrySurvey found = survey();
    EXPECT_THAT(found.images, IsEmpty());
    EXPECT_THAT(found.problems, SizeIs(1));
    return found.problems.empty() ? "" : found.problems[0].what;
  }

  ImageDocuments image_ = image_documents({.labels = {{"a", "1"}}});
  std::map<std::string, HttpServer::Answer> faults_;
  TemporaryFolder folder_{fs::temp_directory_path()};
  Variables variables_{
      {"DOCKER_CONFIG", folder_.path().string()}, {"REGISTRY_AUTH_FILE", ""}, {"XDG_RUNTIME_DIR", ""}};
  HttpServer server_{[this](const ServerRequest& request) { return answer(request); }};
};

TEST_F(FaultyRegistry, AHealthyRegistryHasNoProblems) {
  RegistrySurvey found = survey();
  EXPECT_THAT(found.problems, IsEmpty());
  ASSERT_THAT(found.images, SizeIs(1));
  EXPECT_EQ(found.images[0].labels, (Labels{{"a", "1"}}));
  EXPECT_THAT(server_.requests(), SizeIs(3));
  EXPECT_EQ(server_.connections(), 1u);
}

TEST_F(FaultyRegistry, ItsTextIsPrintable) {
  wrong(kTags, ServerReply{.body = R"({"tags": ["gone", "../../etc", "a b\u001b"]})"});
  RegistrySurvey found = survey();
  ASSERT_THAT(found.problems, SizeIs(2));
  EXPECT_EQ(found.problems[0].what, "gone: it answered 404: no\\x1b[31m such thing");
  EXPECT_EQ(found.problems[1].what, "2 tags are not valid and are ignored");
  for (const ServerRequest& request : server_.requests()) EXPECT_THAT(request.target, Not(HasSubstr("..")));
}

TEST_F(FaultyRegistry, ABusyOneIsAskedAgain) {
  std::atomic<int> asked = 0;
  wrong(kTags, [&](const ServerRequest&) {
    if (++asked < 3) return ServerReply{.status = asked == 1 ? 500 : 503};
    return ServerReply{.body = R"({"tags": ["1"]})"};
  });
  EXPECT_THAT(survey().images, SizeIs(1));
  EXPECT_EQ(asked, 3);
}

TEST_F(FaultyRegistry, AnAlwaysBusyRegistryIsGivenUp) {
  wrong(kTags, ServerReply{.status = 500});
  EXPECT_EQ(problem(), "it answered 500");
  EXPECT_THAT(server_.requests(), SizeIs(3));
}

TEST_F(FaultyRegistry, APermanentAnswerIsNotAskedForTwice) {
  std::size_t before = 0;
  for (int status : {400, 403, 405, 410, 413, 415, 501, 505}) {
    wrong(kTags, ServerReply{.status = status});
    EXPECT_EQ(problem(), fmt::format("it answered {}", status));
    EXPECT_EQ(server_.requests().size(), ++before) << status;
  }
}

TEST_F(FaultyRegistry, RetryAfterIsKept) {
  std::atomic<int> asked = 0;
  std::chrono::steady_clock::time_point first;
  wrong(kTags, [&](const ServerRequest&) {
    if (++asked > 1) return ServerReply{.body = R"({"tags": ["1"]})"};
    first = std::chrono::steady_clock::now();
    return ServerReply{.status = 429, .headers = {{"Retry-After", "1"}}};
  });
  EXPECT_THAT(survey().images, SizeIs(1));
  EXPECT_GE(std::chrono::steady_clock::now() - first, 1s);
}

TEST_F(FaultyRegistry, RetryAfterBeyondOurPatienceIsTheAnswer) {
  wrong(kTags, ServerReply{.status = 429, .headers = {{"Retry-After", "3600"}}});
  EXPECT_EQ(problem(), "it answered 429 and asks to retry only after 1 h 00 min");
  EXPECT_THAT(server_.requests(), SizeIs(1));
}

TEST_F(FaultyRegistry, BrokenConnectionsAreTriedAgain) {
  std::atomic<int> asked = 0;
  wrong("/v2/a/b/manifests/1", [&](const ServerRequest&) {
    ServerReply reply{.body = image_.manifest};
    if (++asked == 1) reply.hang_up = true;
    if (asked == 2) reply.claimed = 10;
    return reply;
  });
  EXPECT_THAT(survey().images, SizeIs(1));
  EXPECT_EQ(asked, 3);
}

TEST_F(FaultyRegistry, ASlowRegistryIsBoundedInTime) {
  wrong("/v2/a/b/manifests/1", ServerReply{.body = image_.manifest, .delay = 60s});
  auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(problem(), AllOf(StartsWith("1: it did not answer in time"), HasSubstr("timed out")));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
}

TEST_F(FaultyRegistry, AnswersReceivedInTimeAreKept) {
  wrong(kTags, ServerReply{.body = R"({"tags": ["1", "slow"]})"});
  wrong("/v2/a/b/manifests/slow", ServerReply{.body = image_.manifest, .delay = 60s});
  RegistrySurvey found = Registry({.whole_patience = 500ms}).survey({name()});
  EXPECT_THAT(found.images, SizeIs(1));
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_EQ(found.problems[0].what, "slow: no time was left for it");
}

TEST_F(FaultyRegistry, AStopEndsIt) {
  std::stop_source stop;
  wrong(kTags, [&](const ServerRequest&) {
    stop.request_stop();
    return ServerReply{.delay = 60s};
  });
  RegistryOptions stoppable = options();
  stoppable.stop = stop.get_token();
  auto began = std::chrono::steady_clock::now();
  RegistrySurvey found = Registry(stoppable).survey({name()});
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_EQ(found.problems[0].what, "a stop was requested");
}

TEST_F(FaultyRegistry, LiesAboutDigestsAreFound) {
  ImageDocuments other = image_documents({.labels = {{"a", "lie"}}});
  wrong("/v2/a/b/manifests/1",
        {.body = other.manifest, .headers = {{"Docker-Content-Digest", image_.digest()}}});
  EXPECT_EQ(problem(),
            "1: its manifest does not match the digest that the registry reports: " + shown(image_.digest()));
  wrong("/v2/a/b/manifests/" + image_.digest(),
        {.body = other.manifest, .headers = {{"Docker-Content-Digest", other.digest()}}});
  std::string why;
  EXPECT_FALSE(Registry(options()).find(name() + "@" + image_.digest(), why));
  EXPECT_EQ(why, "its manifest does not match the requested digest: " + image_.digest());

  faults_.clear();
  wrong(config_path(), ServerReply{.body = other.config});
  EXPECT_EQ(problem(),
            "1: its config does not match the digest in its manifest: " + digest_of(image_.config));
}

TEST_F(FaultyRegistry, AnswersOfAnyLengthAreNotTaken) {
  wrong(kTags, ServerReply{.body = R"({"tags": [")" + std::string(5u << 20, 'a') + "\"]}"});
  EXPECT_EQ(problem(), "its answer is longer than 4.2 MB");
  wrong(kTags, ServerReply{.headers = {{"X-Long", std::string(90'000, 'a')},
                                       {"X-Long", std::string(90'000, 'a')},
                                       {"X-Long", std::string(90'000, 'a')}}});
  EXPECT_THAT(problem(), HasSubstr("longer"));
  nlohmann::json huge = nlohmann::json::parse(image_.manifest);
  huge["config"]["size"] = 100u << 20;
  faults_.clear();
  wrong("/v2/a/b/manifests/1", ServerReply{.body = huge.dump()});
  EXPECT_EQ(problem(), "1: its config is longer than 8.4 MB");
}

TEST_F(FaultyRegistry, DocumentsThatAreNoneAreSaid) {
  for (const char* tags :
       {"", "[", "[]", "null", R"({"tags": 3})", R"({"tags": {"1": "1"}})", "{}", "\xff"}) {
    wrong(kTags, ServerReply{.body = tags});
    EXPECT_THAT(problem(), StartsWith("its answer is ")) << tags;
  }
  wrong(kTags, ServerReply{.body = R"({"tags": null})"});
  EXPECT_THAT(survey().problems, IsEmpty());
  faults_.clear();
  nlohmann::json good = nlohmann::json::parse(image_.manifest);
  auto changed = [&](const char* pointer, const nlohmann::json& value) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(pointer)] = value;
    return bad.dump();
  };
  for (const std::string& manifest :
       {std::string("{}"), std::string("<html>"), std::string(100'000, '['), changed("/schemaVersion", 1),
        changed("/schemaVersion", "2"), changed("/layers", 5), changed("/layers", {1, 2}),
        changed("/layers/0/size", -1), changed("/layers/0/size", 1e300), changed("/layers/0/size", "5"),
        changed("/layers/0/size", std::uint64_t{1} << 60), changed("/layers/0/digest", "sha256:../../x"),
        changed("/config/digest", "md5:1"), changed("/config", "x"), changed("/mediaType", "text/html"),
        changed("/manifests", nlohmann::json::array()),
        changed("/mediaType", "application/vnd.oci.image.index.v1+json")}) {
    wrong("/v2/a/b/manifests/1", ServerReply{.body = manifest});
    EXPECT_THAT(problem(), StartsWith("1: its ")) << manifest.substr(0, 200);
  }
}

TEST_F(FaultyRegistry, ConfigsThatAreNoneAreSaid) {
  for (const char* config : {"", "7", R"({"config": {"Labels": [1]}})", R"({"config": {"Labels": "x"}})"}) {
    image_.config = config;
    nlohmann::json manifest = nlohmann::json::parse(image_.manifest);
    manifest["config"]["digest"] = digest_of(config);
    image_.manifest = manifest.dump();
    EXPECT_THAT(problem(), StartsWith("1: its config is ")) << config;
  }
}

TEST_F(FaultyRegistry, OtherArtifactsAreNoProblem) {
  nlohmann::json chart = nlohmann::json::parse(image_.manifest);
  chart["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json";
  image_.manifest = chart.dump();
  RegistrySurvey found = survey();
  EXPECT_THAT(found.images, IsEmpty());
  EXPECT_THAT(found.problems, IsEmpty());
  std::string why;
  EXPECT_FALSE(Registry(options()).find(name() + ":1", why));
  EXPECT_EQ(why, "it is not an image");
}

TEST_F(FaultyRegistry, AnIndexThatLeadsToItselfEnds) {
  std::string index = index_document({{machine_architecture(), image_}});
  ImageDocuments second;
  second.manifest = index;
  std::string outer = index_document({{machine_architecture(), second}});
  nlohmann::json entry = nlohmann::json::parse(outer);
  entry["manifests"][0].erase("mediaType");
  outer = entry.dump();
  wrong("/v2/a/b/manifests/1", ServerReply{.body = outer});
  wrong("/v2/a/b/manifests/" + digest_of(index), ServerReply{.body = index});
  EXPECT_EQ(problem(), "1: its index refers to another index");
}

TEST_F(FaultyRegistry, AllPagesAreReadAndNoneTwice) {
  wrong(kTags, [&](const ServerRequest& request) {
    if (request.target.find("last=1") != std::string::npos) return ServerReply{.body = R"({"tags": ["2"]})"};
    return ServerReply{.body = R"({"tags": ["1"]})",
                       .headers = {{"Link", "</v2/a/b/tags/list?n=1&last=1>; rel=\"next\""}}};
  });
  wrong("/v2/a/b/manifests/2", ServerReply{.body = image_.manifest});
  RegistrySurvey found = survey();
  ASSERT_THAT(found.images, SizeIs(2));
  EXPECT_EQ(found.images[1].name, name() + ":2");

  wrong(kTags,
        {.body = R"({"tags": ["1"]})",  // a cycle
         .headers = {{"Link", "<http://elsewhere.example/v2/a/b/tags/list?n=1&last=1>; rel=\"next\""}}});
  EXPECT_THAT(survey().images, SizeIs(1));
}

TEST_F(FaultyRegistry, RedirectsGoWhereTheyMay) {
  HttpServer storage([&](const ServerRequest&) { return ServerReply{.body = image_.config}; });
  auto lead_to = [&](const std::string& place) {
    wrong(config_path(), ServerReply{.status = 307, .headers = {{"Location", place}}});
  };
  lead_to("http://" + storage.host() + "/x?signature=1");
  EXPECT_THAT(survey().images, SizeIs(1));
  lead_to("file:///etc/passwd");
  EXPECT_THAT(problem(), HasSubstr("an invalid web address"));
  lead_to("gopher://127.0.0.1/");
  EXPECT_THAT(problem(), HasSubstr("an invalid web address"));
  lead_to("http://registry.example/x");
  EXPECT_EQ(problem(), "1: it refers to registry.example:80 without TLS, which is not allowed");
  lead_to("http://user:word@127.0.0.1/");
  EXPECT_THAT(problem(), HasSubstr("an invalid web address"));
  lead_to(config_path());
  EXPECT_EQ(problem(), "1: it redirects too many times");
}

TEST_F(FaultyRegistry, AConfigOfManyImagesIsFetchedOnce) {
  std::atomic<int> asked = 0;
  wrong(kTags, ServerReply{.body = R"({"tags": ["1", "2", "3", "4"]})"});
  for (const char* tag : {"2", "3", "4"})
    wrong(std::string("/v2/a/b/manifests/") + tag, ServerReply{.body = image_.manifest});
  wrong(config_path(), [&](const ServerRequest&) {
    ++asked;
    return ServerReply{.body = image_.config};
  });
  EXPECT_THAT(survey().images, SizeIs(4));
  EXPECT_EQ(asked, 1);
}

TEST_F(FaultyRegistry, ManyImagesTakeFewConnections) {
  std::string tags = "\"1\"";
  for (int i = 2; i <= 200; ++i) {
    tags += fmt::format(", \"{}\"", i);
    wrong(fmt::format("/v2/a/b/manifests/{}", i), ServerReply{.body = image_.manifest});
  }
  wrong(kTags, ServerReply{.body = "{\"tags\": [" + tags + "]}"});
  EXPECT_THAT(survey().images, SizeIs(200));
  EXPECT_LE(server_.connections(), 8u);
}

}  // namespace
}  // namespace stagemake::test
