// Images through a registry, and their descriptions: Debian's docker-registry, on a port of this machine.

#include "registry/registry.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/process/machine.h"
#include "base/process/subprocess.h"
#include "base/variables.h"
#include "registry/registry_bench.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class RealRegistry : public ::testing::Test {
 protected:
  void SetUp() override {
    if (find_program("docker-registry").empty())
      GTEST_SKIP() << "there is no docker-registry (apt-get install docker-registry)";
    fs::create_directories(folder_.path() / "docker");
  }
  // What `docker login` would write.
  void log_in(const std::string& host, const std::string& password = TestRegistry::kPassword) {
    write_file(folder_.path() / "docker/config.json",
               fmt::format(R"({{"auths": {{"{}": {{"auth": "{}"}}}}}})", host,
                           to_base64(std::string(TestRegistry::kUser) + ":" + password)));
  }
  void trust(const TestRegistry& registry) {
    fs::create_directories(folder_.path() / "certs" / registry.host());
    fs::copy_file(registry.certificate(), folder_.path() / "certs" / registry.host() / "ca.crt");
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  Variables variables_{{"DOCKER_CONFIG", (folder_.path() / "docker").string()},
                       {"STAGEMAKE_CERTS_D", (folder_.path() / "certs").string()},
                       {"REGISTRY_AUTH_FILE", ""},
                       {"XDG_RUNTIME_DIR", ""}};
  std::string why_;
};

TEST_F(RealRegistry, ASurveyReadsAllImagesOfItsRepositories) {
  TestRegistry registry(folder_.path());
  ImageDocuments docker = image_documents({.labels = {{"a", "\"1\"\n"}}, .is_oci = false});
  ImageDocuments oci = image_documents({.labels = {{"b", "2"}}, .architecture = "arm64", .created = ""});
  registry.put("one/image", "docker", docker);
  registry.put("one/image", "oci", oci);
  registry.put("two", "1", docker);

  RegistrySurvey survey =
      Registry({}).survey({registry.name("one/image"), registry.name("two"), registry.name("two")});
  EXPECT_THAT(survey.problems, IsEmpty());
  ASSERT_THAT(survey.images, SizeIs(3));
  const RegistryImage& first = survey.images[0];
  EXPECT_EQ(first.name, registry.name("one/image:docker"));
  EXPECT_EQ(first.digest, docker.digest());
  EXPECT_EQ(first.labels, (Labels{{"a", "\"1\"\n"}}));
  EXPECT_EQ(first.created, 1795337356);
  EXPECT_EQ(first.architecture, "amd64");
  EXPECT_EQ(first.size, std::string("a layer").size());
  ASSERT_THAT(first.layers, SizeIs(1));
  EXPECT_EQ(first.layers[0].digest, digest_of("a layer"));
  EXPECT_THAT(first.layer_ids, testing::ElementsAre(digest_of("a layer")));
  EXPECT_EQ(survey.images[1].name, registry.name("one/image:oci"));
  EXPECT_EQ(survey.images[1].created, 0);
  EXPECT_EQ(survey.images[1].architecture, "arm64");
  EXPECT_EQ(survey.images[2].name, registry.name("two:1"));
}

TEST_F(RealRegistry, OneImageIsFoundByItsTagOrDigest) {
  TestRegistry registry(folder_.path());
  ImageDocuments image = image_documents({.labels = {{"a", "1"}}});
  registry.put("some/image", "latest", image);
  Registry asked({});
  for (const std::string& name : {std::string("some/image"), std::string("some/image:latest"),
                                  "some/image@" + image.digest(), "some/image:gone@" + image.digest()}) {
    std::optional<RegistryImage> found = asked.find(registry.name(name), why_);
    ASSERT_TRUE(found) << name << ": " << why_;
    EXPECT_EQ(found->name, registry.name(name));
    EXPECT_EQ(found->digest, image.digest());
  }
  EXPECT_FALSE(asked.find(registry.name("some/image:2"), why_));
  EXPECT_EQ(why_, "it answered 404: manifest unknown");
  EXPECT_FALSE(asked.find(registry.name("Some/Image:2"), why_));
  EXPECT_THAT(why_, HasSubstr("is no name of an image"));
}

TEST_F(RealRegistry, ExistenceIsAskedWithoutAPull) {
  TestRegistry registry(folder_.path(), {.password = true});
  log_in(registry.host());
  ImageDocuments image = image_documents({});
  registry.put("some/image", "latest", image);
  Registry asked({});
  std::map<std::string, std::string> absences =
      asked.absences({registry.name("some/image"), registry.name("some/image@" + image.digest()),
                      registry.name("some/image:2"), registry.name("Some/Image")});
  EXPECT_EQ(absences[registry.name("some/image")], "");
  EXPECT_EQ(absences[registry.name("some/image@" + image.digest())], "");
  EXPECT_EQ(absences[registry.name("some/image:2")], "its registry does not have it");
  EXPECT_THAT(absences[registry.name("Some/Image")], HasSubstr("is no name of an image"));
}

