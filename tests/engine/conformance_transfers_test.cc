// Transferring images to registries and from them.
#include <fcntl.h>

#include "base/files/descriptor.h"
#include "base/process/subprocess.h"
#include "engine/conformance.h"
#include "registry/registry.h"
#include "registry/registry_bench.h"

namespace stagemake::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_P(Conformance, ImagesGoThroughARegistry) {
  if (GetParam() != "fake" && find_program("docker-registry").empty())
    GTEST_SKIP() << "there is no docker-registry (apt-get install docker-registry)";
  TestRegistry registry(scratch());
  Transfer absent = engine().pull(registry.name("not/there:1"));
  EXPECT_FALSE(absent.ok);
  EXPECT_THAT(absent.why, Not(IsEmpty()));

  std::string container = create(kBase, {{"t.odd", "\"a\"\n$b"}});
  run(container, "echo content >/file");
  std::string name = registry.name("some/image:1");
  std::string id = engine().commit(container, {.names = {name}});
  engine().remove_container(container);
  Transfer pushed = engine().push(name);
  EXPECT_TRUE(pushed.ok) << pushed.why;
  EXPECT_TRUE(engine().remove_image(name));
  EXPECT_EQ(engine().find_image(id), std::nullopt);
  Transfer pulled = engine().pull(name);
  ASSERT_TRUE(pulled.ok) << pulled.why;
  std::optional<ImageInfo> info = engine().find_image(name);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->labels["t.odd"], "\"a\"\n$b");
  EXPECT_EQ(info->digest, pushed.digest);
  if (GetParam() != "fake") {  // its registry is not a real one
    EXPECT_THAT(Registry({}).names_beside(registry.name("some/image:2")).images, ElementsAre(name));
    EXPECT_THAT(Registry({}).names_beside(registry.name("some/other:1")).images,
                ElementsAre(registry.name("some/image")));
    RegistryAnswer elsewhere = Registry({}).names_beside(registry.name("else/where:1"));
    EXPECT_THAT(elsewhere.images, IsEmpty());
    EXPECT_EQ(elsewhere.problem, "");
  }
  EXPECT_EQ(content(name, "/file"), "content\n");
}

