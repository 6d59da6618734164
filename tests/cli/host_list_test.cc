// --hosts and files with hosts.
#include "cli/options/host_list.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/files/files.h"

namespace stagemake {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& text) {
  try {
    host_list(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    return error.what();
  }
  return "it is accepted";
}

TEST(HostList, NamesPlacesAndSettings) {
  std::vector<HostSpec> hosts =
      host_list("big=ssh://me@builder1,slots=32,memory=64G,small=tcp://b:2376,jobs=3,c=work");
  ASSERT_EQ(hosts.size(), 3u);
  EXPECT_EQ(hosts[0].name, "big");
  EXPECT_EQ(hosts[0].place, "ssh://me@builder1");
  EXPECT_EQ(hosts[0].slots, 32u);
  EXPECT_EQ(hosts[0].memory, 64'000'000'000u);
  EXPECT_FALSE(hosts[0].at_once);
  EXPECT_EQ(hosts[1].at_once, 3u);
  EXPECT_FALSE(hosts[1].slots);
  EXPECT_EQ(hosts[2].place, "work");
}

TEST(HostList, AFileHasALinePerHostAndComments) {
  TemporaryFolder folder("hosts");
  write_file(folder.path() / "hosts",
             "# ours\nbig=ssh://builder1  slots=4\r\n\n  small=unix:///run/d.sock # here\n");
  std::vector<HostSpec> hosts = host_list("@" + (folder.path() / "hosts").string());
  ASSERT_EQ(hosts.size(), 2u);
  EXPECT_EQ(hosts[0].slots, 4u);
  EXPECT_EQ(hosts[1].place, "unix:///run/d.sock");
}

TEST(HostList, FaultsNameTheirPlace) {
  TemporaryFolder folder("hosts");
  std::string file = (folder.path() / "hosts").string();
  write_file(file, "a=ssh://x\nb = y\na=ssh://z\n");
  std::string all = refusal("@" + file);
  EXPECT_THAT(all, HasSubstr(file + ":2: b is not a host"));
  EXPECT_THAT(all, HasSubstr(file + ":3: the host a occurs twice"));
  EXPECT_THAT(refusal("@" + file + "-missing"), HasSubstr("there is no file"));
}

TEST(HostList, WhatIsNoHostIsRefused) {
  EXPECT_THAT(refusal(" , "), HasSubstr("names no host"));
  EXPECT_THAT(refusal("slots=3"), HasSubstr("comes before any host"));
  EXPECT_THAT(refusal("ssh://builder"), HasSubstr("is not a host"));
  EXPECT_THAT(refusal("-x=ssh://builder"), HasSubstr("is not a host"));
  EXPECT_THAT(refusal("a="), HasSubstr("is not a host"));
  for (const char* number : {"0", "-1", "x", "3.5", "100001", ""})
    EXPECT_THAT(refusal(std::string("a=b,slots=") + number), HasSubstr("is a number from 1")) << number;
  EXPECT_THAT(refusal("a=b,memory=much"), HasSubstr("is a size"));
}

}  // namespace
}  // namespace stagemake
