// --network and its variables.
#include "cli/options/network_options.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include "base/error.h"

namespace stagemake {
namespace {

using testing::HasSubstr;

class NetworkOptions : public testing::Test {
 protected:
  NetworkOptions() {
    for (const char* name :
         {"CI", "GITHUB_EVENT_NAME", "CI_PIPELINE_SOURCE", "STAGEMAKE_NETWORK", "EXTRA_DOCKER_BUILD_ARGS"}) {
      const char* value = ::getenv(name);
      saved_.emplace_back(name, value == nullptr ? std::optional<std::string>() : value);
      ::unsetenv(name);
    }
    table_ = built_in_stages({});
    table_.stages.front().network = Network::Host;
    table_.is_of_tree = true;
  }
  ~NetworkOptions() override {
    for (const auto& [name, value] : saved_)
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
  Options parse(std::vector<std::string> words) {
    words.insert(words.begin(), "stagemake");
    std::vector<const char*> argv;
    for (const std::string& word : words) argv.push_back(word.c_str());
    return parse_options(static_cast<int>(argv.size()), argv.data()).options;
  }
  Network of_first(const Options& options) {
    return network_choices(options, table_, {"debian-12-minimal"})
        .of(table_.stages.front(), "debian-12-minimal");
  }

  StageTable table_;
  std::vector<std::pair<std::string, std::optional<std::string>>> saved_;
};

TEST_F(NetworkOptions, OptionsAreStrongerThanVariablesAndThoseThanTheTable) {
  EXPECT_EQ(of_first(parse({"build", "x"})), Network::Host);
  ::setenv("EXTRA_DOCKER_BUILD_ARGS", "--network default", 1);
  EXPECT_EQ(of_first(parse({"build", "x"})), Network::Default);
  ::setenv("STAGEMAKE_NETWORK", "none", 1);
  for (const char* command : {"build", "repro", "plan"})
    EXPECT_EQ(of_first(parse({command, "x"})), Network::None);
  EXPECT_EQ(of_first(parse({"tox"})), Network::None);
  EXPECT_EQ(of_first(parse({"tox", "--network", "host", "build"})), Network::Host);
  EXPECT_EQ(of_first(parse({"build", "--network", "debian-*=host", "x"})), Network::Host);
  EXPECT_EQ(of_first(parse({"repro", "--network=default", "x"})), Network::Default);
}

TEST_F(NetworkOptions, ASlipWouldLeaveANetworkOpen) {
  try {
    network_choices(parse({"build", "--network", "with-sistem-packages=none", "x"}), table_,
                    {"debian-12-minimal"});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    EXPECT_THAT(error.what(), HasSubstr("did you mean with-system-packages?"));
  }
  ::setenv("STAGEMAKE_NETWORK", "fedora-*=host", 1);  // the pattern may be meant for other commands
  EXPECT_EQ(of_first(parse({"build", "x"})), Network::Host);
}

TEST_F(NetworkOptions, ATableOfAPullRequestOpensNoHost) {
  ::setenv("CI", "true", 1);
  ::setenv("GITHUB_EVENT_NAME", "push", 1);
  EXPECT_EQ(of_first(parse({"build", "x"})), Network::Host);
  for (const char* event : {"pull_request", "pull_request_target"}) {
    ::setenv("GITHUB_EVENT_NAME", event, 1);
    EXPECT_EQ(of_first(parse({"build", "x"})), Network::Default) << event;
  }
  EXPECT_EQ(of_first(parse({"build", "--network", "host", "x"})), Network::Host)
      << "the person that runs it may";
  table_.is_of_tree = false;
  EXPECT_EQ(of_first(parse({"build", "x"})), Network::Host) << "--stages names a table of the person's";
  table_.is_of_tree = true;
  ::unsetenv("GITHUB_EVENT_NAME");
  ::setenv("CI_PIPELINE_SOURCE", "merge_request_event", 1);
  EXPECT_EQ(of_first(parse({"build", "x"})), Network::Default);
}

}  // namespace
}  // namespace stagemake