// An engine reads what it wrote itself, as another one of its kind would.
TEST_P(Conformance, ImagesAreSavedAndLoaded) {
  if (GetParam() == "buildah" || GetParam() == "docker_cli")
    GTEST_SKIP() << "only docker by its socket can send images";
  fs::path file = scratch() / "image.tar";
  auto saved = [&](const std::string& image) {
    Descriptor to(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    engine().save_image(image, to.get());
  };
  auto load = [&] {
    Descriptor from(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    engine().load_image(from.get());
  };
  std::string container = create(kBase, {{"t.odd", "\"a\"\n$b"}});
  run(container, "echo content >/file");
  std::string name = "some/image:1";
  std::string id = engine().commit(container, {.names = {name}});
  engine().remove_container(container);
  for (const std::string& asked : {id, name}) {
    saved(asked);
    EXPECT_TRUE(engine().remove_image(engine().find_image(name) ? name : id));
    ASSERT_FALSE(engine().find_image(id));
    load();
    std::optional<ImageInfo> info = engine().find_image(id);
    ASSERT_TRUE(info) << asked;
    EXPECT_EQ(info->labels["t.odd"], "\"a\"\n$b");
    if (asked == name) EXPECT_THAT(info->names, ElementsAre(name));
    engine().tag(id, name);
  }
  std::string whole = read_file(file).value_or("");
  EXPECT_TRUE(engine().remove_image(name));
  fs::resize_file(file, fs::file_size(file) / 2);
  EXPECT_THROW(load(), EngineError);
  EXPECT_FALSE(engine().find_image(id)) << "half an image is none";
  write_file(file, whole);
  load();
  EXPECT_EQ(content(id, "/file"), "content\n");
  EXPECT_THROW(saved("nowhere/image:1"), EngineError);
}

TEST_P(Conformance, ARegistryThatDoesNotAnswerIsAnAnswer) {
  if (GetParam() == "buildah") GTEST_SKIP() << "buildah tries for 6 seconds before it gives up";
  Transfer pulled = engine().pull("127.0.0.1:9/nothing/there:1");
  EXPECT_FALSE(pulled.ok);
  EXPECT_THAT(pulled.why, Not(IsEmpty()));
}

TEST_P(Conformance, ImagesComeByTheirDigest) {
  if (GetParam() != "fake" && find_program("docker-registry").empty())
    GTEST_SKIP() << "there is no docker-registry (apt-get install docker-registry)";
  TestRegistry registry(scratch());
  std::string name = registry.name("some/image:1");
  std::string container = create(kBase, {{"t.which", "first"}});
  run(container, "echo first >/file");
  std::string id = engine().commit(container, {.names = {name}});
  Transfer pushed = engine().push(name);
  ASSERT_TRUE(pushed.ok) << pushed.why;
  EXPECT_EQ(pushed.digest.size(), 71u);
  if (GetParam() != "fake") {
    EXPECT_EQ(pushed.digest, registry.digest("some/image", "1"));
  }
  if (GetParam() != "buildah") {  // it knows the digest of its local form
    EXPECT_EQ(engine().find_image(name)->digest, pushed.digest);
  }

  // The name moves to another image; the digest does not.
  run(container, "echo second >/file");
  engine().commit(container, {.names = {name}, .labels = {{"t.which", "second"}}});
  Transfer moved = engine().push(name);
  ASSERT_TRUE(moved.ok) << moved.why;
  EXPECT_NE(moved.digest, pushed.digest);
  engine().remove_container(container);
  engine().remove_image(name);
  engine().remove_image(id);
  ASSERT_FALSE(engine().find_image(id));

  std::string reference = registry.name("some/image@" + pushed.digest);
  EXPECT_EQ(engine().find_image(reference), std::nullopt);
  Transfer pulled = engine().pull(reference);
  ASSERT_TRUE(pulled.ok) << pulled.why;
  EXPECT_EQ(pulled.digest, pushed.digest);
  std::optional<ImageInfo> info = engine().find_image(reference);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->labels["t.which"], "first");
  EXPECT_EQ(info->digest, pushed.digest);
  EXPECT_THAT(info->names, IsEmpty()) << "a digest is no name";
  std::string here = unique("here") + ":1";
  engine().tag(reference, here);
  EXPECT_THAT(engine().find_image(reference)->names, ElementsAre(here));
  EXPECT_EQ(engine().find_image(here)->digest, pushed.digest);
  EXPECT_EQ(content(here, "/file"), "first\n");
  EXPECT_TRUE(engine().pull(reference).ok) << "once more";
  EXPECT_FALSE(engine().pull(registry.name("some/image@sha256:" + std::string(64, '1'))).ok);
}

TEST_P(Conformance, ARefusedPushSaysWhy) {
  Transfer absent = engine().push("127.0.0.1:9/not/here:1");  // that registry is not contacted
  EXPECT_FALSE(absent.ok);
  EXPECT_THAT(absent.why, Not(IsEmpty()));
  if (GetParam() == "fake") return;
  if (find_program("docker-registry").empty())
    GTEST_SKIP() << "there is no docker-registry (apt-get install docker-registry)";
  TestRegistry registry(scratch(), {.password = true});
  std::string name = registry.name("some/image:1");
  engine().tag(kBase, name);
  Transfer refused = engine().push(name);
  EXPECT_FALSE(refused.ok);
  EXPECT_THAT(refused.why, ::testing::AnyOf(HasSubstr("no basic auth credentials"),
                                            HasSubstr("authentication required"), HasSubstr("unauthorized")));
  EXPECT_FALSE(engine().pull(name).ok);
  engine().remove_image(name);
}

}  // namespace
}  // namespace stagemake::test
