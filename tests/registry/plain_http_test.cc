#include "registry/plain_http.h"

#include <gtest/gtest.h>

#include "base/text/image_name.h"
#include "registry/http_hosts.h"

namespace stagemake {
namespace {

TEST(PlainHttp, ThisMachinesLoopbackAndNobodyElse) {
  PlainHttp plain;
  for (const char* image : {"127.0.0.1:5000/a:1", "127.0.0.1/a", "127.1.2.3:1/a/b@sha256:0",
                            "localhost:5000/a", "localhost/a", "[::1]:5000/a:1", "[::1]/a"})
    EXPECT_TRUE(plain.allows_image(image)) << image;
  for (const char* image :
       {"127.0.0.1.example.org:5000/a:1", "127.example.org/a", "localhost.example.org/a",
        "registry.example/a", "debian:12", "me/thing", "[::1]x:5000/a", "10.0.0.1:5000/a", ""})
    EXPECT_FALSE(plain.allows_image(image)) << image;
}

TEST(PlainHttp, AndThoseThatWereNamed) {
  PlainHttp plain;
  plain.allow({"registry.example:5000", "10.0.0.1"});
  EXPECT_TRUE(plain.allows_image("registry.example:5000/a/b:1"));
  EXPECT_FALSE(plain.allows_image("registry.example/a/b:1")) << "another port";
  EXPECT_TRUE(plain.allows_image("10.0.0.1/a"));
  EXPECT_TRUE(plain.allows_image("10.0.0.1:5000/a")) << "named without a port: all of them";
  EXPECT_FALSE(plain.allows_image("10.0.0.10/a"));
}

TEST(PlainHttp, IsTheSameForAHostAsForAnImageOnIt) {
  PlainHttp plain;
  plain.allow({"registry.example:5000", "10.0.0.1"});
  for (const char* host : {"127.0.0.1", "127.9.9.9:1", "localhost:80", "[::1]", "[::1]:5000",
                           "registry.example:5000", "10.0.0.1", "10.0.0.1:80"})
    EXPECT_TRUE(plain.allows(host)) << host;
  for (const char* host : {"127.1", "127.0.0.1.example.org", "localhost.example.org:80", "[::1]x:5000",
                           "[::1", "[", "registry.example", "registry.example:80", "10.0.0.10", ""})
    EXPECT_FALSE(plain.allows(host)) << host;
}

TEST(HttpHosts, RemoteHostsCannotReferToLocalAddresses) {
  HttpHosts hosts({"registry.example:5000", "169.254.1.1"});
  const std::string elsewhere = "https://registry.example/v2/";
  for (const char* host :
       {"127.0.0.1", "127.9.9.9:5000", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "localhost", "localhost.",
        "a.localhost", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]",
        "[fe80::1]", "[fe80::1%25eth0]", "169.254.169.254", "169.254.1.1"})
    for (const char* scheme : {"http://", "https://"})
      EXPECT_NE(hosts.refusal(std::string(scheme) + host + "/x", elsewhere), "") << scheme << host;
  EXPECT_EQ(hosts.refusal("https://127.0.0.1:1/x", elsewhere),
            "it refers to 127.0.0.1:1, an address local to this machine");
  EXPECT_NE(hosts.refusal("https://169.254.169.254/", "http://127.0.0.1:5000/v2/"), "")
      << "from this machine's registry to the link";
  for (const char* url :
       {"https://storage.example/", "https://10.0.0.1/", "https://[2001:db8::1]/",
        "http://registry.example:5000/", "https://169.253.0.1/", "https://localhost.example/"})
    EXPECT_EQ(hosts.refusal(url, elsewhere), "") << url;
  for (const char* url : {"http://127.0.0.1:5000/", "https://localhost/", "http://169.254.1.1/"})
    EXPECT_EQ(hosts.refusal(url, ""), "") << "whoever named it may: " << url;
  EXPECT_EQ(hosts.refusal("http://localhost:1/", "http://127.0.0.1:5000/"), "");
  EXPECT_EQ(hosts.refusal("https://169.254.1.1:2/", "http://169.254.1.1:1/"), "");
}

TEST(DigestIn, IsADigestAndNothingElse) {
  std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(digest_in("host:5000/a/b@" + digest), digest);
  EXPECT_EQ(digest_in("a:1@" + digest), digest);
  for (const std::string& name : {std::string("a:1"), std::string("a@"), std::string("a@sha256:abc"), digest,
                                  "a@" + digest + "a", "a@sha256:" + std::string(64, 'G')})
    EXPECT_EQ(digest_in(name), "") << name;
}

}  // namespace
}  // namespace stagemake
