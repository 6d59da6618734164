// Images that are broken, or have labels that no command line can hold: only these images are affected.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/variables.h"
#include "engine/buildah/buildah_engine.h"
#include "engine/docker_cli/docker_cli_engine.h"
#include "engine/engine_error.h"

namespace stagemake::test {
namespace {

using ::testing::HasSubstr;

// A minimal docker: two images, one of them broken.
class StrangeImages : public testing::Test {
 protected:
  void answers(const std::string& inspecting) {
    write_file(program_,
               "#!/bin/sh\necho \"$@\" >> \"$0.calls\"\ncase $1 in\n"
               "  images) printf 'sha256:aa\\nsha256:bb\\n' ;;\n"
               "  version) echo 1 ;;\n"
               "  image) " +
                   inspecting + " ;;\nesac\n");
    fs::permissions(program_, fs::owner_all);
  }
  TemporaryFolder folder_{fs::temp_directory_path()};
  std::string program_ = (folder_.path() / "docker").string();
  Variables variables_{{"STAGEMAKE_DOCKER", program_}, {"STAGEMAKE_BUILDAH", program_}};
};

TEST_F(StrangeImages, ABrokenOneTakesNothingButItselfAway) {
  const std::string good =
      R"(echo '[{"Id": "sha256:bb", "Size": -7, "RepoTags": ["x:1", 3], "Config": {"Labels": {"l": "1"}}}]')";
  const std::string deep = "printf '[%0100000d' 0 | tr 0 '['";
  for (const std::string& bad :
       {std::string("echo layer does not exist >&2; exit 1"), deep, std::string("echo no JSON")}) {
    answers("case \"$*\" in *aa*) " + bad + " ;; *) " + good + " ;; esac");
    std::vector<ImageInfo> images = DockerCliEngine(docker_dialect()).list_images("l", "1");
    ASSERT_EQ(images.size(), 2u) << bad;
    EXPECT_EQ(images[0].id, "sha256:aa");
    EXPECT_NE(images[0].problem, "");
    EXPECT_EQ(images[1].id, "sha256:bb");
    EXPECT_EQ(images[1].problem, "");
    EXPECT_EQ(images[1].names, std::vector<std::string>{"x:1"});
    EXPECT_EQ(images[1].size, 0u) << "a size that cannot be";
  }
}

TEST_F(StrangeImages, LabelsThatNoCommandLineTakesAreRefusedEarly) {
  answers("true");
  DockerCliEngine engine(docker_dialect());
  const Labels long_label = {{"l", std::string(270'000, 'x')}};
  EXPECT_THAT(message_of([&] { engine.create({.name = "c", .image = "i", .labels = long_label}); }),
              HasSubstr("docker create: its label l has 270.0 kB"));
  EXPECT_THAT(message_of([&] { engine.commit("c", {.labels = long_label}); }),
              HasSubstr("docker commit: its label l has 270.0 kB"));
  EXPECT_THAT(message_of([&] { BuildahEngine().create({.name = "c", .image = "i", .labels = long_label}); }),
              HasSubstr("buildah from: its label l has 270.0 kB"));
  EXPECT_THAT(message_of([&] { BuildahEngine().commit("c", {.labels = long_label}); }),
              HasSubstr("buildah commit: its label l has 270.0 kB"));
  EXPECT_FALSE(read_file(program_ + ".calls")) << "nothing was begun";
}

// An import discards all labels, including foreign labels of the base image.
TEST_F(StrangeImages, LongForeignLabelsDoNotStopAnImport) {
  std::string label(270'000, 'x');
  write_file(folder_.path() / "container",
             R"([{"Image": "sha256:aa", "Config": {"Labels": {"long": ")" + label + R"(", "short": "s"}}}])");
  write_file(program_,
             "#!/bin/sh\ncase $1 in\n  inspect) cat \"${0%/*}/container\" ;;\n"
             "  image) echo '[{\"Config\": {}}]' ;;\n  import) cat >/dev/null\n"
             "    for word; do echo \"$word\" >> \"$0.import\"; done; echo sha256:cc ;;\nesac\n");
  fs::permissions(program_, fs::owner_all);
  EXPECT_EQ(DockerCliEngine(docker_dialect()).commit("c", {.labels = {{"ours", "o"}}, .squash = true}),
            "sha256:cc");
  std::string said = read_file(program_ + ".import").value_or("");
  EXPECT_THAT(said, HasSubstr("LABEL \"ours\"=\"o\""));
  EXPECT_THAT(said, HasSubstr("LABEL \"short\"=\"s\""));
  EXPECT_EQ(said.find("long"), std::string::npos);
}

}  // namespace
}  // namespace stagemake::test
