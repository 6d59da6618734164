#include "cli/engine_choice.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

// A machine with a buildah that works, as far as these tests ask, and docker and podman that do not.
class EngineChoice : public testing::Test {
 protected:
  EngineChoice() {
    fs::path buildah = folder_.path() / "buildah";
    write_file(buildah, "#!/bin/sh\ncase $1 in version) echo '{\"version\": \"1\"}' ;; esac\n");
    fs::permissions(buildah, fs::owner_all);
    set("STAGEMAKE_DOCKER", "/not/there/docker");
    set("STAGEMAKE_PODMAN", "/not/there/podman");
    set("STAGEMAKE_BUILDAH", buildah.string());
  }
  ~EngineChoice() override {
    for (const auto& [name, value] : saved_)
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
  void set(const char* name, const std::string& value) {
    const char* before = std::getenv(name);
    saved_.emplace(name, before == nullptr ? std::nullopt : std::optional<std::string>(before));
    ::setenv(name, value.c_str(), 1);
  }
  std::string chosen(const Options& options = {}) {
    try {
      return choose_engine(options, state_)->name();
    } catch (const EngineError& error) {
      EXPECT_EQ(error.status(), ExitStatus::EngineUnusable);
      return error.what();
    }
  }

  std::map<std::string, std::optional<std::string>> saved_;
  TemporaryFolder folder_{fs::temp_directory_path()};
  StateFolder state_{folder_.path() / "state", "/a/tree"};
};

TEST_F(EngineChoice, IsAutomaticForATreeThatWasNeverBuilt) {
  EXPECT_EQ(chosen(), "buildah");
  EXPECT_THAT(remember_engine({}, state_, "buildah"), HasSubstr("using buildah"));
  EXPECT_EQ(remember_engine({}, state_, "buildah"), "") << "said once";
}

TEST_F(EngineChoice, StaysWithTheTree) {
  EXPECT_EQ(remember_engine({.engine = EngineKind::Docker}, state_, "docker"), "") << "they said so";
  EXPECT_THAT(chosen(), AllOf(HasSubstr("/not/there/docker"), HasSubstr("this tree is built with docker"),
                              HasSubstr("--engine NAME")));
}

TEST_F(EngineChoice, IsMovedByAWord) {
  remember_engine({.engine = EngineKind::Docker}, state_, "docker");
  EXPECT_EQ(chosen({.engine = EngineKind::Buildah}), "buildah");
  EXPECT_EQ(remember_engine({.engine = EngineKind::Buildah}, state_, "buildah"), "");
  EXPECT_EQ(chosen(), "buildah") << "and stays there";
}

TEST_F(EngineChoice, IsAutomaticWhereTheFileIsDamaged) {
  write_file(state_.engine(), "rubbish\n");
  EXPECT_EQ(chosen(), "buildah");
}

}  // namespace
}  // namespace stagemake
