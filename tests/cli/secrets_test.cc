// What a caller's secrets leave in files and in output: nothing.
#include <gmock/gmock.h>

#include "base/error.h"
#include "base/variables.h"
#include "cli/called.h"
#include "cli/empty_docker.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kTree =
    "zlib standard 1.2\n"
    "_prereq/distros/debian.txt = gcc\n"
    "_bootstrap/distros/debian.txt = autoconf\n"
    "/ci-docker.toml = environments = [\"debian-bookworm-minimal\"]\n"
    "/build/make/Makefile.in = TOOLCHAIN = tool\n"
    "/VERSION.txt = Small version 1.0, released today\n"
    "/bootstrap = #!/bin/sh\n";

class Secrets : public testing::Test {
 protected:
  Secrets() : tree_(kTree), work_(fs::temp_directory_path()) {
    variables_.set("STAGEMAKE_DOCKER", test::write_empty_docker(work_.path()).string());
    variables_.set("HOME", (work_.path() / "home").string());
    variables_.set("XDG_CACHE_HOME", (work_.path() / "cache").string());
    variables_.set("XDG_RUNTIME_DIR", (work_.path() / "runtime").string());
    variables_.set("TOX_ENV_NAME", "docker-debian-bookworm-minimal");
    variables_.set("TOX_ENV_DIR", (work_.path() / "envdir").string());
    variables_.set("GITHUB_TOKEN", "s3cret");
    variables_.set("http_proxy", "http://user:s3cret@proxy:3128");
    variables_.set(
        "EXTRA_DOCKER_BUILD_ARGS",
        "--build-arg http_proxy --build-arg HTTPS_PROXY=user:s3cret@proxy:3128 --build-arg GITHUB_TOKEN "
        "--build-arg EXTRA_CONFIGURE_ARGS='--with-url=https://user:s3cret@host/x --with-token=s3cret'");
    kept_.set("DOCKER_CONFIG", "/nowhere");
  }

  // `has_engine`: the command has options about engines.
  test::Called call(std::vector<std::string> words, bool has_engine) {
    words.emplace_back("--tree");
    words.push_back(tree_.path().string());
    if (has_engine)
      for (const std::string& word : {std::string("--engine"), std::string("docker"), std::string("--state"),
                                      (work_.path() / "state").string()})
        words.push_back(word);
    return test::call_stagemake(std::move(words));
  }

  // Files that contain the secret.
  std::vector<std::string> telling() const {
    std::vector<std::string> found;
    for (fs::recursive_directory_iterator at(work_.path()), end; at != end; ++at) {
      if (!fs::is_regular_file(at->symlink_status()) || at->path().filename() == "docker") continue;
      if (read_file(at->path()).value_or("").find("s3cret") != std::string::npos)
        found.push_back(at->path().string());
    }
    return found;
  }

  TreeText tree_;
  TemporaryFolder work_;
  test::Variables kept_{};  // be_the_person() of `tox` sets some
  test::Variables variables_{};
};

TEST_F(Secrets, OfToxAreInNoFileAndNoLine) {
  test::Called called = call({"tox"}, true);
  EXPECT_NE(called.status, 0) << "there is no base image";
  EXPECT_TRUE(fs::exists(work_.path() / "envdir/Dockerfile")) << called.errors;
  EXPECT_TRUE(fs::exists(work_.path() / "state")) << called.errors;
  EXPECT_THAT(telling(), IsEmpty());
  EXPECT_THAT(called.output, Not(HasSubstr("s3cret")));
  EXPECT_THAT(called.errors, Not(HasSubstr("s3cret")));
  EXPECT_THAT(read_file(work_.path() / "envdir/Dockerfile").value(),
              HasSubstr("\nARG EXTRA_CONFIGURE_ARGS\n"));
}

TEST_F(Secrets, OfOtherCommandsAreNotShown) {
  for (const char* command : {"dockerfile", "repro", "env", "plan", "explain"}) {
    for (bool json : {false, true}) {
      std::string name = command;
      if (json && (name == "dockerfile" || name == "repro")) continue;
      std::vector<std::string> words{name, "debian-bookworm-minimal"};
      if (json) words.emplace_back("--json");
      test::Called called = call(words, name == "repro" || name == "explain");
      EXPECT_EQ(called.status, 0) << name << called.errors;
      EXPECT_THAT(called.output, Not(HasSubstr("s3cret"))) << name;
      EXPECT_THAT(called.errors, Not(HasSubstr("s3cret"))) << name;
    }
  }
  EXPECT_THAT(telling(), IsEmpty());
}

}  // namespace
}  // namespace stagemake
