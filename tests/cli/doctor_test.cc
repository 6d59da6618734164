// What `stagemake doctor` says of base images: in an engine, in a registry, nowhere.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/files.h"
#include "base/variables.h"
#include "cli/called.h"
#include "registry/http_server.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kTree =
    "tool standard 1\n"
    "_prereq/distros/debian.txt = gcc\n"
    "/ci-docker.toml = environments = [\"debian-bookworm-minimal\", \"debian-bookworm-standard\"]\n"
    "/build/make/Makefile.in = TOOLCHAIN = tool\n"
    "/VERSION.txt = Small version 1.0, released today\n";

// A docker that has one image, "here:1".
constexpr std::string_view kDocker =
    "#!/bin/sh\n"
    "case \"$1 $3\" in\n"
    "  version*) echo '{\"Server\": {\"Version\": \"1\"}}' ;;\n"
    "  images*|ps*) ;;\n"
    "  'image here:1') echo '[{\"Id\": \"sha256:1\", \"RepoTags\": [\"here:1\"]}]' ;;\n"
    "  image*) echo \"Error: No such image: $3\" >&2; exit 1 ;;\n"
    "  *) echo \"not expected: $*\" >&2; exit 1 ;;\n"
    "esac\n";

class Doctor : public testing::Test {
 protected:
  Doctor() {
    for (const char* name : {"HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG"})
      variables_.set(name, (work_.path() / name).string());
    for (const char* name : {"STAGEMAKE_PODMAN", "STAGEMAKE_BUILDAH"}) variables_.set(name, "/not/there");
    variables_.set("STAGEMAKE_ENGINE", "");
    fs::path docker = work_.path() / "docker";
    write_file(docker, kDocker);
    ::chmod(docker.c_str(), 0755);
    variables_.set("STAGEMAKE_DOCKER", docker.string());
  }

  std::string call(std::vector<std::string> words) {
    words.insert(words.begin(), "doctor");
    words.insert(words.end(),
                 {"--tree", tree_.path().string(), "--state", (work_.path() / "state").string()});
    test::Called called = test::call_stagemake(std::move(words));
    status_ = called.status;
    return called.output + called.errors;
  }

  TreeText tree_{kTree};
  TemporaryFolder work_{fs::temp_directory_path()};
  test::Variables variables_{};
  test::HttpServer registry_{[](const test::ServerRequest& request) -> test::ServerReply {
    bool is_there = request.method == "HEAD" && request.target == "/v2/there/manifests/1";
    return {.status = is_there ? 200 : 404};
  }};
  int status_ = -1;
};

TEST_F(Doctor, WithoutEnvironmentsNoTreeIsRead) {
  tree_.remove("VERSION.txt");
  EXPECT_THAT(call({}), Not(HasSubstr("base images")));
}

TEST_F(Doctor, ABaseImageMayBeHere) {
  EXPECT_THAT(
      call({"debian-bookworm-*", "--base-image", "here:1"}),
      HasSubstr("\nbase images for docker:\n  here:1  is on this machine, for debian-bookworm-minimal, "
                "debian-bookworm-standard\n"));
  EXPECT_TRUE(registry_.requests().empty());
}

TEST_F(Doctor, ABaseImageMayBeInItsRegistry) {
  EXPECT_THAT(
      call({"debian-bookworm-minimal", "--base-image", registry_.host() + "/there:1"}),
      AllOf(HasSubstr("/there:1  is in its registry: a build pulls it, for"), Not(HasSubstr("mmdebstrap"))));
}

TEST_F(Doctor, AMissingBaseImageIsAFinding) {
  std::string name = registry_.host() + "/gone:1";
  EXPECT_THAT(call({"debian-bookworm-minimal", "--base-image", name}),
              AllOf(HasSubstr("/gone:1  is not on this machine: its registry does not have it, for "
                              "debian-bookworm-minimal\n"),
                    HasSubstr("--base-image IMAGE uses another one"), HasSubstr("docker import base.tar")));
  EXPECT_EQ(status_, static_cast<int>(ExitStatus::EngineUnusable));
  nlohmann::json base = nlohmann::json::parse(
      call({"debian-bookworm-minimal", "--base-image", name, "--json"}))["base_images"][0];
  EXPECT_EQ(base["name"], name);
  EXPECT_EQ(base["here"], false);
  EXPECT_EQ(base["in_registry"], false);
  EXPECT_EQ(base["problem"], "its registry does not have it");
}

}  // namespace
}  // namespace stagemake
