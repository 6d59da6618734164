#include "base/secrets.h"

#include <gtest/gtest.h>

namespace stagemake {
namespace {

TEST(Secrets, UsersOfUrlsAreLeftOut) {
  EXPECT_EQ(without_secrets("http://user:password@proxy:3128/"), "http://…@proxy:3128/");
  EXPECT_EQ(without_secrets("--with-url=https://u:p%40@h/x 'ftp://t0k3n@h'"),
            "--with-url=https://…@h/x 'ftp://…@h'");
  EXPECT_EQ(without_secrets("https://u:p@ss@h\"https://u:p@h\thttps://h/a@b"),
            "https://…@h\"https://…@h\thttps://h/a@b");
  EXPECT_EQ(without_secrets("ssh://git@github.com/x git@github.com:x me@host"),
            "ssh://git@github.com/x git@github.com:x me@host");
  EXPECT_EQ(without_secrets("://"), "://");
  EXPECT_EQ(without_secrets("a://@b"), "a://…@b");
}

TEST(Secrets, ValuesWithTellingNamesAreLeftOut) {
  EXPECT_EQ(without_secrets("GITHUB_TOKEN=ghp_x --api-key='a b' q?secret=s&x=y"),
            "GITHUB_TOKEN=… --api-key=… q?secret=…&x=y");
  EXPECT_EQ(without_secrets("DB_PASSWORD_1=\"p w\" TOKENS=a"), "DB_PASSWORD_1=… TOKENS=…");
  EXPECT_EQ(without_secrets("--with-tokenizer=x secretary=y --enable-x=no TOKEN= a"),
            "--with-tokenizer=x secretary=y --enable-x=no TOKEN= a");
  EXPECT_EQ(without_secrets("PASSWORD='open"), "PASSWORD=…");
}

TEST(Secrets, TextWithoutSecretsIsUnchanged) {
  for (const char* text :
       {"", "=", "a=b", "https://host:1/x?y=z", "./configure --prefix=/usr CFLAGS='-O2 -g'"}) {
    EXPECT_FALSE(has_secret(text));
    EXPECT_EQ(without_secrets(text), text);
  }
  std::string once = without_secrets("https://u:p@h TOKEN=x");
  EXPECT_EQ(without_secrets(once), once);
}

}  // namespace
}  // namespace stagemake
