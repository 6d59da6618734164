// The user's folders.
#include "base/process/callers_environment.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>
#include <vector>

namespace stagemake {
namespace {

// Sets variables, and restores them at the end.
class CallersEnvironment : public testing::Test {
 protected:
  ~CallersEnvironment() override {
    for (const auto& [name, value] : before_)
      value.empty() ? ::unsetenv(name) : ::setenv(name, value.c_str(), 1);
  }
  void set(const char* name, const char* value) {
    before_.emplace_back(name, callers_variable(name));
    ::setenv(name, value, 1);
  }

 private:
  std::vector<std::pair<const char*, std::string>> before_;
};

TEST_F(CallersEnvironment, FoldersAreBelowTheirVariableElseBelowHome) {
  set("HOME", "/home/someone"), set("XDG_CACHE_HOME", ""), set("XDG_STATE_HOME", "/var/state");
  EXPECT_EQ(user_cache_folder(), "/home/someone/.cache/stagemake");
  EXPECT_EQ(user_state_folder(), "/var/state/stagemake");
}

TEST_F(CallersEnvironment, WithoutAHomeThereAreNoFolders) {
  set("HOME", ""), set("XDG_CACHE_HOME", ""), set("XDG_STATE_HOME", "");
  EXPECT_TRUE(user_cache_folder().empty());
  EXPECT_TRUE(user_state_folder().empty());
}

}  // namespace
}  // namespace stagemake
