// Podman: how it differs from docker, without running a container, because many machines (containers, CI
// runners) do not let podman run one.

#include <stdlib.h>

#include <nlohmann/json.hpp>

#include "base/process/subprocess.h"
#include "engine/conformance.h"
#include "engine/docker_cli/docker_cli_engine.h"
#include "engine/docker_cli/docker_cli_program.h"

namespace stagemake::test {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class Podman : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "with root's storage only";
    if (find_program("podman").empty()) GTEST_SKIP() << "there is no podman";
    if (find_program("busybox").empty()) GTEST_SKIP() << "there is no busybox for its base image";
    std::string why;
    if (bench("buildah", why) == nullptr) GTEST_SKIP() << "shares the test storage of buildah: " << why;
  }
  // The storage is buildah's, and so is the base image.
  DockerCliEngine engine_{podman_dialect()};
};

TEST_F(Podman, CommitsLabelsConfigurationAndFilesAsTheOthersDo) {
  Labels labels = odd_labels();
  std::string odd = labels["t.lines"];
  engine_.create({"podman-1", kBase, {{"t.lines", odd}}});
  ASSERT_THAT(engine_.list_containers("t.lines", odd), SizeIs(1));
  EXPECT_EQ(engine_.list_containers("t.lines", odd)[0].name, "podman-1");
  fs::path tar = scratch() / "podman.tar";
  TarWriter writer(tar);
  writer.add_content("new/a b", "content", 0640, 1'234'567'890);
  writer.close();
  engine_.copy_in("podman-1", tar);
  for (bool squash : {false, true}) {
    std::string id =
        engine_.commit("podman-1", {.names = {"podman-image:1"}, .labels = labels, .squash = squash});
    std::optional<ImageInfo> info = engine_.find_image("podman-image:1");
    ASSERT_TRUE(info);
    EXPECT_EQ(info->id, id);
    EXPECT_THAT(info->names, ElementsAre("podman-image:1"));
    EXPECT_EQ(info->digest, "");
    EXPECT_EQ(info->layers == 1, squash);
    expect_labels(info->labels, labels);
    nlohmann::json found =
        nlohmann::json::parse(must_run({"podman", "image", "inspect", id})).at(0).at("Config");
    EXPECT_EQ(found.at("Cmd"), nlohmann::json({"/bin/sh"}));
    EXPECT_FALSE(found.contains("Entrypoint"));
    EXPECT_EQ(found.at("Env").dump().find("podman"), std::string::npos) << found.at("Env");
  }
  engine_.create({"podman-2", "podman-image:1", {}});
  std::optional<std::string> out = engine_.copy_out("podman-2", "/new/a b");
  ASSERT_TRUE(out);
  std::vector<TarEntry> entries = read_tar(*out);
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].name, "a b");
  EXPECT_EQ(entries[0].content, "content");
  EXPECT_EQ(entries[0].time, 1'234'567'890);
  EXPECT_EQ(engine_.copy_out("podman-2", "/not/there"), std::nullopt);
  EXPECT_FALSE(engine_.remove_image("podman-image:1"));
  for (const char* container : {"podman-1", "podman-2", "podman-not-there"})
    engine_.remove_container(container);
  EXPECT_TRUE(engine_.remove_image("podman-image:1"));
  EXPECT_TRUE(engine_.remove_image("podman-image:1")) << "absent is fine";
  EXPECT_EQ(engine_.find_image("podman-image:1"), std::nullopt);
}

TEST_F(Podman, AContainerThatCannotStartIsAnEngineError) {
  if (DockerCliProgram(podman_dialect()).examine().usable) GTEST_SKIP() << "podman runs containers here";
  EXPECT_THROW(engine_.probe(), EngineError);
  engine_.create({"podman-3", kBase, {}});
  EXPECT_THROW(engine_.run("podman-3", "true", {}, {.grace = kGrace}), EngineError);
  engine_.remove_container("podman-3");
}

}  // namespace
}  // namespace stagemake::test
