// Every kind of hostile registry (hostile_registry.h) against every request to a registry: each ends soon,
// with a printable reason, and takes nothing away from an honest registry used at the same time.
#include "registry/hostile_registry.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text/text.h"
#include "base/variables.h"
#include "registry/registry.h"
#include "registry/registry_bench.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Hostile : public ::testing::TestWithParam<std::string> {
 protected:
  static ServerReply honest(const ServerRequest& request) {
    static const ImageDocuments kImage = image_documents({.labels = {{"a", "1"}}});
    if (request.target.find("/tags/list") != std::string::npos) return {.body = R"({"tags": ["1"]})"};
    return {.body = request.target.find("/blobs/") != std::string::npos ? kImage.config : kImage.manifest};
  }
  static bool is_slow() { return GetParam().starts_with("Slow") || GetParam() == "Busy"; }
  // Enough for a few documents of the largest kind. On a busy machine, an honest registry needs some time
  // too.
  static RegistryOptions options() {
    return {.patience = is_slow() ? 700ms : 10000ms,
            .whole_patience = 20000ms,
            .limits = {.bytes = 12u << 20, .entries = 1500, .pages = 20}};
  }
  void expect_reason(const std::string& reason) {
    EXPECT_NE(reason, "");
    EXPECT_EQ(printable(reason), reason);
    EXPECT_LT(reason.size(), 500u);
  }
  void TearDown() override {
    EXPECT_LT(std::chrono::steady_clock::now() - began_, 200s);
    EXPECT_LT(hostile_.sent(), 80u << 20);
    EXPECT_LT(hostile_.requests().size(), 3500u);
    for (const ServerRequest& request : hostile_.requests())
      EXPECT_EQ(request.header("authorization").find("Basic"), std::string::npos);
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  Variables variables_{
      {"DOCKER_CONFIG", folder_.path().string()}, {"REGISTRY_AUTH_FILE", ""}, {"XDG_RUNTIME_DIR", ""}};
  HttpServer hostile_{hostilities().at(GetParam())};
  HttpServer honest_{honest};
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

TEST_P(Hostile, ASurveyHasTheHonestOnesImagesAndAReason) {
  RegistrySurvey found = Registry(options()).survey(
      {hostile_.host() + "/a/b", honest_.host() + "/a/b", hostile_.host() + "/a/c"});
  ASSERT_THAT(found.images, SizeIs(1));
  EXPECT_EQ(found.images[0].name, honest_.host() + "/a/b:1");
  // A list whose pages contain nothing new counts as ended.
  bool is_short = GetParam() == "EndlessEmptyPages";
  EXPECT_EQ(found.problems.empty(), is_short);
  for (const RegistryProblem& problem : found.problems) {
    EXPECT_TRUE(problem.repository.starts_with(hostile_.host())) << problem.text();
    expect_reason(problem.what);
  }
}

TEST_P(Hostile, AnImageIsNotFoundForAReason) {
  Registry registry(options());
  for (const std::string& name :
       {std::string("/a/b:1"), std::string("/a/b"), "/a/b@sha256:" + std::string(64, '1')}) {
    std::string why;
    EXPECT_FALSE(registry.find(hostile_.host() + name, why));
    expect_reason(why);
    if (is_slow()) break;
  }
  std::string why;
  EXPECT_TRUE(registry.find(honest_.host() + "/a/b:1", why)) << why;
}

TEST_P(Hostile, NamesAreFewAndCanBeShown) {
  RegistryAnswer answer = Registry(options()).names_beside(hostile_.host() + "/a/b:1");
  EXPECT_LE(answer.images.size(), 1500u);
  for (const std::string& image : answer.images) {
    EXPECT_EQ(printable(image), image);
    EXPECT_LT(image.size(), 300u);
  }
  if (!answer.problem.empty()) expect_reason(answer.problem);
}

INSTANTIATE_TEST_SUITE_P(Registries, Hostile, ::testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const auto& [name, answer] : hostilities()) names.push_back(name);
                           return names;
                         }()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace stagemake::test