TEST_F(RealRegistry, OfAnIndexTheImageForThisMachineIsTaken) {
  TestRegistry registry(folder_.path());
  ImageDocuments mine = image_documents({.labels = {{"for", "me"}}, .architecture = machine_architecture()});
  ImageDocuments other = image_documents({.architecture = "s390x"});
  registry.put("some/image", "mine", mine);
  registry.put("some/image", "other", other);
  std::string both = index_document({{machine_architecture(), mine}, {"s390x", other}});
  registry.put_manifest("some/image", "both", both);
  registry.put_manifest("some/image", "not-for-me", index_document({{"s390x", other}}));

  Registry asked({});
  std::optional<RegistryImage> found = asked.find(registry.name("some/image:both"), why_);
  ASSERT_TRUE(found) << why_;
  EXPECT_EQ(found->digest, mine.digest());
  EXPECT_EQ(found->index, digest_of(both));
  EXPECT_EQ(found->labels, (Labels{{"for", "me"}}));
  EXPECT_FALSE(asked.find(registry.name("some/image:not-for-me"), why_));
  EXPECT_EQ(why_, "it has no image for linux/" + machine_architecture());
}

TEST_F(RealRegistry, AMissingRepositoryIsOnlyAProblem) {
  TestRegistry registry(folder_.path());
  registry.put("one", "1", image_documents({}));
  RegistrySurvey survey = Registry({.tries = 1})
                              .survey({registry.name("none"), "127.0.0.1:9/refused", registry.name("one"),
                                       "debian", registry.name("one:1")});
  EXPECT_THAT(survey.images, SizeIs(1));
  ASSERT_THAT(survey.problems, SizeIs(4));
  EXPECT_EQ(survey.problems[0].text(),
            registry.name("none: it answered 404: repository name not known to registry"));
  EXPECT_THAT(survey.problems[1].text(), HasSubstr("refused: Failed to connect to 127.0.0.1 port 9: "))
      << "without the milliseconds: it must be the same for all repositories of a registry";
  EXPECT_EQ(survey.problems[2].text(), "debian: the name has no registry");
  EXPECT_EQ(survey.problems[3].what, "the name must not have a tag");
}

TEST_F(RealRegistry, APasswordIsTakenFromDockersConfiguration) {
  TestRegistry registry(folder_.path(), {.password = true});
  registry.put("private", "1", image_documents({.labels = {{"a", "1"}}}));
  std::string name = registry.name("private:1");
  EXPECT_FALSE(Registry({}).find(name, why_));
  EXPECT_EQ(why_, "it requires a login, and none is configured for it");

  log_in(registry.host(), "wrong");
  EXPECT_FALSE(Registry({}).find(name, why_));
  EXPECT_EQ(why_, "it refuses the login");

  log_in(registry.host());
  EXPECT_TRUE(Registry({}).find(name, why_)) << why_;
  RegistrySurvey survey = Registry({}).survey({registry.name("private")});
  EXPECT_THAT(survey.images, SizeIs(1));
  EXPECT_THAT(survey.problems, IsEmpty());
}

TEST_F(RealRegistry, TlsAndAPassword) {
  if (find_program("openssl").empty()) GTEST_SKIP() << "there is no openssl program";
  TestRegistry registry(folder_.path(), {.password = true, .tls = true});
  registry.put("private", "1", image_documents({.labels = {{"a", "1"}}}));
  log_in("https://" + registry.host() + "/v2/");
  EXPECT_FALSE(Registry({}).find(registry.name("private:1"), why_));
  EXPECT_THAT(why_, HasSubstr("certificate"));

  trust(registry);
  RegistrySurvey survey = Registry({}).survey({registry.name("private")});
  EXPECT_THAT(survey.images, SizeIs(1));
  EXPECT_THAT(survey.problems, IsEmpty());
}

TEST_F(RealRegistry, ConfigsAreKeptByTheirDigestAndNotBelievedBlindly) {
  TestRegistry registry(folder_.path());
  ImageDocuments image = image_documents({.labels = {{"a", "1"}}});
  registry.put("some/image", "1", image);
  RegistryOptions options{.cache = folder_.path() / "cache/configs"};
  ASSERT_TRUE(Registry(options).find(registry.name("some/image:1"), why_)) << why_;
  fs::path kept = options.cache / digest_of(image.config).substr(7);
  EXPECT_EQ(read_file(kept), image.config);

  // With it, the registry is not asked for the config ...
  fs::remove(registry.blob(digest_of(image.config)));
  EXPECT_TRUE(Registry(options).find(registry.name("some/image:1"), why_)) << why_;
  // ... unless the file was changed.
  write_file(kept, "{}");
  EXPECT_FALSE(Registry(options).find(registry.name("some/image:1"), why_));
  EXPECT_FALSE(fs::exists(kept));
}

TEST_F(RealRegistry, MoreImagesThanAllowedAreCutAndSaid) {
  TestRegistry registry(folder_.path());
  for (int i = 0; i < 4; ++i) registry.put("some/image", fmt::format("{}", i), image_documents({}));
  RegistrySurvey survey = Registry({.most_images = 3}).survey({registry.name("some/image")});
  EXPECT_THAT(survey.images, SizeIs(3));
  ASSERT_THAT(survey.problems, SizeIs(1));
  EXPECT_EQ(survey.problems[0].what, "there are more than 3 images; the rest is ignored");
}

TEST_F(RealRegistry, NoAnswerIsAnAnswerToo) {
  Registry asked({.tries = 1});
  RegistryAnswer refused = asked.names_beside("127.0.0.1:9/nothing/there:1");
  EXPECT_THAT(refused.images, IsEmpty());
  EXPECT_THAT(refused.problem, HasSubstr("connect"));
  EXPECT_EQ(asked.names_beside("debian:bookworm").problem, "the name has no registry");
  EXPECT_EQ(asked.names_beside("library/debian:bookworm").problem, "the name has no registry");
}

}  // namespace
}  // namespace stagemake::test
